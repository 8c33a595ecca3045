"""A model that is imported, compiled and run: shared by the checks of this folder."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import onnx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../Gradients'))

from check_gradients import draw, make_batch, split  # noqa: E402
from files import read_safetensors, write_safetensors  # noqa: E402
from jax_model import Model, tolerance_violations  # noqa: E402
from mend import mend  # noqa: E402
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

    def call(self, verb, output, *flags, weights=None):
        weights = weights or self.weights
        if self.tools.reference:
            call(self.tools.reference, verb, self.network, '--weights', weights, *self.flags, *flags, '-o', output)
        else:
            call(self.tools.rootrun, verb, self.file('net.so'), '--weights', weights, *flags, '-o', output)

    def infer(self, image):
        """The logits of an NHWC image."""
        np.save(self.file('image.npy'), np.ascontiguousarray(image, np.float32))
        self.call('run', self.file('logits.npy'), '--input', self.file('image.npy'))
        return np.load(self.file('logits.npy'))

    def normalised(self, image):
        """What the network gets of an image of the model: a mean image that the model subtracts is in the weights."""
        weights = read_safetensors(self.weights)
        return (image - weights['input.mean']) / weights['input.scale'] if 'input.mean' in weights else image

    def check_gradients(self, batch, mended=False):
        """Against jax in float64, on a batch that stays off the kinks, or with parameters that are mended so that it
        does; returns the worst error, and with `mended` also that of jax in float32."""
        model = Model(load(self.network))
        arrays = read_safetensors(self.weights)
        wanted = {**model.parameters, **model.statistics}
        if set(arrays) != set(wanted) or any(arrays[name].shape != wanted[name][0] for name in arrays):
            raise AssertionError('the weights are not those of the network')
        weights, seed = self.weights, 0
        if mended:
            image, labels = make_batch(model, batch, seed)
            # Images of the same noise are all but alike once their maps are pooled: a batch norm there would see no variance.
            image *= np.linspace(0.25, 2, batch, dtype=np.float32)[:, None, None, None]
            weights, parameters = self.file('mended.safetensors'), split(model, arrays)[0]
            masks = model.masks(batch, seed, 0, range(batch))
            mend(model, parameters, split(model, arrays)[1], image, masks, seed)
            arrays.update(parameters)
            write_safetensors(weights, arrays)
            # Compiling a deep network takes jax longer than evaluating it layer by layer.
            with jax.disable_jit():
                _, gradients, _, margin = model.gradients(*split(model, arrays), image, labels, masks)
                single = model.gradients(*split(model, arrays), image, labels, masks, jnp.float32)[1]
        else:
            for seed in range(10):
                image, labels, (_, gradients, _, margin) = draw(model, arrays, batch, seed)
                if any(np.abs(value).max() for value in gradients.values()):
                    break  # dropout may leave nothing of few values
        overall = max(np.abs(value).max() for value in gradients.values())
        np.save(self.file('image.npy'), image)
        np.save(self.file('labels.npy'), labels)
        self.call('grad', self.file('g.safetensors'), '--input', self.file('image.npy'), '--labels',
                  self.file('labels.npy'), '--seed', seed, weights=weights)
        actual = read_safetensors(self.file('g.safetensors'))
        # An offset between two batch norms with only a 1x1 convolution between them has no gradient: there is nothing
        # to be in proportion to, and float32's is what rounding leaves.
        none = {name for name, value in gradients.items() if np.abs(value).max() < 1e-12 * overall}
        left = {name: np.abs(actual[name]).max() / overall for name in none}
        if not all(value <= 1e-6 for value in left.values()):
            raise AssertionError(f'gradients that should be zero, as parts of the largest: {left}')
        expected = {name: value for name, value in gradients.items() if name not in none}
        problems, worst = tolerance_violations(expected, actual)
        reached = tolerance_violations(expected, single)[1] if mended else None
        if problems:
            raise AssertionError(f'gradients, margin {margin:.1e}' + (f', float32 of jax {reached:.1e}: ' if mended else ': ') +
                                 ', '.join(f'{k} {v:.1e}' for k, v in sorted(problems.items(), key=lambda x: -x[1])[:20]))
        return (worst, reached) if mended else worst
