"""Networks that export_timm.py wrote, compiled: logits against ONNX Runtime, gradients against the imported graph in float64
(jax), with parameters mended so that no ReLU or maximum is near its kink. Beside ours, jax's own error in float32."""

import argparse
import os
import sys
import tempfile
import time

import onnx

from check_classifiers import check_inference
from imported import Imported, add_tools


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('models', nargs='+', help='.onnx files')
    add_tools(parser)
    parser.add_argument('--batch', type=int, default=8)
    tools = parser.parse_args()
    failures = 0
    for path in tools.models:
        start, name = time.time(), os.path.splitext(os.path.basename(path))[0]
        with tempfile.TemporaryDirectory() as folder:
            try:
                model = onnx.load(path)
                imported = Imported(tools, folder, model)
                print(f'{name}: logits {check_inference(imported, model, 2):.1e}', end='', flush=True)
                worst, reached = imported.check_gradients(tools.batch, mended=True)
                print(f', gradients {worst:.1e}, float32 of jax {reached:.1e} ({time.time() - start:.0f} s)', flush=True)
            except (AssertionError, RuntimeError, ValueError) as error:
                failures += 1
                print(f'{name}: FAILED\n{error}', flush=True)
    print(f'{len(tools.models) - failures} of {len(tools.models)} networks agree')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
