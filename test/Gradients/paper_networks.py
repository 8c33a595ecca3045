"""The networks of the Deep Roots paper, written from their papers' descriptions: NIN (Lin, Chen, Yan 2014), ResNet-50
(He et al. 2016a), ResNet-200 (He et al. 2016b), GoogLeNet (Szegedy et al. 2015), AlexNet (Krizhevsky et al. 2012).

Nothing here reads a file of models/ or what the compiler makes of it: a second opinion on both. The groups of a
variant are those printed in the paper's tables. Layers have the names of the authors' Caffe files; parameters are
those and a role, which is all that the two sides agree on."""

from graph import Graph


def nin(size, groups):
    """CIFAR-10; groups of conv2a and conv3a. Batch norm and ReLU behind every convolution but the last."""
    net = Graph(*size)

    def mlp_conv(x, stage, kernel, widths, split):
        for letter, filters, side, g in zip('abc', widths, (kernel, 1, 1), (split, 1, 1)):
            x = net.conv(f'conv{stage}{letter}', x, filters, side, pad=side // 2, groups=g)
            if filters != 10:
                x = net.relu(net.batch_norm(f'bn{stage}{letter}', x))
        return x

    x = mlp_conv(net.image, 1, 5, (192, 160, 96), 1)
    x = mlp_conv(net.max_pool(x, 3, 2, ceil=True), 2, 5, (192, 192, 192), groups[0])
    x = mlp_conv(net.average_pool(x, 3, 2, ceil=True), 3, 3, (192, 192, 10), groups[1])
    net.head(net.global_pool(x))
    return net


def _blocks(count):
    return 'abcdef'[:count] if count <= 6 else ['a'] + [f'b{i}' for i in range(1, count)]


def resnet50(size, groups):
    """Post-activation bottlenecks; groups of the 3x3s of the four stages."""
    net = Graph(*size)

    def conv_norm(x, block, branch, *shape, **more):
        return net.batch_norm(f'bn{block}_branch{branch}',
                              net.conv(f'res{block}_branch{branch}', x, *shape, bias=False, **more))

    x = net.conv('conv1', net.image, 64, 7, stride=2, pad=3)
    x = net.max_pool(net.relu(net.batch_norm('bn_conv1', x)), 3, 2, ceil=True)
    for stage, (count, width, g) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512), groups), 2):
        for letter in _blocks(count):
            block, stride = f'{stage}{letter}', 2 if letter == 'a' and stage > 2 else 1
            shortcut = conv_norm(x, block, '1', 4 * width, 1, stride=stride) if letter == 'a' else x
            y = net.relu(conv_norm(x, block, '2a', width, 1, stride=stride))
            y = net.relu(conv_norm(y, block, '2b', width, 3, pad=1, groups=g))
            y = conv_norm(y, block, '2c', 4 * width, 1)
            x = net.relu(net.add(shortcut, y))
    net.head(net.linear('fc1000', net.global_pool(x), 1000))
    return net


def resnet200(size, groups):
    """Pre-activation bottlenecks: norm, ReLU, convolution, three times; the sum is left as it is. Where the width
    changes, the projection reads the activated input too. The first unit's input is conv1's activation."""
    net = Graph(*size)
    x = net.relu(net.batch_norm('bn_conv1', net.conv('conv1', net.image, 64, 7, stride=2, pad=3, bias=False)))
    x = net.max_pool(x, 3, 2, ceil=True)
    for stage, (count, width, g) in enumerate(zip((3, 24, 36, 3), (64, 128, 256, 512), groups), 2):
        for letter in _blocks(count):
            block, first = f'{stage}{letter}', letter == 'a'
            stride = 2 if first and stage > 2 else 1
            activated = x if block == '2a' else net.relu(net.batch_norm(f'bn{block}_branch2a', x))
            shortcut = x
            if first:
                shortcut = net.conv(f'res{block}_branch1', activated, 4 * width, 1, stride=stride, bias=False)
            y = net.conv(f'res{block}_branch2a', activated, width, 1, stride=stride, bias=False)
            y = net.relu(net.batch_norm(f'bn{block}_branch2b', y))
            y = net.conv(f'res{block}_branch2b', y, width, 3, pad=1, groups=g, bias=False)
            y = net.relu(net.batch_norm(f'bn{block}_branch2c', y))
            x = net.add(shortcut, net.conv(f'res{block}_branch2c', y, 4 * width, 1, bias=False))
    x = net.global_pool(net.relu(net.batch_norm('bn5', x)))
    net.head(net.linear('fc1000', x, 1000))
    return net


# Szegedy et al., table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
INCEPTION = {
    '3a': (64, 96, 128, 16, 32, 32), '3b': (128, 128, 192, 32, 96, 64),
    '4a': (192, 96, 208, 16, 48, 64), '4b': (160, 112, 224, 24, 64, 64), '4c': (128, 128, 256, 24, 64, 64),
    '4d': (112, 144, 288, 32, 64, 64), '4e': (256, 160, 320, 32, 128, 128),
    '5a': (256, 160, 320, 32, 128, 128), '5b': (384, 192, 384, 48, 128, 128),
}


def googlenet(size, groups):
    """Groups of conv2 and of the 3x3s and 5x5s of inception 3, 4, 5. Dropout is left out."""
    net = Graph(*size)

    def conv(name, x, filters, kernel, stride=1, g=1):
        return net.relu(net.conv(name, x, filters, kernel, stride, kernel // 2, g))

    def auxiliary(number, x):
        x = conv(f'loss{number}/conv', net.average_pool(x, 5, 3, ceil=True), 128, 1)
        x = net.relu(net.linear(f'loss{number}/fc', x, 1024))
        net.head(net.linear(f'loss{number}/classifier', x, 1000), 0.3)

    x = net.max_pool(conv('conv1/7x7_s2', net.image, 64, 7, 2), 3, 2, ceil=True)
    x = conv('conv2/3x3_reduce', net.response_norm(x), 64, 1)
    x = net.response_norm(conv('conv2/3x3', x, 192, 3, g=groups[0]))
    x = net.max_pool(x, 3, 2, ceil=True)
    for name, (one, reduce3, three, reduce5, five, project) in INCEPTION.items():
        g = groups[int(name[0]) - 2]
        if name in ('4a', '5a'):
            x = net.max_pool(x, 3, 2, pad=1, ceil=True)
        layer = lambda part: f'inception_{name}/{part}'
        x = net.concat(
            conv(layer('1x1'), x, one, 1),
            conv(layer('3x3'), conv(layer('3x3_reduce'), x, reduce3, 1), three, 3, g=g),
            conv(layer('5x5'), conv(layer('5x5_reduce'), x, reduce5, 1), five, 5, g=g),
            conv(layer('pool_proj'), net.max_pool(x, 3, 1, pad=1), project, 1))
        if name in ('4a', '4d'):
            auxiliary(1 if name == '4a' else 2, x)
    net.head(net.linear('loss3/classifier', net.average_pool(x, 7, 1), 1000))
    return net


def alexnet(size, groups):
    """Groups of conv2, conv4 and conv5. Dropout is left out."""
    net = Graph(*size)
    x = net.relu(net.conv('conv1', net.image, 96, 11, stride=4))
    x = net.max_pool(net.response_norm(x), 3, 2)
    x = net.relu(net.conv('conv2', x, 256, 5, pad=2, groups=groups[0]))
    x = net.max_pool(net.response_norm(x), 3, 2)
    x = net.relu(net.conv('conv3', x, 384, 3, pad=1))
    x = net.relu(net.conv('conv4', x, 384, 3, pad=1, groups=groups[1]))
    x = net.relu(net.conv('conv5', x, 256, 3, pad=1, groups=groups[2]))
    x = net.max_pool(x, 3, 2)
    x = net.relu(net.linear('fc6', x, 4096))
    x = net.relu(net.linear('fc7', x, 4096))
    net.head(net.linear('fc8', x, 1000))
    return net


# Network: how it is built, its table, the rows that are its baseline and its largest variant, and its images.
NETWORKS = {
    'nin': (nin, 'nin_cifar10', ('nin', 'nin-root-16'), (32, 32)),
    'resnet50': (resnet50, 'resnet50_ilsvrc', ('resnet50', 'resnet50-root-64'), (224, 224)),
    'resnet200': (resnet200, 'resnet200_ilsvrc', ('resnet200', 'resnet200-root-64'), (224, 224)),
    'googlenet': (googlenet, 'googlenet_ilsvrc', ('googlenet', 'googlenet-root-16'), (224, 224)),
    'alexnet': (alexnet, 'alexnet_ilsvrc', ('alexnet-nogroup', 'alexnet-group4'), (227, 227)),
}
