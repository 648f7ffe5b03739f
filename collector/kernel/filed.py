"""Rows of a file: what `collector.files.batch.FileBatch` has beside the journal's columns."""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.words import borrow, put

u64 = np.uint64


class Filed(NamedTuple):
    """Arrays of the same length as the rows."""

    form: Any
    """uint8: a `collector.files.batch.Form`."""
    has_path_id: Any
    """uint8: 0 or 1."""
    originated: Any
    """int64, s."""


@inner
def lent_filed(filed: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Filed(borrow(filed.form), borrow(filed.has_path_id), borrow(filed.originated))


@inner
def filed_room(filed: Any, limit: Any) -> Any:
    """How many of `limit` rows fit into these arrays, too."""
    return min(limit, u64(min(len(filed.form), len(filed.has_path_id), len(filed.originated))))


@inner
def file(rows: Any, filed: Any, first: Any, after: Any, action: Any, attributes: Any, common: Any) -> None:
    """Fill what rows `first` to `after` have in common: (time in ns, session, rib, form, path ids, originated in s)."""
    for number in range(first, after):
        put(rows.at, number, common[0])
        put(rows.router_time, number, 0)
        put(rows.session, number, common[1])
        put(rows.rib, number, common[2])
        put(rows.phase, number, 0)
        put(rows.action, number, action)
        put(rows.attributes, number, attributes)
        put(filed.form, number, common[3])
        put(filed.has_path_id, number, common[4])
        put(filed.originated, number, common[5])
