"""How the entry points of this package are compiled and cached."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from numba import njit
from numba.extending import intrinsic

Compiled = Callable[..., Any]


def inner(function: Compiled) -> Compiled:
    """For functions that only other compiled functions call: compiled into their callers."""
    compiled: Compiled = njit(nogil=True, boundscheck=True, forceinline=True)(function)
    return compiled


def apart(function: Compiled) -> Compiled:
    """For rarer and larger ones of them: compiled once, and called."""
    compiled: Compiled = njit(nogil=True, boundscheck=True)(function)
    return compiled


def entry(function: Compiled) -> Compiled:
    """For functions that Python calls. Each closes over `FINGERPRINT`."""
    compiled: Compiled = njit(nogil=True, boundscheck=True, cache=True)(function)
    return compiled


def spelled(function: Compiled) -> Compiled:
    """For functions that write LLVM themselves: (typing context, argument types) -> (signature, code generator)."""
    compiled: Compiled = intrinsic(function)
    return compiled


def _fingerprint() -> int:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=6)
    return int.from_bytes(digest.digest(), "big")


FINGERPRINT: Final = _fingerprint()
"""Of the whole package's source. numba looks only at the file of the function that it caches, so a change in a callee
would leave a stale cache; what a function closes over is part of its cache key."""
