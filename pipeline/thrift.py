"""Memory that was used once is given back to the system: a dump of tables takes hundreds of megabytes for seconds.

Left alone, glibc keeps what large columns took (each freed one raises the size from which it asks the system, up to
32 MiB), in a heap of its own for every thread; and Arrow's own allocator keeps pages for itself.
"""

import ctypes
import os
import sys
from typing import Final

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE: Final = 256 << 10
"""Octets from which an array has pages of its own, which go back when it is freed."""
HEAPS: Final = 2


def thrift() -> None:
    """Set this up, before there are threads and before Arrow is imported; does nothing where there is no glibc."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if (mallopt := _glibc("mallopt")) is not None:
        for setting, value in ((M_ARENA_MAX, HEAPS), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)):
            mallopt(setting, value)


def give_back() -> None:
    """Give free pages in the middle of heaps back, too: takes some milliseconds."""
    if (trim := _glibc("malloc_trim")) is not None:
        trim(0)


def _glibc(name: str) -> "ctypes._NamedFuncPointer | None":
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)
