"""From a network to a model.

The compiler runs as a program of its own: a fatal error of LLVM, or memory that runs out, ends that and not the
caller; and no LLVM is loaded beside those of PyTorch, JAX or Numba.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Union

from ._model import Model
from ._programs import path_of
from ._runtime import Error

if TYPE_CHECKING:
    import torch

Flag = Union[bool, int, float, str, Iterable[Any], Mapping[str, Any]]

_log = logging.getLogger("rootc")
_PLACED = re.compile(r"(?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+): (?P<kind>\w+): (?P<message>.*)")
_PLAIN = re.compile(r"rootc[\w-]*: (?P<kind>\w+): (?P<message>.*)")
_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}


class CompileError(Error):
    """What is wrong with a network or a flag.

    `file`, `line` and `column` (from 1) say where, and are None where it is no place in a file; `message` says what;
    str() has both, and what else the compiler wrote.
    """

    def __init__(self, text: str, message: str, file: Optional[str] = None, line: Optional[int] = None,
                 column: Optional[int] = None):
        super().__init__(text)
        self.message, self.file, self.line, self.column = message, file, line, column


def compile(source: "str | os.PathLike[str] | torch.nn.Module", *, output: "Optional[str | os.PathLike[str]]" = None,
            weights: "Optional[str | os.PathLike[str]]" = None, slice_weights: Optional[bool] = None,
            skip_mismatched: Optional[bool] = None, mean: Optional[Flag] = None, scale: Optional[Flag] = None,
            logits: Optional[str] = None, device: str = "", threads: int = 0, seed: int = 0, **flags: Flag) -> Model:
    """Compiles a network and loads it.

    source: a file of the `root` dialect (`.mlir`), an ONNX file (`.onnx`), or a torch.nn.Module, which is exported for
    images of `image=(height, width)` or `(height, width, channels)` (3 channels unless said).

    flags are those of `rootc`, with underscores: `root=8`, `topology="tree"`, `groups={"conv2": 4}`, `classes=5`,
    `freeze=["*", "!fc"]`, `image=(224, 224)`, `mode="infer"`, `precision="bf16"`, `recompute=True`, ...

    weights: a safetensors file to begin with; default: those of the ONNX file or the module, else He initialisation
    from `seed`. With slice_weights filters with fewer groups than the network's are cut to their diagonal blocks, with
    skip_mismatched layers that do not fit (a new classifier) begin anew; by default both are done with weights that
    came with the network, and the logger "rootc" is told. mean, scale and logits are those of `rootc-import`, for an
    ONNX file or a module.

    output: where the library goes; default: nowhere that outlasts the model. device, threads: as Model has them.

    Raises CompileError, which names the place; Error if weights do not fit.
    """
    with tempfile.TemporaryDirectory(prefix="rootc-") as folder:
        network, own_weights = _network(source, folder, flags, mean, scale, logits)
        library = os.fspath(output) if output is not None else os.path.join(folder, "net.so")
        _run("rootc", network, "-o", library, "--emit=so", *_arguments(flags))
        model = Model(library, device=device, threads=threads, seed=seed)
        own = weights is None
        start = own_weights if own else os.fspath(weights)
        if start is not None:
            model.load(start, slice_weights=own if slice_weights is None else slice_weights,
                       skip_mismatched=own if skip_mismatched is None else skip_mismatched)
    return model


def _network(source: Any, folder: str, flags: "dict[str, Flag]", mean: Optional[Flag], scale: Optional[Flag],
             logits: Optional[str]) -> "tuple[str, Optional[str]]":
    """A network's file, and its weights'."""
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
    else:
        from ._torch import export
        path = os.path.join(folder, "module.onnx")
        image = flags.pop("image", None)
        if not isinstance(image, (tuple, list)) or len(image) not in (2, 3):
            raise TypeError("a module is exported for images of one size: pass image=(height, width) or "
                            "(height, width, channels)")
        export(source, image, path)
    if not path.endswith(".onnx"):
        if mean is not None or scale is not None or logits is not None:
            raise TypeError("mean, scale and logits are for an ONNX file or a module")
        return path, None
    network, weights = os.path.join(folder, "net.mlir"), os.path.join(folder, "net.safetensors")
    given = {"mean": mean, "scale": scale, "logits": logits}
    _run("rootc-import", path, "-o", network, "--weights", weights,
         *_arguments({name: value for name, value in given.items() if value is not None}))
    return network, weights


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ("x" if name == "image" else ",").join(map(str, value))
    return str(value)


def _arguments(flags: "Mapping[str, Flag]") -> "list[str]":
    result = []
    for name, value in flags.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            result.append(flag)
        elif value is not False and value is not None:
            result.append(f"{flag}={_text(name, value)}")
    return result


def _run(program: str, *arguments: str) -> None:
    if shutil.which(path_of(program)) is None:
        raise Error(f"{path_of(program)} is missing; install the package again")
    done = subprocess.run([path_of(program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    if done.returncode < 0:
        raise CompileError(f"{program} was ended by {signal.Signals(-done.returncode).name}; is there enough memory?\n"
                           f"{done.stderr}", done.stderr)
    for line in done.stderr.splitlines():
        found = _PLACED.match(line) or _PLAIN.match(line)
        if found is None:
            continue
        parts = found.groupdict()
        if parts["kind"] == "error":
            raise CompileError(done.stderr.rstrip(), parts["message"], parts.get("file"),
                               *(int(parts[name]) if name in parts else None for name in ("line", "column")))
        _log.log(_LEVELS.get(parts["kind"], logging.INFO), "%s", line)
    if done.returncode:
        raise CompileError(done.stderr.rstrip() or f"{program} failed with code {done.returncode}", done.stderr)
