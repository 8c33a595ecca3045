"""classifier_files.py WEIGHTS FOLDER HEIGHT WIDTH [NAME,...]: in FOLDER, the weights with a normalisation and names of
the classes, weights.safetensors; and pictures of several sizes, one of the model's, picture-N.jpg: none so large that
rootrun would read it at half its size."""

import json
import os
import struct
import sys

import numpy as np
from PIL import Image

source, folder, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(source, 'rb') as file:
    content = file.read()
size = struct.unpack_from('<Q', content)[0]
header = json.loads(content[8:8 + size])
data = content[8 + size:]
for name, value in (('input.mean', np.full((height, width, 3), (120, 110, 100), '<f4')),
                    ('input.scale', np.array((60, 65, 70), '<f4'))):
    header[name] = {'dtype': 'F32', 'shape': list(value.shape), 'data_offsets': [len(data), len(data) + value.nbytes]}
    data += value.tobytes()
header.pop('__metadata__', None)  # with a hash of what was
if len(sys.argv) > 5:
    header['__metadata__'] = {'rootc.classes': json.dumps(sys.argv[5].split(','))}
text = json.dumps(header).encode()
text += b' ' * (-len(text) % 8)
with open(os.path.join(folder, 'weights.safetensors'), 'wb') as file:
    file.write(struct.pack('<Q', len(text)) + text + data)
random = np.random.default_rng(5)
for i, sides in enumerate(((height, width), (2 * height - 1, 2 * width + 3), (height - 1, width + 9))):
    coarse = Image.fromarray(random.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    coarse.resize(sides[::-1]).save(os.path.join(folder, f'picture-{i}.jpg'), quality=95)
