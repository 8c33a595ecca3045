#!/usr/bin/env python3
"""`rootrun covariance` on a compiled network, against numpy on what jax says the layers respond.

    covariance.py ROOTC ROOTRUN SOURCE_DIR [-v]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOTC, ROOTRUN, SOURCE = sys.argv[1:4]
sys.path.insert(0, f"{SOURCE}/test/Gradients")
from check_gradients import make_values, split  # noqa: E402
from files import write_safetensors  # noqa: E402
from jax_model import Model  # noqa: E402
from network_syntax import parse  # noqa: E402

RECORD = 3073
# Maps of 15 x 10 and 7 x 5: no multiples of each other. Another response is added to that of `tail`; `bn1` and the rest are fused away.
NETWORK = """root.network @pair(%image: !root.image<32x32x3>) classes(10) {
  %1 = root.conv2d "first" %image filters(16) kernel(4x3) stride(2x3)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "mix" %3 filters(16) kernel(1x1)
  %5 = root.batch_norm "bn2" %4
  %6 = root.relu %5
  %7 = root.max_pool %6 kernel(3x3) stride(2) rounding(ceil)
  %8 = root.conv2d "grouped" %7 filters(24) kernel(3x3) pad(1) groups(4)
  %9 = root.batch_norm "bn3" %8
  %10 = root.clip %9 min(0) max(6)
  %11 = root.conv2d "deep" %10 filters(12) kernel(1x1)
  %12 = root.conv2d "tail" %11 filters(12) kernel(3x3) pad(1)
  %13 = root.add %12, %11
  %14 = root.concat %13, %7
  %15 = root.conv2d "joined" %14 filters(14) kernel(1x1) groups(2)
  %16 = root.sigmoid %15
  %17 = root.multiply %15, %16
  %18 = root.conv2d "depthwise" %17 filters(14) kernel(3x3) pad(1) groups(14)
  %19 = root.global_average_pool %18
  %20 = root.conv2d "gate" %19 filters(14) kernel(1x1)
  %21 = root.hard_sigmoid %20
  %22 = root.multiply %18, %21
  %23 = root.slice_channels %22 begin(4) end(14)
  %24 = root.channel_shuffle %23 groups(5)
  %25 = root.conv2d "last" %24 filters(12) kernel(1x1) groups(2)
  %26 = root.relu %25
  %27 = root.global_average_pool %26
  %28 = root.linear "fc" %27 outputs(10)
  root.output %28
}
"""
# Where the response of a layer is to be found in the network: behind its batch norm and ReLU, as the next layer reads it.
RESULTS = {"mix": "%6", "max_pool_1": "%7", "grouped": "%10", "deep": "%11", "tail": "%13", "add_1": "%13", "joined": "%17",
           "depthwise": "%18", "gate": "%21", "last": "%26", "fc": "%28"}


def call(*arguments):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=900)


def enlarge(values, axis, size):
    """Each place shows the pixel whose centre is nearest to its own; of two as near, the later."""
    own = values.shape[axis]
    centres, places = (2 * np.arange(own) + 1) * size, (2 * np.arange(size) + 1) * own
    return values.take([own - 1 - np.abs(centres - place)[::-1].argmin() for place in places], axis=axis)


def samples(values, other):
    for axis in 1, 2:
        values = enlarge(values, axis, max(values.shape[axis], other.shape[axis]))
    return values.reshape(-1, values.shape[3])


def covariances(first, second):
    """Plain and whitened."""
    a, b = samples(first, second), samples(second, first)
    a, b = a - a.mean(0), b - b.mean(0)
    plain = a.T @ b / len(a)

    def whitening(x):
        values, vectors = np.linalg.eigh(x.T @ x / len(x))
        return vectors / np.sqrt(values) @ vectors.T

    return plain, whitening(a) @ plain @ whitening(b)


def ratio(matrix, blocks):
    rows, columns = (np.arange(size) * blocks // size for size in matrix.shape)
    inside = rows[:, None] == columns
    return np.abs(matrix[inside]).mean() / np.abs(matrix[~inside]).mean()


class Covariance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        with open(cls.path("pair.mlir"), "w") as file:
            file.write(NETWORK)
        result = call(ROOTC, cls.path("pair.mlir"), "--mode=infer", "--keep-responses", "-o", cls.path("pair.so"))
        if result.returncode:
            raise AssertionError(result.stderr)
        os.mkdir(cls.path("data"))
        with open(f"{SOURCE}/data/cifar10-quick/data_batch_1.bin", "rb") as source:
            records = source.read(RECORD * 75)
        with open(cls.path("data/data_batch_1.bin"), "wb") as file:
            file.write(records)
        pixels = np.frombuffer(records, np.uint8).reshape(-1, RECORD)[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        mean, scale = pixels.mean(0).astype(np.float32), np.float32([50, 60, 70])
        model = Model(parse(NETWORK))
        arrays = make_values(model, 5)
        write_safetensors(cls.path("w.safetensors"), {**arrays, "input.mean": mean, "input.scale": scale})
        values = model.values(*split(model, arrays), (pixels - mean) / scale)
        cls.responses = {name: values[result] for name, result in RESULTS.items()}

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def run_covariance(self, layers, output, *flags, model="pair.so"):
        return call(ROOTRUN, "covariance", self.path(model), "--weights", self.path("w.safetensors"), "--data", self.path("data"),
                    "--layers", layers, "-o", self.path(output), "--json", *flags)

    def measure(self, layers, output, *flags):
        result = self.run_covariance(layers, output, *flags)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout), *(np.load(self.path(f"{output}/{kind}.npy")) for kind in ("plain", "whitened"))

    def test_is_that_of_the_layers_responses(self):
        for first, second, groups in [("mix", "grouped", 4), ("max_pool_1", "grouped", 4), ("grouped", "deep", 1),
                                      ("deep", "tail", 1), ("tail", "joined", 1), ("add_1", "joined", 1), ("joined", "depthwise", 14),
                                      ("depthwise", "gate", 1), ("depthwise", "last", 1), ("last", "fc", 1)]:
            with self.subTest(f"{first},{second}"):
                report, plain, whitened = self.measure(f"{first},{second}", f"{first}-{second}")
                maps = self.responses[first], self.responses[second]
                expected, expected_whitened = covariances(*maps)
                self.assertEqual([layer["shape"] for layer in report["layers"]], [list(values.shape[1:]) for values in maps])
                self.assertEqual([layer["mixed"] for layer in report["layers"]], [name == "tail" for name in (first, second)])
                self.assertEqual(report["samples"], len(samples(*maps)))
                self.assertEqual(plain.shape, expected.shape)
                np.testing.assert_allclose(plain, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
                np.testing.assert_allclose(whitened, expected_whitened, rtol=0, atol=1e-3)
                self.assertLess(max(layer["whitening_error"] for layer in report["layers"]), 1e-7)
                self.assertEqual([layer["constant_channels"] for layer in report["layers"]], [[], []])
                self.assertEqual(report["blocks"], groups)
                for kind, matrix in ("plain", expected), ("whitened", expected_whitened):
                    if groups == 1:
                        self.assertIsNone(report[kind]["ratio"])
                    else:
                        self.assertAlmostEqual(report[kind]["ratio"] / ratio(matrix, groups), 1, places=3)

    def test_groups_show(self):
        report, _, whitened = self.measure("mix,grouped", "groups")
        self.assertEqual(report["blocks_from"], "groups")
        self.assertGreater(report["whitened"]["ratio"], 2)
        other = self.measure("mix,grouped", "other", "--blocks", 2)[0]
        self.assertAlmostEqual(other["whitened"]["ratio"], ratio(whitened, 2), places=5)

    def test_threads_and_batches_change_no_bit(self):
        one, two = (self.measure("mix,grouped", f"bits{i}", "--threads", i, "--batch", 40 * i) for i in (1, 2))
        np.testing.assert_array_equal(one[1], two[1])
        np.testing.assert_array_equal(one[2], two[2])
        self.assertEqual(one[0], two[0])

    def test_other_pairs_are_refused(self):
        for layers, *parts in [
                ("grouped,mix", "not the other way round", "--layers mix,grouped"),
                ("mix,deep", "'deep' does not read 'mix'", "it reads grouped"),
                ("mix,first", "'mix' reads 'first', not the other way round"),
                ("bn1,mix", "'bn1'", "within another layer's kernel, which stores the response of 'first'"),
                ("bn3,deep", "'bn3'", "those that can be read: first, relu_1, mix, relu_2, max_pool_1"),
                ("mix,grouping", "'grouping'", "has no layer of that name")]:
            with self.subTest(layers):
                result = self.run_covariance(layers, "none")
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertRegex(result.stderr, r"\Arootrun: error: [^\n]+\n\Z")
                for part in parts:
                    self.assertIn(part, result.stderr)
        result = self.run_covariance("mix,grouped", "none", "--blocks", 3)
        self.assertIn("--blocks 3: does not divide the 16 channels of 'mix'", result.stderr)
        self.assertFalse(os.path.exists(self.path("none")))

    def test_joined_layers_name_the_remedy(self):
        result = call(ROOTC, self.path("pair.mlir"), "--mode=infer", "-o", self.path("joined.so"))
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.run_covariance("mix,grouped", "none", model="joined.so")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("no response of layer 'mix'", result.stderr)
        self.assertIn("stores the response of 'max_pool_1' (rootc --keep-responses keeps it)", result.stderr)


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
