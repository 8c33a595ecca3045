#!/usr/bin/env python3
"""Races rootc against PyTorch on NIN: a training step and inference.

    race.py [--root 8] [--batch 128] [--threads 2] [--rounds 7] [--also-channels-first] NIN.so

Each contender is a process of its own (thread pools of two runtimes in one process spin against each other); they take turns with a
pause before each, one warm-up run and the best of three a turn. Prints medians over the rounds and the ratio to PyTorch's best.
PyTorch is optional: without it only rootc's own times are printed. `pip install torch` into the Python that runs this file.
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import time

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"


def torch_nin(root):
    """NIN as models/nin.mlir, root-N topology, in PyTorch."""
    import torch.nn as nn

    def unit(inputs, outputs, kernel, groups=1):
        return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    first, second = max(1, root), max(1, root // 2)
    return nn.Sequential(
        *unit(3, 192, 5), *unit(192, 160, 1), *unit(160, 96, 1), nn.MaxPool2d(3, 2, ceil_mode=True),
        *unit(96, 192, 5, first), *unit(192, 192, 1), *unit(192, 192, 1), nn.AvgPool2d(3, 2, ceil_mode=True),
        *unit(192, 192, 3, second), *unit(192, 192, 1), nn.Conv2d(192, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def torch_worker(mode, layout, root, batch, threads):
    import torch
    torch.set_num_threads(threads)
    net = torch_nin(root).train(mode == "train")
    images = torch.randn(batch, 3, 32, 32)
    if layout == "channels_last":
        net, images = net.to(memory_format=torch.channels_last), images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)

    def step():
        if mode == "infer":
            with torch.inference_mode():
                return net(images)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()

    step()
    for _ in sys.stdin:
        times = []
        for attempt in range(4):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e3)
        print(min(times[1:]), flush=True)


def race(contenders, rounds):
    processes = {name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name, command in contenders.items()}
    times = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            time.sleep(0.25)
            process.stdin.write("go\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            if not answer:
                sys.exit(f"race.py: {name} ended early, exit status {process.wait()}")
            times[name].append(float(answer))
    for process in processes.values():
        process.stdin.close()
        process.wait()
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--root", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--also-channels-first", action="store_true")
    parser.add_argument("--worker", nargs=2, metavar=("MODE", "LAYOUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return torch_worker(*options.worker, options.root, options.batch, options.threads)

    layouts = ["channels_last"] + (["channels_first"] if options.also_channels_first else [])
    if importlib.util.find_spec("torch") is None:
        layouts = []
    results = {}
    for mode in ("train", "infer"):
        rootrun = [str(BUILD / "bin" / "rootrun"), "bench", options.model, "--batch", str(options.batch), "--threads", str(options.threads), "--serve"]
        contenders = {"rootc": rootrun + (["--train"] if mode == "train" else [])}
        for layout in layouts:
            contenders[f"torch {layout}"] = [sys.executable, __file__, options.model, "--root", str(options.root), "--batch", str(options.batch),
                                             "--threads", str(options.threads), "--worker", mode, layout]
        medians = race(contenders, options.rounds)
        peers = [value for name, value in medians.items() if name != "rootc"]
        results[mode] = {"milliseconds": medians, "ratio_to_best_peer": medians["rootc"] / min(peers) if peers else None}
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
