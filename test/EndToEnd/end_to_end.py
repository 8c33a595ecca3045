#!/usr/bin/env python3
"""From models/nin.mlir to a trained network: what needs compiler and runtime together.

    end_to_end.py ROOTC ROOTRUN SOURCE_DIR [-v]
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Runtime"))
from tensor_files import load_tensors  # noqa: E402

ROOTC, ROOTRUN, SOURCE = sys.argv[1:4]
RECORD = 3073


def call(*arguments, **options):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=900, **options)


class EndToEnd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.model = cls.compile("nin8.so", "--root=8")
        cls.data = cls.path("data")
        os.mkdir(cls.data)
        for name, count in [("data_batch_1.bin", 130), ("test_batch.bin", 50)]:
            with open(f"{SOURCE}/data/cifar10-quick/{name}", "rb") as source, open(f"{cls.data}/{name}", "wb") as file:
                file.write(source.read(RECORD * count))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def compile(cls, name, *flags):
        result = call(ROOTC, f"{SOURCE}/models/nin.mlir", *flags, "-o", cls.path(name))
        if result.returncode:
            raise AssertionError(result.stderr)
        return cls.path(name)

    def rootrun(self, *arguments):
        result = call(ROOTRUN, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, *arguments, **options):
        result = call(ROOTRUN, *arguments, **options)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"\Arootrun: error: [^\n]+\n\Z")
        return result.stderr

    def train(self, name, *flags):
        self.rootrun("train", self.model, "--data", self.data, "--epochs", 2, "--batch", 32, "-o", self.path(name), *flags)
        return load_tensors(self.path(f"{name}/weights.safetensors"))

    def test_same_bits_at_any_thread_count(self):
        weights = self.train("one", "--threads", 1)
        self.assertEqual(weights, self.train("two", "--threads", 2))
        self.assertEqual(weights, self.train("three", "--threads", 3, "--loader-threads", 2))
        self.assertNotEqual(weights, self.train("seed", "--seed", 1))

    def test_trained_weights_are_evaluated_alike(self):
        self.train("evaluated")
        lines = [json.loads(line) for line in open(self.path("evaluated/metrics.jsonl"))]
        weights = self.path("evaluated/weights.safetensors")
        # The inference library has no backward, and folds batch norm, too.
        for model in self.model, self.compile("infer.so", "--root=8", "--mode=infer"):
            report = json.loads(self.rootrun("eval", model, "--weights", weights, "--data", self.data, "--json"))
            self.assertAlmostEqual(report["accuracy"], lines[-1]["test_accuracy"])
            self.assertAlmostEqual(report["loss"], lines[-1]["test_loss"], places=5)
        self.assertIn("--mode=infer", self.refused("train", self.path("infer.so"), "--data", self.data, "-o", self.path("none")))

    def test_dense_weights_in_a_grouped_network(self):
        dense, weights, sliced = self.compile("nin.so"), self.path("dense.safetensors"), self.path("sliced")
        self.rootrun("init", dense, "-o", weights)
        flags = ["train", self.model, "--data", self.data, "--epochs", 1, "--weights", weights, "-o", sliced]
        message = self.refused(*flags)
        self.assertIn("'conv2a.filter'", message)
        self.assertIn("--slice-weights", message)
        output = self.rootrun(*flags, "--slice-weights", "--lr", 0)
        self.assertIn("'conv2a.filter' cut from [192,5,5,96] to its diagonal blocks, [192,5,5,12]", output)
        whole, kept = load_tensors(weights)["conv2a.filter"][1], load_tensors(f"{sliced}/weights.safetensors")["conv2a.filter"][1]
        # Filter 191 is of the last group: channels 84 to 95 of its last tap.
        self.assertEqual(kept[-12 * 4:], whole[-12 * 4:])
        self.assertEqual(kept[:12 * 4], whole[:12 * 4])

    def test_damaged_libraries(self):
        with open(self.model, "rb") as file:
            good = file.read()
        for size in 0, 100, 4096, len(good) // 2, len(good) - 1:
            with open(self.path("cut.so"), "wb") as file:
                file.write(good[:size])
            self.assertIn("cut.so: is ", self.refused("info", self.path("cut.so")))
        note = good.index(b"rootc\0\0\0") + 8
        with open(self.path("old.so"), "wb") as file:
            file.write(good[:note] + b"\x63" + good[note + 1:])
        self.assertIn("ABI version 99", self.refused("info", self.path("old.so")))
        # Each bit counts, of code, tables and weights' names alike.
        for index in range(60):
            at = len(good) * index // 60 + index
            with open(self.path("bad.so"), "wb") as file:
                file.write(good[:at] + bytes([good[at] ^ 1 << index % 8]) + good[at + 1:])
            self.assertIn("bad.so: is ", self.refused("info", self.path("bad.so")))

    def test_kernel_threads_that_cannot_start(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))
            resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        message = self.refused("bench", self.model, "--threads", 500, preexec_fn=limit)
        self.assertRegex(message, r"500 threads cannot be started, only [12]\d\d; ask for fewer with --threads or ROOTC_THREADS")

    def test_measuring(self):
        report = json.loads(self.rootrun("profile", self.model, "--train", "--batch", 4, "--runs", 1, "--json"))
        labels = " ".join(entry["label"] for entry in report["calls"])
        for label in "conv1a forward", "conv2a backward filter":
            self.assertIn(label, labels)
        self.assertIn("sgd", labels)
        info = json.loads(self.rootrun("info", self.model, "--json"))
        self.assertEqual(info["parameters"], 317770)
        # Calls count as --emit=cost does, which adds a bias once.
        report = json.loads(self.rootrun("profile", self.model, "--batch", 2, "--runs", 1, "--json"))
        biases = sum(tensor["shape"][0] for tensor in info["tensors"] if tensor["role"] == "bias")
        self.assertEqual(report["multiply_adds"], 2 * (info["description"]["macs"] - biases))
        self.assertGreater(json.loads(self.rootrun("bench", self.model, "--infer", "--json"))["infer"]["median_ms"], 0)


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
