#!/usr/bin/env python3
"""What a training step needs of memory is what the plan says, to 10%, and less with --recompute.

    memory.py ROOTC ROOTRUN NET.mlir --batch N [--limits MIB,MIB] [--data DIR] [--saves-nothing]

--limits: what the process may use without and with --recompute. --data: measures `rootrun train` as well, on the first
images of a folder in CIFAR-10's format. --saves-nothing: this network's weights hide what --recompute saves. --processes:
the least of so many counts, where the scratch memory of a thread that may or may not take part is a hundredth of all.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

MIB = 1 << 20


def measure(*command):
    """Output, and the most memory that the process used."""
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"memory.py: {' '.join(map(str, command))}: exit code {process.returncode}")
    return output, usage.ru_maxrss * 1024


def first_images(source, target, batch):
    """Three batches to train on, the last one smaller, and one to test on."""
    os.mkdir(target)
    for name, count in (("data_batch_1.bin", 2 * batch + batch // 2), ("test_batch.bin", batch)):
        with open(f"{source}/{name}", "rb") as file, open(f"{target}/{name}", "wb") as out:
            out.write(file.read(count * 3073))
    return target


def close(title, planned, used):
    print(f"{title}: planned {planned / MIB:.1f} MiB, used {used / MIB:.1f} MiB", flush=True)
    return abs(planned - used) <= 0.1 * used


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rootc")
    parser.add_argument("rootrun")
    parser.add_argument("network")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--limits")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--data")
    parser.add_argument("--saves-nothing", action="store_true")
    options = parser.parse_args()
    limits = [int(limit) * MIB for limit in options.limits.split(",")] if options.limits else [sys.maxsize] * 2
    good, peaks = True, []
    with tempfile.TemporaryDirectory() as folder:
        data = options.data and first_images(options.data, f"{folder}/data", options.batch)
        for limit, flags in zip(limits, ([], ["--recompute"])):
            model, title = f"{folder}/net.so", " ".join(["a step", *flags])
            subprocess.run([options.rootc, options.network, *flags, "-o", model], check=True)
            step = (options.rootrun, "bench", model, "--train", "--batch", options.batch, "--runs", 1, "--json")
            output, used = min((measure(*step) for _ in range(options.processes)), key=lambda measured: measured[1])
            report = json.loads(output)
            good &= close(title, report["memory"]["planned_bytes"], used)
            good &= abs(report["memory"]["peak_bytes"] - used) <= 0.01 * used
            print(f"{title}: {report['train']['median_ms']:.0f} ms")
            if used >= limit:
                print(f"{title}: more than {limit / MIB:.0f} MiB")
                good = False
            peaks.append(used)
            if data:
                run = f"{folder}/run{len(peaks)}"
                output, used = measure(options.rootrun, "train", model, "--data", data, "--epochs", 1, "--batch",
                                       options.batch, "-o", run)
                planned = float(re.search(r"memory, as planned: (\d+) MiB", output).group(1)) * MIB
                good &= close(" ".join(["a run", *flags]), planned, used)
                said = float(re.search(r"memory, at most: (\d+) MiB", output).group(1)) * MIB
                good &= abs(said - used) <= 0.01 * used + MIB
    good &= peaks[1] < (1.01 if options.saves_nothing else 1) * peaks[0]
    return 0 if good else "memory.py: the figures above do not agree"


if __name__ == "__main__":
    sys.exit(main())
