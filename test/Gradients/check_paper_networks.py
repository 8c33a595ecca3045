"""Networks of models/ against `paper_networks.py`, which was written from their papers alone, with the same weights:
gradients of every parameter and of the image (--gradients), inference and a training step at the paper's image size
(--full-size).

Per tensor, an error may be 1e-4 of max(its own largest magnitude, 1e-3 of the network's largest gradient)."""

import argparse
import csv
import os
import re
import sys
import tempfile
import time

import numpy as np

import graph as layers
from abi import Trainer
from check_gradients import call
from files import read_safetensors, write_safetensors
from jax_model import tolerance_violations
from kinks import draw_off_kinks
from paper_networks import NETWORKS

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')

# Small images for gradients: every batch norm has at least 16 values a channel, and GoogLeNet's last pool a 7x7 map.
SMALL = {'nin': (32, 32, 2), 'resnet50': (64, 64, 8), 'resnet200': (64, 64, 8), 'googlenet': (175, 175, 1),
         'alexnet': (67, 67, 2)}


class Case:
    """One row of a table: its network here and there."""

    def __init__(self, name, largest):
        self.build, table, rows, self.image = NETWORKS[name]
        self.name, self.title = name, rows[largest]
        with open(os.path.join(SOURCE, 'test', 'Reference', table + '.csv'), newline='') as file:
            row = next(row for row in csv.DictReader(file) if row['model'] == self.title)
        columns = {key.removesuffix('_groups'): int(value) for key, value in row.items() if key.endswith('_groups')}
        self.groups = list(columns.values())
        root = re.search(r'root-(\d+)', self.title)
        if root:
            self.flags = [f'--root={root[1]}']
        else:
            grouped = [f'{key}={value}' for key, value in columns.items() if value > 1]
            self.flags = ['--groups=' + ','.join(grouped)] if grouped else []

    def compile(self, rootc, folder, image):
        """The library, dropout off."""
        with open(os.path.join(SOURCE, 'models', self.name + '.mlir')) as file:
            text = re.sub(r'(root\.dropout %\w+) rate\([^)]*\)', r'\1 rate(0)', file.read())
        path, library = os.path.join(folder, self.name + '.mlir'), os.path.join(folder, self.name + '.so')
        with open(path, 'w') as file:
            file.write(text)
        start = time.monotonic()
        call(rootc, path, *self.flags, f'--image={image[0]}x{image[1]}', '-o', library)
        print(f'{self.title}: compiled at {image[0]}x{image[1]} in {time.monotonic() - start:.0f} s', flush=True)
        return library

    def data(self, image, batch, seed):
        network = self.build((*image, 3), self.groups)
        parameters, statistics = layers.draw(network, seed)
        generator = np.random.default_rng([seed, 2])
        images = generator.standard_normal((batch, *image, 3)).astype(np.float32)
        return network, parameters, statistics, images, generator.integers(0, network.heads[-1][0].shape[2], batch)


def raise_if(problems, what):
    if problems:
        raise AssertionError(f'{what}: errors as parts of the scale: ' + ', '.join(
            f'{name} {ratio:.2e}' for name, ratio in sorted(problems.items(), key=lambda item: -abs(item[1]))))


def infer(rootrun, library, folder, network, parameters, statistics, images):
    """Runs inference on both sides; the error as a part of the largest logit."""
    file = lambda name: os.path.join(folder, name)
    write_safetensors(file('weights.safetensors'), {**parameters, **statistics})
    np.save(file('image.npy'), images)
    call(rootrun, 'run', library, '--weights', file('weights.safetensors'), '--input', file('image.npy'),
         '-o', file('logits.npy'))
    expected = layers.infer(network, parameters, statistics, images)
    problems, worst = tolerance_violations({'logits': expected}, {'logits': np.load(file('logits.npy'))})
    raise_if(problems, 'inference')
    return worst


def check_gradients(tools, case, folder):
    *image, batch = SMALL[case.name]
    network, parameters, statistics, images, labels = case.data(image, batch, tools.seed)
    margin = draw_off_kinks(network, parameters, images, tools.seed)
    library = case.compile(tools.rootc, folder, image)
    logits = infer(tools.rootrun, library, folder, network, parameters, statistics, images)
    file = lambda name: os.path.join(folder, name)
    np.save(file('labels.npy'), labels)
    call(tools.rootrun, 'grad', library, '--weights', file('weights.safetensors'), '--input', file('image.npy'),
         '--labels', file('labels.npy'), '-o', file('gradients.safetensors'))
    actual = read_safetensors(file('gradients.safetensors'))
    loss, expected = layers.gradients(network, parameters, images, labels)
    if set(actual) != set(expected) | {'loss'}:
        raise AssertionError(f'tensors differ: {sorted(set(actual) ^ (set(expected) | {"loss"}))}')
    problems, worst = tolerance_violations(expected, actual)
    error = abs(float(actual['loss'].reshape(-1)[0]) - loss) / loss
    if not error <= 1e-5:
        problems['loss'] = error
    raise_if(problems, f'gradients (margin {margin:.1e})')
    print(f'{case.title}: batch {batch}, {len(expected)} gradients {worst:.1e}, loss {error:.1e}, logits {logits:.1e} '
          f'(margin {margin:.1e})', flush=True)


def train(library, case, arrays, images, labels, rate, threads):
    """Three steps on one batch: their losses, and what parameters and statistics are then."""
    trainer = Trainer(library, case.name, threads)
    trainer.load(arrays)
    losses = [trainer.step(images, labels, range(len(labels)), 0, 0, rate, 0.9, 0.0) for _ in range(3)]
    after = trainer.arrays()
    trainer.close()
    return losses, after


def normalised_biases(network):
    """Biases that a batch norm takes out again: they have no gradient."""
    return {f'{node.inputs[0].name}.bias' for node in network.nodes
            if node.kind == 'batch_norm' and node.inputs[0].kind == 'conv' and node.inputs[0].settings['bias']}


def check_full_size(tools, case, folder):
    """Inference, and three training steps: the first loss is jax's, the last one lower, all parameters move, and one
    thread makes the bits of two."""
    network, parameters, statistics, images, labels = case.data(case.image, 2, tools.seed)
    library = case.compile(tools.rootc, folder, case.image)
    logits = infer(tools.rootrun, library, folder, network, parameters, statistics, images)
    losses, after = train(library, case, {**parameters, **statistics}, images, labels, tools.rate, 2)
    expected = float(layers.loss_of(network, layers.wide(parameters), np.float64(images), labels))
    if not abs(losses[0] - expected) <= 1e-4 * expected:
        raise AssertionError(f'training loss {losses[0]}, jax has {expected}')
    if not losses[2] < losses[0]:
        raise AssertionError(f'losses of three steps on one batch: {losses}')
    broken = [name for name, value in after.items() if not np.isfinite(value).all()]
    if broken:
        raise AssertionError(f'not finite after three steps: {broken}')
    still = {name for name, value in parameters.items() if (after[name] == value).all()}
    if still != normalised_biases(network):
        raise AssertionError(f'parameters that should move or stay: {sorted(still ^ normalised_biases(network))}')
    alone = train(library, case, {**parameters, **statistics}, images, labels, tools.rate, 1)
    different = [name for name, value in after.items() if (alone[1][name] != value).any()]
    if alone[0] != losses or different:
        raise AssertionError(f'one thread: losses {alone[0]}, two: {losses}; tensors that differ: {different}')
    print(f'{case.title}: batch 2, logits {logits:.1e}, losses {losses} (jax {expected:.6f}), '
          f'{len(parameters) - len(still)} of {len(parameters)} parameters moved', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('networks', nargs='+', choices=NETWORKS)
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--rootrun', required=True)
    parser.add_argument('--gradients', action='store_true')
    parser.add_argument('--full-size', action='store_true')
    parser.add_argument('--variant', choices=('baseline', 'largest'), help='one of the two; both if left out')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rate', type=float, default=1e-4, help='learning rate of the three steps')
    tools = parser.parse_args()
    if not (tools.gradients or tools.full_size):
        parser.error('give --gradients, --full-size or both')
    failures = 0
    checks = [check_gradients] * tools.gradients + [check_full_size] * tools.full_size
    for name in tools.networks:
        for largest in {'baseline': [0], 'largest': [1], None: [0, 1]}[tools.variant]:
            case = Case(name, largest)
            for check in checks:
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        check(tools, case, folder)
                    except (AssertionError, RuntimeError, ValueError) as error:
                        failures += 1
                        print(f'{case.title}: FAILED\n{error}', flush=True)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
