"""check_classes.py PROGRAM NET.so WEIGHTS PICTURE...: PROGRAM, which prints name and probability of each class, agrees
with `rootrun predict`."""

import json
import subprocess
import sys

program, model, weights, *pictures = sys.argv[1:]
report = json.loads(subprocess.run(
    ['rootrun', 'predict', model, '--weights', weights, '--json', '--top', '1000', *pictures],
    capture_output=True, text=True, check=True).stdout)
for picture, expected in zip(pictures, report['predictions'], strict=True):
    printed = subprocess.run([program, picture], capture_output=True, text=True, check=True).stdout
    found = {line.rsplit(' ', 1)[0]: float(line.rsplit(' ', 1)[1]) for line in printed.splitlines()}
    assert len(found) == len(expected), printed
    for entry in expected:
        assert abs(found[entry['name']] - entry['probability']) <= 1e-6, (picture, entry, printed)
    assert max(found.values()) < 0.999, printed  # else this says little
