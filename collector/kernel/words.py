"""Big-endian reads. Callers have checked that the bytes are there; offsets are `uint64`."""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner

u64 = np.uint64
_1, _2, _3, _4, _8, _16, _24, _32 = (u64(number) for number in (1, 2, 3, 4, 8, 16, 24, 32))


@inner
def byte(buffer: Any, at: Any) -> Any:
    """One byte as uint64."""
    return u64(buffer[at])


@inner
def word16(buffer: Any, at: Any) -> Any:
    """Two bytes as uint64."""
    return byte(buffer, at) << _8 | byte(buffer, at + _1)


@inner
def word32(buffer: Any, at: Any) -> Any:
    """Four bytes as uint64."""
    return byte(buffer, at) << _24 | byte(buffer, at + _1) << _16 | byte(buffer, at + _2) << _8 | byte(buffer, at + _3)


@inner
def word64(buffer: Any, at: Any) -> Any:
    """Eight bytes as uint64."""
    return word32(buffer, at) << _32 | word32(buffer, at + _4)
