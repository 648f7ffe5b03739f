"""Routes as columns, from the socket to the journal: no Python object a route anywhere on this lane.

Arrow is imported where it is asked for: reading files does without, and it takes a tenth of a second.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from anycast.columns import COLUMNS, NANOSECONDS
from anycast.prefix import Family
from anycast.route import Attributes
from collector.wire.bgp.path import attributes_of

Array: TypeAlias = npt.NDArray[Any]
KEPT_DECODED: Final = 1 << 14
Arrow: TypeAlias = Any  # a pyarrow.RecordBatch; pyarrow has no types


@cache
def schema(table: str) -> Any:
    """Return the pyarrow.Schema of one of the journal's tables, made from `anycast.columns.COLUMNS`."""
    import pyarrow as pa

    return pa.schema([(name, _type(word)) for name, word in COLUMNS[table]])


def _type(word: str) -> Any:
    import pyarrow as pa

    return pa.timestamp("ns", tz="UTC") if word == NANOSECONDS else pa.type_for_alias(word)


_DTYPES = {name: np.dtype("int64" if word == NANOSECONDS else word) for name, word in COLUMNS["routes"]}


@dataclass(frozen=True, slots=True, eq=False)
class RouteBatch:
    """Routes announced and withdrawn, in order of arrival: an array a column of `COLUMNS["routes"]`, all of one length.

    Times are int64 nanoseconds since 1970; a `router_time` of 0 means that the router sent none. Addresses are two
    uint64, IPv4 in the upper 32 bits of `prefix_high`.
    """

    at: Array
    router_time: Array
    session: Array
    rib: Array
    phase: Array
    family: Array
    prefix_high: Array
    prefix_low: Array
    length: Array
    path_id: Array
    action: Array
    attributes: Array

    @staticmethod
    def empty(rows: int = 0) -> "RouteBatch":
        """Make a batch of `rows` rows whose values are not set yet."""
        return RouteBatch(*(np.empty(rows, dtype) for dtype in _DTYPES.values()))

    def __len__(self) -> int:
        return len(self.at)

    @property
    def columns(self) -> tuple[Array, ...]:
        """The arrays in the order of the table's columns."""
        return tuple(getattr(self, column.name) for column in fields(self))

    def select(self, which: Array | slice) -> "RouteBatch":
        """Copy the rows that a boolean mask or an array of row numbers picks; a slice is a view."""
        return RouteBatch(*(column[which] for column in self.columns))

    def copy(self, rows: int) -> "RouteBatch":
        """Copy the first `rows` rows into arrays of their own."""
        return RouteBatch(*(column[:rows].copy() for column in self.columns))

    def to_arrow(self) -> Arrow:
        """Return a pyarrow.RecordBatch over the same memory (no copy but the nulls of `router_time`)."""
        import pyarrow as pa

        routes = schema("routes")
        arrays = [_arrow(kind, column) for kind, column in zip(routes.types, self.columns, strict=True)]
        unset = self.router_time == 0
        if unset.any():
            arrays[1] = pa.array(self.router_time, mask=unset).cast(routes.types[1])
        return pa.RecordBatch.from_arrays(arrays, schema=routes)


def _arrow(kind: Any, column: Array) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(np.ascontiguousarray(column))])


def concatenate(batches: Sequence[RouteBatch]) -> RouteBatch:
    """Join batches in the order given."""
    if not batches:
        return RouteBatch.empty()
    return RouteBatch(*map(np.concatenate, zip(*(batch.columns for batch in batches), strict=True)))


def _twice(column: Array) -> Array:
    """A copy with as much room again, which costs no memory before it is used."""
    grown = np.zeros(2 * len(column), column.dtype)
    grown[: len(column)] = column
    return grown


class AttributeTable:
    """Each distinct attribute blob once, under a 64-bit keyed hash of its bytes; decoded only when somebody asks.

    One thread at a time may use it. `key` (16 octets) belongs to a data folder: equal blobs have equal ids in it, also
    after a restart. A blob that meets another under its hash takes the next free number and is counted in `collisions`.
    """

    def __init__(self, key: bytes, limit: int = 256 << 20, room: int = 1 << 12) -> None:
        """`limit`: octets of blobs after which `full` asks for `forget`; `room`: blobs to make room for at first, a
        power of two."""
        from collector.kernel import intern

        if len(key) != 16:
            raise ValueError(f"the key of a table of attributes has 16 octets, not {len(key)}")
        self._kernel = intern
        self._limit = limit
        self._given = 0
        self._day = 0
        self._decoded: OrderedDict[tuple[int, Family | None], Attributes] = OrderedDict()
        self._scratch = np.zeros(1 << 13, np.uint64)
        self.forgotten = 0
        """How many times the table was full and forgot everything."""
        words = np.frombuffer(key, "<u8").tolist()
        self.arrays = intern.Interned(
            slots=np.zeros(2 * room, np.uint32),
            ids=np.zeros(room, np.uint64),
            starts=np.zeros(room, np.uint64),
            sizes=np.zeros(room, np.uint64),
            narrow=np.zeros(room, np.uint8),
            arena=np.zeros(16 * room, np.uint64),
            counts=np.zeros(3, np.uint64),
            key=np.array([*words, 0xFFFFFFFFFFFFFFFF], np.uint64),
        )
        """What compiled code reads and fills; replaced by `grow`."""

    def __len__(self) -> int:
        return int(self.arrays.counts[0])

    @property
    def octets(self) -> int:
        """Octets of blobs held."""
        return int(self.arrays.counts[1]) * 8

    @property
    def collisions(self) -> int:
        """Blobs that met another one under their own hash, since the last `forget`."""
        return int(self.arrays.counts[2])

    @property
    def full(self) -> bool:
        """Whether it is time to `forget`, between two batches."""
        return self.octets > self._limit

    def grow(self) -> None:
        """Make room for at least one more blob, twice as much of what is short."""
        old, grown = self.arrays, dict[str, Array]()
        if len(old.arena) - int(old.counts[1]) < len(self._scratch):
            grown["arena"] = _twice(old.arena)
        if len(self) >= len(old.ids) - 1:
            for name in ("ids", "starts", "sizes", "narrow"):
                grown[name] = _twice(getattr(old, name))
            grown["slots"] = np.zeros(2 * len(old.slots), np.uint32)
            self.refill(grown["slots"])
        self.arrays = old._replace(**grown)

    def refill(self, slots: Array) -> None:
        """Enter every blob held into empty `slots`, which are at least twice as many."""
        self._kernel.refill(slots, self.arrays.ids, np.uint64(len(self)))

    def intern(self, blob: bytes, two_octet_as: bool) -> int:
        """Return the id of a canonical blob (at most 65,535 octets), kept from now on."""
        padded = blob.ljust(-(-len(blob) // 8) * 8, b"\0")
        words = np.frombuffer(padded, "<u8") if padded else self._scratch[:0]
        self._scratch[: len(words)] = words
        while True:
            arguments = self.arrays, self._scratch, np.uint64(len(blob)), np.uint64(two_octet_as)
            if identity := int(self._kernel.intern_one(*arguments)):
                return identity
            self.grow()

    def blob(self, identity: int) -> tuple[bytes, bool]:
        """Return a blob and whether its AS numbers have 2 octets; raises KeyError when it is not held."""
        number = int(self._kernel.find(self.arrays, np.uint64(identity))) - 1
        if number < 0:
            raise KeyError(identity)
        start, size = int(self.arrays.starts[number]), int(self.arrays.sizes[number])
        octets = self.arrays.arena[start : start + -(-size // 8)].tobytes()[:size]
        return octets, bool(self.arrays.narrow[number])

    def attributes(self, identity: int, family: Family | None = None) -> Attributes:
        """Decode the blob of an id; the last few thousand stay decoded.

        `family` is that of the route, for a blob may hold two next hops. Raises KeyError when the id is not held.
        """
        asked = identity, family
        found = self._decoded.get(asked)
        if found is None:
            found = self._decoded[asked] = attributes_of(*self.blob(identity), family)
            if len(self._decoded) > KEPT_DECODED:
                self._decoded.popitem(last=False)
        else:
            self._decoded.move_to_end(asked)
        return found

    def fresh(self) -> Arrow:
        """Return a pyarrow.RecordBatch of the `attributes` table: what is new since the last call."""
        import pyarrow as pa

        first, after = self._given, len(self)
        self._given = after
        offsets = np.zeros(after - first + 1, np.int32)
        octets = np.empty(int(self.arrays.sizes[first:after].sum()), np.uint8)
        self._kernel.unpack(self.arrays, np.uint64(first), np.uint64(after), offsets, octets)
        blobs = pa.Array.from_buffers(pa.binary(), after - first, [None, pa.py_buffer(offsets), pa.py_buffer(octets)])
        narrow = pa.array(self.arrays.narrow[first:after] != 0)
        return pa.RecordBatch.from_arrays(
            [pa.array(self.arrays.ids[first:after]), narrow, blobs], schema=schema("attributes")
        )

    def turn(self, day: int) -> None:
        """Begin a batch of a day (counted from 1970): forget what belongs to another one, or too much."""
        if day != self._day or self.full:
            self.forget()
            self._day = day

    def forget(self) -> None:
        """Forget every blob, so that each is fresh again when it is next seen: at the turn of a day, or when `full`."""
        self.forgotten += self.full
        self.arrays.slots[:] = 0
        self.arrays.counts[:] = 0
        self._given = 0
        self._decoded.clear()
