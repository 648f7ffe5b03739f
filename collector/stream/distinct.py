"""The distinct attributes of a batch as Arrow columns, each set once.

They come by way of JSON, which compiled code writes and Arrow parses: much quicker than a Python object for each.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.json as parsed

from collector.batch import Array, Arrow
from collector.files.batch import FileBatch
from collector.stream.lines import Lines

_LIST: Final = pa.list_(pa.string())

SCHEMA: Final = pa.schema(
    [
        ("as_path", pa.string()),
        ("origin_asn", pa.uint32()),
        ("next_hop", pa.string()),
        ("med", pa.uint32()),
        ("local_pref", pa.uint32()),
        ("communities", _LIST),
        ("large_communities", _LIST),
    ]
)
"""What is known of each set; null (and null for an empty list) where the attribute was not sent."""


class Distinct:
    """For the batches of one file."""

    def __init__(self) -> None:
        self._lines = Lines(few=0)

    def of(self, batch: FileBatch) -> tuple[Arrow, Array]:
        """Return the sets as a pyarrow.Table of `SCHEMA`, and for each row the number of its set.

        A set is attributes and family, which chooses the next hop. Withdrawals share a set of nothing at all.
        """
        _, ids = np.unique(batch.routes.attributes, return_inverse=True)
        _, first, numbers = np.unique(2 * ids + (batch.routes.family == 6), return_index=True, return_inverse=True)
        pieces = [bytes(piece) for piece in self._lines.of(batch.select(first))]
        return _parsed(b"".join(pieces)), numbers


def _parsed(text: bytes) -> Any:
    if not text:
        return SCHEMA.empty_table()
    options = parsed.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
    whole = parsed.ReadOptions(use_threads=False, block_size=len(text) + 1)
    table: Any = parsed.read_json(pa.BufferReader(text), read_options=whole, parse_options=options)
    return table.select(SCHEMA.names).combine_chunks()
