"""A small library of layers in jax, float64, for networks written down as Python (`paper_networks.py`). It shares no
code with the interpreter of `jax_model.py`: convolutions are matrix products of windows, groups a batch of them.

A network is a list of nodes in the order of evaluation, so that `draw_off_kinks` can walk through it and choose
parameters for which float32 and float64 take the same side of every ReLU and every maximum."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update('jax_enable_x64', True)

EPSILON = 1e-5  # of batch norm


@dataclass
class Node:
    index: int
    kind: str
    inputs: list
    name: str | None
    settings: dict
    shape: tuple  # height, width, channels


def _out(size, kernel, stride, pad, ceil):
    """One side of a map behind windows, as Caffe counts: none begins in the padding behind the map."""
    steps = -(-(size + 2 * pad - kernel) // stride) if ceil else (size + 2 * pad - kernel) // stride
    if ceil and steps * stride >= size + pad:
        steps -= 1
    return steps + 1


class Graph:
    def __init__(self, height, width, channels=3):
        self.nodes, self.parameters, self.statistics, self.heads = [], {}, {}, []
        self.image = self._node('image', [], (height, width, channels))

    def _node(self, kind, inputs, shape, name=None, **settings):
        self.nodes.append(Node(len(self.nodes), kind, inputs, name, settings, tuple(shape)))
        return self.nodes[-1]

    def conv(self, name, x, filters, kernel, stride=1, pad=0, groups=1, bias=True):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        height, width, channels = x.shape
        self.parameters[name + '.filter'] = (filters, *kernel, channels // groups)
        if bias:
            self.parameters[name + '.bias'] = (filters,)
        size = [_out(s, k, stride, pad, False) for s, k in zip((height, width), kernel)]
        return self._node('conv', [x], (*size, filters), name, kernel=kernel, stride=stride, pad=pad, groups=groups,
                          bias=bias)

    def linear(self, name, x, outputs):
        self.parameters[name + '.weight'] = (outputs, int(np.prod(x.shape)))
        self.parameters[name + '.bias'] = (outputs,)
        return self._node('linear', [x], (1, 1, outputs), name)

    def batch_norm(self, name, x):
        for role in ('scale', 'offset'):
            self.parameters[f'{name}.{role}'] = x.shape[2:]
        for role in ('mean', 'variance'):
            self.statistics[f'{name}.{role}'] = x.shape[2:]
        return self._node('batch_norm', [x], x.shape, name)

    def relu(self, x):
        return self._node('relu', [x], x.shape)

    def response_norm(self, x, size=5, alpha=1e-4, beta=0.75):
        return self._node('response_norm', [x], x.shape, size=size, alpha=alpha, beta=beta)

    def _pool(self, kind, x, kernel, stride, pad, ceil):
        size = [_out(side, kernel, stride, pad, ceil) for side in x.shape[:2]]
        behind = [max((n - 1) * stride + kernel - pad - side, 0) for n, side in zip(size, x.shape)]
        return self._node(kind, [x], (*size, x.shape[2]), kernel=kernel, stride=stride, pad=pad, behind=behind)

    def max_pool(self, x, kernel, stride, pad=0, ceil=False):
        return self._pool('max_pool', x, kernel, stride, pad, ceil)

    def average_pool(self, x, kernel, stride, ceil=False):
        return self._pool('average_pool', x, kernel, stride, 0, ceil)

    def global_pool(self, x):
        return self._node('global_pool', [x], (1, 1, x.shape[2]))

    def add(self, a, b):
        assert a.shape == b.shape, (a.shape, b.shape)
        return self._node('add', [a, b], a.shape)

    def concat(self, *xs):
        return self._node('concat', list(xs), (*xs[0].shape[:2], sum(x.shape[2] for x in xs)))

    def head(self, x, weight=1.0):
        """A classifier whose loss counts `weight` times; the last one is the network's."""
        self.heads.append((x, weight))

    def role(self, name):
        return name.rsplit('.', 1)[1]


def _taps(x, kernel, stride, pad, behind, size, fill):
    """The windows of x, [N, OH, OW, taps, C]."""
    x = jnp.pad(x, ((0, 0), (pad, behind[0]), (pad, behind[1]), (0, 0)), constant_values=fill)
    taps = []
    for ky in range(kernel[0]):
        for kx in range(kernel[1]):
            ends = (x.shape[0], ky + (size[0] - 1) * stride + 1, kx + (size[1] - 1) * stride + 1, x.shape[3])
            taps.append(lax.slice(x, (0, ky, kx, 0), ends, (1, stride, stride, 1)))
    return jnp.stack(taps, axis=3)


def _convolve(x, filters, s, size):
    taps = _taps(x, s['kernel'], s['stride'], s['pad'], (s['pad'], s['pad']), size, 0.0)
    groups, outs = s['groups'], filters.shape[0]
    taps = taps.reshape(*taps.shape[:4], groups, x.shape[3] // groups)
    filters = filters.reshape(groups, outs // groups, -1, x.shape[3] // groups)
    return jnp.einsum('nhwtgi,goti->nhwgo', taps, filters).reshape(x.shape[0], *size, outs)


def _window_counts(node):
    """How many elements of the map each window of an average pool has."""
    s, sides = node.settings, node.inputs[0].shape[:2]
    starts = [np.arange(n) * s['stride'] for n in node.shape[:2]]
    return np.multiply.outer(*(np.minimum(at + s['kernel'], side) - at for at, side in zip(starts, sides)))


def evaluate(node, xs, parameters, statistics, training):
    """A node's value from its inputs' values."""
    s, x = node.settings, xs[0]
    if node.kind == 'conv':
        y = _convolve(x, parameters[node.name + '.filter'], s, node.shape[:2])
        return y + parameters[node.name + '.bias'] if s['bias'] else y
    if node.kind == 'linear':
        y = x.reshape(x.shape[0], -1) @ parameters[node.name + '.weight'].T + parameters[node.name + '.bias']
        return y[:, None, None, :]
    if node.kind == 'batch_norm':
        if training:
            mean = jnp.mean(x, (0, 1, 2))
            variance = jnp.mean((x - mean)**2, (0, 1, 2))
        else:
            mean, variance = statistics[node.name + '.mean'], statistics[node.name + '.variance']
        return (x - mean) * lax.rsqrt(variance + EPSILON) * parameters[node.name + '.scale'] + \
            parameters[node.name + '.offset']
    if node.kind == 'relu':
        return jax.nn.relu(x)
    if node.kind == 'max_pool':
        return _taps(x, (s['kernel'],) * 2, s['stride'], s['pad'], s['behind'], node.shape[:2], -jnp.inf).max(axis=3)
    if node.kind == 'average_pool':
        taps = _taps(x, (s['kernel'],) * 2, s['stride'], 0, s['behind'], node.shape[:2], 0.0)
        return taps.sum(axis=3) / _window_counts(node)[None, :, :, None]
    if node.kind == 'global_pool':
        return x.mean((1, 2), keepdims=True)
    if node.kind == 'add':
        return x + xs[1]
    if node.kind == 'concat':
        return jnp.concatenate(xs, axis=3)
    if node.kind == 'response_norm':
        half = s['size'] // 2
        squares = lax.reduce_window(x**2, 0.0, lax.add, (1, 1, 1, s['size']), (1, 1, 1, 1),
                                    ((0, 0), (0, 0), (0, 0), (half, half)))
        return x * (1 + s['alpha'] / s['size'] * squares)**-s['beta']
    raise ValueError(node.kind)


def forward(graph, parameters, statistics, image, training=False):
    """The logits of every head, [N, classes] each."""
    last = {}
    for node in graph.nodes:
        for operand in node.inputs:
            last[operand.index] = node.index
    kept = {head.index for head, _ in graph.heads}
    values = {0: image}
    for node in graph.nodes[1:]:
        values[node.index] = evaluate(node, [values[i.index] for i in node.inputs], parameters, statistics, training)
        for operand in node.inputs:
            if last[operand.index] == node.index and operand.index not in kept:
                values.pop(operand.index, None)
    return [values[head.index][:, 0, 0, :] for head, _ in graph.heads]


def wide(arrays):
    return {name: jnp.asarray(value, jnp.float64) for name, value in arrays.items()}


def infer(graph, parameters, statistics, image):
    return np.asarray(forward(graph, wide(parameters), wide(statistics), jnp.asarray(image, jnp.float64))[-1])


def loss_of(graph, parameters, image, labels):
    total = 0.0
    for logits, (_, weight) in zip(forward(graph, parameters, {}, image, training=True), graph.heads):
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
        total = total - weight * chosen.mean()
    return total


def gradients(graph, parameters, image, labels):
    """The loss of a training step, and its gradients by name (`input` included)."""
    loss, (by_name, d_image) = jax.value_and_grad(
        lambda p, x: loss_of(graph, p, x, jnp.asarray(labels)), argnums=(0, 1))(
            wide(parameters), jnp.asarray(image, jnp.float64))
    result = {name: np.asarray(value) for name, value in by_name.items()}
    result['input'] = np.asarray(d_image)
    return float(loss), result


def _ends_of_branches(graph):
    """The parameters that scale what a residual branch adds: its last batch norm's, or else its last filter."""
    ends = [node.inputs[1] for node in graph.nodes if node.kind == 'add']
    return [end.name + ('.scale' if end.kind == 'batch_norm' else '.filter') for end in ends]


def draw(graph, seed):
    """He's filters; nothing else at a special value. Residual branches are small beside what they are added to, as in
    networks that train: drawn alike, 66 of them amplify a rounding error a thousandfold, and float32 is no measure
    for float32 any more."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in {**graph.parameters, **graph.statistics}.items():
        role = graph.role(name)
        if role in ('filter', 'weight'):
            value = generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif role == 'scale':
            value = generator.uniform(0.5, 1.5, shape)
        elif role == 'variance':
            value = generator.uniform(0.5, 2, shape)
        else:
            value = 0.1 * generator.standard_normal(shape)
        arrays[name] = value.astype(np.float32)
    ends = _ends_of_branches(graph)
    for name in ends:
        arrays[name] *= np.float32(1 / np.sqrt(len(ends)))
    return ({name: arrays[name] for name in graph.parameters}, {name: arrays[name] for name in graph.statistics})
