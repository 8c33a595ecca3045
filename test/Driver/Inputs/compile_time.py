"""What compiling long networks costs: compile_time.py ROOTC FOLDER.

Processor time, so that a busy machine does not matter; kernels come from the
cache, as all parts of these networks share theirs."""

import os
import re
import resource
import subprocess
import sys

from long_networks import network

rootc, folder = sys.argv[1:]


def spent(*arguments):
    def now():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = now()
    subprocess.run([rootc, *arguments], check=True, stdout=subprocess.DEVNULL)
    return now() - before


def seconds(blocks, *arguments):
    path = os.path.join(folder, f"residual{blocks}.mlir")
    with open(path, "w") as file:
        file.write(network("residual", blocks))
    return spent(path, *arguments)


library = ["-o", os.path.join(folder, "net.so")]
seconds(2, *library)  # fills the cache
short = min(seconds(100, *library) for _ in range(2))
long, passes = seconds(400, *library), seconds(400, "--emit=mlir")
print(f"100 blocks {short:.2f} s, 400 blocks {long:.2f} s, of this passes {passes:.2f} s")
assert long < 8 * short, "four times the blocks take more than eight times as long"
assert long < 5 * passes, "what follows the passes takes most of the time"

# A kernel of hundreds of ops takes minutes.
path = os.path.join(folder, "chain.mlir")
with open(path, "w") as file:
    file.write(network("chain", 500))
programs = subprocess.run([rootc, path, "--emit=mlir"], check=True, capture_output=True, text=True).stdout
sizes = [kernel.count("root.prim.") for kernel in re.split(r"root\.kernel", programs)[1:]]
print(f"{len(sizes)} kernels, the largest of {max(sizes)} ops")
assert max(sizes) <= 64
