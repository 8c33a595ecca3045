"""`python -m rootc`: the compiler."""

from ._programs import rootc

rootc()
