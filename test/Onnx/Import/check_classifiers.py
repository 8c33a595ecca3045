"""rootc-import against ONNX Runtime and, for gradients, jax in float64, on the classifiers of classifiers.py, or with
--package on those of package_models.py."""

import argparse
import sys
import tempfile
import time

import numpy as np
import onnxruntime

import classifiers
import package_models
from imported import Imported, add_tools, load

BOUND = 1e-4  # of the largest output
NEWEST_OF_RUNTIME = 22  # opset that ONNX Runtime surely reads


def runtime_output(model, image):
    """ONNX Runtime's, of an NHWC image and an encoded model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
    given = session.get_inputs()[0]
    if given.shape[3] != image.shape[3]:  # NCHW, not as from TensorFlow
        image = np.ascontiguousarray(image.transpose(0, 3, 1, 2))
    return session.run(None, {given.name: image})[0]


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def check_inference(imported, model, batch):
    """The error, as a part of the largest output; `model` is what ONNX Runtime gets."""
    fixed = {entry.name for entry in model.graph.initializer}
    declared = next(entry for entry in model.graph.input if entry.name not in fixed)
    batch = declared.type.tensor_type.shape.dim[0].dim_value or batch
    image = np.random.default_rng(5).standard_normal((batch, *load(imported.network).image)).astype(np.float32)
    actual = imported.infer(image)
    expected = runtime_output(model.SerializeToString(), image)
    if model.graph.node[-1].op_type == 'Softmax':
        actual = softmax(actual.astype(np.float64))
    expected = expected.reshape(actual.shape)
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    if not error <= BOUND or np.ptp(expected) < 1e-3 * np.abs(expected).max():
        raise AssertionError(f'logits differ by {error:.1e} of the largest')
    return error


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('models', nargs='*', help='all unless given')
    add_tools(parser)
    parser.add_argument('--size', type=int, default=64, help='of the image')
    parser.add_argument('--slim', type=int, default=1, help='divides the channels')
    parser.add_argument('--batch', type=int, default=8, help='16 values a channel in each batch norm, or more')
    parser.add_argument('--classes', type=int, default=1000)
    parser.add_argument('--opsets', type=int, nargs='+', help="instead of the model's own")
    parser.add_argument('--gradients', action='store_true')
    parser.add_argument('--package', action='store_true', help='the models inside the onnx package, at their own size')
    tools = parser.parse_args()
    failures = count = 0
    for name in tools.models or (package_models.names() if tools.package else classifiers.ALL):
        for opset in tools.opsets or (None,):
            start = time.time()
            count += 1
            title = name if opset is None else f'{name}, opset {opset}'

            def make(opset):
                if tools.package:
                    return package_models.load(name)
                return classifiers.ALL[name]((tools.size, tools.size, 3), slim=tools.slim, classes=tools.classes,
                                             **({} if opset is None else {'opset': opset}))

            with tempfile.TemporaryDirectory() as folder:
                try:
                    imported = Imported(tools, folder, make(opset))
                    # The weights do not depend on the opset.
                    known = make(opset and min(opset, NEWEST_OF_RUNTIME))
                    text = f'{title}: logits {check_inference(imported, known, tools.batch):.1e}'
                    if tools.gradients:
                        text += f', gradients {imported.check_gradients(tools.batch):.1e}'
                    print(f'{text} ({time.time() - start:.0f} s)', flush=True)
                except (AssertionError, RuntimeError, ValueError) as error:
                    failures += 1
                    print(f'{title}: FAILED\n{error}', flush=True)
    print(f'{count - failures} of {count} models agree')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
