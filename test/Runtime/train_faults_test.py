#!/usr/bin/env python3
"""rootrun train where something goes wrong: numbers that are not finite, divergence, a full disk, signals, closed streams.

    train_faults_test.py ROOTRUN fake_model.so DATA [-v]
"""
import glob
import json
import math
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time
import unittest

from rootrun_case import DATA, MODEL, ROOTRUN, RootrunCase, run
from tensor_files import load_tensors, save_tensors


def limit_files(size):
    """For preexec_fn: no file may have more bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class TrainFaults(RootrunCase):
    def assert_finite(self, path):
        for name, (_, data) in load_tensors(path).items():
            self.assertTrue(all(map(math.isfinite, struct.unpack(f"<{len(data) // 4}f", data))), name)

    def start(self, name, *arguments, **options):
        """A run of 2,500 steps an epoch, in its first."""
        process = subprocess.Popen([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "2", "--lr", "0.002", "--batch", "2",
                                    "-o", self.path(name), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        while not os.path.exists(self.path(f"{name}/metrics.jsonl")):
            time.sleep(0.001)
        time.sleep(0.05)
        return process

    def test_numbers_are_finite(self):
        for flag in ["--lr", "--lr-gamma", "--lr-power", "--momentum", "--weight-decay"]:
            for value in ["nan", "inf", "-inf", "-1", "1e39", "1e400", "x", ""]:
                result = self.train("run", f"{flag}={value}")
                self.refused(result, f"{flag}: '{value}' is not a number of at least 0, and finite as a float" if value else flag)
                self.assertLess(len(result.stderr), 200)
            self.assertFalse(os.path.exists(self.path("run")))
        for value in ["0", "-0.2", "nan", "inf", "1e39", "1e-60", "x"]:
            self.refused(self.train("run", f"--mixup={value}"), f"--mixup: '{value}' is not a number greater than 0, and finite as a float")
        for value in ["nan", "-0.1", "1.5", "inf"]:
            self.refused(run("covariance", MODEL, "--weights", self.weights, "--data", DATA, "--layers", "cells,fc", "-o", self.path("c"),
                             f"--epsilon={value}"), f"--epsilon: '{value}' is not a number from 0 to 1")
        self.check(self.train("zero", "--lr", 0, "--momentum", 0, "--weight-decay", "0.0"))

    def test_version(self):
        self.assertRegex(self.check(run("--version")), r"\Arootrun \d+\.\d+\.\d+ \(ABI \d+\)\n\Z")

    def test_divergence_is_no_success(self):
        # The loss of the only step is finite; what the step leaves is not.
        once = ["--batch", 5000, "--lr-policy", "constant"]
        result = self.train("first", *once, "--epochs", 1, "--lr", 3e38)
        self.refused(result, "the test loss is", "after epoch 1: the response of 'fc' holds ", "begin another run with a smaller --lr\n")
        self.assertEqual(open(self.path("first/metrics.jsonl")).read(), "")
        self.assertEqual(glob.glob(self.path("first/*.safetensors*")), [])
        self.assertIn("the test loss is", open(self.path("first/log")).read())
        # A good epoch, and one that diverges.
        drop = ["--batch", 5000, "--lr", 1, "--lr-policy", "multistep", "--lr-milestones", 1, "--lr-gamma", 1e38]
        checkpoint = self.path("second/checkpoint.safetensors")
        for more in [["--overwrite"], ["--resume"]]:
            self.refused(self.train("second", *drop, *more), "the test loss is", "after epoch 2: the response of 'fc' holds ",
                         f"(the last good checkpoint is {checkpoint}, which its --weights can be)")
            self.assert_finite(checkpoint)
            self.assertFalse(os.path.exists(self.path("second/weights.safetensors")))
            self.assertEqual(len(self.metrics("second")), 1)
        report = json.loads(self.check(run("report", self.path("second"), "--json")))
        self.assertEqual(report["runs"][0]["status"], "not finished")
        self.check(self.train("third", "--weights", checkpoint))
        self.assert_finite(self.path("third/weights.safetensors"))

    def test_divergence_that_the_loss_does_not_tell(self):
        # The velocity overflows in the third step, and 0 times it is NaN; each loss so far is finite.
        result = self.train("run", "--lr", 0, "--momentum", 3e38, "--batch", 1250, "--checkpoint-every", 1)
        self.refused(result, "the weights are not finite after epoch 1, step 3: 'fc.weight' holds nan; ", self.path("run/checkpoint.safetensors"))
        self.assert_finite(self.path("run/checkpoint.safetensors"))
        self.refused(self.train("loss", "--lr", 0, "--momentum", 3e38, "--batch", 1250), "the loss is nan at epoch 1, step 4", "'fc.weight' holds nan")

    def test_rates_that_overflow(self):
        # 0 times an infinite factor.
        result = self.train("run", "--batch", 5000, "--lr-policy", "step", "--lr-every", 1, "--lr", 0, "--lr-gamma", 3e38, "--epochs", 12)
        self.refused(result, "the learning rate is nan at epoch 10, step 1", "--lr-gamma")

    def test_weights_that_are_not_finite(self):
        tensors = load_tensors(self.weights)
        for name, value in [("fc.bias", math.nan), ("fc.variance", math.inf), ("input.mean", math.nan)]:
            bad = {**tensors, "input.mean": ([32, 32, 3], bytes(12288)), "input.scale": ([3], struct.pack("<3f", 1, 1, 1))}
            shape, data = bad[name]
            bad[name] = shape, data[:-4] + struct.pack("<f", value)
            save_tensors(self.path("bad.safetensors"), bad)
            self.refused(self.train("run", "--weights", self.path("bad.safetensors")), "bad.safetensors", name, f"holds {value}")
            self.assertEqual(glob.glob(self.path("run/*.safetensors*")), [])

    def test_full_disk(self):
        self.check(self.train("whole"))
        # A checkpoint is some 260 kB.
        result = self.train("run", preexec_fn=limit_files(100_000))
        self.refused(result, self.path("run/checkpoint.safetensors: cannot be written: File too large; raise the limit"), "(ulimit -f)\n")
        self.assertEqual(glob.glob(self.path("run/*partial*")), [])
        self.assertIn("checkpoint.safetensors: cannot be written", open(self.path("run/log")).read())
        result = self.train("run", "--resume", "--checkpoint-every", 5, "--epochs", 1)
        self.check(result)
        # The log's failure is told in our words, once, and does not hide what comes later.
        os.mkdir(self.path("full"))
        os.symlink("/dev/full", self.path("full/log"))
        log = f"rootrun: {self.path('full/log')}: cannot be written: No space left on device; make room there; the run goes on without these lines\n"
        result = self.train("full", preexec_fn=limit_files(100_000))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, rf"\A{re.escape(log)}rootrun: error: [^\n]*/full/checkpoint.safetensors: cannot be written: File too large[^\n]*\n\Z")
        result = self.train("full", "--resume", "--checkpoint-every", 20)
        self.check(result)
        self.assertEqual(result.stderr, log)
        self.assertEqual(load_tensors(self.path("full/weights.safetensors")), load_tensors(self.path("whole/weights.safetensors")))

    def test_full_disk_after_a_checkpoint(self):
        # Limits a run that is under way: the first epoch's files fit, the second's do not.
        process = self.start("run")
        while not os.path.exists(self.path("run/checkpoint.safetensors")):
            time.sleep(0.001)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
        error = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1, error)
        self.assertIn(f"{self.path('run/checkpoint.safetensors')}: cannot be written: File too large", error)
        self.assertIn(f"then go on from the last checkpoint with --resume -o {self.path('run')}\n", error)
        self.assertEqual(len(self.metrics("run")), 2)
        self.check(self.train("run", "--batch", 2, "--resume"))
        self.assertEqual(len(self.metrics("run")), 2)
        self.assert_finite(self.path("run/weights.safetensors"))

    def test_signals(self):
        self.check(self.train("whole", "--batch", 2))
        for kind, code in [(signal.SIGHUP, 129), (signal.SIGPIPE, 141)]:
            name = f"run{code}"
            process = self.start(name)
            if kind == signal.SIGPIPE:
                process.stdout.close()
                process.wait(timeout=60)
            else:
                process.send_signal(kind)
                process.send_signal(kind)
                self.assertIn("go on with --resume", process.communicate(timeout=60)[0])
            self.assertEqual(process.returncode, code)
            self.check(self.train(name, "--batch", 2, "--resume"))
            self.assertEqual(load_tensors(self.path(f"{name}/weights.safetensors")), load_tensors(self.path("whole/weights.safetensors")))
        process = self.start("nohup", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        self.assertIn("test accuracy", process.communicate(timeout=60)[0])
        self.assertEqual(process.returncode, 0)
        # What a shell starts in the background ignores SIGINT; a kill -INT is meant.
        process = self.start("background", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)

    def test_closed_streams(self):
        for streams in [[1], [2], [0, 1, 2]]:
            name = "closed" + "".join(map(str, streams))
            result = subprocess.run([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "1", "--lr", "0.002", "--batch", "1000", "-o", self.path(name)],
                                    stdout=subprocess.DEVNULL, preexec_fn=lambda: [os.close(stream) for stream in streams], timeout=120)
            self.assertEqual(result.returncode, 0)
            self.assertRegex(open(self.path(f"{name}/lock")).read(), r"\A\d+\n\Z")
            self.assertEqual(len(self.metrics(name)), 1)
            self.assertIn("epoch 1/1", open(self.path(f"{name}/log")).read())

    def test_standard_output_that_is_full(self):
        # More than what stdio keeps back until the end, and less.
        for count in [300, 1]:
            with open("/dev/full", "w") as full:
                result = subprocess.run([ROOTRUN, "predict", MODEL, "--weights", self.normalised(), "--input", self.images(count), "--top", "10"],
                                        stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
            self.assertRegex(result.stderr, "rootrun: error: (standard output cannot be written|cannot write)")
        for flag in ["--help", "--version"]:
            with open("/dev/full", "w") as full:
                result = subprocess.run([ROOTRUN, flag], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual((result.returncode, result.stderr), (1, "rootrun: error: standard output cannot be written\n"))

    def normalised(self):
        path = self.path("normalised.safetensors")
        save_tensors(path, {**load_tensors(self.weights), "input.mean": ([32, 32, 3], struct.pack("<f", 100) * 3072),
                            "input.scale": ([3], struct.pack("<3f", 50, 60, 70))})
        return path

    def test_memory_is_planned_for_images_that_exist(self):
        def planned(*arguments):
            return float(re.search(r"memory, as planned: (\d+) MiB", self.check(self.train("run", "--overwrite", *arguments))).group(1))
        # What the process itself holds may differ by some pages.
        self.assertAlmostEqual(planned("--batch", 100_000, "--epochs", 1), planned("--batch", 5000, "--epochs", 1), delta=2)

    def test_normalisation_of_weights_is_kept(self):
        weights = self.normalised()
        line = f"images are normalised by input.mean and input.scale of {weights}"
        self.assertIn(line, self.check(self.train("run", "--weights", weights)))
        self.assertNotIn("images are normalised", self.check(self.train("plain", "--weights", self.weights)))
        expected, found, measured = (load_tensors(path) for path in (weights, self.path("run/weights.safetensors"), self.path("plain/weights.safetensors")))
        for name in ["input.mean", "input.scale"]:
            self.assertEqual(found[name], expected[name])
            self.assertNotEqual(measured[name], expected[name])
        # Half of it says nothing.
        save_tensors(weights, {name: value for name, value in expected.items() if name != "input.scale"})
        self.assertIn("has input.mean alone", self.check(self.train("half", "--weights", weights)))
        half = load_tensors(self.path("half/weights.safetensors"))
        for name in ["input.mean", "input.scale"]:
            self.assertEqual(half[name], measured[name])


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
