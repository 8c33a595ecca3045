"""The classifiers inside the onnx package, as Caffe2 and its converters exported them. Their weights are left out, one
number again and again; here they become random."""

import glob
import os

import numpy as np
import onnx
from onnx import numpy_helper

FOLDER = os.path.join(os.path.dirname(onnx.__file__), 'backend/test/data/light')


def names():
    return sorted(os.path.basename(path)[len('light_'):-len('.onnx')] for path in glob.glob(f'{FOLDER}/*.onnx'))


def load(name, seed=0):
    """The model with random weights that keep the size of maps."""
    model = onnx.load(f'{FOLDER}/light_{name}.onnx')
    generator = np.random.default_rng(seed)
    graph = model.graph
    shapes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    readers = {}
    for node in graph.node:
        for index, value in enumerate(node.input):
            readers[value] = node.op_type, index
    kept = []
    for node in graph.node:
        if node.op_type != 'ConstantOfShape':
            kept.append(node)
            continue
        shape = shapes[node.input[0]]
        reader, index = readers.get(node.output[0], ('', 0))
        if reader == 'BatchNormalization' and index in (1, 4):
            value = generator.uniform(0.5, 1.5, shape)
        elif len(shape) >= 2:
            value = generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif reader in ('Unsqueeze', 'Mul'):  # a scale or an offset of a channel
            value = generator.uniform(0.5, 1.5, shape)
        else:
            value = 0.1 * generator.standard_normal(shape)
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)
    return model
