"""safetensors files, read and written without the library."""

import json
import struct

import numpy as np


def write_safetensors(path, tensors):
    header, data, position = {}, [], 0
    for name, value in sorted(tensors.items()):
        raw = np.ascontiguousarray(value, np.float32).tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(np.shape(value)), 'data_offsets': [position, position + len(raw)]}
        position += len(raw)
        data.append(raw)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(data))


def read_safetensors(path):
    with open(path, 'rb') as file:
        content = file.read()
    size = struct.unpack_from('<Q', content)[0]
    tensors = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name != '__metadata__':
            begin, end = entry['data_offsets']
            data = np.frombuffer(content[8 + size + begin:8 + size + end], '<f4')
            tensors[name] = data.reshape(entry['shape'])
    return tensors
