#!/usr/bin/env python3
# Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gpu_bounds.py NET.cu > NAME.bounds.json: by GPU and call the milliseconds that no schedule of the kernels can save (docs/performance-gpu.md),
for scripts/race_gpu.py to tell what share of them rootc reaches.
"""
import json
import pathlib
import sys

import estimate_gpu
from race_gpu import CALLS

PROGRAMS = {'infer': estimate_gpu.PROGRAMS['inference'], 'train': estimate_gpu.PROGRAMS['training step']}


def bounds(text):
    source, found = estimate_gpu.Source(text), {}
    for name, source.chip in estimate_gpu.CHIPS.items():
        found[name] = {f'{kind} {batch}': 1e3 * sum(source.bound(program, batch) for program in PROGRAMS[kind]) for kind, batch in CALLS}
    return found


if __name__ == '__main__':
    try:
        print(json.dumps(bounds(pathlib.Path(sys.argv[1]).read_text()), indent=1))
    except estimate_gpu.Stale as what:
        sys.exit(f'gpu_bounds.py: {sys.argv[1]}: it has not {what}, or not in the form that estimate_gpu.py knows; mend its pattern')
