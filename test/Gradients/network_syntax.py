"""Reads a network in the surface syntax, for the oracle: an implementation of
its own, that takes what the tests write and refuses the rest."""

import re
from dataclasses import dataclass, field

LAYER = re.compile(r'(?:(%\w+)\s*=\s*)?root\.(\w+)\s*(?:"([^"]*)")?\s*(%\w+(?:\s*,\s*%\w+)*)\s*(.*)')
HEADER = re.compile(r'root\.network\s+@(\w+)\s*\(\s*(%\w+)\s*:\s*!root\.image<(\d+)x(\d+)x(\d+)>\s*\)'
                    r'\s*classes\((\d+)\)\s*\{')
CLAUSE = re.compile(r'(\w+)(?:\(([^()]*)\))?')

# Clause: how it is read, and its default (None: required).
CLAUSES = {
    'conv2d': {'filters': (int, None), 'kernel': ('pair', None), 'stride': ('pair', (1, 1)),
               'pad': ('pads', (0, 0, 0, 0)), 'dilation': ('pair', (1, 1)), 'groups': (int, 1),
               'no_bias': ('flag', False), 'standardize': (float, 0.0), 'stage': (int, -1),
               'ungrouped': ('flag', False)},
    'batch_norm': {'epsilon': (float, 1e-5), 'momentum': (float, 0.1)},
    'conv2d_transpose': {'filters': (int, None), 'kernel': ('pair', None), 'stride': ('pair', (1, 1)),
                         'pad': ('pads', (0, 0, 0, 0)), 'output_pad': ('pair', (0, 0)), 'dilation': ('pair', (1, 1)),
                         'groups': (int, 1), 'no_bias': ('flag', False)},
    'resize': {'size': ('pair', None), 'mode': (str, 'nearest'), 'coordinates': (str, 'half_pixel'),
               'round': (str, 'round_prefer_floor')},
    'adaptive_average_pool': {'size': ('pair', None)},
    'channel_mean': {}, 'channel_max': {}, 'branch_softmax': {'branches': (int, None)},
    'layer_norm': {'epsilon': (float, 1e-5)},
    'group_norm': {'groups': (int, None), 'epsilon': (float, 1e-5)},
    'relu': {}, 'sigmoid': {}, 'hard_swish': {}, 'silu': {}, 'softplus': {}, 'mish': {}, 'layer_scale': {},
    'leaky_relu': {'alpha': (float, 0.01)}, 'prelu': {'shared': ('flag', False)}, 'gelu': {'tanh': ('flag', False)},
    'elu': {'alpha': (float, 1.0), 'scale': (float, 1.0), 'input_scale': (float, 1.0)},
    'drop_path': {'rate': (float, None)},
    'pad': {'pad': ('pads', (0, 0, 0, 0)), 'crop': ('pads', (0, 0, 0, 0)), 'reflect': ('flag', False)},
    'space_to_depth': {'block': (int, None), 'crd': ('flag', False)},
    'depth_to_space': {'block': (int, None), 'crd': ('flag', False)},
    'clip': {'min': (float, float('-inf')), 'max': (float, float('inf'))},
    'hard_sigmoid': {'alpha': (float, 0.2), 'beta': (float, 0.5)},
    'max_pool': {'kernel': ('pair', None), 'stride': ('pair', (1, 1)), 'pad': ('pads', (0, 0, 0, 0)),
                 'rounding': (str, 'floor')},
    'average_pool': {'kernel': ('pair', None), 'stride': ('pair', (1, 1)), 'pad': ('pads', (0, 0, 0, 0)),
                     'rounding': (str, 'floor'), 'exclude_pad': ('flag', False)},
    'global_average_pool': {},
    'linear': {'outputs': (int, None), 'no_bias': ('flag', False)},
    'add': {}, 'multiply': {}, 'concat': {},
    'slice_channels': {'begin': (int, None), 'end': (int, None)},
    'channel_shuffle': {'groups': (int, None)},
    'dropout': {'rate': (float, 0.5)},
    'local_response_norm': {'size': (int, 5), 'alpha': (float, 1e-4), 'beta': (float, 0.75), 'k': (float, 1.0)},
    'output': {},
    'auxiliary': {'weight': (float, 0.3)},
}


@dataclass
class Layer:
    op: str
    name: str | None
    result: str | None
    operands: list
    clauses: dict = field(default_factory=dict)


@dataclass
class Network:
    name: str
    argument: str
    image: tuple  # height, width, channels
    classes: int
    layers: list


def _read(kind, text):
    if kind == 'flag':
        return True
    if kind == 'pair':
        values = tuple(int(part) for part in text.split('x'))
        return values * 2 if len(values) == 1 else values
    if kind == 'pads':
        values = tuple(int(part) for part in re.split('[x,]', text))
        return {1: values * 4, 2: values * 2, 4: values}[len(values)]  # top, left, bottom, right
    return kind(text)


def parse(text):
    text = re.sub(r'//.*', '', text)
    header = HEADER.search(text)
    if not header:
        raise ValueError('no root.network header')
    name, argument, height, width, channels, classes = header.groups()
    network = Network(name, argument, (int(height), int(width), int(channels)), int(classes), [])
    body = text[header.end():text.rindex('}')]
    for line in filter(None, map(str.strip, body.splitlines())):
        match = LAYER.fullmatch(line)
        if not match:
            raise ValueError(f'cannot read {line!r}')
        result, op, layer, operands, rest = match.groups()
        known = CLAUSES[op]
        clauses = {key: default for key, (_, default) in known.items()}
        for key, value in CLAUSE.findall(rest):
            clauses[key] = _read(known[key][0], value)
        missing = [key for key, value in clauses.items() if value is None]
        if missing:
            raise ValueError(f'{line!r} lacks {missing}')
        network.layers.append(Layer(op, layer, result, re.findall(r'%\w+', operands), clauses))
    return network


def load(path):
    with open(path) as file:
        return parse(file.read())
