"""classify_arguments.py NET.so: bad arguments of NAME_classify are errors with words; rows may be apart."""

import ctypes as c
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'Gradients'))
from abi import Context

classify = c.CDLL(sys.argv[1]).tiny_classify
classify.argtypes = [c.c_void_p, c.c_int64, c.c_int64, c.c_int64, c.c_void_p, c.POINTER(Context)]
pixels = np.random.default_rng(2).integers(0, 256, (30, 20, 3), dtype=np.uint8)
out = np.zeros(4, np.float32)
context = Context()


def call(at, height, width, stride, to=out.ctypes.data):
    return classify(at, height, width, stride, to, c.byref(context)), context.error.decode()


image = pixels.ctypes.data
assert call(image, 30, 20, 60) == (0, '')
assert abs(out.sum() - 1) < 1e-6, out
whole = out.copy()
for bad, words in (((None, 30, 20, 60), 'null'), ((image, 0, 20, 60), 'height'), ((image, 30, -1, 60), 'width'),
                   ((image, 1 << 25, 20, 60), 'height'), ((image, 30, 20, 59), 'stride'),
                   ((image, 30, 20, 60, None), 'null')):
    status, message = call(*bad)
    assert status == 1 and words in message, (bad, status, message)
wide = np.full((30, 25, 3), 255, np.uint8)
wide[:, :20] = pixels
assert call(wide.ctypes.data, 30, 20, 75)[0] == 0 and (out == whole).all()
assert classify(image, 30, 20, 60, out.ctypes.data, None) == 0 and (out == whole).all()
assert call(image, 1, 600, 1800)[0] == 0 and abs(out.sum() - 1) < 1e-6
