#!/usr/bin/env python3
"""Libraries whose programs run on a device: on an OpenCL device, and what is said where a device cannot be had.

    device.py ROOTC ROOTRUN SOURCE_DIR FAKE_DRIVER_DIR [-v]

The folder holds a libcuda.so.1 that computes nothing but checks what it is asked for (FakeCuda.cpp).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Runtime"))
from tensor_files import load_tensors  # noqa: E402

ROOTC, ROOTRUN, SOURCE, FAKE = sys.argv[1:5]
NETWORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs/tiny.mlir")
RECORD = 3073


def call(*arguments, **environment):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=900,
                          env={**os.environ, **environment})


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        # Models for the CPU and for a device, in one library; and for one that is not here.
        cls.both = cls.compile("both.so", "host,host-opencl", "--keep-responses")
        cls.cuda = cls.compile("cuda.so", "host-cuda")
        cls.data = cls.path("data")
        os.mkdir(cls.data)
        for name, count in [("data_batch_1.bin", 40), ("test_batch.bin", 20)]:
            with open(f"{SOURCE}/data/cifar10-quick/{name}", "rb") as source, open(f"{cls.data}/{name}", "wb") as file:
                file.write(source.read(RECORD * count))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def compile(cls, name, target, *flags):
        result = call(ROOTC, NETWORK, f"--target={target}", *flags, "-o", cls.path(name))
        if result.returncode:
            raise AssertionError(result.stderr)
        return cls.path(name)

    def rootrun(self, *arguments, **environment):
        result = call(ROOTRUN, *arguments, **environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def refused(self, *arguments, **environment):
        result = call(ROOTRUN, *arguments, **environment)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"\Arootrun: error: [^\n]+\n\Z")
        return result.stderr

    def train(self, name, *flags):
        self.rootrun("train", self.both, "--data", self.data, "--epochs", 2, "--batch", 12, "-o", self.path(name), *flags)
        with open(self.path(f"{name}/metrics.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        return lines, load_tensors(self.path(f"{name}/weights.safetensors"))

    def with_fake(self, *arguments, **settings):
        return call(ROOTRUN, *arguments, LD_LIBRARY_PATH=FAKE, FAKE_CUDA_REPORT="1", **settings)

    def test_trains_as_on_the_cpu_and_the_same_twice(self):
        lines, weights = self.train("device")
        again, same = self.train("again", "--device", 0)
        self.assertEqual(weights, same)
        cpu, _ = self.train("cpu", "--device", "cpu")
        for got, want in zip(lines, cpu):
            for key in "loss", "test_loss":
                self.assertAlmostEqual(got[key], want[key], delta=1e-4 * abs(want[key]))
            self.assertEqual(got["test_accuracy"], want["test_accuracy"])

    def test_other_updates(self):
        for name, flags in {"adamw": ["--optimizer", "adamw", "--lr", 0.001, "--clip-norm", 1, "--ema", 0.9],
                            "nesterov": ["--nesterov"]}.items():
            lines, weights = self.train(f"{name}-device", *flags)
            self.assertEqual(weights, self.train(f"{name}-again", *flags)[1])
            cpu, _ = self.train(f"{name}-cpu", "--device", "cpu", *flags)
            for got, want in zip(lines, cpu):
                for key in "loss", "test_loss":
                    self.assertAlmostEqual(got[key], want[key], delta=1e-3 * abs(want[key]))

    def test_a_run_that_diverges(self):
        message = self.refused("train", self.both, "--data", self.data, "--epochs", 2, "--batch", 12, "--lr", 1e30, "-o",
                               self.path("diverges"))
        self.assertRegex(message, "not finite|the loss is")

    def test_goes_on_where_it_stopped(self):
        self.train("whole")
        self.rootrun("train", self.both, "--data", self.data, "--epochs", 2, "--batch", 12, "-o", self.path("parts"),
                     "--checkpoint-every", 1)
        shutil.copytree(self.path("parts"), self.path("resumed"))
        shutil.move(self.path("resumed/checkpoint.previous.safetensors"), self.path("resumed/checkpoint.safetensors"))
        self.rootrun("train", self.both, "--data", self.data, "--epochs", 2, "--batch", 12, "-o", self.path("resumed"),
                     "--checkpoint-every", 1, "--resume")
        for name in "parts", "resumed":
            self.assertEqual(load_tensors(self.path("whole/weights.safetensors")),
                             load_tensors(self.path(f"{name}/weights.safetensors")))

    def test_responses_are_read(self):
        """While inference runs, from the device's memory."""
        results = []
        for device in "0", "cpu":
            folder = self.path(f"covariance-{device}")
            self.rootrun("covariance", self.both, "--weights", self.weights_of_run(), "--data", self.data, "--split", "test",
                         "--layers", "conv1,conv2", "-o", folder, "--device", device)
            with open(f"{folder}/covariance.json") as file:
                results.append([float(number) for number in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", file.read())])
        self.assertEqual(len(results[0]), len(results[1]))
        self.assertGreater(len(results[0]), 5)
        for got, want in zip(*results):
            self.assertAlmostEqual(got, want, delta=1e-3 * max(1, abs(want)))

    def weights_of_run(self):
        if not os.path.exists(self.path("for-responses")):
            self.train("for-responses", "--device", "cpu")
        return self.path("for-responses/weights.safetensors")

    def test_profile_and_info(self):
        report = json.loads(self.rootrun("profile", self.both, "--batch", 3, "--runs", 1, "--json").stdout)
        self.assertGreater(len(report["calls"]), 3)
        devices = json.loads(self.rootrun("info", self.both, "--json").stdout)["devices"]
        self.assertEqual([device["kind"] for device in devices][:2], ["cpu", "opencl"])
        self.assertEqual([device["problem"] for device in devices][:2], ["", ""])
        text = self.rootrun("info", self.cuda).stdout
        self.assertIn("runs on cuda: cannot: there is no CUDA driver on this machine", text)

    def tune(self, *arguments):
        result = call(os.path.join(os.path.dirname(ROOTC), "rootc-tune"), *arguments, "--db", self.path("tuned.db"))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_schedules_are_tuned_here_and_in_a_bundle(self):
        bundle, flags = self.path("bundle"), [NETWORK, "--target=host-opencl", "--mode=infer", "--batch=2"]
        self.assertIn("10 schedules of", self.tune(*flags, "--trials=10", f"--bundle={bundle}"))
        result = call(f"{bundle}/rootc-time", bundle)
        self.assertEqual(result.returncode, 0, result.stderr)
        taken = self.tune(f"--take={bundle}")
        self.assertRegex(taken, "10 of 10 schedules timed, on .+: faster")
        with open(f"{bundle}/times.jsonl") as file:
            times = [json.loads(line) for line in file]
        self.assertFalse([line for line in times if "error" in line or max(line["difference"]) > 1e-5])
        # Here they are trials of the same device, so of the same search.
        self.assertIn("11 trials", self.tune(*flags, "--trials=11"))
        # Records are the device's, of whatever name.
        shown = call(ROOTC, *flags[:3], f"--tuned={self.path('tuned.db')}", "--emit=mlir")
        self.assertEqual(shown.stderr, "")
        self.assertIn("root.schedule_from = \"record ", shown.stdout)
        self.compile("tuned.so", "host-opencl", "--mode=infer", f"--tuned={self.path('tuned.db')}")
        losses = [json.loads(self.rootrun("eval", self.path(library), "--weights", self.weights_of_run(), "--data", self.data,
                                          "--json").stdout)["loss"] for library in ("both.so", "tuned.so")]
        self.assertAlmostEqual(*losses, delta=1e-5 * losses[0])

    def test_too_little_memory(self):
        message = self.refused("bench", self.both, "--infer", "--batch", 200000, "--runs", 1, POCL_MEMORY_LIMIT="1")
        found = re.search(r"a batch of 200000 images needs (\d+) MiB of the device's memory, and (\d+) MiB can be had; "
                          r"a batch of at most (\d+) fits", message)
        self.assertTrue(found, message)
        needed, room, fits = map(int, found.groups())
        self.assertGreater(needed, room)
        self.rootrun("bench", self.both, "--infer", "--batch", min(fits, 1000), "--runs", 1, POCL_MEMORY_LIMIT="1")

    def test_no_driver(self):
        expected = ("there is no CUDA driver on this machine (libcuda.so.1 cannot be loaded); the model needs a GPU of "
                    "NVIDIA's and its driver: install the driver, or compile the network for the CPU, with --target=host")
        for arguments in (["train", self.cuda, "--data", self.data, "-o", self.path("none")],
                          ["bench", self.cuda],
                          ["eval", self.cuda, "--weights", self.weights_of_run(), "--data", self.data]):
            message = self.refused(*arguments)
            self.assertIn(expected, message)
        self.assertFalse(os.path.exists(self.path("none/weights.safetensors")))

    def test_devices_that_are_not_there(self):
        self.assertRegex(self.refused("bench", self.both, "--device", "7"), "no opencl device 7: this machine has 1")
        self.assertIn("--device=gpu: give cpu, or the number of a device",
                      self.refused("bench", self.both, "--device", "gpu"))
        self.assertIn("--device=cpu: " + self.cuda + " was compiled for cuda devices only; compile the network with "
                      "--target=host,host-cuda", self.refused("bench", self.cuda, "--device", "cpu"))
        # A library for both falls back to the CPU when it is asked to.
        library = self.compile("host-cuda.so", "host,host-cuda")
        self.assertIn("there is no CUDA driver", self.refused("bench", library))
        self.assertIn("--device=cpu runs it on this machine's CPU", self.refused("bench", library))
        self.rootrun("bench", library, "--device", "cpu", "--runs", 1)

    def test_several_cpus_and_devices(self):
        """The best CPU's model comes first, then the devices'; a kind that the machine has goes before."""
        library = self.compile("all.so", "x86-64-linux,host-cuda,host,host-opencl")
        devices = json.loads(self.rootrun("info", library, "--json").stdout)["devices"]
        self.assertEqual([device["kind"] for device in devices][:3], ["cpu", "cuda", "opencl"])
        targets = [json.loads(self.rootrun("info", path, "--json").stdout)["target"] for path in (library, self.both)]
        self.assertEqual(*targets)
        self.rootrun("bench", library, "--runs", 1, "--batch", 3)
        self.rootrun("bench", library, "--runs", 1, "--batch", 3, "--device", "cpu")
        result = self.with_fake("bench", library, "--batch", 5, "--runs", 1)
        self.assertRegex(result.stderr, r"fake CUDA: [1-9]\d* launches, 0 blocks left")

    def test_what_the_driver_is_asked_for(self):
        """The kernels' arguments and the launches are right, nothing is left behind."""
        result = self.with_fake("bench", self.cuda, "--batch", 5, "--runs", 2)
        self.assertEqual(result.returncode, 0, result.stderr)
        launches, left = map(int, re.search(r"fake CUDA: (\d+) launches, (\d+) blocks left", result.stderr).groups())
        self.assertGreater(launches, 50)
        self.assertEqual(left, 0)

    def test_a_driver_that_is_there(self):
        devices = json.loads(self.with_fake("info", self.cuda, "--json").stdout)["devices"]
        self.assertEqual(devices, [{"kind": "cuda", "index": 0, "name": "Fake GPU 0", "memory_bytes": 1 << 30,
                                    "problem": ""}])

    def test_images_go_up_ahead_of_their_step(self):
        """Of batches that are made by then. Kernels compute nothing here."""
        result = self.with_fake("train", self.cuda, "--data", self.data, "--epochs", 2, "--batch", 12, "--loader-threads", 2,
                                "-o", self.path("ahead"))
        self.assertEqual(result.returncode, 0, result.stderr)
        left, ahead, pinned = map(int, re.search(r"(\d+) blocks left, (\d+) copies ahead, (\d+) ranges pinned",
                                                 result.stderr).groups())
        self.assertEqual((left, pinned), (0, 0))
        self.assertGreaterEqual(ahead, 1)

    def test_state_stays_on_the_device(self):
        """Whatever the update is, more steps on the same images copy no state."""
        count = json.loads(self.rootrun("info", self.cuda, "--json").stdout)["parameters"]
        for flags in [], ["--optimizer", "adamw", "--clip-norm", 1, "--ema", 0.9]:
            copied = []
            for batch in 20, 4:
                result = self.with_fake("train", self.cuda, "--data", self.data, "--epochs", 1, "--batch", batch, *flags,
                                        "-o", self.path(f"stays-{batch}-{len(flags)}"))
                self.assertEqual(result.returncode, 0, result.stderr)
                copied.append(int(re.search(r"(\d+) bytes copied", result.stderr).group(1)))
            self.assertLess(copied[1] - copied[0], 4 * count)

    def test_gpus_that_cannot_run_it(self):
        def refused(*arguments, **settings):
            result = self.with_fake(*arguments, **settings)
            self.assertEqual(result.returncode, 1, result.stdout)
            return result.stderr
        self.assertIn("Fake GPU 0: is of compute capability 7.5, and the model was compiled for 8.0",
                      refused("bench", self.cuda, FAKE_CUDA_CAPABILITY="75"))
        self.assertIn("this machine has no cuda device", refused("bench", self.cuda, FAKE_CUDA_DEVICES="0"))
        self.assertRegex(refused("bench", self.cuda, "--infer", "--batch", "4000", FAKE_CUDA_MIB="40"),
                         r"infer: a batch of 4000 images needs \d+ MiB of the device's memory, and 3\d MiB can be had; a "
                         r"batch of at most \d+ fits")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
