#!/usr/bin/env python3
"""The commands of docs/fine-tuning.md, in their order, on a small network with ResNet's names and pictures that are told
apart by their colour.

    fine_tuning.py ROOTC ROOTC_IMPORT ROOTRUN PAGE
"""
import colorsys
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

PROGRAMS = dict(zip(("rootc", "rootc-import", "rootrun"), map(os.path.abspath, sys.argv[1:4])))
PAGE = sys.argv[4]
CLASSES = ["aster", "daisy", "iris", "rose", "tulip"]
GENERATOR = np.random.default_rng(3)


class Graph:
    """An ONNX file as PyTorch writes them."""

    def __init__(self):
        self.nodes, self.weights, self.last = [], [], "image"

    def weight(self, name, values):
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, name, channels, filters, size, stride=1):
        values = GENERATOR.standard_normal((filters, channels, size, size)) * (2 / (channels * size**2))**0.5
        return self.node("Conv", [x, self.weight(f"{name}.weight", values)], f"/{name}/Conv", kernel_shape=[size, size],
                         strides=[stride, stride], pads=[size // 2] * 4)

    def norm(self, x, name, channels):
        roles = [("weight", np.ones), ("bias", np.zeros), ("running_mean", np.zeros), ("running_var", np.ones)]
        return self.node("BatchNormalization", [x, *(self.weight(f"{name}.{role}", make(channels)) for role, make in roles)],
                         f"/{name}/BatchNormalization", epsilon=1e-5)

    def block(self, x, name, channels, filters, stride):
        y = self.norm(self.conv(x, f"{name}.conv1", channels, filters, 3, stride), f"{name}.bn1", filters)
        y = self.node("Relu", [y], f"/{name}/relu")
        y = self.norm(self.conv(y, f"{name}.conv2", filters, filters, 3), f"{name}.bn2", filters)
        if stride > 1:
            x = self.norm(self.conv(x, f"{name}.downsample.0", channels, filters, 1, stride), f"{name}.downsample.1", filters)
        return self.node("Relu", [self.node("Add", [y, x], f"/{name}/Add")], f"/{name}/relu2")

    def write(self, path):
        x = self.norm(self.conv("image", "conv1", 3, 16, 3, 2), "bn1", 16)
        x = self.block(self.node("Relu", [x], "/relu"), "layer1.0", 16, 16, 1)
        x = self.block(x, "layer4.0", 16, 32, 2)
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x], "/avgpool")], "/Flatten")
        fc = self.weight("fc.weight", GENERATOR.standard_normal((1000, 32)) / 6), self.weight("fc.bias", np.zeros(1000))
        self.node("Gemm", [x, *fc], "logits", transB=1)
        graph = helper.make_graph(
            self.nodes, "resnet", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 48, 48])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def draw(folder, count):
    random.seed(5)
    for index, name in enumerate(CLASSES):
        os.makedirs(f"{folder}/{name}")
        for number in range(count):
            hue = index / len(CLASSES) + random.uniform(-0.05, 0.05)
            colour = np.array(colorsys.hsv_to_rgb(hue % 1, 0.8, 0.8)) * 255
            pixels = colour + GENERATOR.normal(0, 25, (56, 60, 3))
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(f"{folder}/{name}/{number}.png")


def call(command):
    program, rest = command.split(" ", 1)
    done = subprocess.run(f"{PROGRAMS[program]} {rest}", shell=True, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def expect(text, pattern):
    if not re.search(pattern, text):
        sys.exit(f"no '{pattern}' in:\n{text}")


def tensors(path):
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + size:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
            for name, entry in header.items()}


def main():
    page = open(PAGE).read()
    commands = [line for block in re.findall(r"```sh\n(.*?)```", page, re.S) for line in block.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Graph().write("resnet18.onnx")
        draw("images", 24)
        said = {command: call(command) for command in commands}
        find = lambda part: next(text for command, text in said.items() if part in command)
        expect(find("--emit=cost"), r"of a step without --freeze: 0\.\d+ of the multiply-adds")
        train = find("--skip-mismatched")
        expect(train, r"layer 'fc' is skipped, it begins anew")
        expect(train, r"cut from .* to its diagonal blocks")
        expect(train, r"normalised by input.mean and input.scale of resnet18.safetensors")
        expect(find("--resume"), r"test accuracy [0-9.]+ after 4 epochs")
        record = json.load(open("run/run.json"))["options"]
        if record["--epochs"] != "4" or record["--lr"] != "0.01" or record["--weights"] != "resnet18.safetensors":
            sys.exit(f"the resumed run has other options: {record}")
        lines = [json.loads(line) for line in open("run/metrics.jsonl")]
        if len(lines) != 4 or max(line["test_accuracy"] for line in lines) < 0.9:
            sys.exit(f"colours were not learnt: {lines}")
        expect(find("predict"), r"rose")
        # What is frozen is as it was imported, and the rest is not.
        before, after = tensors("resnet18.safetensors"), tensors("run/weights.safetensors")
        for name, values in after.items():
            if name in before and before[name].shape == values.shape and not name.startswith("input."):
                same = np.array_equal(before[name], values)
                if same == name.startswith(("layer4", "fc")):
                    sys.exit(f"{name} is {'as before' if same else 'not frozen'}")
        # The file answers as the library does.
        images = GENERATOR.standard_normal((3, 48, 48, 3)).astype(np.float32)
        np.save("x.npy", images)
        call("rootrun run flowers.so --weights run/best.safetensors --input x.npy -o y.npy")
        session = onnxruntime.InferenceSession("flowers.onnx", providers=["CPUExecutionProvider"])
        logits = session.run(None, {session.get_inputs()[0].name: images.transpose(0, 3, 1, 2)})[0]
        expected = np.load("y.npy")
        if logits.shape != (3, 5) or np.abs(logits - expected).max() > 1e-4 * np.abs(expected).max():
            sys.exit(f"flowers.onnx: {logits}, not {expected}")
    print(f"{len(commands)} commands of {PAGE} do what it says")


if __name__ == "__main__":
    main()
