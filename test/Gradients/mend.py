"""Parameters of a network in the surface syntax for which its gradient is the same in float32 and in float64: what
kinks.py does, and why, for the layers of jax_model.py.

In the order of evaluation the input of a ReLU is shifted, channel by channel, by what adds to it (a bias or an offset); a
channel in which two values nearly tie for a maximum gets another filter, and so does one that is all but constant before a
batch norm, as what was pooled over a map is. Evaluation then goes back to what changed and to what depends on it."""

import jax.numpy as jnp
import numpy as np

from jax_model import Evaluation, _windows
from kinks import TIE, _shifts

ADDED = {'conv2d': 'bias', 'conv2d_transpose': 'bias', 'linear': 'bias', 'batch_norm': 'offset', 'layer_norm': 'offset',
         'group_norm': 'offset'}
AT_ZERO = ('relu', 'leaky_relu', 'prelu')  # their kink
ATTEMPTS = 10  # at one layer
ALIKE = 1e-2  # of a channel's usual square
REDRAWN = 3000  # filters, before there is no hope


class Mender:
    def __init__(self, model, parameters, statistics, image, masks, seed):
        """`parameters`, float32 arrays, are mended in place."""
        self.layers = [layer for layer in model.network.layers if layer.op not in ('output', 'auxiliary')]
        self.place = {layer.result: index for index, layer in enumerate(self.layers)}
        self.users = {}  # of a result
        for index, layer in enumerate(self.layers):
            for operand in layer.operands:
                self.users.setdefault(operand, set()).add(index)
        self.parameters = parameters
        self.exact = {name: jnp.asarray(value, jnp.float64) for name, value in parameters.items()}
        fixed = {name: jnp.asarray(value, jnp.float64) for name, value in statistics.items()}
        self.evaluation = Evaluation(model, self.exact, fixed, masks)
        self.values = {model.network.argument: jnp.asarray(image, jnp.float64)}
        self.generator = np.random.default_rng([seed, 1])
        self.attempts, self.redrawn = {}, 0

    def mend(self):
        stale = set(range(len(self.layers)))
        while stale:
            index = min(stale)
            layer = self.layers[index]
            xs = [self.values[operand] for operand in layer.operands]
            changed = set()
            if self.attempts.get(index, 0) < ATTEMPTS:
                if layer.op in AT_ZERO:
                    changed = self._shift(layer.operands[0], np.asarray(xs[0]))
                elif layer.op == 'max_pool':
                    changed = self._redraw(layer, xs[0])
                elif layer.op == 'batch_norm':
                    changed = self._centre(layer, np.asarray(xs[0]))
            if changed:
                if layer.op == 'max_pool':  # what has other values for it begins anew
                    self.attempts = {key: count for key, count in self.attempts.items()
                                     if not min(changed) < key < index}
                self.attempts[index] = self.attempts.get(index, 0) + 1
                stale |= changed
                continue
            self.values[layer.result], _ = self.evaluation.layer(layer, xs)
            stale.remove(index)
            stale |= self.users.get(layer.result, set())

    def _set(self, name, value):
        self.parameters[name] = value.astype(np.float32)
        self.exact[name] = jnp.asarray(self.parameters[name], jnp.float64)

    def _added(self, result, begin, count):
        """What adds to channels of a result: pieces of (parameter, its first channel, that of the result, their number,
        the layer's index)."""
        index = self.place.get(result)
        if index is None:
            return []
        layer = self.layers[index]
        role = ADDED.get(layer.op)
        if role and f'{layer.name}.{role}' in self.parameters:
            return [(f'{layer.name}.{role}', begin, 0, count, index)]
        if layer.op == 'add':
            # The nearest, on which least else depends.
            found = [self._added(operand, begin, count) for operand in layer.operands]
            return max(found, key=lambda pieces: min((piece[4] for piece in pieces), default=-1))
        if layer.op == 'max_pool':
            return self._added(layer.operands[0], begin, count)
        pieces, position = [], 0
        if layer.op == 'concat':
            for operand in layer.operands:
                size = self.values[operand].shape[3]
                low, high = max(begin, position), min(begin + count, position + size)
                if low < high:
                    pieces += [(name, first, at + low - begin, number, where)
                               for name, first, at, number, where in self._added(operand, low - position, high - low)]
                position += size
        return pieces

    def _shift(self, result, x):
        """Moves the values away from zero; the layers that changed."""
        shifts, _ = _shifts(x)
        changed = set()
        for name, begin, at, count, index in self._added(result, 0, x.shape[3]):
            if shifts[at:at + count].any():
                value = self.parameters[name].copy()
                value[begin:begin + count] += shifts[at:at + count]
                self._set(name, value)
                changed.add(index)
        return changed

    def _centre(self, layer, x):
        """Takes from 1x1 filters what their channels have in common, where next to nothing else is there to be normalised;
        the layers that changed."""
        index = self.place.get(layer.operands[0])
        if index is None or not self._is_pointwise(self.layers[index]):
            return set()
        conv, channels = self.layers[index], x.shape[3]
        alike = x.var((0, 1, 2)) < ALIKE * (x**2).mean((0, 1, 2))
        name, groups = conv.name + '.filter', conv.clauses['groups']
        value = self.parameters[name].copy()
        y, z = conv.clauses['stride']
        means = np.asarray(self.values[conv.operands[0]])[:, ::y, ::z].mean((0, 1, 2)).reshape(groups, -1)
        for channel in np.flatnonzero(alike):
            mean = means[channel * groups // channels]
            value[channel, 0, 0] -= x[..., channel].mean() / (mean @ mean) * mean
        if not alike.any():
            return set()
        self._set(name, value)
        return {index}

    @staticmethod
    def _is_pointwise(layer):
        return layer.op == 'conv2d' and layer.clauses['kernel'] == (1, 1) and not any(layer.clauses['pad']) and \
            not layer.clauses['standardize']

    def _filter(self, result, channel):
        """The convolution that makes a channel of a result, and the number of its filter."""
        index = self.place.get(result)
        if index is None:
            return None
        layer = self.layers[index]
        if layer.op == 'conv2d':
            return index, channel
        operand = layer.operands[1 if layer.op == 'add' else 0]
        if layer.op == 'concat':
            for operand in layer.operands:
                if channel < self.values[operand].shape[3]:
                    break
                channel -= self.values[operand].shape[3]
        return self._filter(operand, channel)

    def _redraw(self, layer, x):
        """Other filters for the channels in which two values of a window all but tie; the layers that changed."""
        windows = np.asarray(_windows(x, layer, -jnp.inf))
        top = windows.max(axis=0)
        second = np.where(windows == top, -np.inf, windows).max(axis=0)
        usual = np.sqrt((np.asarray(x)**2).mean((0, 1, 2))) + 1e-30
        changed = set()
        for channel in np.flatnonzero((top - second < TIE * usual).any(axis=(0, 1, 2))):
            found = self._filter(layer.operands[0], channel)
            if found is None:
                continue
            index, number = found
            name = self.layers[index].name + '.filter'
            value = self.parameters[name].copy()
            value[number] = self.generator.standard_normal(value.shape[1:]) * value[number].std()
            self._set(name, value)
            self.redrawn += 1
            changed.add(index)
        if self.redrawn > REDRAWN:
            raise RuntimeError('ties of maxima: no other filters help')
        return changed


def mend(model, parameters, statistics, image, masks, seed):
    """Mends `parameters` (float32 arrays) in place for a training step on `image`."""
    Mender(model, parameters, statistics, image, masks, seed).mend()
