"""make_weights.py FROM TO [NAME=H,W,...|NAME-]...: the safetensors file FROM with tensors added (counting up in tenths,
from 1), or left out."""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'Gradients'))
from files import read_safetensors, write_safetensors

tensors = read_safetensors(sys.argv[1])
for change in sys.argv[3:]:
    if change.endswith('-'):
        del tensors[change[:-1]]
    else:
        name, sizes = change.split('=')
        shape = [int(size) for size in sizes.split(',')]
        tensors[name] = 1 + np.arange(np.prod(shape)).reshape(shape) / 10
write_safetensors(sys.argv[2], tensors)
