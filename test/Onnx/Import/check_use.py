"""What a user does with an imported classifier: evaluate it, predict, give it a root topology, train it from its
weights. Loss and accuracy are compared with ONNX Runtime's on the same pictures."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx

import classifiers
from check_classifiers import runtime_output
from imported import call, read_safetensors

MEAN, SCALE = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)
RECORD = 3073  # a label and 3 x 32 x 32 pixels


def sample_data(source, folder, training, test):
    """The first records of CIFAR-10's files; pictures NHWC and labels of the test set."""
    os.makedirs(folder)
    for name, count in (('data_batch_1.bin', training), ('test_batch.bin', test)):
        with open(os.path.join(source, name), 'rb') as file:
            records = file.read(count * RECORD)
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(records)
    records = np.frombuffer(records, np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0].astype(np.int64)


def output(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


def refused(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 1:
        raise AssertionError(f'{" ".join(map(str, command))}: exit code {done.returncode}')
    return done.stderr


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def check(tools, folder, name):
    file = lambda name: os.path.join(folder, name)
    model = classifiers.ALL[name]((32, 32, 3), slim=8, classes=10)
    onnx.save(model, file('model.onnx'))
    pictures, labels = sample_data(tools.data, file('data'), 64, 48)
    call(tools.importer, file('model.onnx'), '-o', file('net.mlir'), '--mean', ','.join(map(str, MEAN)), '--scale',
         ','.join(map(str, SCALE)))
    weights = ('--weights', file('net.safetensors'))
    call(tools.rootc, file('net.mlir'), '-o', file('net.so'))
    call(tools.rootc, file('net.mlir'), f'--root={tools.root}', '-o', file('root.so'))

    logits = runtime_output(model.SerializeToString(), ((pictures - np.array(MEAN)) / np.array(SCALE)).astype(np.float32))
    if model.graph.node[-1].op_type == 'Softmax':
        probabilities = logits.astype(np.float64)
    else:
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True).astype(np.float64))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    accuracy = (probabilities.argmax(axis=1) == labels).mean()
    report = json.loads(output(tools.rootrun, 'eval', file('net.so'), *weights, '--data', file('data'), '--json'))
    expect(abs(report['loss'] - loss) <= 1e-4 * loss, f'loss {report["loss"]}, ONNX Runtime has {loss}')
    expect(abs(report['accuracy'] - accuracy) <= 1.01 / len(labels), f'accuracy {report["accuracy"]} and {accuracy}')
    np.save(file('pictures.npy'), pictures[:4])
    report = json.loads(output(tools.rootrun, 'predict', file('net.so'), *weights, '--input', file('pictures.npy'), '--json'))
    for entry, row in zip(report['predictions'], probabilities):
        expect(abs(entry[0]['probability'] - row.max()) <= 1e-4, f'probability {entry[0]} and {row.max()}')

    message = refused(tools.rootrun, 'eval', file('root.so'), *weights, '--data', file('data'))
    expect('--slice-weights' in message, f'dense weights in a root network: {message}')
    output(tools.rootrun, 'eval', file('root.so'), *weights, '--slice-weights', '--data', file('data'))
    before = read_safetensors(file('net.safetensors'))
    for library, flags in (('net', ()), ('root', ('--slice-weights',))):
        run = file(f'run-{library}')
        output(tools.rootrun, 'train', file(f'{library}.so'), *weights, *flags, '--data', file('data'), '--epochs', 1, '--batch',
               32, '--lr', 1e-4, '-o', run)
        after = read_safetensors(os.path.join(run, 'weights.safetensors'))
        expect(set(after) == set(before), f'other tensors: {set(after) ^ set(before)}')
        for tensor, value in after.items():
            expect(np.isfinite(value).all(), f'{tensor} is not finite')
            # One epoch at a low rate begins at the imported weights and goes somewhere.
            if value.shape == before[tensor].shape and tensor.endswith(('.filter', '.weight')):
                change = np.abs(value - before[tensor]).max() / np.abs(before[tensor]).max()
                expect(0 < change < 0.1, f'{tensor} changed by {change:.1e}')
    sliced = sum(after[tensor].shape != before[tensor].shape for tensor in after)
    expect(sliced > 0, 'no filter was sliced')
    return sliced


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('models', nargs='+')
    parser.add_argument('--importer', required=True)
    parser.add_argument('--rootc', required=True)
    parser.add_argument('--rootrun', required=True)
    parser.add_argument('--data', required=True, help="folder of CIFAR-10's files")
    parser.add_argument('--root', type=int, default=4)
    tools = parser.parse_args()
    failures = 0
    for name in tools.models:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f'{name}: {check(tools, folder, name)} filters sliced', flush=True)
            except (AssertionError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
                failures += 1
                print(f'{name}: FAILED\n{error}\n{getattr(error, "stderr", "")}', flush=True)
    print(f'{len(tools.models) - failures} of {len(tools.models)} models can be used')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
