"""rootc: compiles convolutional networks with filter groups, runs and trains them.

    model = rootc.compile("net.mlir", root=8)
    logits = model(images)              # NumPy float32 [N, height, width, channels]

`docs/python.md` shows the rest. Messages go to the logger "rootc".
"""

from ._compile import CompileError, compile
from ._model import Model
from ._runtime import Batch, Dataset, Error, LearningRate

__all__ = ["Batch", "CompileError", "Dataset", "Error", "LearningRate", "Model", "compile"]
