"""Prefixes of a batch as text, as an Arrow string array has them."""

from typing import Any

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry
from collector.kernel.json_attributes import plural
from collector.kernel.text_words import four, letter, number
from collector.kernel.words import borrow

u64 = np.uint64
_0, _32, _SLASH = u64(0), u64(32), u64(47)

LONGEST = 64
"""Octets of the longest prefix, and slack."""


def _entries(fingerprint: int) -> Any:
    @entry
    def prefixes(family: Any, high: Any, low: Any, length: Any, offsets: Any, out: Any) -> Any:
        assert fingerprint
        family, high, low, length = borrow(family), borrow(high), borrow(low), borrow(length)
        offsets, out, to = borrow(offsets), borrow(out), _0
        if u64(len(out)) < u64(len(family)) * u64(LONGEST):
            raise IndexError("no room for the prefixes")
        for row in range(len(family)):
            offsets[row] = to
            to = plural(out, to, high[row], low[row]) if family[row] == 6 else four(out, to, high[row] >> _32)
            to = number(out, letter(out, to, _SLASH), u64(length[row]))
        offsets[len(family)] = to
        return to

    return prefixes


prefixes = _entries(FINGERPRINT)
"""`prefixes(family, high, low, length, offsets, out)` fills int32 `offsets` (one more than rows) and uint8 `out`
(`LONGEST` for each row), and returns how many octets were written."""
