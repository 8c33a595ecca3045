"""Networks that rootc writes as ONNX come back as they were, some with `--pixels`: random ones, by rootc-reference, which
needs no kernels."""

import argparse
import os
import sys
import tempfile

import numpy as np

from imported import Model, call, load, read_safetensors
from check_gradients import make_values
from files import write_safetensors
import random_networks

BOUND = 2e-5  # of the largest logit


def check(tools, folder, seed):
    file = lambda name: os.path.join(folder, name)
    text, batch = random_networks.make(seed)
    with open(file('net.mlir'), 'w') as output:
        output.write(text)
    model = Model(load(file('net.mlir')))
    arrays = make_values(model, seed)
    height, width, channels = model.network.image
    generator = np.random.default_rng(seed)
    pixels = {'input.mean': generator.uniform(0, 255, (height, width, channels)).astype(np.float32),
              'input.scale': generator.uniform(1, 99, channels).astype(np.float32)}
    write_safetensors(file('net.safetensors'), arrays | pixels)
    # Normalised outside of the file, or by it.
    flags = ('--pixels',) if seed % 4 == 3 else ()
    call(tools.rootc, file('net.mlir'), '--weights', file('net.safetensors'), *flags, '-o', file('net.onnx'))
    call(tools.importer, file('net.onnx'), '-o', file('back.mlir'))
    back = read_safetensors(file('back.safetensors'))
    for name, value in pixels.items():
        if not np.allclose(back[name], value, rtol=1e-6):
            raise AssertionError(f'{name} is another')
    np.save(file('image.npy'), generator.standard_normal((batch, height, width, channels)).astype(np.float32))
    logits = []
    for name in ('net', 'back'):
        call(tools.reference, 'run', file(f'{name}.mlir'), '--weights', file(f'{name}.safetensors'), '--input',
             file('image.npy'), '-o', file('logits.npy'))
        logits.append(np.load(file('logits.npy')))
    error = np.abs(logits[1] - logits[0]).max() / np.abs(logits[0]).max()
    if not error <= BOUND:
        raise AssertionError(f'logits differ by {error:.1e}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--importer', required=True)
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--reference', required=True)
    parser.add_argument('--random', metavar='FIRST:END', default='0:20', help='seeds of random networks')
    tools = parser.parse_args()
    first, end = map(int, tools.random.split(':'))
    failures = 0
    for seed in range(first, end):
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(tools, folder, seed)
            except (AssertionError, RuntimeError, ValueError) as error:
                failures += 1
                print(f'random network {seed}: FAILED\n{error}\n{random_networks.make(seed)[0]}', flush=True)
    print(f'{end - first - failures} of {end - first} networks come back')
    return 1 if failures or end <= first else 0


if __name__ == '__main__':
    sys.exit(main())
