"""What exporters write besides operators one by one: each pattern in a small graph, against ONNX Runtime, with what the
network is to hold, or not to hold."""

import argparse
import re
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper

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


# A pattern returns the model, what the network must hold and must not (regular expressions).


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


PATTERNS = (input_normalised_by_channel, keras_preprocessing, norm_behind_convolution, convolution_read_twice,
            transposed_and_scaled, swish_of_convolution, factor_behind_convolution, gate_expanded, context_added,
            channels_turned_round, indexed_pixel, tanh_behind_layers, sums_over_the_map, constants_cast_like_maps,
            divided_sizes, softmax_before_the_end, shuffled_and_not, torch_scopes, tensorflow_paths)


def check(tools, folder, pattern):
    model, wanted, unwanted = pattern()
    imported = Imported(tools, folder, model)
    with open(imported.network) as file:
        text = file.read()
    for expression in wanted:
        if not re.search(expression, text):
            raise AssertionError(f'the network holds no {expression}:\n{text}')
    for expression in unwanted:
        if re.search(expression, text):
            raise AssertionError(f'the network holds {expression}:\n{text}')
    if any(entry.op_type == 'Softmax' for entry in model.graph.node):
        # Its probabilities are compared.
        infer, imported.infer = imported.infer, lambda image: softmax(infer(image).astype(np.float64))
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
