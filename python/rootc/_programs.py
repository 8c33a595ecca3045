"""The programs that the package brings: console scripts become them."""

import os
import sys
from typing import NoReturn


def path_of(program: str) -> str:
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", program)


def _become(program: str) -> NoReturn:
    os.execv(path_of(program), [program, *sys.argv[1:]])


def rootc() -> NoReturn:
    _become("rootc")


def rootc_import() -> NoReturn:
    _become("rootc-import")


def rootc_tune() -> NoReturn:
    _become("rootc-tune")


def rootrun() -> NoReturn:
    _become("rootrun")
