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

    def normalised(self):
        path = self.path("normalised.safetensors")
        save_tensors(path, {**load_tensors(self.weights), "input.mean": ([32, 32, 3], struct.pack("<f", 100) * 3072),
                            "input.scale": ([3], struct.pack("<3f", 50, 60, 70))})
        return path


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
