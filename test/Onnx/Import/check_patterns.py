"""What exporters write besides operators one by one: each pattern in a small graph, against ONNX Runtime, with what the
network is to hold, or not to hold."""

import argparse
import re
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from check_classifiers import check_inference, softmax
from graphs import Graph
from imported import Imported, add_tools

IMAGE = (8, 10, 3)


def network(opset=13, **more):
    return Graph(opset, IMAGE, **more)


def finish(g, x, classes=5):
    """From a map to the logits."""
    return g.model(g.linear(g.flatten(g.global_pool(x)), 'fc', classes), classes)


def scaled(g, x, *shape):
    """Times a constant, plus a constant."""
    y = g.node('Mul', [x, g.constant(1 + 0.2 * g.normal(*shape))])
    return g.node('Add', [y, g.constant(g.normal(*shape))])


# A pattern returns the model, what the network must hold and must not (regular expressions), and what must be noted.


def input_normalised_by_channel():
    """GoogLeNet's and Inception's `transform_input`: each channel by itself, joined again."""
    g = network()
    parts = []
    for index, (factor, term) in enumerate(((0.458, -0.03), (0.448, -0.088), (0.45, -0.188))):
        x = g.node('Gather', ['input', g.constant(np.array(index, np.int64), node=True)], axis=1)
        x = g.node('Add', [g.node('Mul', [g.unsqueeze(x, 1), g.scalar(factor)]), g.scalar(term)])
        g.shapes[x] = (1, *IMAGE[:2])
        parts.append(x)
    x = g.conv(g.concat(*parts), 'conv', 8, 3)
    return finish(g, g.relu(x)), [r'conv2d "\S+" %image .*groups\(3\)', 'ungrouped'], ['slice_channels', r'root\.concat']


def keras_preprocessing():
    """Rescaling and normalisation of an NHWC image stand before the Transpose."""
    g = network()
    g.nodes.append(helper.make_node('Mul', ['image', g.scalar(1 / 64)], ['scaled']))
    g.nodes.append(helper.make_node('Sub', ['scaled', g.constant(g.normal(1, 1, 1, 3))], ['moved']))
    g.nodes.append(helper.make_node('Div', ['moved', g.constant(np.array([0.5, 0.7, 0.9], np.float32))], ['divided']))
    g.nodes.append(helper.make_node('Transpose', ['divided'], ['input'], perm=[0, 3, 1, 2]))
    g.tensorflow, g.image_name = True, 'image'
    return finish(g, g.relu(g.conv('input', 'conv', 8, 3))), [r'8x10x3', r'%image .*groups\(3\)'], []


def norm_behind_convolution():
    """TensorFlow's batch norm behind a depthwise convolution, as Mul and Add, and a convolution with a bias."""
    g = network()
    x = g.relu(g.conv('input', 'first', 8, 3, bias=False))
    x = g.relu(scaled(g, g.conv(x, 'depthwise', 8, 3, groups=8, bias=False), 1, 8, 1, 1))
    x = g.relu(scaled(g, g.conv(x, 'biased', 6, 1), 6, 1, 1))
    return finish(g, x), [], [r'kernel\(1\) groups\(8\)', r'groups\(6\)']


def convolution_read_twice():
    """What only one of two readers scales stays out of the weights."""
    g = network()
    x = g.conv('input', 'conv', 8, 3)
    y = scaled(g, x, 8, 1, 1)
    return finish(g, g.add(g.relu(x), y)), [r'groups\(8\)'], []


def transposed_and_scaled():
    """The constants of an NHWC graph stand behind a Transpose back."""
    g = network()
    x = g.node('Transpose', [g.conv('input', 'conv', 8, 3, bias=False)], perm=[0, 2, 3, 1])
    x = g.node('Transpose', [g.relu(scaled(g, x, 8))], perm=[0, 3, 1, 2], shape=(8, *IMAGE[:2]))
    return finish(g, x), [], [r'groups\(8\)']


def swish_of_convolution():
    """Swish scales what goes into its sigmoid, not what the sigmoid is multiplied with."""
    g = network(opset=24)
    x = g.conv('input', 'conv', 8, 3)
    x = g.node('Swish', [x], alpha=1.7)
    return finish(g, x), ['sigmoid'], []


def smooth_in_steps(opset, exporter):
    """GELU in both forms, SiLU and Mish as exporters spell them; behind layers, a factor, and in a linear head."""
    g = network(opset=opset)
    x = g.conv('input', 'conv', 8, 3)
    both = lambda op: lambda a, b: g.node(op, [a, b], shape=g.shapes.get(a) or g.shapes.get(b))
    add, mul = both('Add'), both('Mul')

    def erf(x):
        if exporter == 'torchscript':
            share = add(g.node('Erf', [g.node('Div', [x, g.scalar(np.sqrt(2))])]), g.scalar(1))
            return mul(mul(x, share), g.scalar(0.5))
        if exporter == 'dynamo':
            share = add(g.node('Erf', [g.node('Div', [x, g.scalar(np.sqrt(2))])]), g.scalar(1))
            return mul(g.scalar(0.5), mul(x, share))
        return mul(mul(g.scalar(0.5), x), add(g.scalar(1), g.node('Erf', [mul(x, g.scalar(np.sqrt(0.5)))])))

    def tanh(x):
        cube = g.node('Pow', [x, g.scalar(3)]) if exporter == 'dynamo' else mul(x, mul(x, x))
        inner = mul(g.scalar(np.sqrt(2 / np.pi)), add(x, mul(g.scalar(0.044715), cube)))
        return mul(g.scalar(0.5), mul(x, add(g.scalar(1), g.node('Tanh', [inner]))))

    x = erf(x)
    x = g.conv(mul(tanh(x), g.scalar(1.5)), 'second', 6, 1)
    x = mul(x, g.node('Tanh', [g.node('Softplus', [x])]))
    x = g.silu(g.conv(x, 'third', 8, 1))
    x = erf(g.linear(g.flatten(g.global_pool(x)), 'hidden', 7))
    return (g.model(g.linear(x, 'fc', 5), 5), [r'gelu %\d+\n', 'gelu %.* tanh', 'mish', 'silu'],
            ['multiply', 'sigmoid', 'softplus', r'groups\(', '(?s)layer_scale.*layer_scale'])


def gelu_of_torchscript():
    return smooth_in_steps(13, 'torchscript')


def gelu_of_dynamo():
    return smooth_in_steps(18, 'dynamo')


def gelu_of_others():
    return smooth_in_steps(12, 'others')


def gelu_of_scaled():
    """What goes into the erf was scaled and moved before."""
    g = network()
    x = g.node('Add', [g.node('Mul', [g.relu(g.conv('input', 'conv', 8, 3)), g.scalar(0.7)]), g.scalar(-0.4)])
    share = g.node('Add', [g.node('Erf', [g.node('Div', [x, g.scalar(np.sqrt(2))])]), g.scalar(1)])
    return finish(g, g.node('Mul', [g.node('Mul', [x, share]), g.scalar(0.5)])), ['gelu'], ['multiply']


def sigmoid_read_twice():
    """A SiLU whose gate something else reads too."""
    g = network()
    x = g.conv('input', 'conv', 8, 3)
    y = g.node('Sigmoid', [x])
    return finish(g, g.add(g.node('Mul', [y, x]), y)), ['silu', 'sigmoid'], ['multiply']


def slopes():
    g = network(opset=16)
    x = g.node('PRelu', [g.conv('input', 'conv', 8, 3), g.constant(0.3 * g.normal(8, 1, 1), 'act.weight')])
    x = g.node('PRelu', [g.conv(x, 'second', 8, 1), g.constant(0.3 * g.normal(1, 1, 1), 'shared.weight')])
    x = g.node('LeakyRelu', [g.conv(x, 'third', 8, 1)], alpha=0.2)
    return finish(g, x), ['prelu "act" ', 'prelu "shared" .* shared', r'leaky_relu .* alpha\(0.2\)'], []


def scaled_branch():
    """A learnt factor of each channel that no layer takes in."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    y = g.node('Mul', [x, g.constant(g.normal(8, 1, 1), 'gamma')])
    return finish(g, g.add(x, y)), ['layer_scale'], [r'groups\(8\)']


def borders():
    """Rows that are cut, mirrored borders, zeros that no convolution takes in."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    x = g.node('Pad', [x, g.ints(0, 0, -1, 2, 0, 0, 1, -1)], shape=(8, 8, 11))
    x = g.node('Pad', [x, g.ints(0, 0, 2, 1, 0, 0, 0, 3)], mode='reflect', shape=(8, 10, 15))
    y = g.relu(g.node('Pad', [x, g.ints(0, 0, 0, 1, 0, 0, 2, 0)], shape=(8, 12, 16)))
    return finish(g, y), [r'pad %\d+ crop\(1,0,0,1\)', r'pad\(2,1,0,3\) reflect', r'pad\(0,1,2,0\)'], [r'groups\(8\)']


def pixel_shuffles():
    """Blocks of pixels as channels and back, by operators, and in steps as PyTorch's pixel shuffle was."""
    g = network()
    x = g.conv('input', 'conv', 8, 3)
    x = g.node('SpaceToDepth', [x], blocksize=2, shape=(32, 4, 5))
    x = g.relu(g.conv(x, 'second', 36, 1))
    x = g.node('DepthToSpace', [x], blocksize=3, mode='CRD', shape=(4, 12, 15))
    x = g.relu(g.conv(x, 'third', 8, 1))
    x = g.node('Reshape', [x, g.ints(-1, 2, 2, 2, 12, 15)])
    x = g.node('Transpose', [x], perm=[0, 1, 4, 2, 5, 3])
    x = g.conv(g.node('Reshape', [x, g.ints(-1, 2, 24, 30)], shape=(2, 24, 30)), 'fourth', 2, 3)
    x = g.node('Reshape', [x, g.ints(-1, 2, 12, 2, 15, 2)])
    x = g.node('Transpose', [x], perm=[0, 3, 5, 1, 2, 4])
    x = g.conv(g.node('Reshape', [x, g.ints(-1, 8, 12, 15)], shape=(8, 12, 15)), 'fifth', 4, 3)
    return (finish(g, x), [r'space_to_depth .*block\(2\)\n', r'depth_to_space .*block\(3\) crd', r'depth_to_space .*block\(2\) crd',
                       r'(?s)space_to_depth .*space_to_depth'], ['shuffle'])


def factor_behind_convolution():
    """One number for all channels, and nothing that makes a hard sigmoid of it."""
    g = network()
    x = g.node('Mul', [g.conv('input', 'conv', 8, 3), g.scalar(0.3)])
    return finish(g, g.max_pool(g.node('Sigmoid', [g.node('Sub', [x, g.scalar(0.1)])]), 2, 2)), [], [r'groups\(8\)']


def gate_expanded():
    """Squeeze and excitation by linear layers, its gate expanded to the map's shape."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    y = g.linear(g.relu(g.linear(g.view(g.global_pool(x), 8), 'se.0', 4)), 'se.2', 8)
    y = g.view(g.node('Sigmoid', [y]), 8, 1, 1)
    shape = g.node('Shape', [x])
    ones = g.node('ConstantOfShape', [g.node('Shape', [shape])], value=helper.make_tensor('one', TensorProto.INT64, [1], [1]))
    missing = g.node('Equal', [shape, g.node('Mul', [ones, g.constant(np.array(-1, np.int64))])])
    y = g.node('Expand', [y, g.node('Where', [missing, ones, shape])], shape=g.shapes[x])
    x = g.node('Mul', [x, y])
    return finish(g, x), ['multiply'], ['average_pool.*exclude_pad']


def context_added():
    """One value for each channel is added everywhere, once by itself and once expanded."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    x = g.add(x, g.conv(g.global_pool(x), 'context', 8, 1))
    y = g.node('Expand', [g.conv(g.global_pool(x), 'more', 8, 1), g.node('Shape', [x])], shape=g.shapes[x])
    return finish(g, g.relu(g.node('Concat', [x, y], axis=1, shape=(16, *IMAGE[:2])))), [], []


def channels_turned_round():
    """RGB to BGR by a Slice backwards, and by a Gather."""
    g = network()
    ends = [g.ints(value) for value in (-1, -(1 << 31), 1, -1)]
    x = g.node('Slice', ['input', *ends], shape=g.shapes['input'])
    x = g.relu(g.conv(x, 'conv', 6, 3))
    return finish(g, g.node('Gather', [x, g.ints(5, 4, 0, 1, 2, 2)], axis=1)), ['slice_channels', 'concat'], []


def indexed_pixel():
    """x[:, :, 0, 0] behind a global pool."""
    g = network()
    x = g.global_pool(g.conv('input', 'conv', 8, 3))
    zero = g.constant(np.array(0, np.int64))
    x = g.node('Gather', [g.node('Gather', [x, zero], axis=3), zero], axis=2, shape=(8,))
    return g.model(g.linear(x, 'fc', 5), 5), ['global_average_pool'], []


def strided_mean():
    """PyTorch's dynamo: a mean over the map of a batch of one, as_strided to what it was."""
    g = network(opset=18, batch=1)
    x = g.global_pool(g.conv('input', 'conv', 8, 3))
    x = g.node('Reshape', [x, g.ints(-1)])
    x = g.node('Gather', [x, g.constant(np.arange(8).reshape(1, 8, 1, 1))], axis=0, shape=(8, 1, 1))
    return g.model(g.linear(g.flatten(x), 'fc', 5), 5), ['global_average_pool'], ['slice_channels']


def strided_mean_of_any_batch():
    """The same with an open batch: where each image begins is counted by Range."""
    g = network(opset=18)
    x = g.global_pool(g.conv('input', 'conv', 8, 3))
    first, step = (g.constant(np.array(n, np.int64)) for n in (0, 1))
    images = g.node('Gather', [g.node('Shape', ['input']), first], axis=0)
    begins = g.node('Mul', [g.node('Range', [first, images, step]), g.constant(np.array(8, np.int64))])
    begins = g.node('Unsqueeze', [begins, g.ints(1, 2, 3)])
    places = g.node('Add', [begins, g.constant(np.arange(8).reshape(1, 8, 1, 1))])
    x = g.node('Gather', [g.node('Reshape', [x, g.ints(-1)]), places], axis=0, shape=(8, 1, 1))
    return g.model(g.linear(g.flatten(x), 'fc', 5), 5), ['global_average_pool'], ['slice_channels']


def responses_of_the_map():
    """ConvNeXt V2's global response normalisation."""
    g = network(opset=17)
    x = g.relu(g.conv('input', 'conv', 8, 3))
    norm = g.node('ReduceL2', [x], axes=[2, 3], shape=(8, 1, 1))
    mean = g.node('ReduceMean', [norm], axes=[1], shape=(1, 1, 1))
    y = g.node('Div', [norm, g.node('Add', [mean, g.scalar(1e-6)])], shape=(8, 1, 1))
    y = g.node('Mul', [x, y], shape=g.shapes[x])
    return finish(g, g.relu(g.add(x, scaled(g, y, 1, 8, 1, 1)))), ['channel_mean'], []


def neighbouring_channels():
    """Efficient channel attention: a convolution along what a global pool leaves."""
    g = network(opset=17)
    x = g.relu(g.conv('input', 'conv', 8, 3))
    y = g.node('Reshape', [g.global_pool(x), g.ints(0, 1, -1)], shape=(1, 8))
    y = g.node('Conv', [y, g.constant(g.normal(1, 1, 5), 'eca.weight')], kernel_shape=[5], pads=[2, 2])
    y = g.node('Sigmoid', [g.node('Reshape', [y, g.ints(0, -1, 1, 1)], shape=(8, 1, 1))])
    return finish(g, g.node('Mul', [x, y], shape=g.shapes[x])), ['layer_scale "eca', 'slice_channels'], []


def tanh_behind_layers():
    g = network()
    x = g.node('Tanh', [g.conv('input', 'conv', 8, 3)])
    x = g.node('Tanh', [g.linear(g.flatten(g.max_pool(x, 2, 2)), 'fc1', 6)])
    x = g.node('Mul', [x, g.node('Tanh', [x])])
    return g.model(g.linear(x, 'fc2', 5), 5), ['sigmoid'], []


def sums_over_the_map():
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    x = g.node('ReduceSum', [x, g.ints(2, 3)], keepdims=0, shape=(8,))
    return g.model(g.linear(g.node('Mul', [x, g.scalar(1 / 80)]), 'fc', 5), 5), ['global_average_pool'], [r'groups\(8\)']


def constants_cast_like_maps():
    """Numbers of another type take that of the map, as functions of PyTorch's exporter have it."""
    g = network(opset=18)
    x = g.conv('input', 'conv', 8, 3)
    bounds = [g.node('CastLike', [g.constant(np.array(value)), x]) for value in (np.float64(-0.5), np.int64(1))]
    x = g.node('Clip', [x, *bounds], shape=g.shapes[x])
    return finish(g, g.node('CastLike', [x, 'input'])), [r'root\.clip'], []


def divided_sizes():
    """A shuffle whose sizes are computed: half of the channels, and what is left of a division."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 12, 3))
    shape = g.node('Shape', [x])
    batch, channels = (g.node('Gather', [shape, g.ints(index)], axis=0) for index in (0, 1))
    half = g.node('Div', [channels, g.ints(2)])
    left = g.node('Mod', [channels, g.ints(5)])
    even = g.node('Where', [g.node('Less', [left, half]), left, half])
    sizes = g.node('Concat', [batch, even, g.node('Div', [channels, even]), g.ints(8), g.ints(10)], axis=0)
    y = g.node('Transpose', [g.node('Reshape', [x, sizes])], perm=[0, 2, 1, 3, 4])
    y = g.node('Reshape', [y, shape], shape=(12, 8, 10))
    return finish(g, g.conv(y, 'conv2', 6, 1)), [r'channel_shuffle \S+ groups\(2\)'], []


def softmax_before_the_end():
    """A Softmax with what changes no value behind it."""
    g = network()
    x = g.conv('input', 'conv', 5, 3)
    x = g.node('Softmax', [g.global_pool(x)], axis=1)
    x = g.node('Reshape', [x, g.ints(0, -1)])
    return g.model(g.node('Cast', [x], to=TensorProto.FLOAT), 5), ['global_average_pool'], []


def torch_scopes():
    """Folded weights have numbers for names, and nodes the scopes."""
    g = network(folded=True)
    x = g.conv('input', 'a', 6, 3)
    y = g.conv(x, 'b', 5, 3)
    g.nodes[0].name, g.nodes[1].name = '/layer1/layer1.0/conv1/Conv', '/features/features.1/block/block.0/block.0.1/Conv'
    return finish(g, g.relu(y)), ['"layer1.0.conv1"', '"features.1.block.0.1"'], []


def shuffled_and_not():
    """A channel shuffle is gated, and added to what is not shuffled."""
    g = network()
    x = g.relu(g.conv('input', 'first', 8, 3))
    y = g.view(g.node('Transpose', [g.view(x, 2, 4, *IMAGE[:2])], perm=[0, 2, 1, 3, 4]), 8, *IMAGE[:2])
    gate = g.node('Sigmoid', [g.conv(g.global_pool(y), 'gate', 8, 1)])
    g.shapes[y] = g.shapes[x]
    z = g.node('Add', [x, g.node('Mul', [y, gate])])
    g.shapes[z] = g.shapes[x]
    z = g.node('Sum', [z, g.node('Sub', [y, x])])
    g.shapes[z] = g.shapes[x]
    return finish(g, z), ['channel_shuffle .*groups', 'root.multiply'], []


def tensorflow_paths():
    """Some nodes have numbers for names, and weights the paths; others the other way round."""
    g = network()
    x = g.conv('input', 'model/conv_1/convolution/merged_input:0.x', 6, 3, bias=False)
    y = g.conv(x, 'const_fold_opt__605.x', 6, 3, groups=6, bias=False)
    z = g.conv(y, 'model/conv_2/Conv2D/ReadVariableOp:0.x', 6, 1, bias=False)
    for entry, name in zip(g.nodes, ('Conv__339', 'model/depthwise_1/depthwise', 'model/conv_2/BiasAdd')):
        entry.name = name
    for table in [entry.input for entry in g.nodes]:
        table[1] = table[1].removesuffix('.x.weight')
    for entry in g.initializers:
        entry.name = entry.name.removesuffix('.x.weight')
    return finish(g, g.relu(z)), ['"model/conv_1"', '"model/depthwise_1"', '"model/conv_2"'], []


def response_norm_of_torch():
    """nn.LocalResponseNorm(5) as the TorchScript exporter writes it: a view of five dimensions, pads that are computed, and
    an `If` for the squeeze."""
    g = network(opset=17)
    x = g.relu(g.conv('input', 'conv', 8, 3))
    y = g.node('Reshape', [g.node('Mul', [x, x]), g.ints(-1, 1, 8, 8, 10)], shape=(1, 8, 8, 10))
    pads = g.node('Concat', [g.ints(0, 0, 0, 0, 2, 2), g.node('ConstantOfShape', [g.ints(4)], value=numpy_helper.from_array(np.zeros(1, np.int64)))], axis=0)
    pads = g.node('Slice', [g.node('Reshape', [pads, g.ints(-1, 2)]), g.ints(-1), g.ints(-(1 << 63) + 1), g.ints(0), g.ints(-1)])
    pads = g.node('Reshape', [g.node('Transpose', [pads], perm=[1, 0]), g.ints(-1)])
    y = g.node('Pad', [y, pads, ''], mode='constant')
    y = g.node('AveragePool', [y], kernel_shape=[5, 1, 1], strides=[1, 1, 1], pads=[0] * 6, count_include_pad=1)
    one = g.node('Equal', [g.node('Gather', [g.node('Shape', [y]), g.ints(1)], axis=0), g.ints(1)])
    branch = [helper.make_node('Constant', [], ['axes'], value_ints=[1]), helper.make_node('Squeeze', [y, 'axes'], ['squeezed'])]
    y = g.node('If', [one], then_branch=helper.make_graph(branch, 'then', [], [helper.make_empty_tensor_value_info('squeezed')]),
               else_branch=helper.make_graph([helper.make_node('Identity', [y], ['same'])], 'else', [],
                                             [helper.make_empty_tensor_value_info('same')]))
    y = g.node('Mul', [g.node('Reshape', [y, g.ints(-1, 8, 8, 10)]), g.scalar(0.3)])
    y = g.node('Pow', [g.node('Add', [y, g.scalar(1)]), g.scalar(0.75)])
    x = g.node('Div', [x, y], shape=g.shapes[x])
    return finish(g, x), [r'local_response_norm .*size\(5\) alpha\(0.3\) beta\(0.75\) k\(1\)'], ['pool .*5', 'multiply']


def response_norm_by_hand():
    """As AlexNets have it: x^2, an nn.AvgPool3d that pads by itself, of a map that is multiplied before."""
    g = network()
    x = g.node('Mul', [g.relu(g.conv('input', 'conv', 8, 3)), g.scalar(3)])
    y = g.unsqueeze(g.node('Pow', [x, g.scalar(2)]), 1)
    y = g.node('AveragePool', [y], kernel_shape=[3, 1, 1], pads=[1, 0, 0, 1, 0, 0], count_include_pad=1)
    y = g.node('Add', [g.node('Mul', [g.node('Squeeze', [y, g.ints(1)]), g.scalar(0.2)]), g.scalar(2)])
    x = g.node('Div', [x, g.node('Pow', [y, g.scalar(0.5)])], shape=g.shapes[x])
    return finish(g, x), [r'local_response_norm .*size\(3\)'], ['average_pool.*3', 'multiply']


def global_max_of_large_maps():
    """A window of 18 x 20 elements, whose places need more than a byte."""
    g = Graph(13, (18, 20, 3))
    x = g.node('GlobalMaxPool', [g.conv('input', 'conv', 8, 3)], shape=(8, 1, 1))
    return g.model(g.linear(g.flatten(x), 'fc', 5), 5), [r'max_pool .*kernel\(18x20\)'], []


def filter_of(name, make):
    """A convolution whose filters are computed of constants."""
    def pattern():
        g = network(opset=21)
        weight = make(g, g.constant(g.normal(8, 3, 3, 3), 'conv.weight'))
        x = g.node('Conv', ['input', weight], pads=[1] * 4, shape=(8, *IMAGE[:2]))
        return finish(g, g.relu(x)), [r'conv2d'], []
    pattern.__name__ = f'filter_{name}'
    return pattern


def standardised(g, w):
    axes = g.ints(1, 2, 3)
    centred = g.node('Sub', [w, g.node('ReduceMean', [w, axes])])
    variance = g.node('ReduceMean', [g.node('Pow', [centred, g.scalar(2)]), axes])
    return g.node('Div', [centred, g.node('Sqrt', [g.node('Add', [variance, g.scalar(1e-5)])])])


def standardised_by_batch_norm(g, w):
    """timm's StdConv2d."""
    ones, zeros = (g.constant(np.full(8, value, np.float32)) for value in (1, 0))
    y = g.node('BatchNormalization', [g.node('Reshape', [w, g.ints(1, 8, -1)]), ones, zeros, zeros, ones], outputs=3,
               training_mode=1)
    return g.node('Reshape', [y[0], g.ints(8, 3, 3, 3)])


def normalised(g, w):
    return g.node('Mul', [w, g.node('Reciprocal', [g.node('ReduceL2', [w, g.ints(1, 2, 3)])])])


def divided_by_spectral_norm(g, w):
    flat = g.node('Flatten', [w])
    v = g.constant(g.normal(27, gain=0.3))
    product = g.node('MatMul', [g.constant(g.normal(8, gain=0.3)), g.node('MatMul', [flat, v])])
    return g.node('Div', [w, g.node('Add', [g.node('Abs', [product]), g.scalar(0.5)])])


def quantised(g, w):
    whole = g.constant(g.generator.integers(-128, 128, (8, 3, 3, 3)).astype(np.int8))
    scale = g.constant(g.generator.uniform(0.001, 0.01, 8).astype(np.float32))
    return g.node('DequantizeLinear', [whole, scale, g.constant(np.arange(-4, 4, dtype=np.int8))], axis=0)


def clamped_and_padded(g, w):
    inner = g.node('Slice', [w, g.ints(0, 0), g.ints(2, 2), g.ints(2, 3)])
    inner = g.node('Log', [g.node('Exp', [g.node('Clip', [inner, g.scalar(-0.5), g.scalar(0.75)])])])
    return g.node('Relu', [g.node('Pad', [inner, g.ints(0, 0, 1, 0, 0, 0, 0, 1)])])


def grey_repeated(g, w):
    grey = g.node('ReduceSum', [w, g.ints(1)], keepdims=1)
    return g.node('Tile', [g.node('Sub', [grey, g.node('ReduceMax', [grey, g.ints(0)])]), g.ints(1, 3, 1, 1)])


def mean_image():
    """As torchvision-free training scripts have it: the training set's mean at each place, then a scale for each channel."""
    g = network()
    x = g.node('Sub', ['input', g.constant(g.normal(3, 8, 10))], shape=g.shapes['input'])
    x = g.node('Div', [x, g.constant(np.array([2, 0.5, 1.5], np.float32).reshape(1, 3, 1, 1))])
    return finish(g, g.relu(g.conv(x, 'conv', 8, 3))), [], [r'groups'], ['subtracts a mean image', 'pixels from 0 to 255']


def mean_image_of_channels_last():
    """Rescaled, shifted and multiplied before and after; padded behind it; NHWC."""
    g = network()
    g.nodes.append(helper.make_node('Mul', ['image', g.scalar(1 / 2)], ['scaled']))
    g.nodes.append(helper.make_node('Add', ['scaled', g.constant(np.array([0.1, 0.2, 0.3], np.float32))], ['moved']))
    g.nodes.append(helper.make_node('Add', ['moved', g.constant(g.normal(8, 10, 1))], ['centred']))
    g.nodes.append(helper.make_node('Mul', ['centred', g.constant(np.array([2, 3, 4], np.float32))], ['divided']))
    g.nodes.append(helper.make_node('Add', ['divided', g.constant(np.array([1, 2, 3], np.float32))], ['added']))
    g.nodes.append(helper.make_node('Transpose', ['added'], ['input'], perm=[0, 3, 1, 2]))
    g.tensorflow, g.image_name = True, 'image'
    x = g.node('Pad', ['input', g.ints(0, 0, 1, 1, 0, 0, 1, 1)], shape=(3, 10, 12))
    return finish(g, g.relu(g.conv(x, 'conv', 8, 3, pad=0))), [], [r'groups'], ['subtracts a mean image']


def mean_image_read_twice():
    """The mean is taken from both, what divides one of them stays a layer of its own; a mean less the image."""
    g = network()
    x = g.node('Sub', [g.constant(g.normal(3, 8, 10)), 'input'], shape=g.shapes['input'])
    y = g.node('Div', [x, g.constant(np.array([2, 0.5, 1.5], np.float32).reshape(1, 3, 1, 1))])
    x = g.concat(g.relu(g.conv(x, 'conv', 8, 3)), g.relu(g.conv(y, 'conv2', 8, 3)))
    return finish(g, x), [r'layer_scale "div'], [], ['subtracts a mean image']


def pads_before_pools():
    """A Pad counts as part of the map for a pool that pads itself, more than its kernel together."""
    g = network()
    x = g.conv('input', 'conv', 6, 3)
    parts = []
    for op, more in (('AveragePool', {'count_include_pad': 1}), ('AveragePool', {}), ('MaxPool', {})):
        y = g.node('Pad', [x, g.ints(0, 0, 1, 1, 0, 0, 1, 1)], shape=(6, 10, 12))
        parts.append(g.node(op, [y], kernel_shape=[2, 2], pads=[1] * 4, shape=(6, 11, 13), **more))
    return finish(g, g.concat(*parts)), [], []


def filters_shared():
    g = network()
    x = g.relu(g.conv('input', 'stem', 8, 3))
    w = g.constant(g.normal(8, 8, 3, 3, gain=0.2), 'shared.weight')
    for _ in range(2):
        x = g.relu(g.node('Conv', [x, w], pads=[1] * 4, shape=g.shapes[x]))
    return finish(g, x), [], [], ['layers that share their weights .*: shared.weight and shared.weight_2']


def convolutions_with_biases():
    g = network(folded=True)
    x = g.relu(g.conv(g.relu(g.conv('input', 'a', 8, 3)), 'b', 8, 3))
    return finish(g, x), [], [], ['there is no norm, and each of the 2 convolutions .*do_constant_folding=False.*optimize=False']


def sigmoid_of_one():
    """A binary classifier: the probability of class 1."""
    g = network()
    x = g.linear(g.flatten(g.global_pool(g.relu(g.conv('input', 'conv', 8, 3)))), 'fc', 1)
    return g.model(g.node('Sigmoid', [x]), 1), [r'classes\(2\)', r'outputs\(2\)'], ['sigmoid', r'outputs\(1\)'], ['two classes 0 and 1']


def sigmoid_of_one_convolution():
    g = network()
    x = g.conv(g.global_pool(g.relu(g.conv('input', 'conv', 8, 3))), 'last', 1, 1)
    x = g.node('Sigmoid', [g.node('Add', [x, g.constant(g.normal(1, 1, 1))])])
    return g.model(g.flatten(x), 1), [r'classes\(2\)', r'filters\(2\)'], ['sigmoid', r'filters\(1\)'], ['two classes 0 and 1']


def sigmoid_of_one_sum():
    """What makes the value has no weights of its own."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    x = g.flatten(g.global_pool(x))
    x = g.node('Add', [g.linear(x, 'fc', 1), g.linear(x, 'fc2', 1)])
    return g.model(g.node('Sigmoid', [x]), 1), [r'"two_classes" %\d+ outputs\(2\) no_bias'], ['sigmoid'], ['two classes 0 and 1']


def sigmoid_of_many():
    g = network()
    x = g.linear(g.flatten(g.global_pool(g.relu(g.conv('input', 'conv', 8, 3)))), 'fc', 5)
    return g.model(g.node('Sigmoid', [x]), 5), ['sigmoid'], [], ["the Sigmoid at the end stays.* 5 classes.*--logits='gemm_"]


def one_output():
    g = network()
    x = g.linear(g.flatten(g.global_pool(g.relu(g.conv('input', 'conv', 8, 3)))), 'fc', 1)
    return g.model(x, 1), [r'classes\(1\)'], [], ['the network has one class: it can be run, but not be trained']


def normalised_in_steps(g, x, name):
    """A layer norm of the last dimension in steps, as PyTorch writes it before opset 17."""
    channels = g.shapes[x][-1]
    mean = g.node('ReduceMean', [x], axes=[-1], keepdims=1, shape=(*g.shapes[x][:-1], 1))
    difference = g.node('Sub', [x, mean])
    square = g.node('Pow', [difference, g.scalar(2)])
    variance = g.node('ReduceMean', [square], axes=[-1], keepdims=1, shape=g.shapes[mean])
    root = g.node('Sqrt', [g.node('Add', [variance, g.scalar(1e-6)])])
    y = g.node('Div', [difference, root])
    y = g.node('Mul', [y, g.constant(1 + 0.2 * g.normal(channels), f'{name}.weight')])
    return g.node('Add', [y, g.constant(g.normal(channels), f'{name}.bias')])


def transposed(g, x, last):
    channels, height, width = g.shapes[x] if last else (g.shapes[x][2], *g.shapes[x][:2])
    return g.node('Transpose', [x], perm=[0, 2, 3, 1] if last else [0, 3, 1, 2],
                  shape=(height, width, channels) if last else (channels, height, width))


def linear_of_positions(g, x, name, outputs):
    """torch.nn.Linear of [N,H,W,C]."""
    inputs = g.shapes[x][-1]
    y = g.node('MatMul', [x, g.constant(g.normal(inputs, outputs, gain=inputs**-0.5), f'{name}.weight')],
               shape=(*g.shapes[x][:-1], outputs))
    return g.node('Add', [g.constant(g.normal(outputs, gain=0.1), f'{name}.bias'), y], shape=g.shapes[y])


def convnext_block(opset):
    """Depthwise convolution, layer norm, two linear layers in NHWC, layer scale, residual; before it a LayerNorm2d."""
    def pattern():
        g = network(opset=opset)
        x = transposed(g, g.conv('input', 'stem', 12, 3), True)

        def norm(x, name):
            if opset < 17:
                return normalised_in_steps(g, x, name)
            scale, offset = (g.constant(value + 0.2 * g.normal(12), f'{name}.{role}') for role, value in (('weight', 1), ('bias', 0)))
            return g.node('LayerNormalization', [x, scale, offset], axis=-1, epsilon=1e-6)

        x = transposed(g, norm(x, 'stem_norm'), False)
        y = transposed(g, g.conv(x, 'block.dwconv', 12, 7, groups=12), True)
        y = linear_of_positions(g, norm(y, 'block.norm'), 'block.fc1', 24)
        y = linear_of_positions(g, g.node('HardSwish', [y]) if opset >= 14 else g.hard_swish(y), 'block.fc2', 12)
        y = transposed(g, g.node('Mul', [g.constant(0.3 * g.normal(12)), y], shape=g.shapes[y]), False)
        g.shapes[y] = g.shapes[x]
        return finish(g, g.relu(g.add(x, y))), [r'root\.layer_norm "block\.norm|root\.layer_norm "div', r'filters\(24\) kernel\(1\)', r'epsilon\(1e-06\)'], ['channel_mean', r'filters\(12\) kernel\(1\) groups\(12\)']

    pattern.__name__ = f'convnext_block_{opset}'
    return pattern


def norm_by_inverse_root():
    """x * rsqrt(variance + epsilon) over axis 1, as timm writes LayerNorm2d by hand."""
    g = network()
    x = g.conv('input', 'conv', 8, 3)
    one = (1, *g.shapes[x][1:])
    difference = g.node('Sub', [x, g.node('ReduceMean', [x], axes=[1], keepdims=1, shape=one)])
    variance = g.node('ReduceMean', [g.node('Mul', [difference, difference])], axes=[1], keepdims=1, shape=one)
    root = g.node('Sqrt', [g.node('Add', [variance, g.scalar(1e-5)])])
    y = g.node('Mul', [difference, g.node('Div', [g.scalar(1), root])], shape=g.shapes[x])
    return finish(g, g.relu(scaled(g, y, 8, 1, 1))), ['root.layer_norm'], ['channel_mean', r'groups\(8\)']


def torch_group_norm(groups, channels=12):
    """Reshape, InstanceNormalization, Reshape, Mul, Add."""
    def pattern():
        g = network()
        x = g.conv('input', 'conv', channels, 3)
        shape = g.node('Shape', [x])
        y = g.node('Reshape', [x, g.ints(0, groups, -1)], shape=(groups, channels // groups * 80))
        y = g.node('InstanceNormalization', [y, g.constant(np.ones(groups, np.float32)), g.constant(np.zeros(groups, np.float32))],
                   epsilon=1e-5)
        y = g.node('Reshape', [y, shape], shape=g.shapes[x])
        return finish(g, g.relu(scaled(g, y, channels, 1, 1))), [rf'root.group_norm \S+ %\d+ groups\({groups}\)'], []

    pattern.__name__ = f'torch_group_norm_{groups}'
    return pattern


def group_norm_operator():
    g = network(opset=21)
    x = g.conv('input', 'conv', 12, 3)
    scale, offset = g.constant(1 + 0.2 * g.normal(12)), g.constant(g.normal(12))
    x = g.relu(g.node('GroupNormalization', [x, scale, offset], num_groups=3))
    return finish(g, x), [r'groups\(3\)'], []


def layer_norm_of_a_vector():
    g = network(opset=17)
    x = g.mean_pool(g.relu(g.conv('input', 'conv', 8, 3)))
    x = g.node('LayerNormalization', [x, g.constant(1 + 0.2 * g.normal(8)), g.constant(g.normal(8))], axis=-1)
    return g.model(g.linear(x, 'fc', 5), 5), ['root.layer_norm'], []


def layer_norm_of_the_image():
    """Over all of it, with one scale and offset for each channel."""
    g = network(opset=17)
    x = g.conv('input', 'conv', 8, 3)
    scale, offset = (np.broadcast_to(value, (8, 8, 10)).astype(np.float32) for value in (1 + 0.2 * g.normal(8, 1, 1), g.normal(8, 1, 1)))
    x = g.node('LayerNormalization', [x, g.constant(scale), g.constant(offset)], axis=1)
    return finish(g, g.relu(x)), [r'root.group_norm \S+ %\d+ groups\(1\)'], []


def upsampled_by_torch():
    """F.interpolate to twice the size, and to that of another map; joined by a transposed convolution."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3, stride=2))
    c, h, w = g.shapes[x]
    empty = g.constant(np.zeros(0, np.float32))
    y = g.node('Resize', [x, empty, g.constant(np.array([1, 1, 2, 2], np.float32))], mode='nearest',
               coordinate_transformation_mode='asymmetric', nearest_mode='floor', shape=(c, 2 * h, 2 * w))
    sizes = g.node('Concat', [g.node('Slice', [g.node('Shape', [x]), g.ints(0), g.ints(2), g.ints(0)]), g.ints(2 * h, 2 * w)], axis=0)
    z = g.node('Resize', [x, '', '', sizes], mode='linear', coordinate_transformation_mode='pytorch_half_pixel', shape=(c, 2 * h, 2 * w))
    t = g.node('ConvTranspose', [x, g.constant(g.normal(8, 4, 2, 2, gain=0.3), 'up.weight'), g.constant(g.normal(8), 'up.bias')],
               strides=[2, 2], kernel_shape=[2, 2], group=2, shape=(8, 2 * h, 2 * w))
    return finish(g, g.relu(g.add(g.add(y, z), t))), [r'resize %\d+ size\(8x10\) coordinates\(asymmetric\) round\(floor\)',
                                                     r'mode\(bilinear\)', 'conv2d_transpose "up"'], []


def spatial_attention():
    """CBAM: mean and maximum of the channels, joined."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 8, 3))
    one = (1, *g.shapes[x][1:])
    parts = [g.node(op, [x], axes=[1], keepdims=1, shape=one) for op in ('ReduceMean', 'ReduceMax')]
    y = g.conv(g.concat(*parts), 'attention', 1, 7)
    return finish(g, g.node('Mul', [x, g.node('Sigmoid', [y])], shape=g.shapes[x])), ['channel_mean', 'channel_max'], []


def split_attention():
    """ResNeSt: the channels as branches, summed, weighed by a softmax over them."""
    g = network()
    x = g.relu(g.conv('input', 'conv', 12, 3, groups=3))
    apart = g.node('Reshape', [x, g.ints(0, 2, 6, 8, 10)], shape=(2, 6, 8, 10))
    gap = g.node('ReduceSum', [apart, g.ints(1)], keepdims=0, shape=(6, 8, 10))
    gap = g.node('ReduceMean', [gap], axes=[2, 3], keepdims=1, shape=(6, 1, 1))
    att = g.conv(g.relu(g.conv(gap, 'fc1', 4, 1)), 'fc2', 12, 1)
    att = g.node('Transpose', [g.node('Reshape', [att, g.ints(0, 1, 2, -1)])], perm=[0, 2, 1, 3])
    att = g.node('Reshape', [g.node('Reshape', [g.node('Softmax', [att], axis=1), g.ints(0, -1)]), g.ints(0, 2, 6, 1, 1)])
    y = g.node('ReduceSum', [g.node('Mul', [apart, att], shape=g.shapes[apart]), g.ints(1)], keepdims=0, shape=(6, 8, 10))
    return finish(g, y), [r'branch_softmax %\d+ branches\(2\)', 'slice_channels'], []


def selective_kernels():
    """SKNet: branches stacked, summed, weighed."""
    g = network()
    paths = [g.relu(g.conv('input', f'path{i}', 6, 3, dilation=i + 1)) for i in range(2)]
    stacked = g.node('Concat', [g.unsqueeze(path, 1) for path in paths], axis=1, shape=(2, 6, 8, 10))
    gap = g.node('ReduceMean', [g.node('ReduceSum', [stacked, g.ints(1)], keepdims=0, shape=(6, 8, 10))], axes=[2, 3], keepdims=1,
                 shape=(6, 1, 1))
    att = g.node('Reshape', [g.conv(gap, 'select', 12, 1), g.ints(0, 2, 6, 1, 1)])
    weighed = g.node('Mul', [stacked, g.node('Softmax', [att], axis=1)], shape=(2, 6, 8, 10))
    return finish(g, g.node('ReduceSum', [weighed, g.ints(1)], keepdims=0, shape=(6, 8, 10))), ['branch_softmax'], []


PATTERNS = (convnext_block(17), convnext_block(13), norm_by_inverse_root, torch_group_norm(3), torch_group_norm(1),
            torch_group_norm(12), group_norm_operator, layer_norm_of_a_vector, layer_norm_of_the_image,
            upsampled_by_torch, spatial_attention, split_attention, selective_kernels,
            input_normalised_by_channel, keras_preprocessing, norm_behind_convolution, convolution_read_twice,
            transposed_and_scaled, swish_of_convolution, gelu_of_torchscript, gelu_of_dynamo, gelu_of_others,
            gelu_of_scaled, sigmoid_read_twice, slopes, scaled_branch, borders, pixel_shuffles, factor_behind_convolution, gate_expanded, context_added,
            channels_turned_round, indexed_pixel, strided_mean, strided_mean_of_any_batch, responses_of_the_map, neighbouring_channels,
            tanh_behind_layers, sums_over_the_map, constants_cast_like_maps,
            divided_sizes, softmax_before_the_end, shuffled_and_not, torch_scopes, tensorflow_paths, response_norm_of_torch,
            response_norm_by_hand, global_max_of_large_maps, mean_image, mean_image_of_channels_last, mean_image_read_twice,
            pads_before_pools, filters_shared, convolutions_with_biases, sigmoid_of_one, sigmoid_of_one_convolution,
            sigmoid_of_one_sum, sigmoid_of_many, one_output,
            *(filter_of(make.__name__, make) for make in (standardised, standardised_by_batch_norm, normalised, divided_by_spectral_norm,
                                                          quantised, clamped_and_padded, grey_repeated)))
# Those with layers that no other test of imported networks trains.
TRAINED = (norm_by_inverse_root, upsampled_by_torch, split_attention, response_norm_of_torch, global_max_of_large_maps,
           sigmoid_of_one, gelu_of_dynamo, slopes, borders, pixel_shuffles, responses_of_the_map)


def check(tools, folder, pattern):
    model, wanted, unwanted, *notes = pattern()
    imported = Imported(tools, folder, model)
    with open(imported.network) as file:
        text = file.read()
    for expression in wanted:
        if not re.search(expression, text):
            raise AssertionError(f'the network holds no {expression}:\n{text}')
    for expression in unwanted:
        if re.search(expression, text):
            raise AssertionError(f'the network holds {expression}:\n{text}')
    for expression in notes[0] if notes else ():
        if not re.search(expression, imported.notes):
            raise AssertionError(f'no note says {expression}:\n{imported.notes}')
    infer = imported.infer

    def answer(image):
        logits = infer(imported.normalised(image)).astype(np.float64)
        if 'is left out: a network gives logits' in imported.notes:
            return softmax(logits)  # its probabilities are compared
        return softmax(logits)[:, 1:] if 'two classes' in imported.notes else logits

    imported.infer = answer
    if pattern in TRAINED:
        imported.check_gradients(batch=3)
    return check_inference(imported, model, batch=3)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tools(parser)
    tools = parser.parse_args()
    failures = 0
    for pattern in PATTERNS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f'{pattern.__name__}: logits {check(tools, folder, pattern):.1e}', flush=True)
            except (AssertionError, RuntimeError) as error:
                failures += 1
                print(f'{pattern.__name__}: FAILED\n{error}', flush=True)
    print(f'{len(PATTERNS) - failures} of {len(PATTERNS)} patterns agree')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
