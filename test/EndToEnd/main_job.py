#!/usr/bin/env python3
"""The main job: NIN root-8, trained on real images, is at least 67% right within 12 minutes.

    main_job.py ROOTC ROOTRUN SOURCE_DIR
"""
import json
import subprocess
import sys
import tempfile
import time

ROOTC, ROOTRUN, SOURCE = sys.argv[1:4]

with tempfile.TemporaryDirectory() as folder:
    model, run = f"{folder}/nin8.so", f"{folder}/run"
    subprocess.run([ROOTC, f"{SOURCE}/models/nin.mlir", "--root=8", "-o", model], check=True)
    start = time.monotonic()
    subprocess.run([ROOTRUN, "train", model, "--data", f"{SOURCE}/data/cifar10-quick", "--threads", "2", "-o", run], check=True)
    minutes = (time.monotonic() - start) / 60
    with open(f"{run}/metrics.jsonl") as file:
        lines = [json.loads(line) for line in file]
    subprocess.run([ROOTRUN, "eval", model, "--weights", f"{run}/weights.safetensors", "--data", f"{SOURCE}/data/cifar10-quick"], check=True)
    accuracy = lines[-1]["test_accuracy"]
    print(f"{accuracy} after {len(lines)} epochs and {minutes:.1f} minutes")
    if len(lines) != 15 or accuracy < 0.67 or minutes > 12:
        sys.exit("main_job.py: 15 epochs, an accuracy of 0.67 and at most 12 minutes are wanted")
