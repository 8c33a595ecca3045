"""The first 20 steps of training on recorded batches, in a generated library and in jax in float64: losses, weights,
running statistics, by the norm of check_gradients.py."""

import argparse
import math
import os
import sys
import tempfile

import numpy as np

import random_networks
from abi import Trainer
from check_gradients import call, make_values, split
from jax_model import Model, tolerance_violations
from network_syntax import load
from topology import apply_root

# The recipe of scripts/train-nin.sh: one-cycle, its first fifth a cosine up from a 25th of the rate.
RATE, RECIPE_STEPS, MOMENTUM, DECAY = 0.05, 15 * 78, 0.9, 5e-4
SEED, STEPS_PER_EPOCH = 3, 8
TRIES, SAFE_MARGIN = 16, 4e-6


def rate_of(step):
    part = step / (0.2 * RECIPE_STEPS)
    return RATE / 25 + (RATE - RATE / 25) * (1 - math.cos(math.pi * part)) / 2


def initial(model):
    """As training begins: He's filters, constants elsewhere."""
    arrays = make_values(model, 1)
    for name, (_, role) in {**model.parameters, **model.statistics}.items():
        if role not in ('filter', 'weight'):
            arrays[name][...] = 0.25 if role == 'slope' else role in ('scale', 'variance', 'gain')
    return arrays


def load_data(model, data):
    """Images of the data set, normalised, or random ones where the network's image is not CIFAR-10's; labels."""
    generator = np.random.default_rng(11)
    if data and model.network.image == (32, 32, 3):
        raw = np.fromfile(os.path.join(data, 'data_batch_1.bin'), np.uint8).reshape(-1, 3073)
        labels = raw[:, 0].astype(np.int64)
        images = raw[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).astype(np.float32)
        images = (images - images.mean(axis=0)) / images.std(axis=(0, 1, 2))
    else:
        images = generator.standard_normal((256, *model.network.image)).astype(np.float32)
        labels = generator.integers(0, model.network.classes, 256)
    return images, labels


def draw(model, parameters, statistics, images, labels, batch, epoch, generator):
    """The samples of a batch and the oracle's answer on it: of some batches, one where no ReLU or maximum is so near
    its kink that float32 takes the other side, which would be another network's training."""
    best = None
    for _ in range(TRIES):
        samples = generator.choice(len(images), batch, replace=False)
        oracle = model.gradients(parameters, statistics, images[samples], labels[samples],
                                 model.masks(batch, SEED, epoch, samples))
        if best is None or oracle[3] > best[1][3]:
            best = samples, oracle
        if oracle[3] > SAFE_MARGIN:
            break
    return best


def check(tools, path, root, folder):
    network = load(path)
    if root > 1:
        apply_root(network, root)
    model = Model(network)
    arrays = initial(model)
    library = os.path.join(folder, f'{network.name}-{root}.so')
    call(tools.rootc, path, *([f'--root={root}'] if root > 1 else []), f'--target={tools.target}', '-o', library)
    trainer = Trainer(library, network.name)
    trainer.load(arrays)
    parameters, statistics = ({name: value.astype(np.float64) for name, value in part.items()}
                              for part in split(model, arrays))
    velocity = {name: np.zeros_like(value) for name, value in parameters.items()}
    problems, worst = {}, 0.0
    images, labels = load_data(model, tools.data)
    generator = np.random.default_rng(12)
    for step in range(1, tools.steps + 1):
        rate, epoch = rate_of(step - 1), (step - 1) // STEPS_PER_EPOCH
        samples, (expected, gradients, statistics, margin) = draw(model, parameters, statistics, images, labels,
                                                                  tools.batch, epoch, generator)
        loss = trainer.step(images[samples], labels[samples], samples, SEED, epoch, rate, MOMENTUM, DECAY)
        model.step(parameters, velocity, gradients, rate, MOMENTUM, DECAY)
        actual = trainer.arrays()
        for part in (parameters, statistics):
            if part:
                wrong, ratio = tolerance_violations(part, actual)
                problems.update({f'{name} after step {step}': value for name, value in wrong.items()})
                worst = max(worst, ratio)
        if not abs(loss - expected) <= 1e-4 * abs(expected):
            problems[f'loss of step {step}'] = loss - expected
        print(f'  step {step}: loss {loss:.6f}, jax {expected:.6f}, worst error so far {worst:.1e} (margin {margin:.1e})', flush=True)
        if problems:
            break
    trainer.close()
    if problems:
        raise AssertionError(', '.join(f'{name}: {value:.2e}' for name, value in problems.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('networks', nargs='*', help='.mlir files')
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--data', help='folder of data_batch_1.bin')
    parser.add_argument('--target', default='host', help='of rootc: host-opencl runs on an OpenCL device')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--steps', type=int, default=20)
    parser.add_argument('--root', type=int, action='append', help='--root of the files; may be repeated')
    parser.add_argument('--random', type=int, nargs='*', default=[], help='seeds of random networks')
    tools = parser.parse_args()
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(path, root) for path in tools.networks for root in tools.root or [1]]
        for seed in tools.random:
            cases.append((os.path.join(folder, f'random{seed}.mlir'), 1))
            with open(cases[-1][0], 'w') as file:
                file.write(random_networks.make(seed)[0])
        for path, root in cases:
            count += 1
            print(f'{os.path.basename(path)}, root {root}:', flush=True)
            try:
                check(tools, path, root, folder)
            except (AssertionError, RuntimeError, ValueError) as error:
                failures += 1
                print(f'FAILED: {error}', flush=True)
    print(f'{count - failures} of {count} networks train as jax does')
    return 1 if failures or not count else 0


if __name__ == '__main__':
    sys.exit(main())
