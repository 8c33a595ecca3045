"""Compares `rootc --emit=cost` with the paper's tables: every row's groups, params and macs."""

import csv
import json
import re
import subprocess
import sys

RESNET = {f"res{k}": rf"res{k}\w+_branch2b" for k in range(2, 6)}
INCEPTION = {f"inception{k}": rf"inception_{k}\w/[35]x[35]" for k in range(3, 6)}

# Table: its file in models/, its number of rows, and what its columns of groups say of which layers.
TABLES = {
    "nin_cifar10": ("nin", 13, {"conv2a": "conv2a", "conv3a": "conv3a"}),
    "resnet50_ilsvrc": ("resnet50", 7, RESNET),
    "resnet200_ilsvrc": ("resnet200", 6, RESNET),
    "googlenet_ilsvrc": ("googlenet", 5, {"conv2": "conv2/3x3"} | INCEPTION),
    "alexnet_ilsvrc": ("alexnet", 3, {name: name for name in ("conv2", "conv4", "conv5")}),
}


def flags_of(row, groups):
    """The flags that make a row's network: its topology, or where the table has none its layers' groups."""
    topology = re.fullmatch(r"\w+-(root|tree|column)-(\d+)", row["model"])
    if topology:
        return [f"--topology={topology[1]}", f"--root={topology[2]}"]
    changed = [f"{name}={count}" for name, count in groups.items() if count > 1]
    return ["--groups=" + ",".join(changed)] if changed else []


def check(source, rootc, table):
    model, count, patterns = TABLES[table]
    with open(f"{source}/test/Reference/{table}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count, f"{table}: {len(rows)} rows"
    for row in rows:
        groups = {column: int(row[column + "_groups"]) for column in patterns}
        command = [rootc, f"{source}/models/{model}.mlir", *flags_of(row, groups), "--emit=cost", "--format=json"]
        cost = json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))
        found = set()
        for layer in cost["layers"]:
            columns = [column for column, pattern in patterns.items() if re.fullmatch(pattern, layer["name"])]
            found.update(columns)
            want = groups[columns[0]] if columns else 1
            assert layer["groups"] == want, f"{row['model']}: {layer['name']} has {layer['groups']} groups, not {want}"
        assert found == set(patterns), f"{row['model']}: no layers for {set(patterns) - found}"
        for total in ("params", "macs"):
            want = int(row[total])
            assert cost[total] == want, f"{row['model']}: {total} {cost[total]}, the paper has {want}"
            assert cost[total] == sum(layer[total] for layer in cost["layers"])


if __name__ == "__main__":
    for name in TABLES:
        check(*sys.argv[1:], name)
