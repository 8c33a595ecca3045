#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ptx.py ROOTC NETWORK.mlir [FLAG...]: the PTX of a network's programs, assembled for several GPUs.

With no limit given, as drivers assemble it: every kernel has 128 registers at most, so that two blocks of 256 threads have
place, spills none, and has 48 KB of shared memory at most.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def ptxas():
    """Of an installed toolkit, or of the tests' Python packages."""
    packages = pathlib.Path(__file__).resolve().parents[2] / ".venv/lib"
    candidates = ["/usr/local/cuda/bin/ptxas", *packages.glob("*/site-packages/nvidia/cu13/bin/ptxas")]
    return next((str(path) for path in candidates if pathlib.Path(path).exists()), shutil.which("ptxas") or "ptxas")


def main():
    rootc, network, *flags = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        module = f"{folder}/network.ptx"
        subprocess.run([rootc, network, *flags, "--target=host-cuda", "-o", module], check=True)
        for gpu in ["sm_80", "sm_86", "sm_90"]:
            command = [ptxas(), "-v", f"-arch={gpu}", module, "-o", f"{folder}/network.cubin"]
            run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
            report = run.stderr
            if run.returncode != 0:
                sys.exit(f"{gpu}: {report}")
            kernels = report.count("Compiling entry function")
            spills = [int(n) for n in re.findall(r"(\d+) bytes spill", report)]
            shared = [int(n) for n in re.findall(r"(\d+) bytes smem", report)]
            registers = [int(n) for n in re.findall(r"Used (\d+) registers", report)]
            assert kernels > 0 and len(registers) == kernels, report
            assert max(spills) == 0, f"{gpu}: a kernel spills registers\n{report}"
            assert max(registers) <= 128, f"{gpu}: a kernel has too many registers\n{report}"
            assert max(shared, default=0) <= 48 * 1024, f"{gpu}: a kernel has too much shared memory\n{report}"
            many = sum(count > 64 for count in registers)
            print(f"{gpu}: {kernels} kernels, {many} of more than 64 registers, at most {max(registers)}")


main()
