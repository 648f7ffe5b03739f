"""Files as Arrow: a record batch at a time, no Python object a route."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from anycast.observation import Rib
from collector.batch import Array, Arrow
from collector.files.batch import IN_TABLE, FileBatch, FileSession, Form, as_elements
from collector.files.read import ROWS, read
from collector.stream.distinct import Distinct
from collector.stream.filters import Filter, joined
from collector.stream.lines import FEW
from collector.stream.sieve import Sieve
from collector.stream.stream import Input, Time, asked, inputs, opened
from collector.stream.terms import HasType
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.element import Element, ElementType

_WORD: Final = pa.dictionary(pa.int32(), pa.string())

SCHEMA: Final = pa.schema(
    [
        ("type", pa.dictionary(pa.int8(), pa.string())),
        ("time", pa.timestamp("us", tz="UTC")),
        ("router", _WORD),
        ("peer_address", _WORD),
        ("peer_asn", pa.uint32()),
        ("rib", _WORD),
        ("family", _WORD),
        ("route_distinguisher", _WORD),
        ("prefix", pa.string()),
        ("path_id", pa.uint32()),
        ("as_path", _WORD),
        ("origin_asn", pa.uint32()),
        ("next_hop", _WORD),
        ("med", pa.uint32()),
        ("local_pref", pa.uint32()),
        ("communities", pa.list_(pa.string())),
        ("large_communities", pa.list_(pa.string())),
    ]
)
"""The columns of a batch, by the names of `BGPElem` and of `collector.wire.element.KEYS`."""

ROUTES: Final = frozenset({ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB})
_TYPES: Final = tuple(map(str, (ElementType.WITHDRAWAL, ElementType.ANNOUNCEMENT, ElementType.RIB)))
_SETS: Final = ("origin_asn", "med", "local_pref", "communities", "large_communities")


class Batches:
    """Record batches of files, one after another. Iterate over it once; `close`, or `with`, closes the open file."""

    def __init__(self, files: Iterable[Input], wanted: Filter, rows: int) -> None:
        self.malformed = 0
        """How many elements of type M there were so far."""
        self._batches = self._each(tuple(files), joined(HasType(ROUTES), wanted), rows)

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Arrow]:
        return self

    def __next__(self) -> Arrow:
        return next(self._batches)

    def close(self) -> None:
        """End it; a file that was opened here is closed, one that was given is not."""
        self._batches.close()

    def _each(self, files: tuple[Input, ...], wanted: Filter, rows: int) -> Generator[Arrow, None, None]:
        for file in files:
            with opened(file) as plain:
                yield from self._file(plain, wanted, rows)

    def _file(self, file: Any, wanted: Filter, rows: int) -> Iterator[Arrow]:
        sieve, distinct, single = Sieve(wanted), Distinct(), list[Element]()
        for item in read(file, rows):
            few = isinstance(item, Element) or len(item) < FEW
            if isinstance(item, Element):
                self.malformed += item.type is ElementType.MALFORMED
                if wanted.matches(item):
                    single.append(item)
            elif few:
                single.extend(as_elements(sieve.select(item)))
            while len(single) >= rows or (single and not few):
                yield _of_elements(single[:rows])
                del single[:rows]
            if isinstance(item, FileBatch) and not few and len(left := sieve.select(item)):
                yield _of_columns(left, distinct)
        if single:
            yield _of_elements(single)


def catchment_batches(
    *files: Input | Iterable[Input],
    filter: str | Filter = "",
    from_time: Time | None = None,
    until_time: Time | None = None,
    record_type: str | None = None,
    collector: str | None = None,
    rows: int = ROWS,
) -> Batches:
    """Yield the routes of BMP and MRT files as pyarrow.RecordBatches of `SCHEMA`, at most `rows` of them each.

    Takes what `catchment_stream` takes, and gives announcements, withdrawals and routes of table dumps, in the order of
    the files. Raises what `catchment_stream` raises, and ValueError where `rows` is less than 1.
    """
    if rows < 1:
        raise ValueError(f"rows: a batch has at least one row, not {rows}")
    return Batches(inputs(files), asked(filter, from_time, until_time, record_type, collector), rows)


def _of_columns(batch: FileBatch, distinct: Distinct) -> Arrow:
    routes = batch.routes
    sets, numbers = distinct.of(batch)
    timed = (batch.form != Form.BMP) | (routes.at != 0)
    sessions, of = _of_sessions(batch.sessions), pa.array(routes.session)
    rib = np.where(routes.action == IN_TABLE, len(Rib), routes.rib)
    in_sets = pa.array(numbers)
    columns = {
        "type": _named(routes.action, _TYPES, SCHEMA.field("type").type),
        "time": pa.array(routes.at // 1000, mask=~timed).cast(SCHEMA.field("time").type),
        "router": sessions["router"].take(of),
        "peer_address": sessions["peer_address"].take(of),
        "peer_asn": sessions["peer_asn"].take(of),
        "rib": _named(rib, (*map(str, Rib), None), _WORD),
        "family": _named((routes.family == 6).astype(np.uint8), (str(IPV4_UNICAST), str(IPV6_UNICAST)), _WORD),
        "route_distinguisher": pa.nulls(len(batch), _WORD),
        "prefix": _prefixes(batch),
        "path_id": pa.array(routes.path_id, mask=~batch.has_path_id),
        "as_path": pa.DictionaryArray.from_arrays(in_sets.cast(pa.int32()), _one(sets, "as_path")),
        "next_hop": _one(sets, "next_hop").dictionary_encode().take(in_sets),
    }
    columns |= {name: _one(sets, name).take(in_sets) for name in _SETS}
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _one(sets: Any, name: str) -> Any:
    return sets.column(name).combine_chunks()


def _prefixes(batch: FileBatch) -> Any:
    from collector.kernel.json_prefixes import LONGEST, prefixes

    routes = batch.routes
    offsets, out = np.empty(len(batch) + 1, np.int32), np.empty(LONGEST * len(batch), np.uint8)
    size = int(prefixes(routes.family, routes.prefix_high, routes.prefix_low, routes.length, offsets, out))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(out[:size].copy())]
    return pa.Array.from_buffers(pa.string(), len(batch), buffers)


def _named(numbers: Array, names: tuple[str | None, ...], kind: Any) -> Any:
    """Numbers as a dictionary of names; None is null."""
    known = pa.array([name for name in names if name is not None])
    absent = numbers >= len(known)
    return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=absent).cast(kind.index_type), known)


def _of_sessions(sessions: Sequence[FileSession]) -> dict[str, Any]:
    return {
        "router": pa.array([session.router or None for session in sessions], pa.string()).dictionary_encode(),
        "peer_address": pa.array(
            [None if session.peer is None else str(session.peer) for session in sessions], pa.string()
        ).dictionary_encode(),
        "peer_asn": pa.array([session.peer_asn for session in sessions], pa.uint32()),
    }


def _of_elements(elements: list[Element]) -> Arrow:
    plain = [_row(element) for element in elements]
    return pa.RecordBatch.from_pylist(plain, schema=SCHEMA)


def _row(element: Element) -> dict[str, Any]:
    plain = element.plain()
    shown = {name: plain.get(name) for name in SCHEMA.names}
    return shown | {"time": element.time, "peer_address": plain.get("peer"), "peer_asn": element.peer_asn}
