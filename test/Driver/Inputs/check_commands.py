"""Compares the flags of `PROGRAM --help` (standard input) with the table under "## PROGRAM" of docs/commands.md.

With a third argument, --help-hidden, looks for those that the paragraph about that flag names."""
import re
import sys

path, program, *hidden = sys.argv[1:]
section = re.search(rf"^## {program}\n(.*?)(?=^## |\Z)", open(path).read(), re.M | re.S).group(1)
documented = set()
for line in section.splitlines():
    if line.startswith("| `-"):
        documented |= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line.split("|")[1]))
names = re.findall(r"^\s+(--?[a-z-]+)(?:,(--?[a-z-]+))?", sys.stdin.read(), re.M)
listed = {name for pair in names for name in pair if name} - {"--help-list"}
if hidden:
    named = set(re.findall(r"`(--[a-z-]+)`", next(line for line in section.splitlines() if line.startswith(f"`{hidden[0]}`"))))
    named -= {hidden[0]}
    assert named and named <= listed, f"not in {hidden[0]}: {named - listed}"
    sys.exit()
documented -= {"--output"} - listed
assert documented and documented == listed, f"only documented: {documented - listed}; only in --help: {listed - documented}"
