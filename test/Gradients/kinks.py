"""Parameters for which a network's gradient is the same in float32 and in float64.

A ReLU or a maximum within float32's error of its kink has another gradient on its other side, and among the millions of
values of a deep network some always are. Drawing again does not help there, so parameters are mended in the order of
evaluation: a ReLU's input is shifted, channel by channel, so that zero lies in the widest gap near it between that
channel's values; and a channel in which two values nearly tie for a maximum gets another filter. Where no batch norm
does it, channels are also shifted to mean zero: without, the pixels of a map differ less and less with depth, until
all are ties."""

import jax.numpy as jnp
import numpy as np

from graph import _taps, evaluate, wide

# As parts of a channel's usual size: wide enough for what float32 is off by some two hundred layers down.
ENOUGH = 1e-3  # a ReLU's distance that needs no shift
REACH = 0.2  # the largest shift
TIE = 1e-4  # of two values of a window


def _shift_source(node):
    """The node whose bias or offset is added to every value of `node`."""
    while node.kind == 'add':
        node = node.inputs[1]
    role = {'conv': 'bias', 'linear': 'bias', 'batch_norm': 'offset'}[node.kind]
    return node, f'{node.name}.{role}'


def _filter_source(node, channel):
    """The convolution whose filter decides a channel's values, and the filter's number."""
    while node.kind != 'conv':
        operand = node.inputs[0]
        if node.kind == 'concat':
            for operand in node.inputs:
                if channel < operand.shape[2]:
                    break
                channel -= operand.shape[2]
        node = operand
    return node, channel


def _shifts(x):
    """For each channel the shift that moves zero into the widest gap near it, or away from its few values, and the
    margin it then has as a part of the channel's usual size."""
    x = x.reshape(-1, x.shape[3])
    squares = (x**2).mean(0) if len(x) > 1 else (x**2).mean()  # a channel of one value has the size of all
    usual = np.sqrt(squares) * np.ones(x.shape[1]) + 1e-30
    ordered = np.sort(x, axis=0)
    middles, gaps = (ordered[1:] + ordered[:-1]) / 2, np.diff(ordered, axis=0)
    gaps[np.abs(middles) > REACH * usual] = 0
    columns = np.arange(x.shape[1])
    candidates = [np.zeros_like(usual), REACH * usual, -REACH * usual]
    if len(x) > 1:
        best = gaps.argmax(0)
        candidates.append(np.where(gaps[best, columns] > 0, -middles[best, columns], 0))
    candidates = np.stack(candidates)
    margins = np.stack([np.abs(x + shift).min(0) / usual for shift in candidates])
    chosen = np.where(margins[0] < ENOUGH, margins.argmax(0), 0)
    return candidates[chosen, columns], margins[chosen, columns]


def _tied(node, x):
    """Channels in which two values of one window all but tie. Exact ties are one value seen twice (overlapping pools),
    or zeros of a ReLU: both have one gradient."""
    s = node.settings
    taps = np.asarray(_taps(x, (s['kernel'],) * 2, s['stride'], s['pad'], s['behind'], node.shape[:2], -jnp.inf))
    usual = np.sqrt((np.asarray(x)**2).mean((0, 1, 2))) + 1e-30
    top = taps.max(axis=3, keepdims=True)
    second = np.where(taps == top, -np.inf, taps).max(axis=3)
    distance = top[:, :, :, 0] - second
    return np.flatnonzero((distance < TIE * usual).any(axis=(0, 1, 2)))


def draw_off_kinks(graph, parameters, image, seed):
    """Mends `parameters` (float32 arrays, in place) for a training step on `image`; returns the smallest margin of a
    ReLU. Channels that cannot be mended in a reasonable time are an error."""
    generator = np.random.default_rng([seed, 1])
    exact = wide(parameters)
    values, margins, redrawn, index = {0: jnp.asarray(image, jnp.float64)}, {}, 0, 1
    while index < len(graph.nodes):
        node = graph.nodes[index]
        x = values[node.inputs[0].index] if node.inputs else None
        if node.kind == 'relu':
            by_itself = node.inputs[0].kind == 'conv'  # without a batch norm
            mean = np.asarray(x).mean((0, 1, 2)) if by_itself else 0
            shift, margin = _shifts(np.asarray(x) - mean)
            shift = shift - mean
            if shift.any():
                source, name = _shift_source(node.inputs[0])
                moved = (parameters[name] + shift).astype(np.float32)
                by = jnp.asarray(moved.astype(np.float64) - parameters[name])
                for changed in {source.index, node.inputs[0].index}:
                    values[changed] = values[changed] + by
                parameters[name] = moved
                exact[name] = jnp.asarray(moved, jnp.float64)
            margins[index] = margin.min()
        elif node.kind == 'max_pool':
            channels = _tied(node, x)
            if channels.size:
                redrawn += channels.size
                if redrawn > 2000:
                    raise RuntimeError('ties of maxima: no other filters help')
                first = index
                for channel in channels:
                    source, number = _filter_source(node.inputs[0], channel)
                    first = min(first, source.index)
                    name = source.name + '.filter'
                    shape = parameters[name].shape[1:]
                    parameters[name][number] = generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape))
                    exact[name] = jnp.asarray(parameters[name], jnp.float64)
                index = first
                continue
        values[index] = evaluate(node, [values[i.index] for i in node.inputs], exact, {}, training=True)
        index += 1
    return min(margins.values())
