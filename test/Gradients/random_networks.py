"""Seeded random networks: small, valid, and full of what kernels get wrong. `python random_networks.py SEED` prints
one."""

import random
import sys

WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 20, 21, 22, 24, 26, 33, 35, 40)
# Every fourteenth network must have the feature; beyond that all of them mix.
THEMES = ('prime groups', 'depthwise', 'one pixel', 'stride', 'dilation', 'ceil pools', 'residual', 'concat',
          'auxiliary', 'dropout and response norm', 'channel orders', 'channel orders', 'resized', 'attention')
# Seeds of small networks that have every theme, and each layer twice.
FEW = (14, 117, 121, 130, 138, 141, 202, 206, 213, 221, 226, 246, 265, 268, 287, 292)
RESIZED = ('conv2d_transpose', 'bilinear', 'nearest', 'adaptive_average_pool')
# Channels, and numbers of groups of 3, 5, 6 or 7 of them that a vector of eight lanes is filled by.
ORDERS = ((48, (16, 8)), (60, (20, 12, 10)), (84, (28, 14, 12)), (90, (30, 18, 15)))


class Builder:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.theme, self.round = THEMES[seed % len(THEMES)], seed // len(THEMES)
        # Of two networks with one theme, one runs on one image and one on five.
        self.batch = 5 if self.round % 2 == seed % 2 else 1
        self.lines, self.values, self.layers, self.single_weight = [], 0, 0, False
        # A batch norm takes a filter's gain out again, whose gradient then is all cancellation too.
        self.standardizing = seed % 7 == 2
        if self.theme == 'one pixel':
            self.shape = (1, 1, self.pick((3, 4, 7)))
        else:
            self.shape = (self.pick((5, 7, 8, 9, 11, 13)), self.pick((5, 6, 7, 9, 11, 15)), 
                          self.pick((3, 6) if self.theme == 'prime groups' else (1, 2, 3, 4, 6)))
        if self.theme == 'channel orders':  # of many channels: small, and with few kinks
            self.shape = (self.pick((5, 6, 7)), self.pick((5, 6)), self.pick((3, 48)))
        self.image, self.value, self.classes = self.shape, '%image', self.pick((2, 3, 5, 10))

    def pick(self, choices):
        return self.random.choice(list(choices))

    def chance(self, probability):
        return self.random.random() < probability

    def name(self, kind):
        self.layers += 1
        return f'"{kind}{self.layers}"'

    def emit(self, text, shape):
        self.values += 1
        self.value, self.shape = f'%{self.values}', shape
        self.lines.append(f'  {self.value} = root.{text}')

    def conv(self, filters=None, kernel=None, stride=None, pad=None, groups=None):
        height, width, channels = self.shape
        if groups is None:
            divisors = [g for g in range(1, channels + 1) if channels % g == 0]
            primes = [g for g in divisors if g in (3, 5, 7, 11, 13)]
            if self.theme == 'depthwise':
                groups = channels
            elif primes and (self.theme == 'prime groups' or self.chance(0.3)):
                groups = self.pick(primes)
            else:
                groups = self.pick(divisors)
        if filters is None and self.theme == 'prime groups':
            filters = groups * self.pick((3, 5, 7) if groups < 7 else (1, 3))
        elif filters is None:
            filters = self.pick([w for w in WIDTHS if w % groups == 0 and w > 1] or [2 * groups])
        dilation = (1, 1)
        if self.theme == 'dilation' or self.chance(0.1):
            dilation = (self.pick((1, 2)), self.pick((1, 2, 3)))
        if kernel is None:
            kernel = (self.pick((1, 2, 3, 3, 5)), self.pick((1, 2, 3, 3, 4)))
        if stride is None:
            likely = 0.7 if self.theme == 'stride' else 0.15
            stride = (self.pick((2, 3)), self.pick((1, 2))) if self.chance(likely) else (1, 1)
        if pad is None:
            pad = tuple(self.pick((0, 1, 2)) for _ in range(4)) if self.chance(0.3) else (1, 1, 1, 1)
        else:
            dilation = (1, 1)
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        if reach[0] > height + pad[0] + pad[2] or reach[1] > width + pad[1] + pad[3]:
            kernel, pad, dilation, reach = (1, 1), (0, 0, 0, 0), (1, 1), (1, 1)
        size = [(s + pad[i] + pad[i + 2] - reach[i]) // stride[i] + 1 for i, s in enumerate((height, width))]
        bias = ' no_bias' if self.chance(0.25) else ''
        weights = kernel[0] * kernel[1] * channels // groups
        self.single_weight = weights == 1
        # Of few weights, the gradient is all cancellation.
        standardize = ''
        if weights >= 6 and self.chance(0.6 if self.standardizing else 0):
            standardize = ' standardize(1e-3)'
        self.emit(f'conv2d {self.name("conv")} {self.value} filters({filters}) kernel({kernel[0]}x{kernel[1]}) '
                  f'stride({stride[0]}x{stride[1]}) pad({",".join(map(str, pad))}) '
                  f'dilation({dilation[0]}x{dilation[1]}) groups({groups}){bias}{standardize}', (*size, filters))

    def pool(self, keep_size=False):
        height, width, channels = self.shape
        ceil = self.theme == 'ceil pools' or self.chance(0.5)
        kernel = [min(self.pick((2, 3)), size) for size in (height, width)]
        stride = [self.pick((1, 2, 3)), self.pick((1, 2))]
        pad = [self.pick(range(k)) if self.chance(0.4) else 0 for k in kernel * 2]
        if keep_size:
            kernel, stride, pad, ceil = [3, 3], [1, 1], [1, 1, 1, 1], False
        size = []
        for axis, extent in enumerate((height, width)):
            room = extent + pad[axis] + pad[axis + 2] - kernel[axis]
            steps = -(-room // stride[axis]) if ceil else room // stride[axis]
            if steps * stride[axis] >= extent + pad[axis]:
                steps -= 1
            size.append(steps + 1)
        clauses = (f'kernel({kernel[0]}x{kernel[1]}) stride({stride[0]}x{stride[1]}) pad({",".join(map(str, pad))}) '
                   f'rounding({"ceil" if ceil else "floor"})')
        if self.chance(0.5):
            self.emit(f'max_pool {self.value} {clauses}', (*size, channels))
        else:
            exclude = ' exclude_pad' if self.chance(0.5) else ''
            self.emit(f'average_pool {self.value} {clauses}{exclude}', (*size, channels))

    def activation(self):
        # Ill-conditioned batch norms are left out: those over less than some 16 values a channel; behind filters of
        # one weight, whose gradient is all cancellation; and of one image without a ReLU behind, since the mean of
        # their map is a constant.
        normal = (self.batch * self.shape[0] * self.shape[1] >= 16 and not self.single_weight and
                  not self.standardizing and self.chance(0.6))
        if normal:
            self.emit(f'batch_norm {self.name("bn")} {self.value}', self.shape)
        elif self.chance(0.5):
            self.norm()
        if self.chance(0.8) or normal and self.batch == 1:
            self.nonlinearity()
        if self.chance(0.5 if self.theme == 'dropout and response norm' else 0.1):
            self.emit(f'dropout {self.value} rate({self.pick((0.1, 0.3, 0.5))})', self.shape)
        if self.chance(0.5 if self.theme == 'dropout and response norm' else 0.1):
            self.emit(f'local_response_norm {self.value} size({self.pick((1, 3, 5))}) '
                      f'alpha({self.pick((0.1, 0.5))}) k({self.pick((1.0, 2.0))})', self.shape)

    def norm(self):
        """A layer norm or a group norm, of values enough: of one or two there is nothing left but their signs."""
        height, width, channels = self.shape
        kinds = [('layer_norm', '')] if channels >= 5 else []
        kinds += [('group_norm', f' groups({g})') for g in range(1, channels + 1)
                  if channels % g == 0 and height * width * channels // g >= 16]
        if kinds and not self.single_weight:
            kind, groups = self.pick(kinds[:1] + kinds)
            self.emit(f'{kind} {self.name("norm")} {self.value}{groups}{self.pick(("", " epsilon(1e-3)"))}', self.shape)

    def nonlinearity(self, kind=None):
        kind = kind or self.pick(('relu', 'relu', 'relu', 'clip', 'sigmoid', 'hard_sigmoid', 'hard_swish', 'product',
                                  'leaky_relu', 'prelu', 'elu', 'gelu', 'silu', 'softplus', 'mish'))
        if self.theme == 'channel orders':
            kind = self.pick(('relu', 'sigmoid', 'product', 'prelu', 'gelu', 'silu'))
        x, shape = self.value, self.shape
        if kind == 'clip':
            self.emit(f'clip {x} {self.pick(("min(0) max(1.5)", "min(-0.25)", "max(0.5)", "min(-1) max(0.75)"))}', shape)
        elif kind == 'hard_sigmoid':
            self.emit(f'hard_sigmoid {x} {self.pick(("", "alpha(0.5) beta(0.25)"))}', shape)
        elif kind == 'leaky_relu':
            self.emit(f'leaky_relu {x} alpha({self.pick((0.01, 0.1, 0.2))})', shape)
        elif kind == 'prelu':
            self.emit(f'prelu {self.name("prelu")} {x}{self.pick(("", "", " shared"))}', shape)
        elif kind == 'elu':
            self.emit(f'elu {x}{self.pick(("", " alpha(0.5)", " alpha(1.67326324) scale(1.05070099)"))}', shape)
        elif kind == 'gelu':
            self.emit(f'gelu {x}{self.pick(("", " tanh"))}', shape)
        elif kind == 'product':
            self.emit(f'sigmoid {x}', shape)
            self.emit(f'multiply {x}, {self.value}', shape)
        else:
            self.emit(f'{kind} {x}', shape)

    def gate(self):
        """Squeeze and excitation, or another factor that is broadcast; now and then a square."""
        start, (height, width, channels) = self.value, self.shape
        kind = self.pick(('channels', 'channels', 'positions', 'image', 'square'))
        if kind == 'square':
            self.emit(f'multiply {start}, {start}', self.shape)
            return
        if kind != 'positions':
            self.emit(f'global_average_pool {start}', (1, 1, channels))
        self.conv(channels if kind == 'channels' else 1, (1, 1), (1, 1), (0, 0, 0, 0), 1)
        self.emit(f'{self.pick(("sigmoid", "hard_sigmoid"))} {self.value}', self.shape)
        self.emit(f'multiply {start}, {self.value}', (height, width, channels))

    def resized(self, kind=None):
        """Another height and width: a transposed convolution, a resize or means of windows."""
        height, width, channels = self.shape
        kind = kind or self.pick(RESIZED)
        size = [self.pick(range(max(min(side, 24) // 2, 1), min(2 * side, 12) + 1)) for side in (height, width)]
        if kind == 'adaptive_average_pool':
            # Of other sizes there is no ONNX file; see Inputs/maps.mlir.
            size = [self.pick([n for n in range(1, side + 1) if side % n == 0]) for side in (height, width)]
            self.emit(f'adaptive_average_pool {self.value} size({size[0]}x{size[1]})', (*size, channels))
        elif kind != 'conv2d_transpose':
            if kind == 'nearest':  # a ratio that float, as others compute it, has exactly
                size = [side * self.pick((1, 2, 3) if side < 5 else (1, 2) if side < 9 else (1,)) for side in (height, width)]
            round = self.pick(('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil')) if kind == 'nearest' else ''
            coordinates = self.pick(('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'))
            self.emit(f'resize {self.value} size({size[0]}x{size[1]}) mode({kind}) coordinates({coordinates})'
                      + (f' round({round})' if round else ''), (*size, channels))
        else:
            groups = self.pick([g for g in range(1, channels + 1) if channels % g == 0])
            filters = self.pick([w for w in WIDTHS if w % groups == 0 and w > 1] or [2 * groups])
            kernel, stride = [self.pick((1, 2, 3, 4)) for _ in range(2)], [self.pick((1, 2, 2)) for _ in range(2)]
            dilation = [self.pick((1, 1, 2)) for _ in range(2)]
            more = [self.pick(range(s)) for s in stride]
            whole = [(n - 1) * s + (k - 1) * d + 1 + o
                     for n, s, k, d, o in zip((height, width), stride, kernel, dilation, more)]
            pad = [self.pick((0, 0, 1)) if side > 3 else 0 for side in whole * 2]
            size = [side - pad[i] - pad[i + 2] for i, side in enumerate(whole)]
            bias = ' no_bias' if self.chance(0.25) else ''
            self.single_weight = kernel[0] * kernel[1] * channels == groups
            self.emit(f'conv2d_transpose {self.name("up")} {self.value} filters({filters}) kernel({kernel[0]}x{kernel[1]}) '
                      f'stride({stride[0]}x{stride[1]}) pad({",".join(map(str, pad))}) output_pad({more[0]}x{more[1]}) '
                      f'dilation({dilation[0]}x{dilation[1]}) groups({groups}){bias}', (*size, filters))

    def attention(self):
        """Positions weighed by mean and maximum of their channels, or split attention."""
        start, (height, width, channels) = self.value, self.shape
        if self.chance(0.5):
            self.emit(f'channel_mean {start}', (height, width, 1))
            mean = self.value
            self.emit(f'channel_max {start}', (height, width, 1))
            self.emit(f'concat {mean}, {self.value}', (height, width, 2))
            self.conv(1, (3, 3), (1, 1), (1, 1, 1, 1), 1)
            self.emit(f'sigmoid {self.value}', self.shape)
            self.emit(f'multiply {start}, {self.value}', (height, width, channels))
            return
        branches = self.pick((2, 3, 4))
        self.same(branches * self.pick((1, 2, 3, 5)))
        maps, shape = self.value, self.shape
        self.emit(f'global_average_pool {maps}', (1, 1, shape[2]))
        self.conv(shape[2], (1, 1), (1, 1), (0, 0, 0, 0), 1)
        self.emit(f'branch_softmax {self.value} branches({branches})', self.shape)
        self.emit(f'multiply {maps}, {self.value}', shape)
        weighed, each = self.value, shape[2] // branches
        parts = []
        for i in range(branches):
            self.emit(f'slice_channels {weighed} begin({i * each}) end({(i + 1) * each})', (*shape[:2], each))
            parts.append(self.value)
        for part in parts[:-1]:
            self.emit(f'add {self.value}, {part}', (*shape[:2], each))

    def shuffle(self):
        """Split, a convolution on one part, joined and shuffled; or slices that overlap or leave channels out."""
        start, (height, width, channels) = self.value, self.shape
        if channels > 1:
            cut = self.pick(range(1, channels))
            first = self.pick((0, 0, max(cut - 2, 0)))
            self.emit(f'slice_channels {start} begin({first}) end({cut})', (height, width, cut - first))
            left, width_left = self.value, cut - first
            last = self.pick((channels, channels, cut + 1))
            begin = max(cut - self.pick((0, 0, 1)), 0)
            self.emit(f'slice_channels {start} begin({begin}) end({last})', (height, width, last - begin))
            self.same(self.pick((2, 3, 5, 8)))
            channels = width_left + self.shape[2]
            self.emit(f'concat {left}, {self.value}', (height, width, channels))
        groups = self.pick([g for g in range(1, channels + 1) if channels % g == 0])
        self.emit(f'channel_shuffle {self.value} groups({groups})', self.shape)

    def same(self, filters):
        """A convolution that keeps the map's size."""
        kernel, pad = self.pick((((1, 1), (0, 0, 0, 0)), ((3, 3), (1, 1, 1, 1)), ((1, 5), (0, 2, 0, 2))))
        usable = [g for g in range(1, self.shape[2] + 1) if self.shape[2] % g == 0 and filters % g == 0]
        self.conv(filters, kernel, (1, 1), pad, self.pick(usable))

    def residual(self):
        start, shape = self.value, self.shape
        self.same(self.pick(WIDTHS[1:12]))
        self.activation()
        self.same(shape[2])
        if self.chance(0.5):
            self.emit(f'layer_scale {self.name("scale")} {self.value}', shape)
        if self.chance(0.5):
            self.emit(f'drop_path {self.value} rate({self.pick((0.2, 0.5))})', shape)
        # What is added may be the image, or read twice more.
        self.emit(f'add {self.value}, {start}', shape)

    def concat(self):
        start, shape = self.value, self.shape
        branches = []
        for _ in range(self.pick((2, 3))):
            self.value, self.shape = start, shape
            if self.chance(0.3):
                self.pool(keep_size=True)
            else:
                self.same(self.pick(WIDTHS[1:14]))
                if self.chance(0.5):
                    self.activation()
            branches.append((self.value, self.shape[2]))
        if self.chance(0.3):
            branches.append((start, shape[2]))
        self.emit('concat ' + ', '.join(value for value, _ in branches),
                  (*shape[:2], sum(width for _, width in branches)))

    def border(self):
        """A pad, a crop, or both; a border that mirrors the map; blocks of pixels as channels, or back."""
        height, width, channels = self.shape
        kind, block, crd = self.pick(('pad', 'reflect', 'deep', 'flat')), self.pick((2, 3)), self.pick(('', ' crd'))
        if self.theme == 'resized':
            kind = ('deep', 'flat')[self.round % 2]
        if kind == 'deep' and channels * block * block <= 100:
            more = (-height % block, -width % block)
            if any(more):
                self.emit(f'pad {self.value} pad(0,0,{more[0]},{more[1]})', (height + more[0], width + more[1], channels))
            self.emit(f'space_to_depth {self.value} block({block}){crd}',
                      ((height + more[0]) // block, (width + more[1]) // block, channels * block * block))
        elif kind == 'flat' and height * width <= 60:
            channels = self.pick((1, 2, 3, 5))
            self.conv(channels * block * block, (1, 1), (1, 1), (0, 0, 0, 0), 1)
            self.emit(f'depth_to_space {self.value} block({block}){crd}', (height * block, width * block, channels))
        else:
            sizes = (height, width)
            crop = [self.pick((0, 0, 1)) if sizes[side % 2] > 3 else 0 for side in range(4)]
            left = [size - crop[d] - crop[d + 2] for d, size in enumerate(sizes)]
            pad = [0 if crop[side] else
                   self.pick(range(min(3, left[side % 2]) if kind == 'reflect' else 3)) for side in range(4)]
            self.emit(f'pad {self.value} pad({",".join(map(str, pad))}) crop({",".join(map(str, crop))})'
                      f'{" reflect" if kind == "reflect" else ""}',
                      (left[0] + pad[0] + pad[2], left[1] + pad[1] + pad[3], channels))

    def ordered(self):
        """Two convolutions that want their groups innermost, each its own, joined; perhaps shuffled, and a third."""
        width, groups = self.pick(ORDERS)
        start, shape = self.value, self.shape
        branches = []
        for _ in range(2):
            self.value, self.shape = start, shape
            if shape[2] != width or self.chance(0.7):
                self.conv(width, (1, 1), (1, 1), (0, 0, 0, 0), 1)
                self.activation()
            self.conv(width, (3, 3), (1, 1), (1, 1, 1, 1), self.pick(groups))
            if self.chance(0.5):
                self.activation()
            branches.append(self.value)
        join = self.pick(('add', 'concat'))
        self.emit(f'{join} {branches[0]}, {branches[1]}', (*self.shape[:2], width * (2 if join == 'concat' else 1)))
        if self.chance(0.5):
            self.activation()
        if self.chance(0.6):
            self.emit(f'channel_shuffle {self.value} groups({self.pick(groups)})', self.shape)
        if self.chance(0.6):
            self.conv(width, (3, 3), (1, 1), (1, 1, 1, 1), self.pick(groups))

    def classifier(self):
        """Ends in 1 x 1 x classes."""
        kind = self.pick(('linear', 'convolution', 'average'))
        if kind == 'linear':
            self.emit(f'linear {self.name("fc")} {self.value} outputs({self.classes})', (1, 1, self.classes))
        elif kind == 'convolution':
            self.conv(self.classes, self.shape[:2], (1, 1), (0, 0, 0, 0), 1)
        else:
            self.conv(self.classes, (1, 1), (1, 1), (0, 0, 0, 0), 1)
            self.emit(f'global_average_pool {self.value}', (1, 1, self.classes))

    def build(self):
        self.conv(groups=16 if self.theme == 'channel orders' and self.shape[2] == 48 else None)
        self.activation()
        blocks = [self.pick(('conv', 'conv', 'pool', 'residual', 'concat', 'gate', 'shuffle', 'border', 'resized', 'attention'))
                  for _ in range(self.pick((1, 2, 3)))]
        if self.theme in ('residual', 'concat', 'resized', 'attention'):
            blocks[0] = self.theme
        if self.theme == 'resized':
            blocks = ['border']
            for kind in RESIZED[self.round % 2 * 2:][:2]:
                self.resized(kind)
                self.nonlinearity('clip' if kind == 'bilinear' else None)
        if self.theme == 'ceil pools':
            blocks[0] = 'pool'
        if self.theme == 'channel orders':
            blocks[0] = 'ordered'
        if self.theme in ('prime groups', 'depthwise', 'dilation', 'stride'):
            blocks[0] = 'conv'
        for block in blocks:
            getattr(self, block)()
            if block not in ('pool', 'border'):
                self.activation()
        if self.theme == 'auxiliary' or self.chance(0.5 if self.theme == 'channel orders' else 0.1):
            value, shape = self.value, self.shape
            self.classifier()
            self.lines.append(f'  root.auxiliary {self.value} weight({self.pick((0.3, 0.5))})')
            self.value, self.shape = value, shape
            self.conv()
            self.activation()
        self.classifier()
        self.lines.append(f'  root.output {self.value}')


def make(seed):
    """The text of network `seed` and the batch it is meant for."""
    builder = Builder(seed)
    builder.build()
    height, width, channels = builder.image
    header = (f'// seed {seed}, batch {builder.batch}: {builder.theme}\n'
              f'root.network @random{seed}(%image: !root.image<{height}x{width}x{channels}>) '
              f'classes({builder.classes}) {{\n')
    return header + '\n'.join(builder.lines) + '\n}\n', builder.batch


if __name__ == '__main__':
    print(make(int(sys.argv[1]))[0], end='')
