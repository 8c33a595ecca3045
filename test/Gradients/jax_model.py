"""The oracle of whole networks: a float64 interpretation in jax, which shares no code with the compiler."""

import math
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from philox import dropout_mask, sample_mask

jax.config.update('jax_enable_x64', True)

SMALL = np.finfo(np.float64).tiny


def _pool_pads(layer, size):
    """Output size and padding behind, per axis, as Caffe and PyTorch count them."""
    c = layer.clauses
    outputs, pads = [], []
    for axis in range(2):
        before, behind = c['pad'][axis], c['pad'][axis + 2]
        room = size[axis] + before + behind - c['kernel'][axis]
        steps = -(-room // c['stride'][axis]) if c['rounding'] == 'ceil' else room // c['stride'][axis]
        if steps * c['stride'][axis] >= size[axis] + before:
            steps -= 1  # this window would start beyond the map and its padding in front
        outputs.append(steps + 1)
        reach = steps * c['stride'][axis] + c['kernel'][axis]
        pads.append((before, max(reach - before - size[axis], 0)))
    return outputs, pads


def _windows(x, layer, fill):
    """The pool's windows of x, [taps, N, OH, OW, C]; `fill` outside the map."""
    c = layer.clauses
    outputs, pads = _pool_pads(layer, x.shape[1:3])
    padded = jnp.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    taps = []
    for ky in range(c['kernel'][0]):
        for kx in range(c['kernel'][1]):
            ends = [k + (o - 1) * s + 1 for k, o, s in zip((ky, kx), outputs, c['stride'])]
            taps.append(padded[:, ky:ends[0]:c['stride'][0], kx:ends[1]:c['stride'][1], :])
    return jnp.stack(taps)


def _max_pool(x, layer):
    windows = _windows(x, layer, -jnp.inf)
    first = jnp.argmax(windows, axis=0)  # the first of equal ones
    y = jnp.take_along_axis(windows, first[None], axis=0)[0]
    if windows.shape[0] == 1:
        return y, jnp.inf
    rest = jnp.where(jnp.arange(windows.shape[0])[:, None, None, None, None] == first[None], -jnp.inf, windows)
    return y, _margin(y - rest.max(axis=0), y)


def _average_pool(x, layer):
    c = layer.clauses
    outputs, _ = _pool_pads(layer, x.shape[1:3])
    extents = []
    for axis in range(2):
        # Each window clipped to the padded map, or to the map itself.
        before, behind = (0, 0) if c['exclude_pad'] else (c['pad'][axis], c['pad'][axis + 2])
        starts = np.arange(outputs[axis]) * c['stride'][axis] - c['pad'][axis]
        extents.append(np.minimum(starts + c['kernel'][axis], x.shape[1 + axis] + behind) -
                       np.maximum(starts, -before))
    return _windows(x, layer, 0.0).sum(axis=0) / np.multiply.outer(*extents)[None, :, :, None]


def _margin(distance, values):
    """How near the values come to a kink, as a part of their usual size. Exact zeros are structural: they stay
    zero in any precision."""
    usual = jnp.sqrt(jnp.mean(values**2)) + SMALL
    return jnp.min(jnp.where(distance == 0, jnp.inf, jnp.abs(distance))) / usual


def _response_norm(x, c):
    half = (c['size'] - 1) // 2
    squares = jnp.pad(x**2, ((0, 0), (0, 0), (0, 0), (half, c['size'] - 1 - half)))
    total = sum(squares[..., i:i + x.shape[3]] for i in range(c['size']))
    return x / (c['k'] + c['alpha'] / c['size'] * total)**c['beta']


def _depthwise(x, filters, c):
    """A convolution whose groups have one channel in each, by its definition: of such, XLA's takes a thousand times as long."""
    top, left, bottom, right = c['pad']
    x = jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    outs = [(size - (k - 1) * d - 1) // s for size, k, d, s in zip(x.shape[1:3], c['kernel'], c['dilation'], c['stride'])]
    taps = [x[:, y:y + outs[0] * c['stride'][0] + 1:c['stride'][0], z:z + outs[1] * c['stride'][1] + 1:c['stride'][1]]
            for y in range(0, c['kernel'][0] * c['dilation'][0], c['dilation'][0])
            for z in range(0, c['kernel'][1] * c['dilation'][1], c['dilation'][1])]
    per_channel = filters.reshape(c['groups'], -1, len(taps))
    y = (jnp.stack(taps, axis=4)[..., None, :] * per_channel).sum(axis=5)
    return y.reshape(*y.shape[:3], -1)


def _convolution(x, filters, c):
    if filters.shape[3] == 1 and c['groups'] > 1:
        return _depthwise(x, filters, c)
    top, left, bottom, right = c['pad']
    return lax.conv_general_dilated(x, filters, c['stride'], ((top, bottom), (left, right)), rhs_dilation=c['dilation'],
                                    dimension_numbers=('NHWC', 'OHWI', 'NHWC'), feature_group_count=c['groups'])


def _transposed(x, filters, c):
    """Zeros between the values, then a convolution with the kernel turned round, group by group."""
    reach = [(k - 1) * d for k, d in zip(c['kernel'], c['dilation'])]
    top, left, bottom, right = c['pad']
    pads = ((reach[0] - top, reach[0] - bottom + c['output_pad'][0]),
            (reach[1] - left, reach[1] - right + c['output_pad'][1]))
    parts = []
    for part, kernel in zip(jnp.split(x, c['groups'], axis=3), jnp.split(filters, c['groups'], axis=0)):
        parts.append(lax.conv_general_dilated(part, kernel[:, ::-1, ::-1, :], (1, 1), pads, lhs_dilation=c['stride'],
                                              rhs_dilation=c['dilation'], dimension_numbers=('NHWC', 'IHWO', 'NHWC')))
    return jnp.concatenate(parts, axis=3)


def _resize_matrix(n, m, c):
    """What each of n rows has in each of m."""
    matrix = np.zeros((m, n))
    for o in range(m):
        place = {'half_pixel': Fraction((2 * o + 1) * n - m, 2 * m), 'asymmetric': Fraction(o * n, m),
                 'pytorch_half_pixel': Fraction((2 * o + 1) * n - m, 2 * m) if m > 1 else Fraction(0),
                 'align_corners': Fraction(o * (n - 1), m - 1) if m > 1 else Fraction(0)}[c['coordinates']]
        if c['mode'] == 'nearest':
            row = {'floor': math.floor(place), 'ceil': math.ceil(place), 'round_prefer_floor': math.ceil(place - Fraction(1, 2)),
                   'round_prefer_ceil': math.floor(place + Fraction(1, 2))}[c['round']]
            matrix[o, min(max(row, 0), n - 1)] = 1
        else:
            place = min(max(place, Fraction(0)), Fraction(n - 1))
            row = math.floor(place)
            matrix[o, row] += 1 - float(place - row)
            matrix[o, min(row + 1, n - 1)] += float(place - row)
    return matrix


def _window_matrix(n, m):
    matrix = np.zeros((m, n))
    for o in range(m):
        begin, end = o * n // m, -(-(o + 1) * n // m)
        matrix[o, begin:end] = 1 / (end - begin)
    return matrix


def _channel_max(x):
    ordered = jnp.sort(x, axis=3)
    margin = _margin(ordered[..., -1] - ordered[..., -2], x) if x.shape[3] > 1 else jnp.inf
    return x.max(axis=3, keepdims=True), margin


def _normal(x, axes, epsilon):
    """What is normalised, and the margin: nearly constant values lose as much precision as kinks do."""
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    margin = jnp.min(1e-3 * (variance + epsilon) / ((x**2).mean(axes, keepdims=True) + SMALL))
    return (x - mean) / jnp.sqrt(variance + epsilon), margin


def _layer_norm(x, epsilon):
    return _normal(x, 3, epsilon)


def _group_norm(x, groups, epsilon):
    apart = x.reshape(*x.shape[:3], groups, -1)
    y, margin = _normal(apart, (1, 2, 4), epsilon)
    return y.reshape(x.shape), margin


def _clip(x, low, high):
    """Its result, gradient 0 on the bounds, and the margin."""
    y = jnp.where(x > low, jnp.where(x < high, x, high), low)
    return y, jnp.minimum(_margin(x - low, x), _margin(x - high, x))


def _hard_swish(x):
    inside = jnp.clip(x, -3, 3)
    y = jnp.where(x >= 3, x, jnp.where(x > -3, inside**2 / 6 + inside / 2, 0))
    return y, jnp.minimum(_margin(x + 3, x), _margin(x - 3, x))


def _shuffle(x, groups):
    return x.reshape(*x.shape[:3], groups, -1).swapaxes(3, 4).reshape(x.shape)


def _leaky(x, slope):
    return jnp.where(x > 0, x, slope * x), _margin(x, x)


def _elu(x, c):
    """Its result, and the margin where it has a kink at 0."""
    y = c['scale'] * jnp.where(x > 0, x, c['alpha'] * jnp.expm1(c['input_scale'] * jnp.minimum(x, 0)))
    return y, jnp.inf if abs(c['alpha'] * c['input_scale'] - 1) < 1e-6 else _margin(x, x)


def _pad(x, c):
    top, left, bottom, right = c['crop']
    x = x[:, top:x.shape[1] - bottom, left:x.shape[2] - right]
    top, left, bottom, right = c['pad']
    return jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), mode='reflect' if c['reflect'] else 'constant')


def _space_to_depth(x, block, crd):
    n, h, w, c = x.shape
    x = x.reshape(n, h // block, block, w // block, block, c)
    order = (0, 1, 3, 5, 2, 4) if crd else (0, 1, 3, 2, 4, 5)
    return x.transpose(order).reshape(n, h // block, w // block, c * block**2)


def _depth_to_space(x, block, crd):
    n, h, w, c = x.shape
    if crd:
        x = x.reshape(n, h, w, c // block**2, block, block).transpose(0, 1, 4, 2, 5, 3)
    else:
        x = x.reshape(n, h, w, block, block, c // block**2).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h * block, w * block, c // block**2)


def _standardized(weights, gain, epsilon):
    """As NFNet has it: each filter by itself."""
    n = weights.size // weights.shape[0]
    centred = weights - weights.mean((1, 2, 3), keepdims=True)
    variance = (centred**2).mean((1, 2, 3), keepdims=True)
    return gain[:, None, None, None] * centred / jnp.sqrt(n * (variance + epsilon))


class Evaluation:
    """One pass through a model's layers, in training if there are masks."""

    def __init__(self, model, parameters, statistics, masks, declare=False):
        self.model, self.parameters, self.statistics = model, parameters, statistics
        self.masks, self.training, self.declare = masks, masks is not None, declare
        self.updated = {}

    def _parameter(self, name, shape, role):
        return self._declare(self.model.parameters, name, shape, role) if self.declare else self.parameters[name]

    def _statistic(self, name, shape, role):
        return self._declare(self.model.statistics, name, shape, role) if self.declare else self.statistics[name]

    def _declare(self, table, name, shape, role):
        table[name] = (tuple(shape), role)
        return jnp.zeros(shape)

    def layer(self, layer, xs):
        """What the layer makes of xs, and its margin: how near they come to a kink."""
        margins = [jnp.inf]
        c = layer.clauses
        x = xs[0]
        channels = x.shape[3]
        if layer.op == 'conv2d':
            shape = (c['filters'], *c['kernel'], channels // c['groups'])
            weights = self._parameter(layer.name + '.filter', shape, 'filter')
            if c['standardize']:
                weights = _standardized(weights, self._parameter(layer.name + '.gain', (c['filters'],), 'gain'),
                                        c['standardize'])
            y = _convolution(x, weights, c)
            if not c['no_bias']:
                y = y + self._parameter(layer.name + '.bias', (c['filters'],), 'bias')
        elif layer.op == 'conv2d_transpose':
            shape = (channels, *c['kernel'], c['filters'] // c['groups'])
            y = _transposed(x, self._parameter(layer.name + '.filter', shape, 'filter'), c)
            if not c['no_bias']:
                y = y + self._parameter(layer.name + '.bias', (c['filters'],), 'bias')
        elif layer.op == 'resize':
            matrices = [_resize_matrix(n, m, c) for n, m in zip(x.shape[1:3], c['size'])]
            y = jnp.einsum('oi,pj,nijc->nopc', *matrices, x)
        elif layer.op == 'adaptive_average_pool':
            matrices = [_window_matrix(n, m) for n, m in zip(x.shape[1:3], c['size'])]
            y = jnp.einsum('oi,pj,nijc->nopc', *matrices, x)
        elif layer.op == 'channel_mean':
            y = x.mean(axis=3, keepdims=True)
        elif layer.op == 'channel_max':
            y, margin = _channel_max(x)
            margins.append(margin)
        elif layer.op == 'branch_softmax':
            y = jax.nn.softmax(x.reshape(*x.shape[:3], c['branches'], -1), axis=3).reshape(x.shape)
        elif layer.op == 'linear':
            flat = x.reshape(x.shape[0], -1)
            y = flat @ self._parameter(layer.name + '.weight', (c['outputs'], flat.shape[1]), 'weight').T
            if not c['no_bias']:
                y = y + self._parameter(layer.name + '.bias', (c['outputs'],), 'bias')
            y = y[:, None, None, :]
        elif layer.op == 'batch_norm':
            scale, offset = (self._parameter(f'{layer.name}.{role}', (channels,), role) for role in ('scale', 'offset'))
            running = [self._statistic(f'{layer.name}.{role}', (channels,), role) for role in ('mean', 'variance')]
            mean, variance = running
            if self.training and layer.name not in self.model.frozen:
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                # Nearly constant channels lose as much precision as kinks do.
                margins.append(jnp.min(1e-3 * variance / ((x**2).mean((0, 1, 2)) + SMALL)))
                count = x.size // channels
                unbiased = variance * count / max(count - 1, 1)
                for role, old, new in zip(('mean', 'variance'), running, (mean, unbiased)):
                    self.updated[f'{layer.name}.{role}'] = (1 - c['momentum']) * old + c['momentum'] * new
            y = (x - mean) / jnp.sqrt(variance + c['epsilon']) * scale + offset
        elif layer.op in ('layer_norm', 'group_norm'):
            scale, offset = (self._parameter(f'{layer.name}.{role}', (channels,), role) for role in ('scale', 'offset'))
            y, margin = _group_norm(x, c['groups'], c['epsilon']) if layer.op == 'group_norm' else \
                _layer_norm(x, c['epsilon'])
            margins.append(margin)
            y = y * scale + offset
        elif layer.op == 'relu':
            margins.append(_margin(x, x))
            y = jnp.where(x > 0, x, 0)
        elif layer.op == 'clip':
            y, margin = _clip(x, c['min'], c['max'])
            margins.append(margin)
        elif layer.op == 'sigmoid':
            y = jax.nn.sigmoid(x)
        elif layer.op == 'hard_sigmoid':
            y, margin = _clip(c['alpha'] * x + c['beta'], 0.0, 1.0)
            margins.append(margin)
        elif layer.op == 'hard_swish':
            y, margin = _hard_swish(x)
            margins.append(margin)
        elif layer.op == 'leaky_relu':
            y, margin = _leaky(x, c['alpha'])
            margins.append(margin)
        elif layer.op == 'prelu':
            y, margin = _leaky(x, self._parameter(layer.name + '.slope', (1 if c['shared'] else channels,), 'slope'))
            margins.append(margin)
        elif layer.op == 'elu':
            y, margin = _elu(x, c)
            margins.append(margin)
        elif layer.op == 'gelu':
            y = jax.nn.gelu(x, approximate=c['tanh'])
        elif layer.op == 'silu':
            y = jax.nn.silu(x)
        elif layer.op == 'softplus':
            y = jax.nn.softplus(x)
        elif layer.op == 'mish':
            y = x * jnp.tanh(jax.nn.softplus(x))
        elif layer.op == 'layer_scale':
            y = x * self._parameter(layer.name + '.scale', (channels,), 'scale')
        elif layer.op == 'pad':
            y = _pad(x, c)
        elif layer.op == 'space_to_depth':
            y = _space_to_depth(x, c['block'], c['crd'])
        elif layer.op == 'depth_to_space':
            y = _depth_to_space(x, c['block'], c['crd'])
        elif layer.op == 'max_pool':
            y, margin = _max_pool(x, layer)
            margins.append(margin)
        elif layer.op == 'average_pool':
            y = _average_pool(x, layer)
        elif layer.op == 'global_average_pool':
            y = x.mean((1, 2), keepdims=True)
        elif layer.op == 'add':
            y = xs[0] + xs[1]
        elif layer.op == 'multiply':
            y = xs[0] * xs[1]
        elif layer.op == 'slice_channels':
            y = x[..., c['begin']:c['end']]
        elif layer.op == 'channel_shuffle':
            y = _shuffle(x, c['groups'])
        elif layer.op == 'concat':
            y = jnp.concatenate(xs, axis=3)
        elif layer.op in ('dropout', 'drop_path'):
            if self.declare:
                self.model.dropouts.append(layer)
                self.model.shapes[layer.result] = x.shape[1:]
            y = jnp.where(self.masks[self.model.dropouts.index(layer)], x / (1 - c['rate']), 0) if self.training else x
        elif layer.op == 'local_response_norm':
            y = _response_norm(x, c)
        return y.astype(x.dtype), jnp.min(jnp.stack([jnp.asarray(m, jnp.float64) for m in margins]))


class Model:
    """`parameters` maps each name to its (shape, role), `statistics` likewise. Batch norms among the layers `frozen`
    use their running statistics in training too."""

    def __init__(self, network, frozen=frozenset()):
        self.network, self.frozen = network, frozen
        self.parameters, self.statistics, self.shapes = {}, {}, {}
        self.dropouts = []  # results of the dropout layers, in order
        zeros = jnp.zeros((1, *network.image))
        jax.eval_shape(lambda x: self._forward({}, {}, x, None, declare=True)['logits'], zeros)

    def _forward(self, parameters, statistics, image, masks, declare=False):
        """masks: one boolean array per dropout for training mode, None for inference."""
        values, margins, auxiliary = {self.network.argument: image}, [], []
        evaluation = Evaluation(self, parameters, statistics, masks, declare)
        for layer in self.network.layers:
            xs = [values[operand] for operand in layer.operands]
            if layer.op == 'output':
                logits = xs[0]
            elif layer.op == 'auxiliary':
                auxiliary.append((layer.clauses['weight'], xs[0]))
            else:
                values[layer.result], margin = evaluation.layer(layer, xs)
                margins.append(margin)
        return {'logits': logits[:, 0, 0, :], 'auxiliary': auxiliary, 'statistics': evaluation.updated, 'values': values,
                'margin': jnp.min(jnp.stack(margins))}

    def masks(self, batch, seed, epoch, samples):
        """The masks of a batch, of the dropouts and drop paths in their order."""
        return [sample_mask(layer.clauses['rate'], ordinal, seed, epoch, samples) if layer.op == 'drop_path' else
                dropout_mask((batch, *self.shapes[layer.result]), layer.clauses['rate'], ordinal, seed, epoch, samples)
                for ordinal, layer in enumerate(self.dropouts)]

    def _loss(self, parameters, image, statistics, labels, masks):
        result = self._forward(parameters, statistics, image, masks)

        def entropy(logits):
            chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
            return -chosen.mean()

        loss = entropy(result['logits'])
        for weight, logits in result['auxiliary']:
            loss = loss + weight * entropy(logits[:, 0, 0, :])
        return loss, (result['statistics'], result['margin'])

    @partial(jax.jit, static_argnums=0)
    def _gradients(self, parameters, image, statistics, labels, masks):
        return jax.value_and_grad(self._loss, argnums=(0, 1), has_aux=True)(parameters, image, statistics, labels,
                                                                             masks)

    def gradients(self, parameters, statistics, image, labels, masks, precision=jnp.float64):
        """Loss, gradients by name (`input` included), new statistics, and the margin: how near a ReLU or a
        maximum came to a kink, where float32 may fall on the other side."""
        (loss, (updated, margin)), (by_name, d_image) = self._gradients(
            _as(precision, parameters), jnp.asarray(image, precision), _as(precision, statistics), jnp.asarray(labels), masks)
        result = {name: np.asarray(value) for name, value in by_name.items()}
        result['input'] = np.asarray(d_image)
        return float(loss), result, {k: np.asarray(v) for k, v in updated.items()}, float(margin)

    @partial(jax.jit, static_argnums=0)
    def _infer(self, parameters, statistics, image):
        return self._forward(parameters, statistics, image, None)['logits']

    def infer(self, parameters, statistics, image):
        return np.asarray(self._infer(_as(jnp.float64, parameters), _as(jnp.float64, statistics), jnp.asarray(image, jnp.float64)))

    def values(self, parameters, statistics, image):
        """What each result of the network ('%3') is in inference."""
        result = self._forward(_as(jnp.float64, parameters), _as(jnp.float64, statistics), jnp.asarray(image, jnp.float64), None)
        return {name: np.asarray(value) for name, value in result['values'].items()}

    def step(self, parameters, velocity, gradients, rate, momentum, decay):
        """SGD, in place on dictionaries of arrays; decay on filters and linear weights only."""
        for name, (_, role) in self.parameters.items():
            pull = decay if role in ('filter', 'weight') else 0.0
            velocity[name] = momentum * velocity[name] + (gradients[name] + pull * parameters[name])
            parameters[name] = parameters[name] - rate * velocity[name]


def _as(precision, arrays):
    return {name: jnp.asarray(value, precision) for name, value in arrays.items()}


def tolerance_violations(expected, actual, bound=1e-4, share=1e-3):
    """Tensors whose error exceeds bound * max(own largest magnitude, share of the largest of all), with the ratio
    of error to that scale; and the worst ratio."""
    overall = max(np.abs(value).max() for value in expected.values())
    ratios = {}
    for name, value in expected.items():
        if actual[name].shape != value.shape:
            raise ValueError(f'{name} has shape {actual[name].shape}, not {value.shape}')
        scale = max(np.abs(value).max(), share * overall)
        error = np.abs(actual[name] - value).max()
        ratios[name] = float(error / scale) if np.isfinite(error) else np.inf
    return {name: ratio for name, ratio in ratios.items() if not ratio <= bound}, max(ratios.values())
