"""Malformed ONNX files, each with a part of the message it must get; written into a folder one at a time."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64 = TensorProto.FLOAT, TensorProto.INT64
HUGE = 1 << 62


def info(name, shape, element=F32):
    return helper.make_tensor_value_info(name, element, shape)


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def raw(name, dims, data, element=F32):
    """A tensor that says what it likes."""
    result = TensorProto(name=name, data_type=element, raw_data=data)
    result.dims.extend(dims)
    return result


def node(op, inputs, outputs, name='', **attributes):
    return helper.make_node(op, inputs, outputs, name=name, **attributes)


def model(nodes, initializers=(), inputs=None, outputs=None, opset=13, shape=('N', 3, 8, 8)):
    graph = helper.make_graph(nodes, 'g', [info('x', shape)] if inputs is None else inputs,
                              [info('y', ['N', 4])] if outputs is None else outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])


def ending(value, channels=4):
    """The nodes from a map to the logits y."""
    return [node('GlobalAveragePool', [value], ['pooled']), node('Flatten', ['pooled'], ['y'])]


def with_node(op, *weights, inputs=None, opset=13, shape=('N', 3, 8, 8), then=ending, **attributes):
    """x through one node with these weights to the logits."""
    names = [weight.name for weight in weights]
    return model([node(op, ['x', *names] if inputs is None else inputs, ['v'], 'it', **attributes), *then('v')], weights,
                 opset=opset, shape=shape)


def many_wrong():
    """Two unknown operators alike, twenty others, a pool of 0, and a Relu behind them."""
    nodes = [node(f'Unheard{i}', ['x'], [f'v{i}'], f'strange{i}') for i in range(21)]
    nodes += [node('Unheard0', ['x'], ['w0'], 'again'), node('MaxPool', ['x'], ['w1'], 'pool', kernel_shape=[0, 0]),
              node('Sum', [f'v{i}' for i in range(21)] + ['w0', 'w1'], ['s'])]
    return model([*nodes, *ending('s')])


FILTERS = tensor('w', np.ones((4, 3, 3, 3)))


def conv(weight=FILTERS, **attributes):
    return with_node('Conv', weight, **attributes)


def good():
    """A small network with most of what files hold."""
    return model([
        node('Conv', ['x', 'w', 'b'], ['c'], 'conv', pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3]),
        node('BatchNormalization', ['c', 's', 'o', 'm', 'v'], ['n'], 'norm'), node('Relu', ['n'], ['r']),
        node('MaxPool', ['r'], ['p'], kernel_shape=[2, 2], strides=[2, 2]), node('Shape', ['p'], ['shape']),
        node('Gather', ['shape', 'zero'], ['batch']), node('Unsqueeze', ['batch', 'axes'], ['first']),
        node('Concat', ['first', 'minus'], ['target'], axis=0), node('Reshape', ['p', 'target'], ['f']),
        node('Gemm', ['f', 'fw', 'fb'], ['y'], 'fc', transB=1)
    ], [FILTERS, tensor('b', [1, 2, 3, 4]), tensor('s', [1, 1, 2, 2]), tensor('o', [0, 1, 0, 1]), tensor('m', [0, 0, 1, 1]),
        tensor('v', [1, 2, 1, 2]), tensor('zero', 0, np.int64), tensor('axes', [0], np.int64), tensor('minus', [-1], np.int64),
        tensor('fw', np.ones((4, 16))), tensor('fb', [1, 2, 3, 4])])


def changed(change):
    result = good()
    change(result)
    return result


def edited(op, change):
    """The good network with one node changed."""
    result = good()
    change(next(entry for entry in result.graph.node if entry.op_type == op))
    return result


def set_attribute(target, name, value):
    for attribute in list(target.attribute):
        if attribute.name == name:
            target.attribute.remove(attribute)
    target.attribute.append(helper.make_attribute(name, value))


def constants(nodes, value, *weights, opset=13):
    """Arithmetic on constants, whose result is added to the image."""
    return model([*nodes, node('Add', ['x', value], ['sum']), *ending('sum')], weights, opset=opset)


def branch(output, made=None, read='c'):
    return helper.make_graph([node('Identity', [read], [made or output])], 'branch', [], [helper.make_empty_tensor_value_info(output)])


def of_shape(*shape):
    return constants([node('ConstantOfShape', ['s'], ['v'], 'it')], 'v', tensor('s', shape, np.int64))


def external(folder, location, size=432, prepare=None, **more):
    """Filters as external data."""
    if prepare:
        prepare(folder)
    weight = TensorProto(name='w', data_type=F32, data_location=TensorProto.EXTERNAL)
    weight.dims.extend([4, 3, 3, 3])
    for key, value in {'location': location, 'offset': '0', 'length': str(size), **more}.items():
        if value is not None:
            weight.external_data.add(key=key, value=value)
    return conv(weight)


def data_file(size=432, name='data.bin'):
    def write(folder):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(bytes(size))
    return write


def link(target):
    return lambda folder: os.symlink(target, os.path.join(folder, 'data.bin'))


def linked_folder(folder):
    os.symlink('/etc', os.path.join(folder, 'sub'))


def overlapping(folder):
    data_file(432)(folder)
    result = external(folder, 'data.bin')
    again = TensorProto()
    again.CopyFrom(result.graph.initializer[0])
    again.name = 'w2'
    again.dims[1] = 4
    again.dims[2] = again.dims[3] = 1
    again.external_data[2].value = str(4 * 4 * 4)
    result.graph.initializer.append(again)
    result.graph.node[0].output[0] = 'u'
    result.graph.node.insert(1, node('Conv', ['u', 'w2'], ['v']))
    return result


def field(number, data):
    """An encoded field of bytes."""
    size, text = len(data), b''
    while size > 127:
        text, size = text + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + text + bytes([size]) + data


def deep(levels):
    """Graphs in attributes of nodes of graphs."""
    graph = b''
    for _ in range(levels):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def chain(op, count, source='x'):
    names = [source, *(f'n{i}' for i in range(count))]
    return [node(op, [a], [b]) for a, b in zip(names, names[1:])], names[-1]


def many_nodes(count):
    nodes, last = chain('Relu', count)
    return model([*nodes, *ending(last)])


def doubling(count, axis=1, source='x', weights=()):
    names = [source, *(f'n{i}' for i in range(count))]
    nodes = [node('Concat', [a, a], [b], axis=axis) for a, b in zip(names, names[1:])]
    return model([*nodes, *ending(names[-1])] if source == 'x' else
                 [*nodes, node('Add', ['x', names[-1]], ['sum']), *ending('sum')], weights)


def ring(*ops, opset=13):
    nodes = [node(op, [f'v{i}'], [f'v{(i + 1) % len(ops)}']) for i, op in enumerate(ops)]
    return model([*nodes, node('Add', ['x', 'v0'], ['sum']), *ending('sum')], opset=opset)


def without(name):
    """The good network less one initializer."""
    result = good()
    index = [entry.name for entry in result.graph.initializer].index(name)
    del result.graph.initializer[index]
    return result


def retyped(name, element):
    result = good()
    for entry in result.graph.initializer:
        if entry.name == name:
            entry.data_type = element
    return result


def image_of(value_info):
    result = good()
    result.graph.input[0].CopyFrom(value_info)
    return result


def image_without_shape():
    result = good()
    result.graph.input[0].type.tensor_type.ClearField('shape')
    return result


def sequence_image():
    return image_of(helper.make_tensor_sequence_value_info('x', F32, ['N', 3, 8, 8]))


def opsets(*versions):
    result = good()
    del result.opset_import[:]
    for domain, version in versions:
        result.opset_import.append(helper.make_opsetid(domain, version))
    return result


def rename(result, name):
    result.graph.node[0].name = name
    result.graph.node[0].op_type = 'Unheard'
    return result


def referring():
    result = good()
    result.graph.node[0].attribute[0].ref_attr_name = 'outer'
    return result


def repeated_attribute():
    return edited('Conv', lambda n: n.attribute.append(helper.make_attribute('strides', [1, 1])))


def segment():
    result = good()
    result.graph.initializer[0].segment.begin = 0
    result.graph.initializer[0].segment.end = 4
    return result


def fields(count):
    result = TensorProto(name='w', data_type=F32)
    result.dims.extend([4, 3, 3, 3])
    result.float_data.extend([1.0] * count)
    return conv(result)


def with_softmax(**attributes):
    return with_node('Conv', FILTERS, then=lambda v: [node('GlobalAveragePool', [v], ['p']), node('Flatten', ['p'], ['f']),
                                                      node('Softmax', ['f'], ['y'], **attributes)])


# Name: (what makes the model in a folder, or its bytes; part of the message).
def cases():
    w = 'tensor \'w\''
    yield from {
        # -- not a model --------------------------------------------------------------------------------------------
        'empty': (b'', 'holds no graph'),
        'zeros': (bytes(100), 'is not an ONNX file'),
        'text': (b'root.network @nin(%image: !root.image<32x32x3>)', 'is not an ONNX file'),
        'png': (b'\x89PNG\r\n\x1a\n' + bytes(64), 'is not an ONNX file'),
        'ones': (b'\xff' * 200, 'is not an ONNX file'),
        'length of 4 GiB': (b'\x3a\xff\xff\xff\xff\x0f', 'is not an ONNX file'),
        'length of 2^63': (b'\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f', 'is not an ONNX file'),
        'endless number': (b'\x08' + b'\xff' * 20, 'is not an ONNX file'),
        'group': (b'\x3b\x3c', 'is not an ONNX file'),
        'no graph': (helper.make_model(helper.make_graph([], 'g', [], [])).SerializeToString()[:4], 'is not an ONNX'),
        'no opset': (opsets(), 'names no opset'),
        'opset 8': (opsets(('', 8)), 'is of opset 8, and 9 is the oldest'),
        'opset 0': (opsets(('', 0)), 'is of opset 0'),
        'opset -1': (opsets(('', -1)), 'is of opset -1'),
        'two opsets': (opsets(('', 13), ('', 14)), 'names two opsets'),
        'other opset': (opsets(('com.example', 13)), 'names no opset'),
        'deep': (deep(40), 'is not an ONNX file, or is truncated or damaged'),
        'many messages': (b'\x3a\x80\x80\x80\x01' + b'\x0a\x00' * (1 << 20), 'nodes, attributes and names'),
        # -- sizes --------------------------------------------------------------------------------------------------
        'too little data': (conv(raw('w', [4, 3, 3, 3], bytes(428))), f'{w}: it has 428 bytes'),
        'too much data': (conv(raw('w', [4, 3, 3, 3], bytes(436))), f'{w}: it has 436 bytes'),
        'no data': (conv(raw('w', [4, 3, 3, 3], b'')), f'{w}: it has 0 bytes'),
        'dimension of 2^62': (conv(raw('w', [HUGE, 3, 3, 3], bytes(432))), f'{w}: its shape'),
        'dimension of 2^40': (conv(raw('w', [1 << 40], bytes(432))), 'needs 4398046511104'),
        'product overflows': (conv(raw('w', [1 << 32, 1 << 32, 1, 1], bytes(432))), 'negative or too large'),
        'product is 0 by overflow': (conv(raw('w', [1 << 31, 1 << 31, 4, 1], b'')), 'negative or too large'),
        'bytes overflow': (conv(raw('w', [1 << 61, 2, 1, 1], b'')), 'negative or too large'),
        'negative dimension': (conv(raw('w', [-4, 3, 3, 3], bytes(432))), 'negative or too large'),
        'two negative dimensions': (conv(raw('w', [-4, -3, 3, 3], bytes(432))), 'negative or too large'),
        'dimension 0': (conv(raw('w', [0, 3, 3, 3], b'')), 'none of them 0'),
        'no dimensions': (conv(raw('w', [], bytes(4))), 'must have four dimensions'),
        'many dimensions': (conv(raw('w', [1] * 1000, bytes(4))), 'it has 1000 dimensions'),
        'fields too few': (fields(107), 'it has 107 values'),
        'fields too many': (fields(109), 'it has 109 values'),
        'segment': (segment(), 'stored in segments'),
        'image of 2^40': (image_of(info('x', ['N', 3, 1 << 40, 8])), 'elements'),
        'image of 2^62 channels': (image_of(info('x', ['N', HUGE, 8, 8])), 'elements'),
        'image of 2^31 elements': (image_of(info('x', ['N', 3, 1 << 15, 1 << 15])), 'elements'),
        'image of no channels': (image_of(info('x', ['N', 0, 8, 8])), 'leaves its channels open'),
        'image of -1 channels': (image_of(info('x', ['N', -1, 8, 8])), 'leaves its channels open'),
        'image of open height': (image_of(info('x', ['N', 3, 'H', 8])), 'leaves its height open'),
        'image of three dimensions': (image_of(info('x', ['N', 3, 8])), 'has 3 dimensions'),
        'image of 100 dimensions': (image_of(info('x', [1] * 100)), 'has 100 dimensions'),
        'image without a shape': (image_without_shape(), 'has no shape'),
        'constant of 2^40': (of_shape(1 << 40), 'too many for what is not in the file'),
        'constant of 2^62': (of_shape(HUGE), 'too many for what is not in the file'),
        'constant of 2^124': (of_shape(HUGE, HUGE), 'is too large'),
        'constant of -1': (of_shape(-1), 'is too large'),
        'constant doubled 60 times': (doubling(60, 0, 'k', [tensor('k', [1.0])]), 'too many for a file of'),
        'channels doubled 60 times': (doubling(60), 'elements'),
        'outer product': (constants([node('Mul', ['a', 'b'], ['v'], 'it')], 'v', tensor('a', np.ones((40000, 1))),
                                    tensor('b', np.ones((1, 40000)))), 'too many for a file of'),
        'padding of 2^62': (conv(pads=[HUGE] * 4), "'pads' holds"),
        'padding of 2^31': (conv(pads=[1 << 31, 0, 0, 0]), "'pads' holds"),
        'padding of 2^30 each': (conv(pads=[1 << 30] * 4), 'elements an image'),
        'Pad of 2^62': (with_node('Pad', tensor('p', [0, 0, HUGE, 0, 0, 0, 0, 0], np.int64)), 'it pads dimension 2'),
        'stride of 2^62': (conv(strides=[HUGE, 1]), "'strides' holds"),
        'dilation of 2^62': (conv(dilations=[HUGE, HUGE]), "'dilations' holds"),
        'group of 2^62': (conv(group=HUGE), "'group' is"),
        'kernel of 2^62': (with_node('MaxPool', kernel_shape=[HUGE, HUGE]), "'kernel_shape' holds"),
        'linear of 2^31 weights': (model([node('Flatten', ['x'], ['f']), node('ConstantOfShape', ['s'], ['w']),
                                          node('MatMul', ['f', 'w'], ['y'])], [tensor('s', [192, 1 << 32], np.int64)]),
                                   'too many for what is not in the file'),
        'constant of 1000 dimensions': (of_shape(*[1] * 1000), 'has 1000 dimensions'),
        'whole numbers of 2^40': (constants([node('ConstantOfShape', ['s'], ['w'], value=tensor('v', [1], np.int64)),
                                             node('Cast', ['w'], ['v'], to=F32)], 'v', tensor('s', [1 << 40], np.int64)),
                                  'too many for a file of'),
        'Expand of a constant to 2^40': (constants([node('Expand', ['k', 's'], ['v'], 'it')], 'v', tensor('k', [1.0]),
                                                   tensor('s', [1 << 40], np.int64)), 'too many for a file of'),
        'Expand of a map to 2^30': (model([node('GlobalAveragePool', ['x'], ['g']), node('Expand', ['g', 's'], ['v']),
                                           *ending('v')], [tensor('s', [1, 3, 1 << 30, 1 << 30], np.int64)]), 'Expand'),
        'Expand of channels': (with_node('Expand', tensor('s', [1, 6, 8, 8], np.int64)), 'only a height and width of 1'),
        'Gather beyond the channels': (with_node('Gather', tensor('i', [0, 3], np.int64), axis=1), 'its index 3 is not one of 3'),
        'Gather of half a thousand pieces': (with_node('Gather', tensor('i', [2, 0] * 250, np.int64), axis=1), 'at most 64'),
        'Gather of rows': (with_node('Gather', tensor('i', [1, 0], np.int64), axis=2), 'is not the channels'),
        'Mod by 0': (constants([node('Mod', ['a', 'b'], ['m']), node('Cast', ['m'], ['v'], to=F32)], 'v',
                               tensor('a', [7], np.int64), tensor('b', [0], np.int64)), 'it divides 7 by 0'),
        'Range without a step': (constants([node('Range', ['a', 'b', 'c'], ['r']), node('Cast', ['r'], ['v'], to=F32)], 'v',
                                           tensor('a', 0, np.int64), tensor('b', 5, np.int64), tensor('c', 0, np.int64)), 'by 0'),
        'Range of 2^40 elements': (constants([node('Range', ['a', 'b', 'c'], ['r']), node('Cast', ['r'], ['v'], to=F32)], 'v',
                                             tensor('a', 0, np.int64), tensor('b', 1 << 40, np.int64), tensor('c', 1, np.int64)),
                                   'elements'),
        'Where by numbers': (constants([node('Where', ['k', 'k', 'k'], ['v'])], 'v', tensor('k', [1.0])), 'must be of bool'),
        'product of 2^30 elements': (constants([node('MatMul', ['a', 'b'], ['v'])], 'v', tensor('a', np.ones((1 << 15, 1))),
                                               tensor('b', np.ones((1, 1 << 15)))), 'too many for a file of'),
        'products of 2^62': (constants([node('ConstantOfShape', ['s'], ['a']), node('MatMul', ['a', 'a'], ['v'])], 'v',
                                       tensor('s', [HUGE, 1, 1], np.int64)), 'too many for what is not in the file'),
        'Tile of 2^62': (constants([node('Tile', ['k', 'r'], ['v'])], 'v', tensor('k', [1, 2]), tensor('r', [HUGE], np.int64)),
                         'times'),
        'Tile of 2^40': (constants([node('Tile', ['k', 'r'], ['v'])], 'v', tensor('k', [1, 2]), tensor('r', [1 << 40], np.int64)),
                         'too many for a file of'),
        'Tile of one dimension less': (constants([node('Tile', ['k', 'r'], ['v'])], 'v', tensor('k', [[1, 2]]), tensor('r', [1], np.int64)),
                                       'one for each of the 2 dimensions'),
        'Pad of a constant by 2^62': (constants([node('Pad', ['k', 'p'], ['v'])], 'v', tensor('k', [1, 2]), tensor('p', [HUGE, HUGE], np.int64)),
                                      'it pads dimension 0'),
        'Pad of a constant by 2^30': (constants([node('Pad', ['k', 'p'], ['v'])], 'v', tensor('k', [1, 2]), tensor('p', [1 << 30, 0], np.int64)),
                                      'too many for a file of'),
        'Pad that takes more than there is': (constants([node('Pad', ['k', 'p'], ['v'])], 'v', tensor('k', [1, 2]), tensor('p', [-2, -1], np.int64)),
                                              'it pads dimension 0'),
        'product of other sizes': (constants([node('MatMul', ['a', 'b'], ['v'])], 'v', tensor('a', [[1, 2]]), tensor('b', [1, 2, 3])),
                                   'it multiplies [1,2] and [3]'),
        'dequantised real numbers': (constants([node('DequantizeLinear', ['k', 'k'], ['v'])], 'v', tensor('k', [1, 2])), 'of whole numbers'),
        'scales of another size': (constants([node('DequantizeLinear', ['k', 's'], ['v'], axis=0)], 'v', tensor('k', [1, 2], np.int8),
                                             tensor('s', [1, 2, 3])), 'it must have [2]'),
        'scales of blocks of -1': (constants([node('DequantizeLinear', ['k', 's'], ['v'], axis=0, block_size=-1)], 'v',
                                             tensor('k', [1, 2], np.int8), tensor('s', [1])), 'block_size -1'),
        'zero points of another size': (constants([node('DequantizeLinear', ['k', 's', 'z'], ['v'], axis=0)], 'v', tensor('k', [1, 2], np.int8),
                                                  tensor('s', [1, 2]), tensor('z', [1], np.int8)), 'the zero point'),
        'batch norm of constants with other scales': (constants([node('BatchNormalization', ['k', 's', 's', 's', 's'], ['v'])], 'v',
                                                                tensor('k', [[1, 2]]), tensor('s', [1])), 'each of the 2 channels'),
        'power of whole numbers': (constants([node('Pow', ['k', 'k'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v', tensor('k', 63, np.int64)),
                                   'does not fit into 64 bits'),
        'largest of no whole numbers': (constants([node('ReduceMax', ['k'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v',
                                                  tensor('k', [], np.int64)), 'or hold some'),
        'branch that is missing': (constants([node('If', ['c'], ['v'], else_branch=branch('v2'))], 'v', tensor('c', True, bool)), 'has no then_branch'),
        'branch without its value': (constants([node('If', ['c'], ['v'], then_branch=branch('v3', 'v2'))], 'v', tensor('c', True, bool)),
                                     "makes no 'v3'"),
        'branch with a name that is taken': (constants([node('If', ['c'], ['v'], then_branch=branch('c'))], 'v', tensor('c', True, bool)),
                                             "it makes 'c', which something else makes too"),
        'branch that reads itself': (constants([node('If', ['c'], ['v'], then_branch=branch('v2', 'v2', 'v'))], 'v', tensor('c', True, bool)),
                                     'the graph has a cycle'),
        'branch chosen by the image': (model([node('If', ['x'], ['v'], then_branch=branch('v2')), *ending('v')]), 'for shapes and constants only'),
        'branch chosen by numbers': (constants([node('If', ['c'], ['v'], then_branch=branch('v2'))], 'v', tensor('c', 1)), 'must be of bool'),
        # -- types --------------------------------------------------------------------------------------------------
        'whole filters': (retyped('w', TensorProto.INT32), 'whole numbers; they must be real'),
        'filters of strings': (retyped('w', TensorProto.STRING), 'its element type, STRING'),
        'filters of type 99': (retyped('w', 99), 'its element type, 99'),
        'filters of type 0': (retyped('w', 0), 'its element type, UNDEFINED'),
        'filters of double': (retyped('w', TensorProto.DOUBLE), 'it has 432 bytes'),
        'filters of half': (retyped('w', TensorProto.FLOAT16), 'it has 432 bytes'),
        'filters of complex': (retyped('w', TensorProto.COMPLEX64), 'its element type, COMPLEX64'),
        'filters of int4': (retyped('w', TensorProto.INT4), 'its element type, INT4'),
        'real shape': (retyped('minus', TensorProto.DOUBLE), 'its inputs'),
        'image of whole numbers': (image_of(info('x', ['N', 3, 8, 8], TensorProto.UINT8)), 'must be a tensor of real numbers'),
        'image that is a sequence': (sequence_image(), 'must be a tensor of real numbers'),
        'strides of floats': (edited('Conv', lambda n: set_attribute(n, 'strides', [1.0, 2.0])), 'has a wrong type'),
        'group of text': (edited('Conv', lambda n: set_attribute(n, 'group', 'two')), 'has a wrong type'),
        'epsilon of whole number': (edited('BatchNormalization', lambda n: set_attribute(n, 'epsilon', 1)), 'has a wrong type'),
        'pads of a tensor': (edited('Conv', lambda n: set_attribute(n, 'pads', tensor('p', [1]))), 'has a wrong type'),
        'attribute twice': (repeated_attribute(), 'is there twice'),
        'attribute of a function': (referring(), 'refers to one of a function'),
        'unknown attribute': (conv(unheard=1), "the attribute 'unheard' is not known"),
        'constant of text': (constants([node('Constant', [], ['v'], value_string='a')], 'v'), 'no tensor of numbers'),
        'constant of nothing': (constants([node('Constant', [], ['v'])], 'v'), 'no tensor of numbers'),
        'constant without a tensor': (constants([node('Constant', [], ['v'], value=1)], 'v'), 'holds no tensor'),
        'sparse constant': (constants([node('Constant', [], ['v'], sparse_value=helper.make_sparse_tensor(
            tensor('a', [1.0]), tensor('i', [0], np.int64), [3]))], 'v'), 'no tensor of numbers'),
        # -- graphs -------------------------------------------------------------------------------------------------
        'cycle of one': (ring('Relu'), 'the graph has a cycle'),
        'cycle of two': (ring('Relu', 'Sigmoid'), 'the graph has a cycle'),
        'cycle of a thousand': (ring(*['Relu'] * 1000), 'the graph has a cycle'),
        'ring of identities at the end': (model([node('Identity', ['y'], ['a']), node('Identity', ['a'], ['y'])]),
                                          'the graph has a cycle'),
        'softmax of itself': (model([node('Softmax', ['y'], ['y'])]), 'the graph has a cycle'),
        'no nodes': (model([]), 'reads the image'),
        'no outputs': (model(ending('x'), outputs=[]), 'the graph has no output'),
        'two outputs': (model(ending('x'), outputs=[info('y', ['N', 3]), info('pooled', ['N', 3, 1, 1])]), 'choose with --logits'),
        'no inputs': (model(ending('x'), inputs=[]), 'has no input that is not a constant'),
        'two inputs': (model([node('Add', ['x', 'z'], ['v']), *ending('v')], inputs=[
            info('x', ['N', 3, 8, 8]), info('z', ['N', 3, 8, 8])]), "has the inputs 'x' and 'z'"),
        'one input twice': (model(ending('x'), inputs=[info('x', ['N', 3, 8, 8])] * 2), "two inputs are called 'x'"),
        'input that is not used': (model([node('Constant', [], ['y'], value_float=1.0)]), 'reads the image'),
        'output that is the image': (model([], outputs=[info('x', ['N', 3, 8, 8])]), 'is not computed from the image'),
        'output that is missing': (model(ending('x'), outputs=[info('z', ['N', 4])]), 'reads the image'),
        'output that is a map': (model([node('Relu', ['x'], ['y'])]), 'the output must be the logits'),
        'output that is a constant': (model([node('Identity', ['k'], ['y'])], [tensor('k', [1.0])]), 'reads the image'),
        'two makers': (model([node('Relu', ['x'], ['v']), node('Sigmoid', ['x'], ['v']), *ending('v')]), 'something else makes too'),
        'maker of the image': (model([node('Relu', ['x'], ['x']), *ending('x')]), 'something else makes too'),
        'maker of an initializer': (model([node('Relu', ['x'], ['w']), *ending('w')], [FILTERS]), 'something else makes too'),
        'two initializers': (model(ending('x'), [FILTERS, FILTERS]), "two initializers are called 'w'"),
        'initializer without a name': (model(ending('x'), [tensor('', [1.0])]), 'an initializer has no name'),
        'missing filters': (without('w'), "no initializer has its name"),
        'missing bias': (without('b'), "input 'b' is made by no node"),
        'missing mean': (without('m'), "input 'm' is made by no node"),
        'missing shape': (without('minus'), "input 'minus' is made by no node"),
        'missing linear weights': (without('fw'), "input 'fw' is made by no node"),
        'missing index': (without('zero'), "input 'zero' is made by no node"),
        'no filters': (with_node('Conv', inputs=['x']), 'its input 1 is missing'),
        'empty filters': (with_node('Conv', inputs=['x', '']), 'its input 1 is missing'),
        'no inputs of Conv': (model([node('Conv', [], ['v']), *ending('v')]), 'image'),
        'unknown operator': (rename(good(), 'strange'), "node 'strange' (Unheard): this operator is not supported"),
        'several nodes': (many_wrong(), '23 nodes cannot be imported:'),
        'several nodes by kind': (many_wrong(), "node 'strange0' (Unheard0): this operator is not supported (2 such nodes)"),
        'many kinds of nodes': (many_wrong(), 'and 2 other kinds'),
        'nodes behind those': (many_wrong(), 'in all: 23 nodes of 22 kinds; not looked at, as they read what these make: 3'),
        'terminal codes in a name': (rename(good(), '\x1b[2J\nx'), "node '?[2J?x'"),
        'name of a megabyte': (rename(good(), 'n' * (1 << 20)), "nnn...'"),
        'other domain': (edited('Relu', lambda n: setattr(n, 'domain', 'com.example')), "of 'com.example' is not supported"),
        'softmax in the middle': (with_node('Softmax'), 'but at the end of the graph'),
        'softmax over the batch': (with_softmax(axis=0), 'is not the classes'),
        'mask of a dropout': (model([node('Dropout', ['x'], ['d', 'mask']), node('Add', ['d', 'mask'], ['v']), *ending('v')]),
                              'only the first one is supported'),
        'filters from the image': (model([node('Conv', ['x', 'x'], ['v']), *ending('v')]), 'must be a constant'),
        'convolution of a constant': (model([node('Conv', ['w', 'w'], ['v']), node('Add', ['x', 'v'], ['z']), *ending('z')], [FILTERS]),
                                      'is supported for what is only'),
        # -- attributes ---------------------------------------------------------------------------------------------
        'stride 0': (conv(strides=[0, 1]), "'strides' holds 0"),
        'negative stride': (conv(strides=[-1, 1]), "'strides' holds -1"),
        'three strides': (conv(strides=[1, 1, 1]), "'strides' has 3 values"),
        'no strides': (conv(strides=[1]), "'strides' has 1 values"),
        'dilation 0': (conv(dilations=[0, 0]), "'dilations' holds 0"),
        'negative padding': (conv(pads=[-1, 0, 0, 0]), "'pads' holds -1"),
        'two pads': (conv(pads=[1, 1]), "'pads' has 2 values"),
        'group 0': (conv(group=0), "'group' is 0"),
        'group -1': (conv(group=-1), "'group' is -1"),
        'group that does not divide': (conv(group=3), "'group' is 3"),
        'channels that do not fit': (conv(tensor('w', np.ones((4, 2, 3, 3)))), 'read 2 channels'),
        'kernel that is not the filters': (conv(kernel_shape=[5, 5]), "'kernel_shape' is not that of the filters"),
        'kernel larger than the map': (conv(tensor('w', np.ones((4, 3, 9, 9)))), 'larger than its padded input'),
        'unknown padding': (conv(auto_pad='SOME'), "'auto_pad' is 'SOME'"),
        'bias of another size': (model([node('Conv', ['x', 'w', 'b'], ['v']), *ending('v')], [FILTERS, tensor('b', [1, 2, 3])]),
                                 'the biases'),
        'pool without a kernel': (with_node('MaxPool'), "no 'kernel_shape'"),
        'pool of 0': (with_node('MaxPool', kernel_shape=[0, 0]), "'kernel_shape' holds 0"),
        'pool larger than the map': (with_node('AveragePool', kernel_shape=[9, 9]), 'larger than its padded input'),
        'pool of more than 2^31': (with_node('MaxPool', kernel_shape=[65536, 65536], pads=[65535] * 4), 'at most 2147483647 elements'),
        'pool padded beyond 2^31 elements': (with_node('AveragePool', kernel_shape=[30000] * 2, strides=[30000] * 2, pads=[29999] * 4),
                                          'its padded input, 60006x60006x3, has more than 2147483647 elements an image'),
        'convolution padded beyond 2^31 elements': (conv(pads=[1000000] * 4, dilations=[1000000] * 2),
                                                 'its padded input, 2000008x2000008x3, has more than'),
        'pool padded by its kernel': (with_node('MaxPool', kernel_shape=[2, 2], pads=[2, 2, 2, 2]), 'not smaller than its kernel'),
        'epsilon 0': (edited('BatchNormalization', lambda n: set_attribute(n, 'epsilon', 0.0)), "'epsilon' is 0"),
        'epsilon NaN': (edited('BatchNormalization', lambda n: set_attribute(n, 'epsilon', float('nan'))), "'epsilon' is nan"),
        'momentum 2': (edited('BatchNormalization', lambda n: set_attribute(n, 'momentum', 2.0)), "'momentum' is 2"),
        'clip from 6 to 0': (with_node('Clip', tensor('lo', 6), tensor('hi', 0)), 'which no value lies between'),
        'clip to NaN': (with_node('Clip', tensor('lo', float('nan'))), 'which no value lies between'),
        'clip to a list': (with_node('Clip', tensor('lo', [0, 1])), 'must be one number'),
        'dropout of all': (with_node('Dropout', tensor('r', 1)), 'its ratio is 1'),
        'dropout of NaN': (with_node('Dropout', tensor('r', float('nan'))), 'its ratio is nan'),
        'fourth power of a map': (with_node('Pow', tensor('e', 4)), 'to the power of 4'),
        'division by a map': (with_node('Div', inputs=['x', 'x']), 'local response normalisation'),
        'zeros beside the channels': (with_node('Pad', tensor('p', [0, 1, 0, 0, 0, 1, 0, 0], np.int64)), 'only as a step of local response'),
        'mean of four channels': (model([node('Mul', ['x', 'x'], ['m']), node('Unsqueeze', ['m', 'a'], ['u']),
                                         node('AveragePool', ['u'], ['p'], kernel_shape=[2, 1, 1], pads=[1, 0, 0, 0, 0, 0], count_include_pad=1),
                                         node('Squeeze', ['p', 'a'], ['v']), *ending('v')], [tensor('a', [1], np.int64)]), 'an odd number of squares'),
        'mean of squares by itself': (model([node('Mul', ['x', 'x'], ['m']), node('Unsqueeze', ['m', 'a'], ['u']),
                                             node('AveragePool', ['u'], ['p'], kernel_shape=[3, 1, 1], pads=[1, 0, 0, 1, 0, 0], count_include_pad=1),
                                             node('Squeeze', ['p', 'a'], ['v']), *ending('v')], [tensor('a', [1], np.int64)]),
                                      'a mean over neighbouring channels is supported only as a step'),
        'Pad of minus infinity and a pool that pads itself': (
            model([node('Pad', ['x', 'p', 'f'], ['q']), node('MaxPool', ['q'], ['v'], kernel_shape=[2, 2], pads=[1] * 4), *ending('v')],
                  [tensor('p', [0, 0, 1, 1, 0, 0, 1, 1], np.int64), tensor('f', float('-inf'))]), 'with that of the Pad before it'),
        'filter of one dimension over a map': (with_node('Conv', tensor('w', np.ones((1, 1, 3))), kernel_shape=[3], pads=[1, 1]),
                                               'are of one dimension, over [N,3,8,8]'),
        'LRN of size 0': (with_node('LRN', size=0), 'its size is 0'),
        'LRN of size -1': (with_node('LRN', size=-1), 'its size is -1'),
        'LRN of infinite alpha': (with_node('LRN', size=3, alpha=float('inf')), 'must not be negative'),
        'hard sigmoid of NaN': (with_node('HardSigmoid', alpha=float('nan')), 'must be finite'),
        'concat along 7': (with_node('Concat', inputs=['x', 'x'], axis=7), 'its axis 7'),
        'concat along the batch': (with_node('Concat', inputs=['x', 'x'], axis=0), 'axis 0 is the batch'),
        'concat along INT64_MIN': (with_node('Concat', inputs=['x', 'x'], axis=-(1 << 63)), 'its axis -9223372036854775808'),
        'concat of two sizes': (model([node('MaxPool', ['x'], ['p'], kernel_shape=[2, 2]), node('Concat', ['x', 'p'], ['v'], axis=1),
                                       *ending('v')]), 'differ in more than channels'),
        'sum of two sizes': (model([node('MaxPool', ['x'], ['p'], kernel_shape=[2, 2]), node('Add', ['x', 'p'], ['v']),
                                    *ending('v')]), 'must have one shape'),
        'transposed batch': (with_node('Transpose', perm=[1, 0, 2, 3]), 'the batch first'),
        'perm of 9': (with_node('Transpose', perm=[0, 9, 2, 3]), 'the batch first'),
        'perm of twice 1': (with_node('Transpose', perm=[0, 1, 1, 3]), 'the batch first'),
        'perm of three': (with_node('Transpose', perm=[0, 1, 2]), 'the batch first'),
        'reshape to other images': (with_node('Reshape', tensor('s', [2, 96], np.int64)), 'its first dimension must stay the batch'),
        'flattened with the batch': (
            model([node('Reshape', ['x', 's'], ['f']), node('Relu', ['f'], ['v']), *ending('v')], [tensor('s', [-1], np.int64)],
                  shape=(1, 3, 8, 8)), 'has the batch and all of the image in one dimension'),
        'flattened with the batch and turned round': (
            model([node('Reshape', ['x', 's'], ['f']), node('Gather', ['f', 'i'], ['v']), *ending('v')],
                  [tensor('s', [-1], np.int64), tensor('i', np.arange(192)[::-1].reshape(1, 3, 8, 8), np.int64)],
                  shape=(1, 3, 8, 8)), 'are not all of them in their order'),
        'reshape to 2^62': (with_node('Reshape', tensor('s', [-1, HUGE, HUGE], np.int64)), 'its new shape holds'),
        'reshape with two open': (with_node('Reshape', tensor('s', [0, -1, -1], np.int64)), 'its new shape holds'),
        'reshape to nothing': (with_node('Reshape', tensor('s', [], np.int64)), 'must be a list of 1 to'),
        'reshape to 1000 dimensions': (with_node('Reshape', tensor('s', [0] + [1] * 1000, np.int64)), 'must be a list of 1 to'),
        'reshape of a dimension that is not there': (with_node('Reshape', tensor('s', [0, 0, 0, 0, 0], np.int64)), 'it copies dimension'),
        'squeeze of a size': (with_node('Squeeze', tensor('a', [1], np.int64)), 'whose size is not 1'),
        'unsqueeze twice': (with_node('Unsqueeze', tensor('a', [1, 1], np.int64)), 'twice'),
        'unsqueeze 1000 times': (with_node('Unsqueeze', tensor('a', range(1, 1001), np.int64)), 'too many'),
        'parts that are too large': (with_node('Split', tensor('s', [HUGE, 1], np.int64), axis=1), 'cannot be cut into parts'),
        'parts that are negative': (with_node('Split', tensor('s', [-1, 4], np.int64), axis=1), 'cannot be cut into parts'),
        'slice of two lengths': (with_node('Slice', tensor('b', [0], np.int64), tensor('e', [1, 2], np.int64)), 'as many as each other'),
        'slice in steps of 0': (with_node('Slice', tensor('b', [0], np.int64), tensor('e', [2], np.int64), tensor('a', [1], np.int64),
                                          tensor('s', [0], np.int64)), 'in steps of 0'),
        'empty slice': (with_node('Slice', tensor('b', [2], np.int64), tensor('e', [1], np.int64), tensor('a', [1], np.int64)),
                        'it takes 0 elements from 2'),
        'pads of odd number': (with_node('Pad', tensor('p', [1] * 7, np.int64)), 'two for each dimension'),
        'flatten of axis 9': (with_node('Flatten', axis=9), 'its axis 9'),
        'flatten of axis 0': (with_node('Flatten', axis=0), 'beside the batch'),
        'mean of channels and width': (with_node('ReduceMean', axes=[1, 3]), 'must reduce height, width or both'),
        'mean of everything': (with_node('ReduceMean'), 'without axes'),
        'mean of axis 9': (with_node('ReduceMean', axes=[9]), 'its axis 9'),
        'linear of a map': (model([node('Gemm', ['x', 'w'], ['y'])], [tensor('w', np.ones((192, 4)))]), 'it must be flattened before'),
        'linear of another size': (model([node('Flatten', ['x'], ['f']), node('Gemm', ['f', 'w'], ['y'])], [tensor('w', np.ones((191, 4)))]),
                                   'have shape [191,4]'),
        'transposed images': (edited('Gemm', lambda n: set_attribute(n, 'transA', 1)), 'would transpose the batch'),
        'index out of range': (constants([node('Gather', ['k', 'i'], ['v'])], 'v', tensor('k', [1.0]), tensor('i', 1, np.int64)),
                               'is not one of 1'),
        'division by 0': (constants([node('Div', ['k', 'i'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v', tensor('k', 1, np.int64),
                                    tensor('i', 0, np.int64)), 'it divides 1 by 0'),
        'division of INT64_MIN by -1': (constants([node('Div', ['k', 'i'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v',
                                                  tensor('k', -(1 << 63), np.int64), tensor('i', -1, np.int64)), 'it divides'),
        'sum that overflows': (constants([node('Add', ['k', 'k'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v',
                                         tensor('k', HUGE, np.int64)), 'does not fit into 64 bits'),
        'negation of INT64_MIN': (constants([node('Neg', ['k'], ['w']), node('Cast', ['w'], ['v'], to=F32)], 'v',
                                            tensor('k', -(1 << 63), np.int64)), 'does not fit into 64 bits'),
        'cast of infinity': (constants([node('Cast', ['k'], ['w'], to=I64), node('Cast', ['w'], ['v'], to=F32)], 'v',
                                       tensor('k', float('inf'))), 'makes a whole number of inf'),
        'cast to text': (constants([node('Cast', ['k'], ['v'], to=TensorProto.STRING)], 'v', tensor('k', 1)), 'to type STRING'),
        'constants that do not fit': (constants([node('Add', ['a', 'b'], ['v'])], 'v', tensor('a', [1, 2]), tensor('b', [1, 2, 3])),
                                      'do not fit together'),
        'constant that does not fit the map': (model([node('Relu', ['x'], ['r']), node('Add', ['r', 'k'], ['v']), *ending('v')],
                                                     [tensor('k', np.ones((3, 8, 8)))]), 'one for each channel'),
        'mean image of an image that is read twice': (
            model([node('Relu', ['x'], ['r']), node('Sub', ['x', 'k'], ['d']), node('Add', ['r', 'd'], ['v']), *ending('v')],
                  [tensor('k', np.ones((3, 8, 8)))]), 'if nothing else reads that'),
        'mean image of another size': (constants([], 'k', tensor('k', np.ones((3, 8, 7)))), 'do not fit together'),
        'mean image times 0': (model([node('Mul', ['x', 'zero'], ['m']), node('Add', ['m', 'k'], ['v']), *ending('v')],
                                     [tensor('zero', 0), tensor('k', np.ones((3, 8, 8)))]), 'one for each channel'),
        'constants of two types': (constants([node('Add', ['a', 'b'], ['v'])], 'v', tensor('a', [1]), tensor('b', [1], np.int64)),
                                   'its inputs have two types'),
        # -- external data ------------------------------------------------------------------------------------------
        'external, absolute': (lambda f: external(f, '/etc/passwd'), 'is not a file in the model\'s folder'),
        'external, above': (lambda f: external(f, '../outside.bin'), 'is not a file in the model\'s folder'),
        'external, above by a folder': (lambda f: external(f, 'sub/../../outside.bin', prepare=data_file(name='sub/data.bin')),
                                        'is not a file in the model\'s folder'),
        'external, back inside': (lambda f: external(f, f'../{os.path.basename(f)}/data.bin', prepare=data_file()),
                                  'is not a file in the model\'s folder'),
        'external, a link out': (lambda f: external(f, 'data.bin', prepare=link('/etc/passwd')), 'is not a file in the model\'s folder'),
        'external, a folder linked out': (lambda f: external(f, 'sub/passwd', prepare=linked_folder), 'is not a file in the model\'s folder'),
        'external, a link to itself': (lambda f: external(f, 'data.bin', prepare=link('data.bin')), 'is not a file in the model\'s folder'),
        'external, a device': (lambda f: external(f, 'data.bin', prepare=link('/dev/zero')), 'is not a file in the model\'s folder'),
        'external, a pipe': (lambda f: external(f, 'data.bin', prepare=lambda g: os.mkfifo(os.path.join(g, 'data.bin'))),
                             'is not a file in the model\'s folder'),
        'external, a folder': (lambda f: external(f, '.'), 'is not a file in the model\'s folder'),
        'external, missing': (lambda f: external(f, 'data.bin'), 'is not a file in the model\'s folder'),
        'external, no location': (lambda f: external(f, None), 'has no location'),
        'external, empty location': (lambda f: external(f, ''), 'has no location'),
        'external, a zero byte': (lambda f: external(f, 'data.bin\0.txt', prepare=data_file()), 'is not a file in the model\'s folder'),
        'external, long location': (lambda f: external(f, 'x' * 100000), 'is not a file in the model\'s folder'),
        'external, too short': (lambda f: external(f, 'data.bin', prepare=data_file(431)), 'ends at byte 432'),
        'external, offset behind the end': (lambda f: external(f, 'data.bin', prepare=data_file(), offset='433'), 'ends at byte 865'),
        'external, huge offset': (lambda f: external(f, 'data.bin', prepare=data_file(), offset='999999999999999999'), 'ends at byte'),
        'external, offset of 30 digits': (lambda f: external(f, 'data.bin', prepare=data_file(), offset='9' * 30), 'is no number'),
        'external, negative offset': (lambda f: external(f, 'data.bin', prepare=data_file(), offset='-1'), 'is no number'),
        'external, offset of text': (lambda f: external(f, 'data.bin', prepare=data_file(), offset='one'), 'is no number'),
        'external, empty length': (lambda f: external(f, 'data.bin', prepare=data_file(), length=''), 'is no number'),
        'external, other length': (lambda f: external(f, 'data.bin', prepare=data_file(), length='431'), 'its shape needs 432'),
        'external, overlapping': (overlapping, 'overlaps that of other tensors'),
    }.items()


def damaged(count, seed=1):
    """The good network with bytes changed, lost or inserted at random: name, bytes."""
    generator = np.random.default_rng(seed)
    whole = good().SerializeToString()
    for number in range(count):
        data = bytearray(whole)
        for _ in range(int(generator.integers(1, 6))):
            at = int(generator.integers(len(data)))
            kind = generator.integers(4)
            if kind == 0:
                data[at] ^= 1 << int(generator.integers(8))
            elif kind == 1:
                data[at] = int(generator.integers(256))
            elif kind == 2:
                del data[at:at + int(generator.integers(1, 20))]
            else:
                data[at:at] = generator.bytes(int(generator.integers(1, 20)))
        yield f'damaged {number}', bytes(data)


def truncated():
    whole = good().SerializeToString()
    for size in sorted({*range(1, len(whole), len(whole) // 25), len(whole) - 1}):
        yield f'first {size} of {len(whole)} bytes', whole[:size]
