"""`rootc --emit=onnx` against `rootrun run`: ONNX Runtime must give the same logits, within 1e-4 of the largest; and what
`rootc-import` makes of the file, exported again, the same once more.

A case is NET.mlir with flags of rootc behind it, "models/nin.mlir --root=16", or --random FIRST:END. Weights and running
statistics are random, so that nothing is at a value that hides a mistake."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'Gradients'))
import random_networks
from files import write_safetensors

TOLERANCE = 1e-4


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{" ".join(map(str, command))}: exit code {done.returncode}\n{done.stderr}')
    return done.stdout


def make_values(tensors, seed):
    arrays = {}
    for tensor in tensors:
        name, role, shape = tensor['name'], tensor['role'], tensor['shape']
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if role in ('filter', 'weight'):
            value = generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif role in ('scale', 'variance', 'gain'):
            value = generator.uniform(0.5, 1.5, shape)
        else:
            value = 0.3 * generator.standard_normal(shape)
        arrays[name] = value.astype(np.float32)
    return arrays


def check_file(path, arrays, classes):
    """What every reader of ONNX relies on."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    graph = model.graph
    assert [value.name for value in graph.input] == ['image'], 'inputs'
    assert [value.name for value in graph.output] == ['logits'], 'outputs'
    dimensions = graph.output[0].type.tensor_type.shape.dim
    assert dimensions[0].dim_param == 'N' and dimensions[1].dim_value == classes, dimensions
    names = [node.name for node in graph.node]
    assert len(set(names)) == len(names), 'node names repeat'
    # The gain of a standardised filter has become part of it.
    missing = {name for name in arrays if not name.endswith('.gain')} - {tensor.name for tensor in graph.initializer}
    assert not missing, f'no initialiser for {sorted(missing)}'


def run_onnx(path, images):
    """NHWC images; one at a time and all together."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    together = session.run(['logits'], {'image': planes})[0]
    first = session.run(['logits'], {'image': planes[:1]})[0]
    assert np.abs(first - together[:1]).max() <= TOLERANCE * np.abs(together).max(), 'the batch size changes the logits'
    return together


def check_round_trip(tools, file, images, expected):
    call(tools.importer, file('net.onnx'), '-o', file('back.mlir'), '--weights', file('back.safetensors'))
    call(tools.rootc, file('back.mlir'), '--weights', file('back.safetensors'), '-o', file('back.onnx'))
    error = np.abs(run_onnx(file('back.onnx'), images) - expected).max() / np.abs(expected).max()
    assert error <= TOLERANCE, f'imported and exported again, off by {error:.1e} of the largest logit'


def check(tools, path, flags, batch, seed, folder):
    file = lambda name: os.path.join(folder, name)
    call(tools.rootc, path, *flags, '--mode=infer', '-o', file('net.so'))
    info = json.loads(call(tools.rootrun, 'info', file('net.so'), '--json'))
    arrays = make_values(info['tensors'], seed)
    write_safetensors(file('weights.safetensors'), arrays)
    call(tools.rootc, path, *flags, '--weights', file('weights.safetensors'), '-o', file('net.onnx'))
    check_file(file('net.onnx'), arrays, info['classes'])
    images = np.random.default_rng([seed, 7]).standard_normal((batch, *info['image'])).astype(np.float32)
    np.save(file('images.npy'), images)
    call(tools.rootrun, 'run', file('net.so'), '--weights', file('weights.safetensors'), '--input', file('images.npy'),
         '-o', file('logits.npy'))
    ours, theirs = np.load(file('logits.npy')), run_onnx(file('net.onnx'), images)
    scale = np.abs(ours).max()
    assert np.isfinite(scale) and scale > 0, f'largest logit {scale}'
    assert batch == 1 or np.ptp(ours, axis=0).max() > 1e-3 * scale, 'the logits hardly depend on the image'
    error = np.abs(ours - theirs).max() / scale
    assert error <= TOLERANCE, f'off by {error:.1e} of the largest logit'
    check_round_trip(tools, file, images, theirs)
    return error


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('cases', nargs='*', help='a network and flags of rootc, in one argument')
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--rootrun', required=True)
    parser.add_argument('--importer', required=True)
    parser.add_argument('--batch', type=int, default=2, help='of the files')
    parser.add_argument('--random', metavar='FIRST:END', default='0:0', help='seeds of random networks')
    tools = parser.parse_args()
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(case, case.split()[0], case.split()[1:], tools.batch, 0) for case in tools.cases]
        for seed in range(*map(int, tools.random.split(':'))):
            text, batch = random_networks.make(seed)
            path = os.path.join(folder, f'random{seed}.mlir')
            with open(path, 'w') as file:
                file.write(text)
            cases.append((f'random network {seed}', path, [], batch, seed))
        for title, path, flags, batch, seed in cases:
            count += 1
            try:
                print(f'{title}: {check(tools, path, flags, batch, seed, folder):.1e}', flush=True)
            except Exception as error:  # whatever the libraries raise is a failure of this case
                failures += 1
                print(f'{title}: FAILED\n{type(error).__name__}: {error}', flush=True)
    print(f'{count - failures} of {count} networks agree with ONNX Runtime')
    return 1 if failures or not count else 0


if __name__ == '__main__':
    sys.exit(main())
