"""Compares the flags of `rootc --help` (standard input) with the table under "## rootc" of docs/commands.md."""
import re
import sys

text = open(sys.argv[1]).read()
section = re.search(r"^## rootc\n(.*?)(?=^## |\Z)", text, re.M | re.S).group(1)
documented = set()
for line in section.splitlines():
    if line.startswith("| `-"):
        documented |= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", line.split("|")[1]))
listed = set(re.findall(r"^\s+(--?[a-z-]+)", sys.stdin.read(), re.M)) - {"--help-list"}
assert documented and documented - {"--output"} == listed, f"only documented: {documented - listed}; only in --help: {listed - documented}"
