"""Writes what `rootrun profile --json` would print of a program that takes 5/4
of the times that `rootc --explain --format=json` predicts, on its machine."""

import json
import sys

explained = json.load(open(sys.argv[1]))
program = explained["programs"][0]
machine = {key: explained["machine"][key] for key in ("gflop_per_s", "bandwidth")}
calls = [{"label": kernel["label"], "ms": 1.25 * kernel["predicted_ms"]}
         for kernel in program["kernels"]]
profile = {"program": program["program"], "batch": explained["batch"],
           "threads": explained["threads"], "machine": machine, "calls": calls}
for change in sys.argv[2:]:
    key, value = change.split("=")
    profile[key] = json.loads(value)
print(json.dumps(profile))
