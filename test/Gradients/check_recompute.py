#!/usr/bin/env python3
"""`rootc --recompute` changes no bit: gradients, loss and logits of models/*.mlir files and of random networks are those
of the same network without it; and somewhere it saves memory."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import random_networks
from network_syntax import load


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit code {done.returncode}\n{done.stderr}')
    return done.stdout


def run(tools, path, batch, flags, folder):
    """The bytes that `grad` writes, and the workspace of a training step."""
    network = load(path)
    name = lambda suffix: os.path.join(folder, 'net' + suffix)
    call(tools.rootc, path, *flags, '-o', name('.so'))
    random = np.random.default_rng(batch)
    np.save(name('.image.npy'), random.standard_normal((batch, *network.image), np.float32))
    np.save(name('.labels.npy'), random.integers(0, network.classes, batch))
    call(tools.rootrun, 'init', name('.so'), '-o', name('.weights'))
    call(tools.rootrun, 'grad', name('.so'), '--weights', name('.weights'), '--input', name('.image.npy'), '--labels',
         name('.labels.npy'), '--seed', 7, '-o', name('.gradients'))
    workspace = json.loads(call(tools.rootrun, 'info', name('.so'), '--batch', batch, '--json'))['workspace_bytes']['train']
    with open(name('.gradients'), 'rb') as file:
        return file.read(), workspace


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('networks', nargs='*', help='.mlir files')
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--rootrun', required=True)
    parser.add_argument('--batch', type=int, default=2, help='of the files')
    parser.add_argument('--random', metavar='FIRST:END', default='0:0', help='seeds of random networks')
    tools = parser.parse_args()
    first, end = map(int, tools.random.split(':'))
    failures = saved = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(path, path, tools.batch) for path in tools.networks]
        for seed in range(first, end):
            text, batch = random_networks.make(seed)
            path = os.path.join(folder, f'random{seed}.mlir')
            with open(path, 'w') as file:
                file.write(text)
            cases.append((f'random network {seed}', path, batch))
        for title, path, batch in cases:
            kept, most = run(tools, path, batch, [], folder)
            again, least = run(tools, path, batch, ['--recompute'], folder)
            right = kept == again and least <= most
            failures += not right
            saved += least < most
            print(f'{title}: {"same bits" if kept == again else "OTHER BITS"}, workspace {most} -> {least}', flush=True)
            if not right:
                print(open(path).read())
    print(f'{len(cases) - failures} of {len(cases)} networks are the same with --recompute; {saved} need less memory')
    return 1 if failures or not saved else 0


if __name__ == '__main__':
    sys.exit(main())
