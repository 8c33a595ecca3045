"""The oracle's own pieces against values known otherwise."""

import itertools
import os
import unittest
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np

import random_networks
from check_gradients import make_batch, make_values, split
from jax_model import Model, _average_pool, _clip, _depth_to_space, _depthwise, _hard_swish, _max_pool, _shuffle, _space_to_depth
from mend import mend
from network_syntax import CLAUSES, Layer, load, parse
from philox import dropout_mask, philox
from topology import apply_root

MODELS = os.path.join(os.path.dirname(__file__), '..', '..', 'models')


class Philox(unittest.TestCase):
    def test_known_answers(self):
        words = [int(w) for w in philox((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0))]
        self.assertEqual(words, [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])

    def test_mask_follows_the_sample(self):
        both = dropout_mask((2, 3, 3, 3), 0.5, 1, -7, 2, [4, 9])
        np.testing.assert_array_equal(both[1:], dropout_mask((1, 3, 3, 3), 0.5, 1, -7, 2, [9]))
        self.assertTrue((both[0] != both[1]).any())


class Pools(unittest.TestCase):
    def test_against_loops(self):
        x = np.random.default_rng(0).standard_normal((1, 5, 6, 1))
        for pad, rounding, exclude in itertools.product(((0, 0, 0, 0), (1, 0, 2, 1)), ('floor', 'ceil'), (False, True)):
            layer = Layer('average_pool', None, None, [], {'kernel': (3, 2), 'stride': (2, 3), 'pad': pad,
                                                           'rounding': rounding, 'exclude_pad': exclude})
            average, (maximum, _) = _average_pool(x, layer), _max_pool(x, layer)
            for oy, ox in itertools.product(range(maximum.shape[1]), range(maximum.shape[2])):
                taps = [(y, z) for y in range(2 * oy - pad[0], 2 * oy - pad[0] + 3)
                        for z in range(3 * ox - pad[1], 3 * ox - pad[1] + 2)]
                inside = [(y, z) for y, z in taps if 0 <= y < 5 and 0 <= z < 6]
                padded = [(y, z) for y, z in taps if y < 5 + pad[2] and z < 6 + pad[3]]
                values = [x[0, y, z, 0] for y, z in inside]
                self.assertEqual(maximum[0, oy, ox, 0], max(values))
                self.assertAlmostEqual(float(average[0, oy, ox, 0]),
                                       sum(values) / len(inside if exclude else padded), 12)
            # One window more would start beyond the map and what is before it, or is not needed.
            sizes = maximum.shape[1:3]
            self.assertTrue(all((n - 1) * s < size + p for n, s, size, p in zip(sizes, (2, 3), (5, 6), pad)))


class Convolutions(unittest.TestCase):
    def test_depthwise_is_a_convolution_with_groups(self):
        generator = np.random.default_rng(0)
        x, filters = generator.standard_normal((2, 9, 8, 3)), generator.standard_normal((6, 3, 2, 1))
        for stride, dilation, pad in itertools.product(((1, 1), (2, 3)), ((1, 1), (2, 1)), ((0, 0, 0, 0), (2, 0, 1, 1))):
            c = {'kernel': (3, 2), 'stride': stride, 'dilation': dilation, 'pad': pad, 'groups': 3}
            expected = jax.lax.conv_general_dilated(
                x, filters, stride, ((pad[0], pad[2]), (pad[1], pad[3])), rhs_dilation=dilation,
                dimension_numbers=('NHWC', 'OHWI', 'NHWC'), feature_group_count=3)
            np.testing.assert_allclose(_depthwise(x, filters, c), expected, atol=1e-12)


class Activations(unittest.TestCase):
    def test_gradients_and_margins_at_kinks(self):
        slope = lambda f: (lambda x: float(jax.grad(lambda v: f(v)[0].sum())(jnp.array([x]))[0]))
        relu6, swish = slope(lambda x: _clip(x, 0.0, 6.0)), slope(_hard_swish)
        self.assertEqual([relu6(x) for x in (-1.0, 0.0, 1.0, 6.0, 7.0)], [0, 0, 1, 0, 0])
        self.assertEqual([swish(x) for x in (-4.0, -3.0, 0.0, 3.0, 4.0)], [0, 0, 0.5, 1, 1])
        self.assertAlmostEqual(float(_hard_swish(jnp.array([1.5]))[0][0]), 1.5 * (1.5 / 6 + 0.5), 12)
        # Near a bound, as a part of the usual size; on it, nothing can move.
        self.assertAlmostEqual(float(_clip(jnp.array([6.001, 6.0, 3.0]), 0.0, 6.0)[1]) * 5.2, 0.001, 3)
        self.assertEqual(float(_clip(jnp.array([6.0, 0.0]), 0.0, 6.0)[1] * jnp.sqrt(18)), 6)

    def test_blocks(self):
        x = jnp.arange(2 * 4 * 6 * 3.0).reshape(2, 4, 6, 3)
        for crd in (False, True):
            deep = _space_to_depth(x, 2, crd)
            # Row 1, column 0 of the block at (1, 2), channel 1.
            self.assertEqual(deep[1, 1, 2, 1 * 4 + 2 if crd else 2 * 3 + 1], x[1, 3, 4, 1])
            np.testing.assert_array_equal(_depth_to_space(deep, 2, crd), x)

    def test_shuffle(self):
        x = jnp.arange(6.0).reshape(1, 1, 1, 6)
        self.assertEqual(_shuffle(x, 2).ravel().tolist(), [0, 3, 1, 4, 2, 5])
        np.testing.assert_array_equal(_shuffle(_shuffle(x, 2), 3), x)


class Networks(unittest.TestCase):
    def test_root_topology_of_nin(self):
        network = load(os.path.join(MODELS, 'nin.mlir'))
        apply_root(network, 8)
        groups = {layer.name: layer.clauses['groups'] for layer in network.layers if layer.op == 'conv2d'}
        self.assertEqual({name for name, g in groups.items() if g > 1}, {'conv2a', 'conv3a'})
        self.assertEqual((groups['conv2a'], groups['conv3a']), (8, 4))

    def test_mended_parameters_are_off_the_kinks(self):
        network = parse("""root.network @n(%image: !root.image<9x9x3>) classes(4) {
            %1 = root.conv2d "a" %image filters(8) kernel(3x3) pad(1)
            %2 = root.batch_norm "b" %1
            %3 = root.relu %2
            %4 = root.max_pool %3 kernel(3x3) stride(2x2)
            %5 = root.concat %2, %1
            %6 = root.relu %5
            %7 = root.global_average_pool %6
            %8 = root.conv2d "c" %7 filters(8) kernel(1x1)
            %9 = root.multiply %4, %8
            %10 = root.linear "d" %9 outputs(4)
            root.output %10
          }""")
        model = Model(network)
        image, labels = make_batch(model, 40, 3)
        parameters, statistics = split(model, make_values(model, 3))
        before = {name: value.copy() for name, value in parameters.items()}
        near = model.gradients(parameters, statistics, image, labels, [])[3]
        mend(model, parameters, statistics, image, [], 3)
        off = model.gradients(parameters, statistics, image, labels, [])[3]
        self.assertLess(near, 1.5e-5)
        self.assertGreater(off, 3e-5)  # a tie of maxima may be a tenth as near as a ReLU
        changed = {name for name, value in before.items() if (parameters[name] != value).any()}
        self.assertLessEqual({'a.bias', 'b.offset'}, changed)
        self.assertLessEqual(changed, {'a.bias', 'b.offset', 'a.filter'})

    def test_few_random_networks_have_each_layer_twice(self):
        self.assertEqual({seed % len(random_networks.THEMES) for seed in random_networks.FEW}, set(range(len(random_networks.THEMES))))
        ops, groups, batches = Counter(), Counter(), Counter()
        for seed in random_networks.FEW:
            text, batch = random_networks.make(seed)
            network = parse(text)
            Model(network)
            batches[batch] += 1
            ops.update({layer.op for layer in network.layers})
            groups.update({layer.clauses['groups'] for layer in network.layers if layer.op == 'conv2d'})
            ops.update({'standardize' for layer in network.layers if layer.clauses.get('standardize')})
        self.assertEqual(set(batches), {1, 5})
        self.assertEqual(set(CLAUSES) | {'standardize'}, set(ops))
        self.assertLessEqual({1, 2, 3, 5}, set(groups))
        self.assertGreaterEqual(min(*ops.values(), *batches.values(), *(groups[n] for n in (1, 2, 3, 5))), 2)


if __name__ == '__main__':
    unittest.main()
