#!/usr/bin/env python3
"""device_models.py ROOTC ROOTRUN FAKE_DRIVER_DIR NETWORK.mlir [FLAG...]: a network compiled for CUDA, cold.

Training and inference are compiled, in how many seconds of processor time and of the clock is told; then both run on a
driver that computes nothing but checks arguments and launches (FakeCuda.cpp), and a library for inference alone does.
--limit=SECONDS: of the clock, for the first.
"""
import os
import re
import subprocess
import sys
import tempfile
import time


def main():
    rootc, rootrun, fake, network, *flags = sys.argv[1:]
    limit = next((float(flag.split("=")[1]) for flag in flags if flag.startswith("--limit=")), None)
    flags = [flag for flag in flags if not flag.startswith("--limit=")]
    with tempfile.TemporaryDirectory() as folder:
        for mode in "train", "infer":
            library = f"{folder}/{mode}.so"
            before, start = os.times(), time.monotonic()
            subprocess.run([rootc, network, *flags, f"--mode={mode}", "--target=host-cuda", "-o", library], check=True,
                           env={**os.environ, "ROOTC_CACHE": f"{folder}/cache-{mode}"})
            seconds, after = time.monotonic() - start, os.times()
            work = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"{mode}: compiled in {seconds:.1f} s, {work:.1f} s of processors; "
                  f"{os.path.getsize(library) / 2**20:.1f} MiB", flush=True)
            if mode == "train" and limit and seconds > limit:
                sys.exit(f"compiling took more than {limit:.0f} s")
            run = subprocess.run([rootrun, "bench", library, "--batch", "3", "--runs", "1", f"--{mode}"],
                                 stderr=subprocess.PIPE, text=True,
                                 env={**os.environ, "LD_LIBRARY_PATH": fake, "FAKE_CUDA_REPORT": "1",
                                      "FAKE_CUDA_MIB": "16384"})
            print(run.stderr, end="", flush=True)
            if run.returncode or not re.search(r"[1-9]\d* launches, 0 blocks left", run.stderr):
                sys.exit(f"{mode} does not run")


main()
