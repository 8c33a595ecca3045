"""compare_init.py FILE.onnx WEIGHTS.safetensors: every parameter of the file has the bits of the weights."""

import os
import sys

import numpy as np
import onnx

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'Gradients'))
from files import read_safetensors

weights = read_safetensors(sys.argv[2])
found = 0
for tensor in onnx.load(sys.argv[1]).graph.initializer:
    if tensor.name not in weights:
        continue
    ours, theirs = weights[tensor.name], onnx.numpy_helper.to_array(tensor)
    if ours.ndim == 4:
        ours = ours.transpose(0, 3, 1, 2)
    elif tensor.name == 'fc.weight':
        ours = ours.reshape(3, 2, 3, 4).transpose(0, 3, 1, 2).reshape(theirs.shape)
    assert np.array_equal(ours, theirs), tensor.name
    found += 1
print(found, 'tensors are equal,', np.abs(weights['fc.weight']).max() > 0)
