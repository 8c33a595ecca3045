"""To and from PyTorch, which is imported here alone."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Sequence

import torch

from ._runtime import Error

if TYPE_CHECKING:
    from ._model import Model

_ROLES = {"filter": "weight", "weight": "weight", "bias": "bias", "scale": "weight", "offset": "bias",
          "mean": "running_mean", "variance": "running_var", "slope": "weight"}


def export(module: torch.nn.Module, image: Sequence[int], path: str) -> None:
    """Writes an ONNX file whose batch norms are layers of their own."""
    height, width, channels = [*image, 3][:3]
    device = next(module.parameters()).device
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, that there is another one
        torch.onnx.export(module, (torch.zeros(1, channels, height, width, device=device),), path, dynamo=False,
                          training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)


def state_dict(model: "Model") -> "dict[str, torch.Tensor]":
    """The model's weights as those of the module that it came from."""
    description = json.loads(model.description)
    layers = {layer["name"]: layer for layer in description["graph"]}
    result = {}
    for name, values in model.state_dict().items():
        layer, role = name.rsplit(".", 1)
        if layer == "input":
            continue
        if role not in _ROLES:
            raise Error(f"'{name}' has no counterpart in PyTorch's layers; take it from state_dict()")
        values = torch.tensor(values)
        if role == "filter":
            values = values.permute(0, 3, 1, 2)
        elif role == "weight" and values.dim() == 2:
            # PyTorch flattens channels first.
            inputs = layers[layer]["inputs"]
            height, width, channels = layers[inputs[0]]["shape"] if inputs else model.image_shape
            values = values.reshape(-1, height, width, channels).permute(0, 3, 1, 2).flatten(1)
        result[f"{layer}.{_ROLES[role]}"] = values.contiguous()
    return result
