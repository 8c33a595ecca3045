#!/usr/bin/env python3
"""Adds an op to a copy of the repository, as docs/extending.md says, builds that, and trains with it: root.square, x -> x x, in each file that the page
has for every op.

    add_op.py BUILD_DIR SOURCE_DIR

The copy stays in BUILD_DIR/add-op, so that another run builds only what has changed.
"""
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime

BUILD, SOURCE = map(os.path.abspath, sys.argv[1:])
COPY = f"{BUILD}/add-op"

# Before the first line with the second text in a file stands the third.
LINES = [
    ("dialect/RootElementwiseLayers.td", "def Root_MishOp", """\
def Root_SquareOp : Root_LayerOp<"square"> {
  let summary = "x x";
  let description = "`%2 = root.square %1`";
  let arguments = (ins Root_ImageType:$input);
  let hasVerifier = 0;
}
"""),
    ("dialect/LayerSyntax.cpp", "  X(MishOp,", "  X(SquareOp, false, 1, noClauses) \\\n"),
    ("dialect/LayerOps.cpp", "MishOp::inferShape", """\
FailureOr<MapShape> SquareOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}
"""),
    ("dialect/RootPrimElementwiseOps.td", "def Root_PrimMishOp", """\
def Root_PrimSquareOp : Root_PrimUnaryOp<"square"> { let summary = "x x"; }
def Root_PrimSquareBackwardOp : Root_PrimBackwardFromInputOp<"square_backward", (ins), [Root_PrimCheap]> {
  let summary = "2 dy x";
}
"""),
    ("lib/Transforms/ForwardBuilder.h", "emit(root::MishOp op)", "  mlir::Value emit(root::SquareOp op);\n"),
    ("lib/Transforms/ForwardActivations.cpp", "ForwardBuilder::emit(MishOp op)", """\
Value ForwardBuilder::emit(SquareOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimSquareOp>(x.getType(), x);
}
"""),
    ("lib/Transforms/BackwardActivations.cpp", "backward(PrimMishOp op", """\
static LogicalResult backward(PrimSquareOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromInput<PrimSquareBackwardOp>(op, b, d);
}
"""),
    ("lib/Reference/Activations.cpp", "Results mish(const Op", """\
Results square(const Op &op, const Operands &operands) {
  return unary(op, operands, [](double x) { return x * x; });
}
Results squareBackward(const Op &op, const Operands &operands) {
  return backward(op, operands, [](double dy, double x) { return 2 * dy * x; });
}
"""),
    ("lib/Reference/Activations.cpp", '  table["mish"]', """\
  table["square"] = {square, true};
  table["square_backward"] = {squareBackward, true};
"""),
    ("codegen/Algorithms/Activations.cpp", "/// With e = exp(x), tanh", """\
Lowered square(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), at(in[0]) * at(in[0]));
}
Lowered squareBackward(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), 2.0f * at(in[0]) * at(in.at(1)));
}
"""),
    ("codegen/Algorithms/Activations.cpp", '  registry["mish"]', """\
  registry["square"] = {square, true};
  registry["square_backward"] = {squareBackward, true};
"""),
    ("lib/Onnx/LayerExporter.h", "emit(root::MishOp op)", "  Names emit(root::SquareOp op);\n"),
    ("lib/Onnx/ExportActivations.cpp", "Names LayerExporter::emit(SiluOp op)", """\
Names LayerExporter::emit(SquareOp op) {
  Steps steps(*this, op);
  return steps.result(steps("Mul", "", {steps.x, steps.x}));
}
"""),
]
# Lists of ops in which it comes behind another.
LISTS = [
    ("lib/Transforms/ForwardBuilder.cpp", "SoftplusOp, ", "SquareOp, "),
    ("lib/Transforms/BackwardActivations.cpp", "PrimSoftplusOp, ", "PrimSquareOp, "),
    ("lib/Onnx/ExportLayers.cpp", "SoftplusOp, ", "SquareOp, "),
]
NETWORK = """\
root.network @net(%image: !root.image<4x4x3>) classes(5) {
  %1 = root.conv2d "conv" %image filters(5) kernel(1x1)
  %2 = root.square %1
  %3 = root.global_average_pool %2
  root.output %3
}
"""


def check_page():
    """The files are those that the page names for an op that needs nothing besides."""
    with open(f"{SOURCE}/docs/extending.md") as file:
        table = re.search(r"\| file \| what \| lines \|\n(.*?)\n\n", file.read(), re.S).group(1)
    named = set()
    for row in table.splitlines()[1:]:
        names = re.findall(r"`([^`]+)`", row.split("|")[1])
        folder = os.path.dirname(names[0])
        named |= {name if "/" in name else f"{folder}/{name}" for name in names}
    changed = {path for path, *_ in LINES + LISTS}
    if not changed <= named:
        sys.exit(f"docs/extending.md does not name {changed - named}")


def copy():
    files = subprocess.run(["git", "-C", SOURCE, "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()
    texts = {}
    for path, *_ in LINES + LISTS:
        with open(f"{SOURCE}/{path}", encoding="utf-8") as file:
            texts[path] = file.read()
    for path, before, lines in LINES:
        at = texts[path].find(before)
        if at < 0:
            sys.exit(f"{path} has no '{before}'")
        at = texts[path].rfind("\n", 0, at) + 1
        texts[path] = texts[path][:at] + lines + texts[path][at:]
    for path, item, more in LISTS:
        if item not in texts[path]:
            sys.exit(f"{path} has no '{item}'")
        texts[path] = texts[path].replace(item, item + more, 1)
    for path in files:
        if path.startswith(("test/", "data/")) or not os.path.isfile(f"{SOURCE}/{path}"):
            continue
        with open(f"{SOURCE}/{path}", "rb") as file:
            content = texts[path].encode() if path in texts else file.read()
        target = f"{COPY}/{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.exists(target):
            with open(target, "rb") as file:
                if file.read() == content:
                    continue
        with open(target, "wb") as file:
            file.write(content)
        shutil.copymode(f"{SOURCE}/{path}", target)
    # The copy has no tests.
    os.makedirs(f"{COPY}/test", exist_ok=True)
    open(f"{COPY}/test/CMakeLists.txt", "w").close()
    if not os.path.exists(f"{COPY}/.venv"):
        os.symlink(f"{SOURCE}/.venv", f"{COPY}/.venv")


def sh(*command):
    done = subprocess.run(command, cwd=COPY, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + size:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"]).astype(float)
            for name, entry in header.items()}


def expect(what, found, expected):
    if np.abs(found - expected).max() > 1e-5 * np.abs(expected).max():
        sys.exit(f"{what} is {found}, not {expected}")


def check_results():
    with open(f"{COPY}/net.mlir", "w") as file:
        file.write(NETWORK)
    generator = np.random.default_rng(1)
    images, labels = generator.standard_normal((3, 4, 4, 3)).astype(np.float32), np.array([0, 4, 2])
    np.save(f"{COPY}/x.npy", images)
    np.save(f"{COPY}/labels.npy", labels)
    sh("build/bin/rootc", "net.mlir", "-o", "net.so")
    sh("build/bin/rootrun", "init", "net.so", "-o", "w.safetensors")
    sh("build/bin/rootrun", "run", "net.so", "--weights", "w.safetensors", "--input", "x.npy", "-o", "y.npy")
    sh("build/bin/rootrun", "grad", "net.so", "--weights", "w.safetensors", "--input", "x.npy", "--labels", "labels.npy", "-o", "g.safetensors")
    sh("build/bin/rootc", "net.mlir", "--weights=w.safetensors", "-o", "net.onnx")
    weights, gradients = tensors(f"{COPY}/w.safetensors"), tensors(f"{COPY}/g.safetensors")
    filters = weights["conv.filter"].reshape(5, 3)
    inner = images.astype(float).reshape(3, 16, 3) @ filters.T + weights["conv.bias"]
    logits = (inner**2).mean(axis=1)
    expect("logits", np.load(f"{COPY}/y.npy"), logits)
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    slope = (share / share.sum(axis=1, keepdims=True) - np.eye(5)[labels]) / 3
    of_inner = slope[:, None, :] * 2 * inner / 16
    expect("the bias's gradient", gradients["conv.bias"], of_inner.sum(axis=(0, 1)))
    expect("the filter's gradient", gradients["conv.filter"].reshape(5, 3), np.einsum("npo,npi->oi", of_inner, images.reshape(3, 16, 3)))
    session = onnxruntime.InferenceSession(f"{COPY}/net.onnx", providers=["CPUExecutionProvider"])
    expect("the ONNX file's result", session.run(None, {"image": images.transpose(0, 3, 1, 2)})[0], logits)


if __name__ == "__main__":
    check_page()
    copy()
    sh("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release")
    sh("cmake", "--build", "build", "--target", "rootc", "rootrun")
    check_results()
    print("root.square is added, compiled, differentiated and written as ONNX")
