"""Writes ONNX graphs in the forms that exporters have written over the years."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A graph under construction. Values are names; `shapes` has their NCHW shapes behind the batch.

    folded: batch norms are gone into convolutions; scopes: nodes are named by modules, weights by numbers; tensorflow:
    the image is NHWC and transposed, linear layers are MatMul and Add."""

    def __init__(self, opset, image, batch='N', folded=False, scopes=False, tensorflow=False, seed=0):
        self.opset, self.image, self.folded, self.scopes = opset, image, folded, scopes
        self.generator = np.random.default_rng(seed)
        self.nodes, self.initializers, self.shapes = [], [], {}
        self.batch, self.count, self.tensorflow = batch, 0, tensorflow
        self.image_name = 'image' if tensorflow else 'input'
        self.shapes['input'] = (image[2], image[0], image[1])
        if tensorflow:
            self.nodes.append(helper.make_node('Transpose', ['image'], ['input'], perm=[0, 3, 1, 2]))

    # -- pieces ----------------------------------------------------------------------------------------------------

    def fresh(self, stem='value'):
        self.count += 1
        return f'{stem}_{self.count}'

    def constant(self, value, name=None, node=False):
        """An initializer, or a Constant node."""
        array = np.asarray(value)
        name = name or self.fresh('constant')
        tensor = numpy_helper.from_array(array, name)
        if node:
            self.nodes.append(helper.make_node('Constant', [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def node(self, op, inputs, outputs=1, name='', shape=None, **attributes):
        """Returns the output's name, or a list of names."""
        results = [self.fresh(op.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, results, name=name, **attributes))
        for result in results:
            self.shapes[result] = shape if shape is not None else self.shapes.get(inputs[0] if inputs else '')
        return results[0] if outputs == 1 else results

    def ints(self, *values):
        return self.constant(np.array(values, np.int64), node=True)

    def normal(self, *shape, gain=1.0):
        return (gain * self.generator.standard_normal(shape)).astype(np.float32)

    # -- layers ----------------------------------------------------------------------------------------------------

    def window(self, x, kernel, stride, pads, channels, ceil=False, dilation=1):
        _, height, width = self.shapes[x]
        sizes = []
        for size, before, behind in ((height, pads[0], pads[2]), (width, pads[1], pads[3])):
            room = size + before + behind - ((kernel - 1) * dilation + 1)
            sizes.append((-(-room // stride) if ceil else room // stride) + 1)
        return (channels, *sizes)

    def scope(self, name, op):
        return '/' + '/'.join(name.split('.')) + '/' + op if self.scopes else ''

    def conv(self, x, name, filters, kernel, stride=1, pad=None, groups=1, bias=True, same=None, dilation=1):
        channels = self.shapes[x][0]
        pad = (kernel - 1) // 2 * dilation if pad is None else pad
        fan_in = channels // groups * kernel * kernel
        weight = self.constant(self.normal(filters, channels // groups, kernel, kernel, gain=np.sqrt(2 / fan_in)),
                               self.fresh('onnx::Conv') if self.folded else f'{name}.weight')
        inputs = [x, weight]
        if bias or self.folded:
            inputs.append(self.constant(self.normal(filters, gain=0.1),
                                        self.fresh('onnx::Conv') if self.folded else f'{name}.bias'))
        attributes = dict(strides=[stride, stride], kernel_shape=[kernel, kernel], group=groups,
                          dilations=[dilation, dilation])
        if same:
            attributes['auto_pad'] = same
            _, height, width = self.shapes[x]
            shape = (filters, -(-height // stride), -(-width // stride))
        else:
            attributes['pads'] = [pad] * 4
            shape = self.window(x, kernel, stride, [pad] * 4, filters, dilation=dilation)
        return self.node('Conv', inputs, name=self.scope(name, 'Conv'), shape=shape, **attributes)

    def batch_norm(self, x, name, epsilon=1e-5, momentum=0.9):
        """Gone where the exporter folded it into the convolution before it."""
        if self.folded:
            return x
        channels = self.shapes[x][0]
        uniform = self.generator.uniform
        values = {'weight': uniform(0.5, 1.5, channels), 'bias': self.normal(channels, gain=0.2),
                  'running_mean': self.normal(channels, gain=0.2), 'running_var': uniform(0.5, 2, channels)}
        inputs = [self.constant(np.asarray(value, np.float32), f'{name}.{key}') for key, value in values.items()]
        return self.node('BatchNormalization', [x, *inputs], name=self.scope(name, 'BatchNormalization'),
                         epsilon=epsilon, momentum=momentum)

    def relu(self, x):
        return self.node('Relu', [x])

    def clip(self, x, low, high):
        if self.opset < 11:
            return self.node('Clip', [x], min=float(low), max=float(high))
        return self.node('Clip', [x, self.constant(np.float32(low), node=True), self.constant(np.float32(high), node=True)])

    def scalar(self, value):
        return self.constant(np.float32(value), node=True)

    def hard_sigmoid(self, x):
        if self.opset >= 14:
            return self.node('HardSigmoid', [x], alpha=1 / 6)
        return self.node('Div', [self.clip(self.node('Add', [x, self.scalar(3)]), 0, 6), self.scalar(6)])

    def hard_swish(self, x):
        if self.opset >= 14:
            return self.node('HardSwish', [x])
        inner = self.clip(self.node('Add', [x, self.scalar(3)]), 0, 6)
        return self.node('Div', [self.node('Mul', [x, inner]), self.scalar(6)])

    def silu(self, x):
        return self.node('Mul', [x, self.node('Sigmoid', [x])])

    def dropout(self, x, ratio):
        if self.opset < 12:
            return self.node('Dropout', [x], ratio=ratio)
        return self.node('Dropout', [x, self.scalar(ratio)])

    def max_pool(self, x, kernel, stride, pad=0, ceil=False):
        shape, pads, attributes = self.window(x, kernel, stride, [pad] * 4, self.shapes[x][0], ceil), [pad] * 4, {}
        if ceil and self.opset >= 10:
            attributes['ceil_mode'] = 1
        elif ceil:
            pads[2:] = [(out - 1) * stride + kernel - pad - size for out, size in zip(shape[1:], self.shapes[x][1:])]
        return self.node('MaxPool', [x], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, shape=shape,
                         **attributes)

    def average_pool(self, x, kernel, stride):
        return self.node('AveragePool', [x], kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         shape=self.window(x, kernel, stride, [0] * 4, self.shapes[x][0]))

    def global_pool(self, x):
        return self.node('GlobalAveragePool', [x], shape=(self.shapes[x][0], 1, 1))

    def mean_pool(self, x):
        """x.mean([2, 3])"""
        shape = (self.shapes[x][0],)
        if self.opset < 18:
            return self.node('ReduceMean', [x], axes=[2, 3], keepdims=0, shape=shape)
        return self.node('ReduceMean', [x, self.ints(-1, -2)], keepdims=0, shape=shape)

    def flatten(self, x):
        return self.node('Flatten', [x], axis=1, shape=(int(np.prod(self.shapes[x])),))

    def unsqueeze(self, x, axis):
        if self.opset < 13:
            return self.node('Unsqueeze', [x], axes=[axis])
        return self.node('Unsqueeze', [x, self.ints(axis)])

    def batch_of(self, x):
        """x.shape[0], as a list of one."""
        index = self.constant(np.array(0, np.int64), node=True)
        return self.unsqueeze(self.node('Gather', [self.node('Shape', [x]), index], axis=0), 0)

    def view(self, x, *sizes):
        """x.view(x.size(0), *sizes)"""
        target = self.node('Concat', [self.batch_of(x), *(self.ints(size) for size in sizes)], axis=0)
        return self.node('Reshape', [x, target], shape=tuple(sizes))

    def linear(self, x, name, outputs):
        inputs = self.shapes[x][0]
        values = self.normal(outputs, inputs, gain=np.sqrt(1 / inputs))
        bias = self.constant(self.normal(outputs, gain=0.1), f'{name}.bias')
        if self.tensorflow:
            product = self.node('MatMul', [x, self.constant(values.T, f'{name}/kernel')], shape=(outputs,))
            return self.node('Add', [product, bias])
        weight = self.constant(values, f'{name}.weight')
        return self.node('Gemm', [x, weight, bias], name=self.scope(name, 'Gemm'), transB=1, alpha=1.0, beta=1.0,
                         shape=(outputs,))

    def add(self, a, b):
        return self.node('Add', [a, b])

    def concat(self, *xs):
        shape = self.shapes[xs[0]]
        return self.node('Concat', list(xs), axis=1, shape=(sum(self.shapes[x][0] for x in xs), *shape[1:]))

    def split(self, x, *sizes):
        if self.opset < 13:
            parts = self.node('Split', [x], outputs=len(sizes), axis=1, split=list(sizes))
        else:
            parts = self.node('Split', [x, self.ints(*sizes)], outputs=len(sizes), axis=1)
        for part, size in zip(parts, sizes):
            self.shapes[part] = (size, *self.shapes[x][1:])
        return parts

    def squeeze_excite(self, x, name, squeezed, inner, gate):
        y = self.global_pool(x)
        y = inner(self.conv(y, f'{name}.fc1', squeezed, 1))
        y = gate(self.conv(y, f'{name}.fc2', self.shapes[x][0], 1))
        return self.node('Mul', [x, y], shape=self.shapes[x])

    # -- the file --------------------------------------------------------------------------------------------------

    def model(self, output, classes):
        height, width, channels = self.image
        sizes = [height, width, channels] if self.tensorflow else [channels, height, width]
        image = helper.make_tensor_value_info(self.image_name, TensorProto.FLOAT, [self.batch, *sizes])
        logits = helper.make_tensor_value_info(output, TensorProto.FLOAT, [self.batch, classes])
        graph = helper.make_graph(self.nodes, 'main_graph', [image], [logits], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], producer_name='test')
        model.ir_version = min(model.ir_version, 10 if self.opset < 24 else 13)
        onnx.checker.check_model(model)
        return model
