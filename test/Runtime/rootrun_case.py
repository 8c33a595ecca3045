"""A test case of rootrun's commands on a model written by hand.

A test is called as TEST.py ROOTRUN fake_model.so DATA [...] [-v]."""
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from tensor_files import save_npy

ROOTRUN, MODEL, DATA = sys.argv[1:4]
with open(ROOTRUN, "rb") as binary:
    code = binary.read()
SANITIZED = any(name in code for name in [b"__asan_init", b"__tsan_init"])


def run(*arguments, **options):
    return subprocess.run([ROOTRUN, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def run_limited(*arguments, stack, memory=2 << 30):
    """The same where each thread's stack takes so many bytes of an address space of so many."""
    def limit():
        resource.setrlimit(resource.RLIMIT_STACK, (stack, resource.getrlimit(resource.RLIMIT_STACK)[1]))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    return run(*arguments, preexec_fn=limit, env={**os.environ, "MALLOC_ARENA_MAX": "1"})


def damaged(good, count):
    """Copies of a file's bytes, each damaged somewhere: a bit, a hole of zeros, an end that is missing."""
    generator = random.Random(7)
    for index in range(count):
        at = generator.randrange(len(good))
        if index % 3 == 0:
            yield good[:at] + bytes([good[at] ^ 1 << generator.randrange(8)]) + good[at + 1:]
        elif index % 3 == 1:
            end = min(len(good), at + generator.choice([64, 4096]))
            yield good[:at] + bytes(end - at) + good[end:]
        else:
            yield good[:at]


class RootrunCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.weights = self.path("w.safetensors")
        self.check(run("init", MODEL, "--seed", 3, "-o", self.weights))

    def path(self, name):
        return os.path.join(self.folder, name)

    def check(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, result, *parts):
        """One line on standard error, exit code 1."""
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"\Arootrun: error: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, result.stderr)

    def images(self, count, name="x.npy"):
        values = [((i * 7919) % 256) / 64 - 2 for i in range(count * 3072)]
        save_npy(self.path(name), "<f4", (count, 32, 32, 3), struct.pack(f"<{len(values)}f", *values))
        return self.path(name)

    def train(self, name, *arguments, **options):
        return run("train", MODEL, "--data", DATA, "--epochs", 2, "--lr", 0.002, "-o", self.path(name), *arguments, **options)

    def metrics(self, name):
        lines = [json.loads(line) for line in open(self.path(f"{name}/metrics.jsonl"))]
        return [{key: value for key, value in line.items() if "second" not in key and key not in ("peak_bytes", "time")} for line in lines]
