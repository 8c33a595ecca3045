#!/usr/bin/env python3
"""Kills a training run at random points and resumes it; the end must be the uninterrupted run's, bit for bit.

    kill_resume.py ROOTRUN NET.so DATA [--kills 20] [--seed 1] [--epochs 3] [--batch 64] [--images N] [--checkpoint-every 1]
    kill_resume.py ROOTRUN NET.mlir DATA --rootc ROOTC ...      # compiles it with --root=8 first
    kill_resume.py ROOTRUN NET.so DATA --flags "--optimizer adamw --ema 0.9" ...
    kill_resume.py ROOTRUN NET.so DATA --folder ...             # DATA's images as an image folder, some of them damaged

A checkpoint after every step makes some kills fall into a checkpoint's writing; how many did is printed. Every other process
runs with another number of threads.
"""
import argparse
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def fail(message):
    sys.exit(f"kill_resume.py: {message}")


def tensors(path):
    """Bytes of every tensor of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__")
    return {name: data[slice(*entry["data_offsets"])] for name, entry in header.items()}


def metrics(run):
    """The lines of metrics.jsonl without what depends on time and memory."""
    lines = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    for line in lines:
        del line["images_per_second"], line["seconds"], line["waiting_seconds"], line["peak_bytes"], line["time"]
    return lines


def write_images(source, count, folder):
    """Images of a .bin file as FOLDER/CLASS/NUMBER.png, larger than the network's; every eleventh is cut off."""
    from PIL import Image
    data = open(source, "rb").read(3073 * count)
    for index in range(count):
        record = data[3073 * index:3073 * (index + 1)]
        planes = [Image.frombytes("L", (32, 32), record[1 + 1024 * c:1025 + 1024 * c]) for c in range(3)]
        path = f"{folder}/{record[0]}/{index:05}.png"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.merge("RGB", planes).resize((45, 38)).save(path)
        if index % 11 == 5:
            os.truncate(path, 200)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rootrun")
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=5000, help="of the training set, from its begin")
    parser.add_argument("--rootc")
    parser.add_argument("--folder", action="store_true")
    parser.add_argument("--checkpoint-every", type=int, default=1)
    parser.add_argument("--flags", default="", help="of rootrun train, in one word")
    options = parser.parse_args()
    random.seed(options.seed)

    def command(run, threads):
        return [options.rootrun, "train", model, "--data", data, "--epochs", str(options.epochs),
                "--batch", str(options.batch), "--threads", str(threads), "--seed", "7", "-o", run, *options.flags.split()]

    with tempfile.TemporaryDirectory() as folder:
        model, data = options.model, f"{folder}/data"
        if options.rootc:
            model = f"{folder}/model.so"
            subprocess.run([options.rootc, options.model, "--root=8", "-o", model], check=True)
        os.mkdir(data)
        for name, count in [("data_batch_1.bin", options.images), ("test_batch.bin", 50)]:
            if options.folder:
                write_images(f"{options.data}/{name}", count, f"{data}/{'train' if 'data' in name else 'val'}")
                continue
            with open(f"{options.data}/{name}", "rb") as source, open(f"{data}/{name}", "wb") as file:
                file.write(source.read(3073 * count))
        whole, broken = f"{folder}/whole", f"{folder}/broken"
        start = time.monotonic()
        subprocess.run(command(whole, 2), check=True, stdout=subprocess.DEVNULL)
        duration = time.monotonic() - start

        resume = ["--resume", "--checkpoint-every", str(options.checkpoint_every)]
        kills = torn = 0
        longest = 1.5 * duration / options.kills
        while kills < options.kills:
            process = subprocess.Popen(command(broken, 1 + kills % 2) + resume, stdout=subprocess.DEVNULL)
            # Long enough to load the data now and then, short enough not to end before the last kill.
            time.sleep(random.uniform(0.02, 0.05 + longest))
            # Every other kill waits for a checkpoint that is half written.
            while kills % 2 and process.poll() is None and not glob.glob(f"{broken}/*.partial*"):
                pass
            if process.poll() is not None:
                if process.returncode:
                    fail(f"a resumed run failed with exit status {process.returncode} after {kills} kills")
                # It came to its end: begin another one, and kill it sooner.
                shutil.rmtree(broken)
                longest /= 2
                continue
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            torn += bool(glob.glob(f"{broken}/*.partial*"))
        subprocess.run(command(broken, 2) + resume, check=True, stdout=subprocess.DEVNULL)

        if glob.glob(f"{broken}/*.partial*"):
            fail("half-written files are left behind")
        if options.kills > 1 and not torn:
            fail("no kill fell into a checkpoint's writing")
        # The checkpoint has all that the next step would depend on.
        names = ["weights", "checkpoint"] + ["best"] * ("--keep-best" in options.flags)
        for name in names:
            expected, found = tensors(f"{whole}/{name}.safetensors"), tensors(f"{broken}/{name}.safetensors")
            if not expected or expected.keys() != found.keys():
                fail(f"the runs ended with different tensors in {name}.safetensors")
            different = [tensor for tensor in expected if expected[tensor] != found[tensor]]
            if different:
                fail(f"{name}.safetensors differs after {kills} kills: {', '.join(different)}")
        if metrics(whole) != metrics(broken):
            fail("metrics.jsonl differs")
        if len(metrics(whole)) != options.epochs:
            fail("metrics.jsonl has not one line an epoch")
        print(f"{kills} kills, {torn} of them inside a checkpoint's writing: weights and metrics are the same")


if __name__ == "__main__":
    main()
