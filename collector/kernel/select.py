"""The rows that touch a watched prefix (equal to it, inside it, or covering it), or come from a session watched whole.

Two prefixes are apart or one holds the other, so a row touches some watched prefix exactly when its addresses meet one
of the disjoint ranges that the watched prefixes make together: one binary search a row, however many are watched.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.words import borrow

u64 = np.uint64
_0, _1, _2, _3, _4, _64 = u64(0), u64(1), u64(2), u64(3), u64(4), u64(64)
_ONES = u64(0xFFFFFFFFFFFFFFFF)


@inner
def _meets(ranges: Any, high: Any, low: Any, length: Any) -> Any:
    """Whether [prefix, its last address] meets one of the sorted, disjoint `ranges`."""
    last_high, last_low = high, _ONES
    if length < _64:
        last_high = high | _ONES >> length
    elif length > _64:
        last_low = low if length >= _64 + _64 else low | _ONES >> (length - _64)
    left, right = _0, u64(len(ranges))
    while left < right:  # to the number of ranges that start at or before the last address
        middle = (left + right) >> _1
        if ranges[middle, _0] < last_high or (ranges[middle, _0] == last_high and ranges[middle, _1] <= last_low):
            left = middle + _1
        else:
            right = middle
    if left == _0:
        return False
    before = left - _1
    return ranges[before, _2] > high or (ranges[before, _2] == high and ranges[before, _3] >= low)


@inner
def _among(numbers: Any, wanted: Any) -> Any:
    """Whether a sorted array holds a number."""
    left, right = _0, u64(len(numbers))
    while left < right:
        middle = (left + right) >> _1
        if numbers[middle] < wanted:
            left = middle + _1
        else:
            right = middle
    return left < u64(len(numbers)) and numbers[left] == wanted


def _entry(fingerprint: int) -> Any:
    @entry
    def touching(
        family: Any, high: Any, low: Any, length: Any, session: Any, four: Any, six: Any, whole: Any, picked: Any
    ) -> Any:
        assert fingerprint
        four, six, whole, picked = borrow(four), borrow(six), borrow(whole), borrow(picked)
        family, high, low = borrow(family), borrow(high), borrow(low)
        length, session = borrow(length), borrow(session)
        count = 0
        for row in range(len(family)):
            ranges = four if family[row] == 4 else six
            if _among(whole, session[row]) or _meets(ranges, high[row], low[row], u64(length[row])):
                picked[count] = row
                count += 1
        return count

    return touching


touching = _entry(FINGERPRINT)
"""`touching(family, high, low, length, session, four, six, whole, picked) -> count`

The first five are columns of a RouteBatch. `four` and `six` are uint64[n, 4]: first address high and low, last address
high and low, sorted and disjoint; `whole` is a sorted uint32 array of session ids. Row numbers go to `picked` (int64,
as long as the columns), in order.
"""
