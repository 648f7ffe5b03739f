"""How the entry points of this package are compiled and cached."""

import hashlib
from pathlib import Path
from typing import Any, Final

from numba import njit

inner: Final[Any] = njit(nogil=True, boundscheck=True, forceinline=True)
"""For functions that only other compiled functions call: compiled into their callers."""

entry: Final[Any] = njit(nogil=True, boundscheck=True, cache=True)
"""For functions that Python calls. Each closes over `FINGERPRINT`."""


def _fingerprint() -> int:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=6)
    return int.from_bytes(digest.digest(), "big")


FINGERPRINT: Final = _fingerprint()
"""Of the whole package's source. numba looks only at the file of the function that it caches, so a change in a callee
would leave a stale cache; what a function closes over is part of its cache key."""
