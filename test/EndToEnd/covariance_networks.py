#!/usr/bin/env python3
"""`rootrun covariance` for every two adjacent layers of networks of other shapes, against numpy on what jax says they respond.

    covariance_networks.py ROOTC ROOTRUN SOURCE_DIR [-v]
"""
import json
import os
import shutil
import tempfile
import unittest

import covariance as base
import numpy as np

# Maps are small so that many pairs are quick; each ends in a `linear` over a global average pool.
NETWORKS = {
    # Bottlenecks with a projection and an identity for shortcuts.
    "residual": """
  %1 = root.conv2d "stem" %image filters(12) kernel(5x5) stride(3) pad(2) no_bias
  %2 = root.batch_norm "bn" %1
  %3 = root.relu %2
  %4 = root.max_pool %3 kernel(3x3) stride(2) rounding(ceil)
  %5 = root.conv2d "a.reduce" %4 filters(8) kernel(1x1) no_bias
  %6 = root.batch_norm "a.bn1" %5
  %7 = root.relu %6
  %8 = root.conv2d "a.spatial" %7 filters(8) kernel(3x3) pad(1) groups(4) no_bias
  %9 = root.batch_norm "a.bn2" %8
  %10 = root.relu %9
  %11 = root.conv2d "a.expand" %10 filters(20) kernel(1x1) no_bias
  %12 = root.batch_norm "a.bn3" %11
  %13 = root.conv2d "a.shortcut" %4 filters(20) kernel(1x1) no_bias
  %14 = root.batch_norm "a.bn4" %13
  %15 = root.add %12, %14
  %16 = root.relu %15
  %17 = root.conv2d "b.reduce" %16 filters(8) kernel(1x1) stride(2)
  %18 = root.relu %17
  %19 = root.conv2d "b.spatial" %18 filters(8) kernel(3x3) pad(1) groups(2)
  %20 = root.relu %19
  %21 = root.conv2d "b.expand" %20 filters(20) kernel(1x1)
  %22 = root.max_pool %16 kernel(1x1) stride(2)
  %23 = root.add %21, %22
  %24 = root.relu %23""",
    # Batch norm and ReLU before the convolutions.
    "preactivation": """
  %1 = root.conv2d "stem" %image filters(12) kernel(3x3) stride(3) no_bias
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "a.one" %3 filters(12) kernel(3x3) pad(1) groups(3) no_bias
  %5 = root.batch_norm "bn2" %4
  %6 = root.relu %5
  %7 = root.conv2d "a.two" %6 filters(12) kernel(1x1) no_bias
  %8 = root.add %7, %1
  %9 = root.batch_norm "bn3" %8
  %10 = root.relu %9
  %11 = root.conv2d "b.one" %10 filters(12) kernel(3x3) pad(1) groups(2) no_bias
  %12 = root.batch_norm "bn4" %11
  %13 = root.relu %12
  %14 = root.conv2d "b.two" %13 filters(12) kernel(1x1) no_bias
  %15 = root.add %14, %8
  %16 = root.batch_norm "bn5" %15
  %17 = root.relu %16""",
    # Branches of all kinds, joined, and pools between two of them.
    "inception": """
  %1 = root.conv2d "stem" %image filters(12) kernel(5x5) stride(3)
  %2 = root.relu %1
  %3 = root.local_response_norm %2
  %4 = root.conv2d "one" %3 filters(5) kernel(1x1)
  %5 = root.relu %4
  %6 = root.conv2d "three.reduce" %3 filters(6) kernel(1x1)
  %7 = root.relu %6
  %8 = root.conv2d "three" %7 filters(8) kernel(3x3) pad(1) groups(2)
  %9 = root.relu %8
  %10 = root.max_pool %3 kernel(3x3) stride(1) pad(1)
  %11 = root.conv2d "pool" %10 filters(7) kernel(1x1)
  %12 = root.relu %11
  %13 = root.concat %5, %9, %12
  %14 = root.average_pool %13 kernel(3x3) stride(2) rounding(ceil)
  %15 = root.conv2d "next" %14 filters(10) kernel(1x1)
  %16 = root.relu %15
  %17 = root.conv2d "joined" %16 filters(10) kernel(3x3) stride(2) groups(5)
  %18 = root.relu %17
  %19 = root.conv2d "stacked" %13 filters(6) kernel(3x3) stride(2) groups(2)
  %20 = root.max_pool %19 kernel(2x2) stride(2)
  %21 = root.concat %18, %20
  %22 = root.dropout %21 rate(0.4)
  %23 = root.conv2d "dropped" %22 filters(6) kernel(1x1)""",
    # An inverted residual with a gate over its channels.
    "gated": """
  %1 = root.conv2d "stem" %image filters(8) kernel(3x3) stride(3)
  %2 = root.hard_swish %1
  %3 = root.conv2d "expand" %2 filters(16) kernel(1x1)
  %4 = root.clip %3 min(0) max(6)
  %5 = root.conv2d "depthwise" %4 filters(16) kernel(3x3) pad(1) groups(16)
  %6 = root.sigmoid %5
  %7 = root.multiply %5, %6
  %8 = root.global_average_pool %7
  %9 = root.conv2d "squeeze" %8 filters(6) kernel(1x1)
  %10 = root.relu %9
  %11 = root.conv2d "excite" %10 filters(16) kernel(1x1)
  %12 = root.hard_sigmoid %11
  %13 = root.multiply %7, %12
  %14 = root.conv2d "project" %13 filters(8) kernel(1x1)
  %15 = root.add %14, %2
  %16 = root.conv2d "spot" %15 filters(1) kernel(1x1)
  %17 = root.sigmoid %16
  %18 = root.multiply %15, %17
  %19 = root.conv2d "after" %18 filters(12) kernel(3x3) groups(4)""",
    # Halves, shuffled.
    "shuffled": """
  %1 = root.conv2d "stem" %image filters(12) kernel(4x4) stride(4)
  %2 = root.relu %1
  %3 = root.slice_channels %2 begin(0) end(6)
  %4 = root.slice_channels %2 begin(6) end(12)
  %5 = root.conv2d "mix" %4 filters(6) kernel(1x1) groups(2)
  %6 = root.relu %5
  %7 = root.conv2d "depthwise" %6 filters(6) kernel(3x3) pad(1) groups(6)
  %8 = root.concat %3, %7
  %9 = root.channel_shuffle %8 groups(2)
  %10 = root.conv2d "grouped" %9 filters(9) kernel(1x1) groups(3)
  %11 = root.relu %10""",
}
# Pairs that show their groups as blocks.
BLOCKS = {("a.reduce", "a.spatial"): 4, ("b.reduce", "b.spatial"): 2, ("stem", "a.one"): 3, ("a.two", "b.one"): 2, ("stem", "b.one"): 2,
          ("stem", "after"): 4, ("next", "joined"): 5, ("three.reduce", "three"): 2, ("expand", "depthwise"): 16, ("project", "after"): 4, ("mix", "depthwise"): 6}
IMAGES = 60


def labels(network):
    """A name for each result: the layer's own, or its kind and number."""
    names, counts = {}, {}
    for layer in network.layers:
        if layer.name is None:
            counts[layer.op] = counts.get(layer.op, 0) + 1
        names[layer.result] = layer.name or f"{layer.op}_{counts[layer.op]}"
    return names


def folded(network):
    """Results that inference computes behind a convolution, by the convolution's: of the batch norm that alone reads it."""
    readers = {}
    for layer in network.layers:
        for operand in layer.operands:
            readers.setdefault(operand, []).append(layer)
    convolutions = [layer.result for layer in network.layers if layer.op == "conv2d"]
    return {result: readers[result][0].result for result in convolutions
            if [reader.op for reader in readers[result]] == ["batch_norm"]}


def adjacent(network):
    """Pairs of layers with weights, the second of which reads the first through layers without; and which of them each result
    is computed from, by the result's label."""
    reads, pairs, names = {network.argument: set()}, [], labels(network)
    for layer in network.layers:
        below = set().union(*(reads[operand] for operand in layer.operands))
        if layer.op in ("conv2d", "linear"):
            pairs += [(first, layer.name) for first in sorted(below)]
            below = {layer.name}
        reads[layer.result] = below
    return pairs, {names[result]: below for result, below in reads.items() if result in names}


def spread(values):
    """The smallest variance of a direction over the largest."""
    flat = values.reshape(-1, values.shape[3])
    eigenvalues = np.linalg.eigvalsh(np.cov(flat.T).reshape(flat.shape[1], -1))
    return eigenvalues[0] / eigenvalues[-1]


class Networks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.mkdir(f"{cls.folder}/data")
        with open(f"{base.SOURCE}/data/cifar10-quick/data_batch_1.bin", "rb") as source:
            records = source.read(base.RECORD * IMAGES)
        with open(f"{cls.folder}/data/data_batch_1.bin", "wb") as file:
            file.write(records)
        cls.pixels = np.frombuffer(records, np.uint8).reshape(IMAGES, base.RECORD)[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)

    def check_network(self, name):
        body = NETWORKS[name]
        last = body.split("=")[-2].split()[-1]
        text = (f"root.network @{name}(%image: !root.image<32x32x3>) classes(10) {{{body}\n  %end1 = root.global_average_pool {last}\n"
                f'  %end2 = root.linear "fc" %end1 outputs(10)\n  root.output %end2\n}}\n')
        path = f"{self.folder}/{name}"
        with open(f"{path}.mlir", "w") as file:
            file.write(text)
        result = base.call(base.ROOTC, f"{path}.mlir", "--mode=infer", "--keep-responses", "-o", f"{path}.so")
        self.assertEqual(result.returncode, 0, result.stderr)
        network = base.parse(text)
        model = base.Model(network)
        arrays = base.make_values(model, 3)
        mean, scale = self.pixels.mean(0).astype(np.float32), np.float32([50, 60, 70])
        base.write_safetensors(f"{path}.safetensors", {**arrays, "input.mean": mean, "input.scale": scale})
        values = model.values(*base.split(model, arrays), (self.pixels - mean) / scale)
        behind = folded(network)
        responses = {label: values[behind.get(result, result)] for result, label in labels(network).items() if result in values}
        pairs, computed_from = adjacent(network)
        self.assertGreaterEqual(len(pairs), 5)
        for first, second in pairs:
            with self.subTest(f"{name}: {first},{second}"):
                self.check_pair(path, first, second, responses, computed_from)

    def check_pair(self, path, first, second, responses, computed_from):
        result = base.call(base.ROOTRUN, "covariance", f"{path}.so", "--weights", f"{path}.safetensors", "--data",
                           f"{self.folder}/data", "--layers", f"{first},{second}", "-o", f"{path}.out", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = json.loads(result.stdout)
        maps = [responses[layer["value_of"]] for layer in report["layers"]]
        for layer in report["layers"]:
            self.assertEqual(layer["mixed"], computed_from[layer["value_of"]] != {layer["name"]})
        self.assertEqual([layer["shape"] for layer in report["layers"]], [list(values.shape[1:]) for values in maps])
        self.assertEqual(report["blocks"], BLOCKS.get((first, second), 1))
        plain, whitened = (np.load(f"{path}.out/{kind}.npy") for kind in ("plain", "whitened"))
        expected, expected_whitened = base.covariances(*maps)
        np.testing.assert_allclose(plain, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        # A linear layer of fewer inputs than outputs varies in fewer directions: nothing to compare with.
        if min(map(spread, maps)) > 1e-6:
            np.testing.assert_allclose(whitened, expected_whitened, rtol=0, atol=1e-3)
        if report["blocks"] > 1:
            self.assertAlmostEqual(report["plain"]["ratio"] / base.ratio(expected, report["blocks"]), 1, places=3)


for _name in NETWORKS:
    setattr(Networks, f"test_{_name}", lambda self, name=_name: self.check_network(name))

if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=base.sys.argv[:1] + base.sys.argv[4:])
