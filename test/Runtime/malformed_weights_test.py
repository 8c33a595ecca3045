#!/usr/bin/env python3
"""rootrun on malformed safetensors files: exit code 1 and one line that names the file; for bytes changed at random
perhaps a result; never a crash, a hang or much memory.

    malformed_weights_test.py ROOTRUN fake_model.so [--memory MEBIBYTES]
"""
import argparse
import json
import os
import random
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../Onnx/Import'))
from malformed_test import run  # noqa: E402

CLASSES, PIXELS = 10, 3072
WEIGHT, BIAS = 4 * CLASSES * PIXELS, 4 * CLASSES
FRONT = 2 * BIAS  # running statistics, which no case changes


def entry(shape, begin, end, dtype='F32'):
    """Offsets are counted from the end of the statistics."""
    offsets = [offset if isinstance(offset, str) else FRONT + offset for offset in (begin, end)]
    return {'dtype': dtype, 'shape': shape, 'data_offsets': offsets}


def tensors(**changes):
    """The header of the model's weights, with other entries for some; None leaves one out."""
    header = {'fc.mean': entry([CLASSES], -FRONT, -BIAS), 'fc.variance': entry([CLASSES], -BIAS, 0),
              'fc.weight': entry([CLASSES, PIXELS], 0, WEIGHT), 'fc.bias': entry([CLASSES], WEIGHT, WEIGHT + BIAS)}
    for name, value in changes.items():
        header[name.replace('_', '.')] = value
    return {name: value for name, value in header.items() if value is not None}


def encode(header, data=WEIGHT + BIAS, size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text) if size is None else size) + text + bytes(FRONT + data)


def cases():
    huge = 1 << 62
    yield from {
        'empty': b'',
        'seven bytes': bytes(7),
        'eight zeros': bytes(8),
        'text': b'# not weights, but a text of some length',
        'header of 2^64 - 1': encode(tensors(), size=(1 << 64) - 1),
        'header of 2^63': encode(tensors(), size=1 << 63),
        'header of 2^40': encode(tensors(), size=1 << 40),
        'header of 100 MiB': encode(tensors(), size=100 << 20),
        'header of the whole file': encode(tensors(), size=WEIGHT + BIAS + len(json.dumps(tensors()))),
        'header of 0': encode(tensors(), size=0),
        'header of 1': encode(tensors(), size=1),
        'header is a list': encode([1, 2]),
        'header is a number': encode(b'1'),
        'header is text': encode(b'"fc.weight"'),
        'header ends in a zero byte': encode(json.dumps(tensors()).encode() + bytes(1)),
        'header is half': encode(json.dumps(tensors()).encode()[:-3]),
        'header is not UTF-8': encode(b'{"\xff\xfe": 1}'),
        'header of brackets': encode(b'[' * 1000000),
        'header of braces': encode(b'{"a":' * 200000),
        'comma at the end': encode(json.dumps(tensors()).encode()[:-1] + b',}'),
        'NaN': encode(json.dumps(tensors()).encode().replace(b'10, 3072', b'NaN, 3072')),
        'too little data': encode(tensors(), WEIGHT + BIAS - 1),
        'too much data': encode(tensors(), WEIGHT + BIAS + 1),
        'no data': encode(tensors(), 0),
        'no tensors': encode({}, 0),
        'missing weight': encode(tensors(fc_weight=None, fc_bias=entry([CLASSES], 0, BIAS)), BIAS),
        'missing bias': encode(tensors(fc_bias=None), WEIGHT),
        'other name': encode(tensors(fc_bias=None, fc_offset=entry([CLASSES], WEIGHT, WEIGHT + BIAS))),
        'other shape': encode(tensors(fc_weight=entry([PIXELS, CLASSES], 0, WEIGHT))),
        'flat shape': encode(tensors(fc_weight=entry([PIXELS * CLASSES], 0, WEIGHT))),
        'more dimensions': encode(tensors(fc_weight=entry([CLASSES, PIXELS] + [1] * 1000, 0, WEIGHT))),
        'dimension of 2^62': encode(tensors(fc_weight=entry([huge, huge], 0, WEIGHT))),
        'product is 0 by overflow': encode(tensors(fc_weight=entry([1 << 32, 1 << 32], 0, 0), fc_bias=entry([CLASSES], 0, BIAS)), BIAS),
        'dimension of 2^64': encode(tensors(fc_weight=entry([1 << 64], 0, WEIGHT))),
        'dimension of 10^400': encode(tensors(fc_weight=entry([10**400], 0, WEIGHT))),
        'negative dimension': encode(tensors(fc_weight=entry([-CLASSES, -PIXELS], 0, WEIGHT))),
        'real dimension': encode(tensors(fc_weight=entry([10.0, 3072.0], 0, WEIGHT))),
        'dimension of text': encode(tensors(fc_weight=entry(['10', '3072'], 0, WEIGHT))),
        'shape is a number': encode(tensors(fc_weight=entry(30720, 0, WEIGHT))),
        'no shape': encode(tensors(fc_weight={'dtype': 'F32', 'data_offsets': [0, WEIGHT]})),
        'no type': encode(tensors(fc_weight={'shape': [CLASSES, PIXELS], 'data_offsets': [0, WEIGHT]})),
        'no offsets': encode(tensors(fc_weight={'dtype': 'F32', 'shape': [CLASSES, PIXELS]})),
        'one offset': encode(tensors(fc_weight={'dtype': 'F32', 'shape': [CLASSES, PIXELS], 'data_offsets': [0]})),
        'three offsets': encode(tensors(fc_weight={'dtype': 'F32', 'shape': [CLASSES, PIXELS], 'data_offsets': [0, WEIGHT, 0]})),
        'offsets of text': encode(tensors(fc_weight=entry([CLASSES, PIXELS], '0', str(WEIGHT)))),
        'negative offset': encode(tensors(fc_weight={**entry([CLASSES, PIXELS], 0, WEIGHT), 'data_offsets': [-4, WEIGHT - 4]})),
        'offset of 2^63': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 1 << 63, (1 << 63) + WEIGHT))),
        'offsets beyond the end': encode(tensors(fc_weight=entry([CLASSES, PIXELS], WEIGHT, 2 * WEIGHT))),
        'offsets backwards': encode(tensors(fc_weight=entry([CLASSES, PIXELS], WEIGHT, 0))),
        'overlap': encode(tensors(fc_bias=entry([CLASSES], 0, BIAS)), WEIGHT),
        'gap': encode(tensors(fc_bias=entry([CLASSES], WEIGHT + 4, WEIGHT + BIAS + 4)), WEIGHT + BIAS + 4),
        'type F16': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 0, WEIGHT // 2, 'F16'),
                                   fc_bias=entry([CLASSES], WEIGHT // 2, WEIGHT // 2 + BIAS)), WEIGHT // 2 + BIAS),
        'type I32': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 0, WEIGHT, 'I32'))),
        'type F64 of half the bytes': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 0, WEIGHT, 'F64'))),
        'unknown type': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 0, WEIGHT, 'F31'))),
        'type is a number': encode(tensors(fc_weight=entry([CLASSES, PIXELS], 0, WEIGHT, 32))),
        'entry is null': encode(json.dumps(tensors()).encode().replace(b'"fc.bias": {', b'"x": null, "fc.bias": {')),
        'one name twice': encode(json.dumps(tensors()).encode()[:-1] + b', ' + json.dumps(tensors()).encode()[1:]),
        'metadata is a list': encode({**tensors(), '__metadata__': [1]}),
        'metadata of numbers': encode({**tensors(), '__metadata__': {'a': 1}}),
        'wrong hash': encode({**tensors(), '__metadata__': {'rootc.format': '1', 'rootc.hash': '0' * 32}}),
        'missing hash': encode({**tensors(), '__metadata__': {'rootc.format': '1'}}),
        'short hash': encode({**tensors(), '__metadata__': {'rootc.format': '1', 'rootc.hash': '0'}}),
        'input.scale of zeros': encode({**tensors(), 'input.scale': entry([3], WEIGHT + BIAS, WEIGHT + BIAS + 12)}, WEIGHT + BIAS + 12),
        'input.mean of another size': encode({**tensors(), 'input.mean': entry([3], WEIGHT + BIAS, WEIGHT + BIAS + 12)},
                                             WEIGHT + BIAS + 12),
    }.items()
    whole = encode(tensors())
    for size in (1, 8, 9, 50, 100, 150, 200, 1000, WEIGHT, len(whole) - 1):
        yield f'first {size} bytes', whole[:size]


def damaged(count):
    generator = random.Random(1)
    whole = encode(tensors())
    for number in range(count):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(160)] = generator.randrange(256)
        yield f'damaged {number}', bytes(data)


def check(rootrun, model, data, memory, must_fail):
    with tempfile.TemporaryDirectory() as folder:
        file = lambda name: os.path.join(folder, name)
        with open(file('w.safetensors'), 'wb') as output:
            output.write(data)
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, 32, 32, 3), }}".ljust(117) + '\n'
        with open(file('x.npy'), 'wb') as output:
            output.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header.encode() + bytes(4 * PIXELS))
        code, errors, used, seconds = run(folder, rootrun, 'run', model, '--weights', file('w.safetensors'), '--input', file('x.npy'),
                                          '-o', file('y.npy'))
        if code not in ((1,) if must_fail else (0, 1)):
            raise AssertionError(f'exit code {code}: {errors[-3000:]}')
        lines = errors.splitlines()
        if code == 1 and (len(lines) != 1 or not lines[0].startswith('rootrun: error: ') or 'w.safetensors' not in lines[0]):
            raise AssertionError(f'no single line that names the file: {errors[:3000]}')
        if os.path.exists(file('y.npy')) != (code == 0):
            raise AssertionError('it wrote a result' if code else 'it wrote no result')
        # The bytes of the file, the JSON of its header, the parameters.
        if used > memory + 40 * len(data) / (1 << 20):
            raise AssertionError(f'it took {used} MiB')
        return used


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rootrun')
    parser.add_argument('model')
    parser.add_argument('--memory', type=int, default=100, help='MiB, beside what grows with the file')
    arguments = parser.parse_args()
    failures = count = worst = 0
    # The harness itself must accept what is whole.
    todo = [(name, data, True) for name, data in cases()] + [(name, data, False) for name, data in damaged(40)]
    check(arguments.rootrun, arguments.model, encode(tensors()), arguments.memory, False)
    for name, data, must_fail in todo:
        count += 1
        try:
            worst = max(worst, check(arguments.rootrun, arguments.model, data, arguments.memory, must_fail))
        except AssertionError as error:
            failures += 1
            print(f'{name}: {error}', flush=True)
    print(f'{count - failures} of {count} files are refused as they should; at most {worst} MiB')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
