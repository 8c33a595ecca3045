"""Compares --root-print-cost on models/nin.mlir with the paper's table."""

import csv
import json
import re
import subprocess
import sys

source, opt = sys.argv[1:]
with open(f"{source}/test/Reference/nin_cifar10.csv", newline="") as table:
    rows = list(csv.DictReader(table))
assert len(rows) == 13, f"{len(rows)} rows"

for row in rows:
    topology = re.fullmatch(r"nin(?:-(root|tree|column)-(\d+))?", row["model"])
    passes = []
    if topology[1]:
        passes = [f"--root-topology=root={topology[2]} topology={topology[1]}"]
    command = [opt, f"{source}/models/nin.mlir", *passes]
    command += ["--root-print-cost=format=json", "-o", "/dev/null"]
    cost = json.loads(subprocess.check_output(command))
    groups = {layer["name"]: layer["groups"] for layer in cost["layers"]}
    got = (groups["conv2a"], groups["conv3a"], cost["params"], cost["macs"])
    columns = ("conv2a_groups", "conv3a_groups", "params", "macs")
    want = tuple(int(row[column]) for column in columns)
    assert got == want, f"{row['model']}: got {got}, the paper has {want}"
    for total in ("params", "macs"):
        assert cost[total] == sum(layer[total] for layer in cost["layers"])
