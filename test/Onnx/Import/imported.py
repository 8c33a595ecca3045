"""A model that is imported, compiled and run: shared by the checks of this folder."""

import os
import subprocess
import sys

import numpy as np
import onnx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../Gradients'))

from check_gradients import draw  # noqa: E402
from files import read_safetensors  # noqa: E402
from jax_model import Model, tolerance_violations  # noqa: E402
from network_syntax import load  # noqa: E402


def add_tools(parser):
    parser.add_argument('--importer', required=True, help='rootc-import')
    parser.add_argument('--rootc')
    parser.add_argument('--rootrun')
    parser.add_argument('--reference', help='rootc-reference, which has no kernels, instead of rootc and rootrun')


def call(*command):
    """What it says on standard error."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit code {done.returncode}\n{done.stderr}')
    return done.stderr


class Imported:
    """One model, imported and compiled in a folder. RuntimeError says what a command said."""

    def __init__(self, tools, folder, model, import_flags=(), compile_flags=()):
        self.tools, self.folder = tools, folder
        self.onnx, self.network, self.weights = map(self.file, ('model.onnx', 'net.mlir', 'net.safetensors'))
        self.flags = list(compile_flags)
        onnx.save(model, self.onnx)
        self.notes = call(tools.importer, self.onnx, '-o', self.network, '--weights', self.weights, *import_flags)
        if not tools.reference:
            call(tools.rootc, self.network, '-o', self.file('net.so'), *self.flags)

    def file(self, name):
        return os.path.join(self.folder, name)

    def call(self, verb, output, *flags):
        if self.tools.reference:
            call(self.tools.reference, verb, self.network, '--weights', self.weights, *self.flags, *flags, '-o', output)
        else:
            call(self.tools.rootrun, verb, self.file('net.so'), '--weights', self.weights, *flags, '-o', output)

    def infer(self, image):
        """The logits of an NHWC image."""
        np.save(self.file('image.npy'), np.ascontiguousarray(image, np.float32))
        self.call('run', self.file('logits.npy'), '--input', self.file('image.npy'))
        return np.load(self.file('logits.npy'))

    def normalised(self, image):
        """What the network gets of an image of the model: a mean image that the model subtracts is in the weights."""
        weights = read_safetensors(self.weights)
        return (image - weights['input.mean']) / weights['input.scale'] if 'input.mean' in weights else image

    def check_gradients(self, batch):
        """Against jax in float64, on a batch that stays off the kinks; returns the worst error."""
        model = Model(load(self.network))
        arrays = read_safetensors(self.weights)
        wanted = {**model.parameters, **model.statistics}
        if set(arrays) != set(wanted) or any(arrays[name].shape != wanted[name][0] for name in arrays):
            raise AssertionError('the weights are not those of the network')
        for seed in range(10):
            image, labels, (_, gradients, _, margin) = draw(model, arrays, batch, seed)
            overall = max(np.abs(value).max() for value in gradients.values())
            if overall:
                break  # dropout may leave nothing of few values
        np.save(self.file('image.npy'), image)
        np.save(self.file('labels.npy'), labels)
        self.call('grad', self.file('g.safetensors'), '--input', self.file('image.npy'), '--labels',
                  self.file('labels.npy'), '--seed', seed)
        actual = read_safetensors(self.file('g.safetensors'))
        # An offset between two batch norms with only a 1x1 convolution between them has no gradient: there is nothing
        # to be in proportion to, and float32's is what rounding leaves.
        none = {name for name, value in gradients.items() if np.abs(value).max() < 1e-12 * overall}
        left = {name: np.abs(actual[name]).max() / overall for name in none}
        if not all(value <= 1e-6 for value in left.values()):
            raise AssertionError(f'gradients that should be zero, as parts of the largest: {left}')
        problems, worst = tolerance_violations({k: v for k, v in gradients.items() if k not in none}, actual)
        if problems:
            raise AssertionError(f'gradients, margin {margin:.1e}: ' +
                                 ', '.join(f'{k} {v:.1e}' for k, v in problems.items()))
        return worst
