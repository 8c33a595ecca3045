"""The ONNX standard's node tests, from the onnx package, through rootc-import.

A network maps an image to logits, so each node is put between the two. Form `maps`: the node's first inputs are cut
from the image, the others are initializers, and its result goes through a linear layer with known weights. Form
`constants`: all inputs are initializers, and the result is added to an image of zeros. Form `final`: the node ends the
graph. A test that no form can take has its refusal listed here, with the message."""

import argparse
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from imported import Imported, add_tools

BOUND = 1e-5  # of the largest expected value, at least of 1
MOST_LOGITS = 256  # more values are mixed into so many
MOST_CONSTANTS = 5000  # a constant of more elements is not compared

# How many of a node's inputs are maps; the others are weights, shapes, axes.
MAPS = {name: 1 for name in '''AveragePool BatchNormalization Cast Celu Clip Conv ConvTranspose DepthToSpace Dropout Elu Flatten Gather Gelu
    Gemm GlobalAveragePool GlobalMaxPool GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LRN
    LayerNormalization LeakyRelu MaxPool Mish Neg PRelu Pad Pow ReduceMax ReduceMean ReduceSum Relu Reshape Resize
    Selu Sigmoid Slice Softplus SpaceToDepth Split Squeeze Swish Tanh Transpose Unsqueeze Upsample'''.split()} | {
    'Add': (2, 1), 'Concat': (9,), 'Div': (1,), 'MatMul': (1,), 'Max': (1,), 'Min': (1,), 'Mul': (2, 1), 'Sub': (2, 1),
    'Sum': (9,)}
CONSTANTS = '''Abs Add And BatchNormalization Cast CastLike Ceil Clip Concat Constant ConstantOfShape DequantizeLinear Div
    Equal Erf Exp Expand Flatten Floor Gather Gemm Greater GreaterOrEqual HardSigmoid HardSwish Identity If Less
    LessOrEqual Log MatMul Max Min Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Shape Sigmoid Sign Size Slice Split Sqrt
    Squeeze Sub Sum Swish Tanh Tile Transpose Unsqueeze Where Xor'''.split()
FINAL = ('Softmax', 'LogSoftmax')

# Their expected values have four digits.
ROUNDED = ('test_averagepool_2d_ceil_last_window_starts_on_pad',)

# Tests that no form takes, and what is said about them.
REFUSED = {
    'test_averagepool_[13]d_*': 'only batch x channels x height x width is supported',
    'test_averagepool_2d_dilations': 'a pool with dilations is not supported',
    'test_cast_*_to_FLOAT[48]*': 'it casts a constant to type FLOAT',
    'test_cast_*_to_INT[24]': 'it casts a constant to type INT',
    'test_cast_*_to_UINT[24]': 'it casts a constant to type UINT',
    'test_cast_e8m0_*_to_FLOAT8E8M0': 'it casts a constant to type FLOAT8E8M0',
    'test_cast_FLOAT[48]*_to_*': 'its element type, FLOAT',
    'test_cast_e8m0_FLOAT8E8M0_to_*': 'its element type, FLOAT8E8M0',
    'test_cast_INT[24]_to_*': 'its element type, INT',
    'test_cast_UINT[24]_to_*': 'its element type, UINT',
    'test_castlike_*INT[24]*': 'its element type',
    'test_castlike_*FLOAT[48]*': 'its element type',
    'test_constantofshape_int_shape_zero': 'no elements',
    'test_equal_string*': 'its element type, STRING',
    'test_identity_sequence': 'not a tensor',
    'test_identity_opt': 'not a tensor',
    'test_*softmax_axis_[012]': 'the output must be the logits',
    'test_*softmax_negative_axis': 'the output must be the logits',
    'test_*softmax_default_axis': 'the output must be the logits',
    'test_layer_normalization_*axis0*': 'its axis 0 is the batch',
    'test_layer_normalization_2d_axis_negative_2': 'its axis 0 is the batch',
    'test_layer_normalization_3d_axis_negative_3*': 'its axis 0 is the batch',
    'test_layer_normalization_4d_axis_negative_4': 'its axis 0 is the batch',
    'test_layer_normalization_3d_axis1_epsilon': 'differ among the positions',
    'test_layer_normalization_3d_axis_negative_2_epsilon': 'differ among the positions',
    'test_layer_normalization_4d_axis1': 'differ among the positions',
    'test_layer_normalization_4d_axis_negative_3': 'differ among the positions',
    'test_layer_normalization_4d_axis2': 'it normalises the dimensions from',
    'test_layer_normalization_4d_axis_negative_2': 'it normalises the dimensions from',
    'test_convtranspose_[13]d': 'only batch x channels x height x width is supported',
    'test_resize_*cubic*': 'its mode is',
    'test_resize_tf_crop_and_resize*': 'its coordinates are',
    'test_resize_*half_pixel_symmetric*': 'its coordinates are',
    'test_resize_*_not_*': "'keep_aspect_ratio_policy'",
    'test_resize_*_linear_antialias': "'antialias' are not supported",
    'test_resize_downsample_scales_nearest': 'which is another ratio',
    'test_resize_downsample_scales_linear': 'which is another ratio',
    'test_resize_downsample_scales_linear_align_corners': 'which is another ratio',
    'test_maxpool_2d_uint8': 'must be a tensor of real numbers',
    'test_maxpool_[13]d_*': 'only batch x channels x height x width is supported',
    'test_maxpool_2d_dilations': 'a pool with dilations is not supported',
    'test_mod_float*_fmod_0*': "of real numbers 'fmod' must be 1",
    'test_dequantizelinear_*[ef]*[0-9]m[0-9]*': 'its element type, FLOAT',
    'test_dequantizelinear_*int[24]': 'its element type',
    'test_edge_pad': 'must be a tensor of real numbers',
    'test_prelu_example': 'only one number, or one for each channel',
    'test_reflect_pad': 'must be a tensor of real numbers',
    'test_wrap_pad': 'must be a tensor of real numbers',
    'test_reduce_m??_empty_set': 'infinite',
    'test_reduce_max_empty_set_bool': 'or hold some',
    'test_if_*': 'not a tensor',
    'test_tile': 'too many elements',
    'test_reduce_sum_empty_set_non_reduced_axis_zero': 'no elements',
    'test_reshape_allowzero_reordered': 'no elements',
    'test_shape_start_greater_than_end': 'no elements',
    'test_slice_start_out_of_bounds': 'it takes 0 elements from 10',
    'test_split_zero_size_splits_*': 'no elements',
}

# Tests of what a node does in training. In inference the network does something else, and a note says so; constants
# are computed as the node does.
TRAINING = ('test_batchnorm_*_training_mode', 'test_training_dropout*')


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


class NotApplicable(Exception):
    """The form cannot hold the test."""


def array(value):
    """None for what is no tensor."""
    if isinstance(value, TensorProto):
        value = numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else None


def finite(value):
    """Zeros for what is not finite, which would spread over all logits."""
    if value is None or value.dtype.kind not in 'fV' or value.dtype.itemsize < 2:
        return value
    return np.where(np.isfinite(value.astype(np.float64)), value, np.zeros((), value.dtype)).astype(value.dtype)


def proto(value, name):
    """An initializer; the tests of Cast bring their own."""
    if not isinstance(value, TensorProto):
        return numpy_helper.from_array(np.asarray(value), name)
    copy = TensorProto()
    copy.CopyFrom(value)
    copy.name = name
    return copy


class Case:
    """One output of one test."""

    def __init__(self, test, output):
        self.name, self.output = test.name, output
        self.model, self.node = test.model, test.model.graph.node[0]
        inputs, outputs = test.data_sets[0]
        names = [value.name for value in test.model.graph.input]
        self.inputs = {name: finite(array(value)) for name, value in zip(names, inputs)}
        self.expected = array(outputs[output])
        # As the largest of nothing.
        nothing = any(isinstance(value, np.ndarray) and value.size == 0 for value in inputs)
        self.infinite = nothing and self.expected.dtype.kind == 'f' and not np.isfinite(self.expected).all()
        self.expected = finite(self.expected)
        # Tests of an operator that has not changed since are older than what can be imported.
        self.opset = max(9, next(entry.version for entry in test.model.opset_import if entry.domain in ('', 'ai.onnx')))
        if self.expected is None or any(value is None for value in self.inputs.values()):
            raise NotApplicable('not a tensor')

    def result(self):
        return self.node.output[self.output]

    def build(self, image, nodes, initializers, classes, last):
        graph = helper.make_graph(
            nodes, self.name,
            [helper.make_tensor_value_info('image', helper.np_dtype_to_tensor_dtype(image.dtype), image.shape)],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, [image.shape[0], classes])],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in initializers.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)])

    def as_maps(self, count, place):
        """The model, the NHWC image and the logits. `place`: where the dimensions behind the batch lie in the image,
        channels first, in the rows and columns, or channels last."""
        names = [name for name in self.node.input if name]
        maps = names[:count]
        values = [self.inputs[name] for name in maps]
        if not maps or any(value.ndim < 1 or value.size == 0 for value in values):
            raise NotApplicable('no maps')
        batch = values[0].shape[0]
        if any(value.shape[0] != batch for value in values):
            raise NotApplicable('one batch')
        # Where there are several, they lie side by side in the channels.
        shapes = [self.placed(value.shape, place) for value in values]
        if any(shape[2:] != shapes[0][2:] for shape in shapes):
            raise NotApplicable('one size')
        values = [np.moveaxis(value, -1, 1) if place == 'last' else value for value in values]
        image = np.concatenate([value.reshape(shape) for value, shape in zip(values, shapes)], axis=1)
        initializers = {name: value for name, value in self.inputs.items() if name not in maps}
        nodes, parts = [], ['image']
        if len(maps) > 1:
            parts = [f'our_part_{name}' for name in maps]
            sizes = [shape[1] for shape in shapes]
            if self.opset < 13:
                nodes.append(helper.make_node('Split', ['image'], parts, axis=1, split=sizes))
            else:
                initializers['our_part_sizes'] = np.array(sizes, np.int64)
                nodes.append(helper.make_node('Split', ['image', 'our_part_sizes'], parts, axis=1))
        for part, name, value in zip(parts, maps, values):
            reshaped = f'our_reshaped_{name}' if place == 'last' else name
            initializers[f'our_shape_{name}'] = np.array([-1, *value.shape[1:]], np.int64)
            nodes.append(helper.make_node('Reshape', [part, f'our_shape_{name}'], [reshaped]))
            if place == 'last':
                order = [0, *range(2, value.ndim), 1]
                nodes.append(helper.make_node('Transpose', [reshaped], [name], perm=order))
        nodes.append(self.node)
        count = int(np.prod(self.expected.shape[1:]))
        if count <= MOST_LOGITS:
            matrix = np.eye(count, max(count, 2), dtype=np.float32)  # one class has no gradient
        else:
            matrix = (np.random.default_rng(3).standard_normal((count, MOST_LOGITS)) / np.sqrt(count)).astype(np.float32)
        initializers |= {'our_logits_shape': np.array([-1, count], np.int64), 'our_logits_matrix': matrix}
        nodes.append(helper.make_node('Reshape', [self.result(), 'our_logits_shape'], ['our_flat']))
        nodes.append(helper.make_node('MatMul', ['our_flat', 'our_logits_matrix'], ['logits']))
        expected = self.expected.astype(np.float64)
        if expected.ndim < 1 or expected.shape[0] != batch:
            # The importer is to see that; nothing is compared.
            expected = np.zeros((batch, count))
        return (self.build(image, nodes, initializers, matrix.shape[1], 'logits'), image.transpose(0, 2, 3, 1),
                expected.reshape(batch, count) @ matrix)

    def as_constants(self):
        if self.expected.size == 0:
            raise NotApplicable('no elements')
        count = int(self.expected.size)
        if self.infinite:
            raise NotApplicable('infinite')
        if count > MOST_CONSTANTS:
            raise NotApplicable('too many elements')
        image = np.zeros((1, count, 1, 1), np.float32)
        nodes, value = [self.node], self.result()
        if self.expected.dtype != np.float32:
            nodes.append(helper.make_node('Cast', [value], ['our_real'], to=TensorProto.FLOAT))
            value = 'our_real'
        nodes += [helper.make_node('Reshape', [value, 'our_minus_one'], ['our_list']), helper.make_node('Flatten', ['image'], ['our_flat']),
                  helper.make_node('Add', ['our_flat', 'our_list'], ['our_sum']), helper.make_node('MatMul', ['our_sum', 'our_one'], ['logits'])]
        initializers = self.inputs | {'our_minus_one': np.array([-1], np.int64), 'our_one': np.eye(count, dtype=np.float32)}
        return (self.build(image, nodes, initializers, count, 'logits'), image.transpose(0, 2, 3, 1),
                self.expected.astype(np.float64).reshape(1, -1))

    def as_final(self):
        value = self.inputs[self.node.input[0]]
        image = value.reshape((*value.shape, 1, 1, 1)[:4])
        initializers = {'our_shape': np.array([-1, *value.shape[1:]], np.int64),
                        'our_one': np.eye(image.shape[1], dtype=np.float32)[:, :, None, None]}
        nodes = [helper.make_node('Conv', ['image', 'our_one'], ['our_map']),
                 helper.make_node('Reshape', ['our_map', 'our_shape'], [self.node.input[0]]), self.node]
        model = self.build(image, nodes, initializers, value.shape[1], self.result())
        return model, image.transpose(0, 2, 3, 1), self.expected.astype(np.float64).reshape(value.shape[0], -1)

    @staticmethod
    def placed(shape, place):
        """The NCHW image's shape that holds a tensor's."""
        if place == 'last':
            if not 3 <= len(shape) <= 4:
                raise NotApplicable('three or four dimensions')
            shape = (shape[0], shape[-1], *shape[1:-1])
        if place == 'rows':
            if len(shape) != 3:
                raise NotApplicable('three dimensions')
            return (shape[0], 1, *shape[1:])
        shape = (*shape, 1, 1, 1)[:max(len(shape), 4)]
        return (*shape[:3], int(np.prod(shape[3:])))


def soften(op, logits):
    logits = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.exp(log) if op == 'Softmax' else log


def attempt(tools, folder, case, form, count, place):
    """Raises RuntimeError if it is refused, AssertionError if it is wrong."""
    op = case.node.op_type
    if form == 'maps':
        model, image, expected = case.as_maps(count, place)
    else:
        model, image, expected = case.as_constants() if form == 'constants' else case.as_final()
    imported = Imported(tools, folder, model)
    if matches(case.name, TRAINING) and form == 'maps':
        if 'it is in training mode' not in imported.notes:
            raise AssertionError('no note says that it is in training mode')
        return
    actual = imported.infer(imported.normalised(image))
    if form == 'final':
        actual = soften(op, actual)
    if actual.shape != expected.shape:
        raise AssertionError(f'logits have shape {actual.shape}, expected {expected.shape}')
    narrow = {case.expected.dtype.name, *(value.dtype.name for value in case.inputs.values())}
    bound = 1e-2 if 'bfloat16' in narrow else 1e-3 if 'float16' in narrow else BOUND
    if case.name in ROUNDED:
        bound = 1e-4
    error = np.abs(actual - expected).max() / max(1, np.abs(expected).max())
    if not error <= bound:
        raise AssertionError(f'{form}: differs by {error:.1e}')
    if tools.gradients and form == 'maps' and imported.normalised(image) is image:
        imported.check_gradients(image.shape[0])


def forms(op):
    """The forms of an operator, with the number of maps and where they lie."""
    if op in MAPS:
        counts = MAPS[op] if isinstance(MAPS[op], tuple) else (MAPS[op],)
        yield from (('maps', count, place) for count in counts for place in ('first', 'rows', 'last'))
    if op in CONSTANTS:
        yield 'constants', 0, ''
    if op in FINAL:
        yield 'final', 0, ''


def claimed_operators(importer):
    """From the message that an unsupported operator gets."""
    graph = helper.make_graph([helper.make_node('Unheard', ['x'], ['y'])], 'g',
                              [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 1, 1, 1])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 1])])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'model.onnx')
        onnx.save(helper.make_model(graph), path)
        message = subprocess.run([importer, path, '-o', os.path.join(folder, 'net.mlir')], capture_output=True,
                                 text=True).stderr
    return re.search('supported are (.*)', message).group(1).split(', ')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tools(parser)
    parser.add_argument('--only', default='*', help='pattern of names of tests')
    parser.add_argument('--gradients', action='store_true', help='of the form `maps`, against jax')
    parser.add_argument('--verbose', action='store_true')
    tools = parser.parse_args()
    warnings.simplefilter('ignore')
    from onnx.backend.test.case.node import collect_testcases

    claimed = claimed_operators(tools.importer)
    agreeing, failures, refusals, passed = set(), [], set(), 0
    for test in collect_testcases(None):
        graph = test.model.graph
        if len(graph.node) != 1 or graph.node[0].op_type not in claimed or not fnmatch.fnmatch(test.name, tools.only):
            continue
        op = graph.node[0].op_type
        if graph.node[0].domain not in ('', 'ai.onnx') or test.name.endswith('_expanded'):
            continue
        reasons, agreed = [], False
        for output in range(len(graph.node[0].output) if op == 'Split' else 1):
            for form, count, place in forms(op):
                try:
                    with tempfile.TemporaryDirectory() as folder:
                        attempt(tools, folder, Case(test, output), form, count, place)
                    agreed = True
                    agreeing.add((op, form))
                except NotApplicable as error:
                    reasons.append(f'{form}: does not apply: {error}')
                except RuntimeError as error:
                    reasons.append(f'{form}: ' + str(error).strip().splitlines()[-1])
                except (AssertionError, ValueError) as error:
                    failures.append(f'{test.name}: {error}')
        passed += agreed
        listed = [(pattern, said) for pattern, said in REFUSED.items() if fnmatch.fnmatch(test.name, pattern)]
        if agreed and listed:
            failures.append(f'{test.name}: agrees, and is listed as refused')
        if not agreed:
            refusals.add(test.name)
            if not any(said in reason for _, said in listed for reason in reasons):
                failures.append(f'{test.name}: not taken: ' + ' | '.join(reasons))
        if tools.verbose:
            print(test.name, 'agrees' if agreed else 'refused', reasons, flush=True)
    if tools.only == '*':
        wanted = {(op, form) for op in claimed for form, *_ in forms(op)}
        failures += [f'{op}: no test agrees in the form {form}' for op, form in sorted(wanted - agreeing)]
        failures += [f'{op}: is claimed, and has no form here' for op in claimed if not list(forms(op))]
    print(*failures, sep='\n')
    print(f'{passed} tests agree, {len(refusals)} are refused, {len(failures)} failures')
    return 1 if failures or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
