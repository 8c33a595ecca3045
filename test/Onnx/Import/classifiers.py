"""ONNX files of the shapes of well-known classifiers, with random weights, each in another exporter's form.

`slim` divides the channels and leaves out repeated blocks: the same graph, small enough for float64 gradients."""

import numpy as np

from graphs import Graph


class Sizes:
    def __init__(self, slim):
        self.slim = slim

    def channels(self, count, multiple=8):
        if self.slim == 1:
            return count
        return max(multiple, count // self.slim // multiple * multiple)

    def repeats(self, count):
        return count if self.slim == 1 else min(count, 2)


def resnet18(image, slim=1, classes=1000, opset=17):
    """Batch norm kept, as torch exports for training; opset 17."""
    g, s = Graph(opset, image), Sizes(slim)

    def block(x, name, width, stride):
        y = g.relu(g.batch_norm(g.conv(x, f'{name}.conv1', width, 3, stride, bias=False), f'{name}.bn1'))
        y = g.batch_norm(g.conv(y, f'{name}.conv2', width, 3, bias=False), f'{name}.bn2')
        if stride != 1 or g.shapes[x][0] != width:
            x = g.batch_norm(g.conv(x, f'{name}.downsample.0', width, 1, stride, bias=False), f'{name}.downsample.1')
        return g.relu(g.add(y, x))

    x = g.relu(g.batch_norm(g.conv('input', 'conv1', s.channels(64), 7, 2, bias=False), 'bn1'))
    x = g.max_pool(x, 3, 2, 1)
    for stage, width in enumerate((64, 128, 256, 512)):
        for index in range(2):
            x = block(x, f'layer{stage + 1}.{index}', s.channels(width), 2 if stage and index == 0 else 1)
    x = g.linear(g.flatten(g.global_pool(x)), 'fc', classes)
    return g.model(x, classes)


def resnext50(image, slim=1, classes=1000, opset=11):
    """Batch norm folded, names of scopes, the flattening as shape arithmetic; opset 11, 32 groups of 4."""
    g, s = Graph(opset, image, folded=True, scopes=True), Sizes(slim)
    groups = 32 if slim == 1 else 4

    def block(x, name, width, stride):
        y = g.relu(g.conv(x, f'{name}.conv1', width, 1))
        y = g.relu(g.conv(y, f'{name}.conv2', width, 3, stride, groups=groups))
        y = g.conv(y, f'{name}.conv3', 2 * width, 1)
        if stride != 1 or g.shapes[x][0] != 2 * width:
            x = g.conv(x, f'{name}.downsample.0', 2 * width, 1, stride)
        return g.relu(g.add(y, x))

    x = g.max_pool(g.relu(g.conv('input', 'conv1', s.channels(64), 7, 2)), 3, 2, 1)
    for stage, (width, repeats) in enumerate(((128, 3), (256, 4), (512, 6), (1024, 3))):
        for index in range(s.repeats(repeats)):
            x = block(x, f'layer{stage + 1}.{index}', s.channels(width), 2 if stage and index == 0 else 1)
    x = g.global_pool(x)
    x = g.linear(g.view(x, g.shapes[x][0]), 'fc', classes)
    return g.model(x, classes)


def mobilenet_v2(image, slim=1, classes=1000, opset=10):
    """ReLU6 as Clip with attributes, the mean as ReduceMean; opset 10."""
    g, s = Graph(opset, image), Sizes(slim)

    def layer(x, name, filters, kernel, stride=1, groups=1):
        x = g.conv(x, f'{name}.0', filters, kernel, stride, groups=groups, bias=False)
        return g.clip(g.batch_norm(x, f'{name}.1'), 0, 6)

    x = layer('input', 'features.0', s.channels(32), 3, 2)
    number = 1
    for expansion, width, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for index in range(s.repeats(repeats)):
            name, channels, y = f'features.{number}.conv', g.shapes[x][0], x
            if expansion != 1:
                y = layer(y, f'{name}.0', channels * expansion, 1)
            y = layer(y, f'{name}.1', channels * expansion, 3, stride if index == 0 else 1, channels * expansion)
            y = g.batch_norm(g.conv(y, f'{name}.2', s.channels(width), 1, bias=False), f'{name}.3')
            x = g.add(x, y) if g.shapes[y] == g.shapes[x] else y
            number += 1
    x = layer(x, f'features.{number}', s.channels(1280), 1)
    x = g.linear(g.mean_pool(x), 'classifier.1', classes)
    return g.model(x, classes)


def mobilenet_v3(image, slim=1, classes=1000, opset=12):
    """Hard swish and hard sigmoid spelled out (from opset 14 on as operators), squeeze and excitation, a Dropout; opset 12."""
    g, s = Graph(opset, image), Sizes(slim)

    def activate(x, hard):
        return g.hard_swish(x) if hard else g.relu(x)

    def norm(x, name):
        return g.batch_norm(x, name, epsilon=1e-3, momentum=0.99)

    x = g.hard_swish(norm(g.conv('input', 'features.0.0', s.channels(16), 3, 2, bias=False), 'features.0.1'))
    table = ((3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2), (5, 120, 40, 1, 0, 1),
             (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1),
             (3, 184, 80, 0, 1, 1), (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1), (5, 672, 160, 1, 1, 2),
             (5, 960, 160, 1, 1, 1), (5, 960, 160, 1, 1, 1))
    for number, (kernel, inner, width, excite, hard, stride) in enumerate(table, 1):
        name, y = f'features.{number}.block', x
        inner = s.channels(inner)
        if inner != g.shapes[x][0]:
            y = activate(norm(g.conv(y, f'{name}.0.0', inner, 1, bias=False), f'{name}.0.1'), hard)
        y = activate(norm(g.conv(y, f'{name}.1.0', inner, kernel, stride, groups=inner, bias=False), f'{name}.1.1'), hard)
        if excite:
            y = g.squeeze_excite(y, f'{name}.2', max(8, inner // 4), g.relu, g.hard_sigmoid)
        y = norm(g.conv(y, f'{name}.3.0', s.channels(width), 1, bias=False), f'{name}.3.1')
        x = g.add(y, x) if g.shapes[y] == g.shapes[x] else y
    x = g.hard_swish(norm(g.conv(x, 'features.16.0', s.channels(960), 1, bias=False), 'features.16.1'))
    x = g.hard_swish(g.linear(g.flatten(g.global_pool(x)), 'classifier.0', s.channels(1280)))
    x = g.dropout(x, 0.2)
    x = g.linear(x, 'classifier.3', classes)
    return g.model(x, classes)


def _regnet(image, slim, classes, opset, widths, depths, group_width, excite):
    """Opset 16; a fixed batch of one, constant shapes."""
    g, s = Graph(opset, image, batch=2, scopes=True), Sizes(slim)
    x = g.relu(g.batch_norm(g.conv('input', 'stem.0', s.channels(32), 3, 2, bias=False), 'stem.1'))
    for stage, (width, depth) in enumerate(zip(widths, depths), 1):
        width = s.channels(width)
        for index in range(s.repeats(depth)):
            name, stride = f'trunk_output.block{stage}.{index}', 2 if index == 0 else 1
            channels, y = g.shapes[x][0], x
            y = g.relu(g.batch_norm(g.conv(y, f'{name}.a.0', width, 1, bias=False), f'{name}.a.1'))
            y = g.conv(y, f'{name}.b.0', width, 3, stride, groups=max(1, width // group_width), bias=False)
            y = g.relu(g.batch_norm(y, f'{name}.b.1'))
            if excite:
                y = g.squeeze_excite(y, f'{name}.se', max(8, channels // 4), g.relu, lambda v: g.node('Sigmoid', [v]))
            y = g.batch_norm(g.conv(y, f'{name}.c.0', width, 1, bias=False), f'{name}.c.1')
            if g.shapes[x] != g.shapes[y]:
                x = g.batch_norm(g.conv(x, f'{name}.proj.0', width, 1, stride, bias=False), f'{name}.proj.1')
            x = g.relu(g.add(x, y))
    x = g.global_pool(x)
    x = g.node('Reshape', [x, g.ints(2, -1)], shape=(g.shapes[x][0],))
    x = g.linear(x, 'fc', classes)
    return g.model(x, classes)


def regnet_x(image, slim=1, classes=1000, opset=16):
    return _regnet(image, slim, classes, opset, (32, 64, 160, 400), (1, 2, 7, 12), 16 if slim == 1 else 4, False)


def regnet_y(image, slim=1, classes=1000, opset=16):
    return _regnet(image, slim, classes, opset, (48, 104, 208, 440), (1, 3, 6, 6), 8, True)


def shufflenet_v2(image, slim=1, classes=1000, opset=13):
    """Channel shuffles as Reshape, Transpose, Reshape with computed shapes, chunks as Split; opset 13."""
    g, s = Graph(opset, image), Sizes(slim)

    def shuffle(x):
        channels, height, width = g.shapes[x]
        y = g.view(x, 2, channels // 2, height, width)
        y = g.node('Transpose', [y], perm=[0, 2, 1, 3, 4])
        y = g.view(y, -1, height, width)
        g.shapes[y] = (channels, height, width)
        return y

    def branch(x, name, width, stride, first):
        y, number = x, 0
        if first:
            y = g.relu(g.batch_norm(g.conv(y, f'{name}.0', width, 1, bias=False), f'{name}.1'))
            number = 3
        depth = g.shapes[y][0]
        y = g.batch_norm(g.conv(y, f'{name}.{number}', depth, 3, stride, groups=depth, bias=False), f'{name}.{number + 1}')
        return g.relu(g.batch_norm(g.conv(y, f'{name}.{number + 2}', width, 1, bias=False), f'{name}.{number + 3}'))

    x = g.relu(g.batch_norm(g.conv('input', 'conv1.0', s.channels(24), 3, 2, bias=False), 'conv1.1'))
    x = g.max_pool(x, 3, 2, 1)
    for stage, (width, repeats) in enumerate(((116, 4), (232, 8), (464, 4)), 2):
        width = s.channels(width, 4) // 2
        for index in range(s.repeats(repeats)):
            name = f'stage{stage}.{index}'
            if index == 0:
                y = g.concat(branch(x, f'{name}.branch1', width, 2, False), branch(x, f'{name}.branch2', width, 2, True))
            else:
                left, right = g.split(x, width, width)
                y = g.concat(left, branch(right, f'{name}.branch2', width, 1, True))
            x = shuffle(y)
    x = g.relu(g.batch_norm(g.conv(x, 'conv5.0', s.channels(1024), 1, bias=False), 'conv5.1'))
    x = g.linear(g.mean_pool(x), 'fc', classes)
    return g.model(x, classes)


def squeezenet(image, slim=1, classes=1000, opset=10):
    """Version 1.1: pools that round up, concatenations, a convolution gives the classes; opset 9, Constant shapes."""
    g, s = Graph(opset, image), Sizes(slim)

    def fire(x, name, squeezed, expanded):
        x = g.relu(g.conv(x, f'{name}.squeeze', s.channels(squeezed), 1))
        return g.concat(g.relu(g.conv(x, f'{name}.expand1x1', s.channels(expanded), 1)),
                        g.relu(g.conv(x, f'{name}.expand3x3', s.channels(expanded), 3)))

    x = g.relu(g.conv('input', 'features.0', s.channels(64), 3, 2, pad=0))
    x = g.max_pool(x, 3, 2, ceil=True)
    x = fire(fire(x, 'features.3', 16, 64), 'features.4', 16, 64)
    x = g.max_pool(x, 3, 2, ceil=True)
    x = fire(fire(x, 'features.6', 32, 128), 'features.7', 32, 128)
    x = g.max_pool(x, 3, 2, ceil=True)
    for number, (squeezed, expanded) in zip((9, 10, 11, 12), ((48, 192), (48, 192), (64, 256), (64, 256))):
        x = fire(x, f'features.{number}', squeezed, expanded)
    x = g.dropout(x, 0.5)
    x = g.global_pool(g.relu(g.conv(x, 'classifier.1', classes, 1)))
    x = g.node('Reshape', [x, g.ints(0, -1)], shape=(classes,))
    return g.model(x, classes)


def efficientnet_b0(image, slim=1, classes=1000, opset=18):
    """As from TensorFlow: an NHWC image, padding SAME_UPPER, SiLU as x times its sigmoid; opset 18."""
    g, s = Graph(opset, image, tensorflow=True), Sizes(slim)

    def norm(x, name):
        return g.batch_norm(x, name, epsilon=1e-3, momentum=0.99)

    x = g.silu(norm(g.conv('input', 'stem.conv', s.channels(32), 3, 2, bias=False, same='SAME_UPPER'), 'stem.bn'))
    number = 0
    for expansion, width, repeats, kernel, stride in ((1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2),
                                                      (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2),
                                                      (6, 320, 1, 3, 1)):
        for index in range(s.repeats(repeats)):
            name, channels, y = f'blocks.{number}', g.shapes[x][0], x
            inner = channels * expansion
            if expansion != 1:
                y = g.silu(norm(g.conv(y, f'{name}.expand.conv', inner, 1, bias=False), f'{name}.expand.bn'))
            y = g.conv(y, f'{name}.depthwise.conv', inner, kernel, stride if index == 0 else 1, groups=inner, bias=False,
                       same='SAME_UPPER')
            y = g.silu(norm(y, f'{name}.depthwise.bn'))
            y = g.squeeze_excite(y, f'{name}.se', max(4, channels // 4), g.silu, lambda v: g.node('Sigmoid', [v]))
            y = norm(g.conv(y, f'{name}.project.conv', s.channels(width), 1, bias=False), f'{name}.project.bn')
            x = g.add(y, x) if g.shapes[y] == g.shapes[x] else y
            number += 1
    x = g.silu(norm(g.conv(x, 'head.conv', s.channels(1280), 1, bias=False), 'head.bn'))
    x = g.linear(g.mean_pool(x), 'classifier', classes)
    return g.model(x, classes)


def densenet121(image, slim=1, classes=1000, opset=15):
    """Batch norm before convolutions, growing concatenations, average pools; opset 15."""
    g, s = Graph(opset, image), Sizes(slim)
    growth = s.channels(32)

    def norm_relu_conv(x, name, filters, kernel):
        x = g.relu(g.batch_norm(x, f'{name}.norm'))
        return g.conv(x, f'{name}.conv', filters, kernel, bias=False)

    x = g.relu(g.batch_norm(g.conv('input', 'features.conv0', s.channels(64), 7, 2, bias=False), 'features.norm0'))
    x = g.max_pool(x, 3, 2, 1)
    for block, repeats in enumerate((6, 12, 24, 16), 1):
        parts = [x]
        for index in range(s.repeats(repeats)):
            name = f'features.denseblock{block}.denselayer{index + 1}'
            y = g.concat(*parts)
            y = norm_relu_conv(y, f'{name}.1', 4 * growth, 1)
            parts.append(norm_relu_conv(y, f'{name}.2', growth, 3))
        x = g.concat(*parts)
        if block < 4:
            x = norm_relu_conv(x, f'features.transition{block}', g.shapes[x][0] // 2, 1)
            x = g.average_pool(x, 2, 2)
    x = g.global_pool(g.relu(g.batch_norm(x, 'features.norm5')))
    x = g.linear(g.flatten(x), 'classifier', classes)
    return g.model(x, classes)


def vgg16(image, slim=1, classes=1000, opset=13):
    """Linear layers behind a map of several pixels, a Softmax at the end; opset 13."""
    g, s = Graph(opset, image), Sizes(slim)
    x, number = 'input', 0
    for width, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(s.repeats(repeats)):
            x = g.relu(g.conv(x, f'features.{number}', s.channels(width), 3))
            number += 2
        x = g.max_pool(x, 2, 2)
        number += 1
    x = g.flatten(x)
    for index in (0, 3):
        x = g.node('Dropout', [g.relu(g.linear(x, f'classifier.{index}', s.channels(4096)))])
    x = g.linear(x, 'classifier.6', classes)
    return g.model(g.node('Softmax', [x], axis=1), classes)


ALL = {function.__name__: function for function in (
    resnet18, resnext50, mobilenet_v2, mobilenet_v3, regnet_x, regnet_y, shufflenet_v2, squeezenet, efficientnet_b0,
    densenet121, vgg16)}
