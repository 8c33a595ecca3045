#!/usr/bin/env python3
"""Runs the commands of pages, in their order, in a folder where networks, images and weights with the names that they use are small.

    run_pages.py BUILD_DIR SOURCE_DIR PAGE...

Commands are the lines of ```sh blocks, and indented lines that begin with a program's name. What takes long is cut short, see `shorten`; what builds
rootc itself is left out. Whole networks of a page are files with their names.
"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from PIL import Image

BUILD, SOURCE, *PAGES = map(os.path.abspath, sys.argv[1:])
NETWORK = """\
root.network @NAME(%image: !root.image<32x32x3>) classes(10) {
  %1 = root.conv2d "conv1" %image filters(64) kernel(3x3) stride(2) pad(1) no_bias
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "conv2" %3 filters(64) kernel(3x3) stride(2) pad(1)
  %5 = root.relu %4
  %6 = root.conv2d "conv3" %5 filters(64) kernel(1x1)
  %7 = root.global_average_pool %6
  %8 = root.linear "fc" %7 outputs(10)
  root.output %8
}
"""
CLASSES = ["red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "white", "black"]
SHORTER = {"--epochs 15": "--epochs 1", "--epochs 20": "--epochs 2", "--epochs 5": "--epochs 1", "--budget=10m": "--budget=1s",
           "--suggest-root": "--suggest-root=2 --budget=1s",
           # There may be no GPU: a bundle is timed on this machine.
           "--target=host-cuda --batch=64 --trials=300": "--batch=4 --trials=2", "--target=host-cuda --tuned=tuned.db": "--tuned=tuned.db"}


def sh(command):
    done = subprocess.run(["bash", "-e", "-c", command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)


def stand_in(name):
    return NETWORK.replace("NAME", name)


def draw_images():
    for name in CLASSES:
        os.makedirs(f"images/{name}")
        for number in range(5):
            colour = tuple(random.randrange(256) for _ in range(3))
            Image.new("RGB", (40, 36), colour).save(f"images/{name}/{number}.png")


def cut_cifar():
    folder = f"{SOURCE}/data/cifar10-quick"
    first = next(name for name in sorted(os.listdir(folder)) if name.startswith("data_batch"))
    for name, images in ((first, 96), ("test_batch.bin", 32)):
        with open(f"{folder}/{name}", "rb") as file:
            write(f"data/cifar10-quick/{name}", file.read(3073 * images))
    shutil.copy(f"{folder}/batches.meta.txt", "data/cifar10-quick")


def prepare(page, text):
    draw_images()
    cut_cifar()
    for name in ("nin", "resnet50"):
        write(f"models/{name}.mlir", stand_in(name))
    if page == "tuning.md":
        write("net.mlir", stand_in("net"))
    for network, name in re.findall(r"^```mlir\n(.*?root\.network @(\w+).*?)^```", text, re.M | re.S):
        write(f"{name}.mlir", network)
    if page in ("README.md", "onnx.md"):
        for name in ("yours", "resnet18"):
            write("in.mlir", stand_in(name))
            sh(f"rootc in.mlir --seed=1 -o {name}.onnx")
    if page in ("training.md", "embedding.md"):
        with open(f"{SOURCE}/docs/writing.md") as file:
            write("small.mlir", re.search(r"^```mlir\n(.*?)^```", file.read(), re.M | re.S).group(1))
    if page == "shipping.md":
        write("yours.mlir", stand_in("yours"))
        sh("rootc yours.mlir --root=8 -o trained.so")
        sh("rootrun train trained.so --data images --epochs 1 -o runs/yours")
        write("yours_program.c", '#include "yours.h"\nint main(void) { return yours_model()->classes != 10; }\n')
    if page == "embedding.md":
        for name in ("infer.c", "train.cpp"):
            shutil.copy(f"{SOURCE}/examples/{name}", ".")
        sh(f"cmake --install {BUILD} --component runtime --prefix {os.getcwd()}/installed")
        [os.environ["PKG_CONFIG_PATH"]] = [folder for folder, _, files in os.walk(f"{os.getcwd()}/installed") if "rootc.pc" in files]


def commands(text):
    fence = None
    for line in text.splitlines():
        if line.startswith("```"):
            fence = None if fence is not None else line[3:]
        elif fence == "sh" and line:
            yield line
        elif fence is None and re.match(r"    (rootc |rootc-|rootrun |bundle/|scripts/|cmake --|aarch64-)", line):
            yield line.strip()


def builds_rootc(command):
    return command.startswith(("scripts/", "cmake --preset"))


def shorten(command):
    for long, short in SHORTER.items():
        command = re.sub(rf"{long}(?![\w=])", short, command)
    return command


def run(path):
    page = os.path.basename(path)
    with open(path) as file:
        text = file.read()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(page, text)
        for command in commands(text):
            if builds_rootc(command) or (command.startswith("aarch64-") and not shutil.which(command.split()[0])):
                continue
            begin = time.monotonic()
            sh(shorten(command))
            print(f"{page}: {time.monotonic() - begin:5.1f} s: {shorten(command)}", flush=True)
            count += 1
        os.chdir("/")
    if not count:
        sys.exit(f"{page} has no commands")


os.environ["PATH"] = f"{BUILD}/bin:{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
random.seed(1)
for page in PAGES:
    run(page)
