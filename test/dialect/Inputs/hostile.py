"""Feeds a tool with truncated, binary and absurd files: hostile.py DIR TOOL."""

import os
import random
import subprocess
import sys

folder, tool = sys.argv[1:]
os.makedirs(folder, exist_ok=True)

WHOLE = b"""root.network @net(%image: !root.image<8x8x4>) classes(2) {
  %0 = root.conv2d "a" %image filters(4) kernel(3x3) pad(0,0,1,1) groups(2)
  %1 = root.batch_norm "bn" %0 epsilon(1e-4)
  %2 = root.max_pool %1 kernel(2x2) rounding(ceil)
  %a = root.clip %2 min(-1) max(6)
  %b = root.slice_channels %a begin(1) end(4)
  %c = root.multiply %b, %b
  %3 = root.dropout %c rate(0.25)
  %4 = root.linear "fc" %3 outputs(2)
  root.output %4
}
"""


def run(name, text):
    """The tool's exit code and errors; fails on a crash."""
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(text)
    done = subprocess.run([tool, path], capture_output=True, timeout=120)
    assert done.returncode in (0, 1), f"{path}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    return done.returncode, done.stderr


def refuse(name, text):
    code, errors = run(name, text)
    place = f"{name}:".encode()
    assert code == 1 and b"error: " in errors and place in errors, f"{name}: {code} {errors[:500]}"


assert run("whole.mlir", WHOLE) == (0, b"")
body = WHOLE.index(b"%0")
for end in range(1, WHOLE.rindex(b"}"), 3):
    if WHOLE[:end].strip():
        refuse("truncated.mlir", WHOLE[:end])

refuse("elf.mlir", b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)))
refuse("utf8.mlir", WHOLE.replace(b'"a"', b'"\xff\xfe"'))
refuse("nul.mlir", WHOLE.replace(b'"a"', b'"a\0"'))
refuse("utf16.mlir", WHOLE.decode().encode("utf-16"))
for name, bracket in (("module", b"module {\n"), ("attribute", b"root.network @n(%i: !root.image<1x1x1>) classes(1) attributes {a = " + b"["),
                      ("type", b"func.func @f(tuple<")):
    unit = bracket[-1:] if name != "module" else bracket
    refuse(f"nested-{name}.mlir", bracket + unit * 1000000)
assert run("not-nested.mlir", WHOLE + b"// ((((" * 1000)[0] == 0

generator = random.Random(1)
for turn in range(60):
    text = bytearray(WHOLE)
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(text))
        choice = generator.randrange(3)
        if choice == 0:
            text[at] = generator.randrange(256)
        elif choice == 1:
            del text[at : at + generator.randint(1, 12)]
        else:
            text[at:at] = generator.choice([b"0", b"-", b"9" * 19, b"(", b")", b"x", b'"', b"%", b"e"])
    run("mutated.mlir", bytes(text))
