#!/usr/bin/env python3
"""The Python package beside rootrun: the same bits.

    python_test.py ROOTRUN SOURCE_DIR [-v]
"""
import contextlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

import rootc

ROOTRUN, SOURCE = sys.argv[1:3]
NETWORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs/small.mlir")
sys.path.insert(0, f"{SOURCE}/test/Runtime")
from tensor_files import load_tensors  # noqa: E402

RECORD = 3073


def address(array):
    return array.__array_interface__["data"][0]


class Python(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.library = cls.path("small.so")
        rootc.compile(NETWORK, root=8, output=cls.library)
        cls.data = cls.path("data")
        os.mkdir(cls.data)
        for name, count in [("data_batch_1.bin", 798), ("test_batch.bin", 50)]:
            with open(f"{SOURCE}/data/cifar10-quick/{name}", "rb") as source, open(f"{cls.data}/{name}", "wb") as file:
                file.write(source.read(RECORD * count))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def setUp(self):
        self.model = rootc.Model(self.library, seed=3)
        self.images = np.random.default_rng(5).standard_normal((6, 32, 32, 3), dtype=np.float32)
        self.labels = np.arange(6)

    def rootrun(self, *arguments):
        done = subprocess.run([ROOTRUN, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def assert_file_equal(self, path, model):
        """The weights of a file and of a model, to the last bit."""
        file, state = load_tensors(path), model.state_dict()
        self.assertEqual(sorted(file), sorted(state))
        for name, (shape, data) in file.items():
            self.assertEqual((name, tuple(shape)), (name, state[name].shape))
            self.assertEqual(data, state[name].tobytes(), name)

    def test_description(self):
        self.assertEqual((self.model.name, self.model.image_shape, self.model.classes), ("small", (32, 32, 3), 10))
        self.assertTrue(self.model.can_train)
        shapes = {layer["name"]: layer["shape"] for layer in json.loads(self.model.description)["graph"]}
        self.assertEqual((shapes["conv3"], shapes["max_pool_1"], shapes["fc"]), ([8, 8, 24], [4, 4, 24], [1, 1, 10]))

    # Computing

    def test_inference_is_that_of_rootrun(self):
        self.model.save(self.path("weights.safetensors"))
        np.save(self.path("images.npy"), self.images)
        self.rootrun("run", self.library, "--weights", self.path("weights.safetensors"), "--input",
                     self.path("images.npy"), "-o", self.path("logits.npy"))
        logits = self.model(self.images)
        self.assertEqual((logits.shape, logits.dtype), ((6, 10), np.float32))
        self.assertEqual(logits.tobytes(), np.load(self.path("logits.npy")).tobytes())
        self.rootrun("init", self.library, "--seed", 3, "-o", self.path("init.safetensors"))
        self.assert_file_equal(self.path("init.safetensors"), self.model)

    def train_both(self, name, flags, epochs, batch, **options):
        self.rootrun("train", self.library, "--data", self.data, "--epochs", epochs, "--batch", batch, "--seed", 3,
                     "-o", self.path(name), *flags)
        data = rootc.Dataset(self.data, self.model)
        test = rootc.Dataset(self.data, self.model, split="test")
        history = self.model.fit(data, test, epochs=epochs, batch=batch, seed=3, progress=False, **options)
        self.assert_file_equal(self.path(f"{name}/weights.safetensors"), self.model)
        with open(self.path(f"{name}/metrics.csv")) as file:
            head, *lines = [line.strip().split(",") for line in file]
        self.assertEqual(len(lines), epochs)
        for mine, line in zip(history, lines):
            for key, value in mine.items():
                self.assertAlmostEqual(value, float(dict(zip(head, line))[key]), places=6, msg=key)

    def test_100_steps_are_those_of_rootrun(self):
        self.train_both("sgd", ["--lr", 0.02], epochs=2, batch=16, lr=0.02)
        self.assertEqual(self.model.class_names, [])

    def test_options_are_those_of_rootrun(self):
        flags = ["--optimizer", "adamw", "--lr", 0.002, "--lr-policy", "cosine", "--warmup", 1, "--clip-norm", 1,
                 "--ema", 0.9, "--lr-factors", "fc=2,*.bias=0.5", "--weight-decay", 0.01, "--augment", "none",
                 "--mixup", 0.3]
        self.train_both("adamw", flags, epochs=2, batch=160, lr=rootc.LearningRate("cosine", lr=0.002, warmup=1),
                        optimizer="adamw", clip_norm=1, ema=0.9, lr_factors="fc=2,*.bias=0.5", weight_decay=0.01,
                        augment="none", mixup=0.3)

    def test_nesterov_and_an_explicit_loop(self):
        self.rootrun("train", self.library, "--data", self.data, "--epochs", 1, "--batch", 200, "--seed", 3,
                     "--nesterov", "--lr-policy", "constant", "--momentum", 0.8, "-o", self.path("loop"))
        data = rootc.Dataset(self.data, self.model)
        self.model.normalise_by(data)
        self.model.begin_training(nesterov=True, momentum=0.8, seed=3)
        batches = data.batches(batch=200, seed=3)
        self.assertEqual((len(data), len(batches)), (798, 4))
        for batch in batches:
            self.model.train_step(batch.images, batch.labels, 0.05, samples=batch.samples, epoch=batch.epoch)
        self.assertEqual(len(batch.labels), 198)
        self.assertEqual(batch.labels.tolist(), data.labels[batch.samples].tolist())
        self.assert_file_equal(self.path("loop/weights.safetensors"), self.model)

    def test_training_lowers_the_loss(self):
        self.model.begin_training()
        losses = [self.model.train_step(self.images, self.labels, 0.01) for _ in range(20)]
        self.assertLess(losses[-1], losses[0] / 2)

    def test_a_mixed_label_is_the_sum_of_two(self):
        def step(labels):
            model = rootc.Model(self.library, seed=3)
            before = {name: values.copy() for name, values in model.state_dict().items()}
            model.begin_training(momentum=0, weight_decay=0)
            loss = model.train_step(self.images, labels, 1.0)
            return np.concatenate([[loss], *(np.ravel(before[name] - values) for name, values in model.state_dict().items())])
        partners, share = self.labels[::-1].copy(), 0.3125
        both = step(self.labels | partners << 21 | int(share * 2**21) << 42)
        expected = (1 - share) * step(self.labels) + share * step(partners)
        self.assertGreater(np.abs(both - step(self.labels)).max(), 0.01)
        np.testing.assert_allclose(both, expected, atol=1e-6 * np.abs(expected).max())
        with self.assertRaisesRegex(rootc.Error, "the label of image 5 is .*; labels are 0 to 9, or mixed of two such"):
            step(self.labels | (self.labels + 5) % 11 << 21 | 1 << 42)
        data = rootc.Dataset(self.data, self.model)
        self.model.normalise_by(data)
        for bad in (0, -1.0, float("nan"), 1e300):
            with self.assertRaisesRegex(ValueError, "mixup is .* and must be greater than 0"):
                data.batches(mixup=bad)

    # Arrays

    def test_arrays_are_used_in_place(self):
        out = np.empty((6, 10), np.float32)
        self.assertIs(self.model(self.images, out=out), out)
        self.assertEqual(out.tobytes(), self.model(self.images).tobytes())
        # Where images and logits share memory that is seen, by their addresses.
        with self.assertRaisesRegex(ValueError, "out overlaps images"):
            self.model(self.images, out=self.images.reshape(-1)[60:120].reshape(6, 10))
        state = self.model.state_dict()["conv2.filter"]
        self.assertEqual(address(state), address(self.model.state_dict()["conv2.filter"]))
        self.assertFalse(state.flags.writeable)
        before = state.copy()
        self.model.begin_training()
        self.model.train_step(self.images, self.labels, 0.1)
        self.assertFalse(np.array_equal(before, state))
        self.assertEqual(address(state), address(self.model.state_dict()["conv2.filter"]))
        del self.model  # the view keeps its memory
        self.assertTrue(np.isfinite(state).all())

    def test_arrays_that_would_have_to_be_copied_are_refused(self):
        for images, kind, text in [
                (self.images.astype(np.float64), TypeError, r"images has dtype float64 .* images.astype\('float32'\)"),
                (self.images[:, ::-1], ValueError, "images is not dense .* numpy.ascontiguousarray"),
                (self.images.transpose(0, 3, 1, 2).copy(), ValueError,
                 r"images has shape \[6,3,32,32\] and must have \[N,32,32,3\]"),
                (self.images[0], ValueError, "images has shape"), ([[1.0]], TypeError, "")]:
            with self.assertRaisesRegex(kind, text):
                self.model(images)
        self.model.begin_training()
        with self.assertRaisesRegex(TypeError, "labels has dtype int32 and must have int64"):
            self.model.train_step(self.images, self.labels.astype(np.int32), 0.1)
        with self.assertRaisesRegex(ValueError, r"labels has shape \[5\] and must have \[6\]"):
            self.model.train_step(self.images, self.labels[:5], 0.1)
        with self.assertRaisesRegex(ValueError, r"out has shape \[6,9\]"):
            self.model(self.images, out=np.empty((6, 9), np.float32))

    def test_the_interpreter_goes_on_meanwhile(self):
        many = np.zeros((20000, 32, 32, 3), np.float32)
        began = time.perf_counter()
        self.model(many)
        took = time.perf_counter() - began
        thread = threading.Thread(target=self.model, args=(many,))
        thread.start()
        last, gap = time.perf_counter(), 0.0
        while thread.is_alive():
            time.sleep(0.001)
            gap, last = max(gap, time.perf_counter() - last), time.perf_counter()
        self.assertLess(gap, took / 2)

    # Weights

    def test_weights_go_out_and_in(self):
        state = {name: values.copy() for name, values in self.model.state_dict().items()}
        other = rootc.Model(self.library, seed=4)
        expected = self.model(self.images)
        self.assertFalse(np.array_equal(other(self.images), expected))
        other.load_state_dict(state)
        self.assertTrue(np.array_equal(other(self.images), expected))
        self.model.save(self.path("round.safetensors"))
        third = rootc.Model(self.library)
        third.load(self.path("round.safetensors"))
        self.assertTrue(np.array_equal(third(self.images), expected))
        self.assert_file_equal(self.path("round.safetensors"), third)

    def test_weights_that_do_not_fit(self):
        state, before = self.model.state_dict(), self.model.state_dict()["conv1.filter"].copy()
        for change, text in [({"conv1.filter": np.zeros((16, 5, 5, 2), np.float32)},
                              r"state_dict: tensor 'conv1.filter' has shape \[16,5,5,2\], and \[16,5,5,3\]"),
                             ({"other.bias": np.zeros(3, np.float32)}, "has a tensor 'other.bias'")]:
            changed = {name: np.zeros_like(values) for name, values in state.items()} | change
            with self.assertRaisesRegex(rootc.Error, text):
                self.model.load_state_dict(changed)
            self.assertTrue(np.array_equal(before, self.model.state_dict()["conv1.filter"]))
        with self.assertRaisesRegex(TypeError, "fc.bias has dtype float64"):
            self.model.load_state_dict({"fc.bias": np.zeros(10)})
        dense = rootc.compile(NETWORK).state_dict()
        with self.assertRaisesRegex(rootc.Error, r"'conv2.filter' has shape .* \(1 groups\)"):
            self.model.load_state_dict(dense)
        with self.assertLogs("rootc", logging.WARNING) as caught:
            self.model.load_state_dict(dense, slice_weights=True)
        self.assertIn("'conv2.filter' cut from [16,3,3,16] to its diagonal blocks", caught.output[0])
        self.assertTrue(np.array_equal(self.model.state_dict()["conv2.filter"][-2:],
                                       dense["conv2.filter"][-2:, :, :, -2:]))

    # Errors

    def test_errors_of_the_network_have_a_place(self):
        with open(self.path("wrong.mlir"), "w") as file:
            file.write("root.network @n(%image: !root.image<8x8x3>) classes(4) {\n"
                       "  %1 = root.conv2d \"c\" %image filters(4) kernel(0x3)\n  root.output %1\n}\n")
        with self.assertRaises(rootc.CompileError) as caught:
            rootc.compile(self.path("wrong.mlir"))
        error = caught.exception
        self.assertEqual((error.file, error.line), (self.path("wrong.mlir"), 2))
        self.assertGreater(error.column, 2)
        self.assertIn("kernel", error.message)
        self.assertTrue(str(error).startswith(f"{error.file}:2:{error.column}: error: {error.message}"))
        self.assertIsInstance(error, rootc.Error)

    def test_errors_without_a_place(self):
        for source, flags, text in [(NETWORK, {"rot": 8}, "--rot"), ("/no/such.mlir", {}, "/no/such.mlir"),
                                    ("/no/such.onnx", {}, "/no/such.onnx"), (NETWORK, {"root": 7}, "conv2")]:
            with self.assertRaisesRegex(rootc.CompileError, text):
                rootc.compile(source, **flags)
        with self.assertRaisesRegex(rootc.Error, "/no/such.so"):
            rootc.Model("/no/such.so")
        with self.assertRaisesRegex(rootc.Error, "/no/such"):
            rootc.Dataset("/no/such", self.model)

    def test_errors_of_training(self):
        with self.assertRaisesRegex(rootc.Error, r"begin_training\(\)"):
            self.model.train_step(self.images, self.labels, 0.1)
        for options, kind, text in [({"optimizer": "adam"}, ValueError, "'sgd' or 'adamw'"),
                                    ({"momentum": float("nan")}, ValueError, "momentum is nan"),
                                    ({"lr_factors": "nothing=2"}, rootc.Error, "'nothing' matches no layer"),
                                    ({"beta3": 1}, TypeError, "beta3")]:
            with self.assertRaisesRegex(kind, text):
                self.model.begin_training(**options)
        self.model.begin_training()
        with self.assertRaisesRegex(rootc.Error, "label"):
            self.model.train_step(self.images, self.labels + 5, 0.1)
        with self.assertRaisesRegex(rootc.Error, "lr is nan"):
            self.model.train_step(self.images, self.labels, float("nan"))
        with self.assertRaisesRegex(rootc.Error, "the loss is nan at step 1"):
            self.model.train_step(np.full_like(self.images, np.nan), self.labels, 0.1)
        infer = rootc.compile(NETWORK, mode="infer")
        self.assertFalse(infer.can_train)
        with self.assertRaisesRegex(rootc.Error, "--mode=infer|without training"):
            infer.begin_training()

    # docs/python.md

    def test_page(self):
        os.symlink(self.data, self.path("images"))
        shutil.copy(NETWORK, self.path("net.mlir"))
        with open(self.path("broken.mlir"), "w") as file:
            file.write("root.network\n")
        with open(f"{SOURCE}/docs/python.md") as file:
            blocks = re.findall(r"^```python\n(.*?)^```", file.read(), re.S | re.M)
        blocks = [block for block in blocks if "import torch" not in block]
        self.assertEqual(len(blocks), 6)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        names = {}
        with contextlib.redirect_stdout(io.StringIO()) as output:
            for block in blocks:
                exec(block, names)
        self.assertRegex(output.getvalue(), r"broken.mlir \d+ \d+ custom op")
        self.assertEqual(names["logits"].shape, (16, 10))

    def test_programs(self):
        done = subprocess.run([sys.executable, "-m", "rootc", "--version"], capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"rootc \d")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
