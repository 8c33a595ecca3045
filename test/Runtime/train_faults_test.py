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
        """A run of five hundred steps an epoch, past its first."""
        process = subprocess.Popen([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "2", "--lr", "0.002", "--batch", "10",
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

    def normalised(self):
        path = self.path("normalised.safetensors")
        save_tensors(path, {**load_tensors(self.weights), "input.mean": ([32, 32, 3], struct.pack("<f", 100) * 3072),
                            "input.scale": ([3], struct.pack("<3f", 50, 60, 70))})
        return path


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
