"""A network of models/ in PyTorch, read from its .mlir file: whatever rootc compiles, the peers run.

Reads the ops that the raced networks have. Groups are given by layer, as `rootc --emit=cost --format=json` counts them for
a topology; with the same output `check` compares parameters and multiply-adds.
"""
import re

import torch
import torch.nn as nn
import torch.nn.functional as F

OP = re.compile(r'^\s*(?:%(\w+) = )?root\.(\w+) (?:"([^"]+)" )?((?:%\w+(?:, )?)*)(.*)$')
ATTRIBUTE = re.compile(r'(\w+)\(([^)]*)\)|(\w+)')
HEADER = re.compile(r'root\.network @\w+\(%(\w+): !root\.image<(\d+)x(\d+)x(\d+)>\) classes\((\d+)\)')


def _parse(path):
    """The network's header, and its ops: result, kind, layer, operands, attributes."""
    with open(path) as file:
        text = re.sub(r'//.*', '', file.read())
    header = HEADER.search(text)
    ops = []
    for line in text[header.end():].splitlines():
        match = OP.match(line)
        if match:
            result, kind, layer, operands, rest = match.groups()
            attributes = {name or flag: value for name, value, flag in ATTRIBUTE.findall(rest)}
            ops.append((result, kind, layer, re.findall(r'%(\w+)', operands), attributes))
    return header, ops


def _pair(attributes, name, default):
    sizes = [int(size) for size in attributes.get(name, str(default)).split('x')]
    return (sizes * 2)[:2]


class LayerNorm(nn.LayerNorm):
    """Of each position over its channels."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.factors = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x):
        return x * self.factors


class DropPath(nn.Module):
    """Leaves images' branches out, as timm and torchvision do."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training:
            return x
        return x * x.new_empty(len(x), 1, 1, 1).bernoulli_(1 - self.rate).div_(1 - self.rate)


class Network(nn.Module):
    """Of `training`, the auxiliary heads are there as well: returns the logits and a list of theirs with their weights."""

    def __init__(self, path, groups, training):
        super().__init__()
        header, self.ops = _parse(path)
        self.image = header[1]
        height, width, channels, self.classes = map(int, header.groups()[1:])
        self.shape = (channels, height, width)
        self.training_heads = training
        if not training:
            self._drop_unused()
        self.layers = nn.ModuleDict()
        self.macs = self.params = 0
        # Shapes of all values, from running the layers on one image as they are made.
        values = {self.image: torch.zeros(1, *self.shape)}
        with torch.no_grad():
            for index, (result, kind, layer, operands, attributes) in enumerate(self.ops):
                module = self._module(kind, attributes, [values[name] for name in operands], groups.get(layer, 1))
                if module is not None:
                    self.layers[str(index)] = module
                    module.eval()
                if result:
                    values[result] = self._value(index, [values[name] for name in operands])
                    self._count(module, values[result])
        self.train()

    def _drop_unused(self):
        used, kept = set(), []
        for op in reversed(self.ops):
            if op[1] == 'output' or op[0] in used:
                used.update(op[3])
                kept.append(op)
        self.ops = kept[::-1]

    def _module(self, kind, attributes, inputs, groups):
        channels = inputs[0].shape[1] if inputs else 0
        if kind == 'conv2d':
            return nn.Conv2d(channels, int(attributes['filters']), _pair(attributes, 'kernel', 1), _pair(attributes, 'stride', 1),
                             _pair(attributes, 'pad', 0), groups=groups, bias='no_bias' not in attributes)
        if kind == 'linear':
            return nn.Linear(inputs[0][0].numel(), int(attributes['outputs']))
        if kind == 'batch_norm':
            return nn.BatchNorm2d(channels)
        if kind == 'layer_norm':
            return LayerNorm(channels, float(attributes.get('epsilon', 1e-5)))
        if kind == 'layer_scale':
            return LayerScale(channels)
        if kind == 'drop_path':
            return DropPath(float(attributes['rate']))
        if kind == 'gelu':
            return nn.GELU('tanh' if 'tanh' in attributes else 'none')
        if kind == 'relu':
            return nn.ReLU(inplace=True)
        if kind == 'dropout':
            return nn.Dropout(float(attributes['rate']))
        if kind in ('max_pool', 'average_pool'):
            window = [_pair(attributes, name, default) for name, default in (('kernel', 1), ('stride', 1), ('pad', 0))]
            pool = nn.MaxPool2d if kind == 'max_pool' else nn.AvgPool2d
            return pool(*window, ceil_mode=attributes.get('rounding') == 'ceil')
        if kind == 'local_response_norm':
            return nn.LocalResponseNorm(int(attributes['size']), float(attributes['alpha']), float(attributes['beta']))
        if kind not in ('add', 'concat', 'global_average_pool', 'auxiliary', 'output'):
            raise ValueError(f'root.{kind} is not known to {__file__}')
        return None

    def _count(self, module, result):
        """As the paper counts: weights by positions, and a bias once."""
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            biases = module.bias.numel() if module.bias is not None else 0
            self.params += module.weight.numel() + biases
            self.macs += module.weight.numel() * result[0, 0].numel() + biases

    def _value(self, index, inputs):
        kind = self.ops[index][1]
        if kind == 'add':
            return inputs[0] + inputs[1]
        if kind == 'concat':
            return torch.cat(inputs, 1)
        if kind == 'global_average_pool':
            return F.adaptive_avg_pool2d(inputs[0], 1)
        if kind == 'linear':
            return self.layers[str(index)](inputs[0].flatten(1))
        return self.layers[str(index)](inputs[0])

    def forward(self, image):
        values, heads = {self.image: image}, []
        for index, (result, kind, _, operands, attributes) in enumerate(self.ops):
            inputs = [values[name] for name in operands]
            if kind == 'output':
                logits = inputs[0].flatten(1)
            elif kind == 'auxiliary':
                heads.append((inputs[0].flatten(1), float(attributes['weight'])))
            else:
                values[result] = self._value(index, inputs)
        return (logits, heads) if self.training_heads else logits

    def check(self, cost):
        """Fails unless this is the network that was counted (in training: inference leaves layers out)."""
        if self.training_heads and (self.params, self.macs) != (cost['params'], cost['macs']):
            raise ValueError(f'{self.params} parameters, {self.macs} multiply-adds; rootc counts {cost["params"]}, {cost["macs"]}')


def call_of_network(net, images, precision, labels, sgd):
    """A function that infers, or with labels makes a step: forward, backward and SGD with these options; `precision` is an autocast."""
    if labels is None:
        def infer():
            with torch.inference_mode(), precision:
                net(images)
        return infer
    optimizer = torch.optim.SGD(net.parameters(), **sgd)

    def step():
        optimizer.zero_grad()
        with precision:
            logits, heads = net(images)
            loss = F.cross_entropy(logits, labels)
            for head, weight in heads:
                loss = loss + weight * F.cross_entropy(head, labels)
        loss.backward()
        optimizer.step()
    return step
