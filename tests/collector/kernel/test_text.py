"""Compiled text against the plain speller: of any row the same line, of any room never an octet too many."""

import io
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Prefix
from anycast.route import Asn
from collector.batch import AttributeTable, RouteBatch
from collector.files.batch import FileBatch, FileSession, as_elements
from collector.files.bgpdump import Writer
from collector.wire.errors import Malformed
from collector.wire.spelled import FORMS, spelled
from tests.collector.bmp import streams as s
from tests.collector.wire import strategies

BILLION = 1_000_000_000
ordinary = st.lists(
    st.sampled_from(
        [
            s.attribute(1, b"\0"),
            s.attribute(1, b"\2"),
            s.path(65001, 4_200_000_000),
            s.path(),
            s.attribute(2, b"\1\2" + bytes(range(8)) + b"\2\1\0\0\0\7" + b"\3\1\0\0\0\7" + b"\4\2" + bytes(8)),
            s.attribute(3, bytes((192, 0, 2, 1))),
            s.attribute(4, b"\xff\xff\xff\xff", 0x80),
            s.attribute(5, b"\0\0\0\x64"),
            s.attribute(6, b""),
            s.attribute(7, bytes(range(8)), 0xC0),
            s.attribute(7, bytes(4) + b"\xff" * 4, 0xC0),
            s.attribute(8, b"\xff\xff\xff\1\xff\xff\xff\2\xff\xff\xff\3\xff\xff\xff\4\0\1\xff\xff", 0xC0),
            s.attribute(8, b"\0\1\0\2" * 80, 0xC0),
            s.attribute(9, bytes(4), 0x80),
            s.attribute(14, b"\0\2\1\x10" + bytes(15) + b"\5", 0x80),
            s.attribute(14, b"\0\2\1\x20" + bytes(range(32)), 0x80),
            s.attribute(14, b"\0\1\1\x04" + bytes(range(4)), 0x80),
            s.attribute(14, b"\0\1\1\x10" + bytes(range(16)), 0x80),
            s.attribute(17, b"\2\2" + bytes(range(8)), 0xC0),
            s.attribute(18, bytes(range(8)), 0xC0),
            s.attribute(32, bytes(range(12)), 0xC0),
            s.attribute(99, bytes(3), 0xC0),
        ]
    ),
    max_size=9,
    unique_by=lambda item: item[1],
).map(b"".join)
narrow_path = s.attribute(2, b"\2\3\0\1\x5b\xa0\xff\xff" + b"\1\1\0\5")
wild = st.binary(max_size=60) | st.builds(
    lambda blob, at, octet: blob[:at] + bytes((octet,)) + blob[at + 1 :], ordinary, st.integers(0, 80), strategies.u8
)
some = st.tuples(ordinary, st.booleans()) | st.tuples(ordinary.map(lambda blob: narrow_path + blob), st.just(True))
prefixes = strategies.prefixes4 | strategies.prefixes6
rows = st.tuples(
    st.integers(0, (1 << 32) * BILLION - 1),
    st.integers(0, 2),
    st.integers(0, 4),
    prefixes,
    st.none() | strategies.u32,
    st.integers(0, 2),
    st.sampled_from(sorted(FORMS)),
)
SESSIONS = [
    FileSession(IPv4Address("192.0.2.1"), Asn(65001)),
    FileSession(IPv6Address("::5"), Asn(4_294_967_295)),
    FileSession(None, Asn(0)),
]
Row = tuple[int, int, int, Prefix, int | None, int, int]


def batch_of(found: Sequence[Row], ids: list[int], table: AttributeTable) -> FileBatch:
    """Build the batch of rows with the attributes of `ids`."""
    routes, count = RouteBatch.empty(len(found)), len(found)
    batch = FileBatch(
        routes, np.zeros(count, np.uint8), np.zeros(count, np.bool_), np.zeros(count, np.int64), SESSIONS, table
    )
    for number, (at, session, rib, prefix, path_id, action, form) in enumerate(found):
        address = int(prefix.network_address) << (96 if prefix.version == 4 else 0)
        routes.at[number], routes.session[number], routes.rib[number] = at, session, rib
        routes.family[number], routes.length[number] = prefix.version, prefix.prefixlen
        routes.prefix_high[number], routes.prefix_low[number] = address >> 64, address & (1 << 64) - 1
        routes.path_id[number], batch.has_path_id[number] = path_id or 0, path_id is not None
        routes.action[number], batch.form[number] = action, form
        routes.attributes[number] = ids[number] if action else 0
    return batch


def plainly(batch: FileBatch) -> bytes:
    """The lines of a batch by the plain speller."""
    forms = (FORMS[form] for form in batch.form.tolist())
    lines = (spelled(element, form) for element, form in zip(as_elements(batch), forms, strict=True))
    return b"".join(line for line in lines if line is not None)


def compiled(batch: FileBatch, piece: int = 1 << 16) -> bytes:
    """The lines of a batch by compiled code."""
    out = io.BytesIO()
    writer = Writer(out, piece)
    writer.batch(batch)
    assert writer.octets == len(out.getvalue())
    return out.getvalue()


@given(st.lists(st.tuples(rows, some), max_size=12), st.sampled_from([1, 300, 1000, 1 << 16]))
def test_any_rows_are_the_lines_of_the_plain_speller(found: list[Any], piece: int) -> None:
    table = AttributeTable(bytes(16))
    try:
        ids = [table.intern(*blob) for _, blob in found]
        batch = batch_of([row for row, _ in found], ids, table)
        wanted = plainly(batch)
    except Malformed:  # a path of the other width, which no reader lets in
        return
    assert compiled(batch, piece) == wanted


@given(rows, wild, st.booleans())
def test_whatever_a_blob_holds_it_is_spelled_as_plainly_or_refused(row: Row, blob: bytes, narrow: bool) -> None:
    table = AttributeTable(bytes(16))
    batch = batch_of([row], [table.intern(blob, narrow)], table)
    try:
        wanted = plainly(batch)
    except Malformed:
        wanted = None
    try:
        found = compiled(batch)
    except Malformed:
        assert wanted is None
    else:
        assert wanted in (found, None)


@given(st.lists(prefixes, min_size=1, max_size=20))
def test_any_prefix_is_spelled_as_plainly(found: list[Prefix]) -> None:
    table = AttributeTable(bytes(16))
    batch = batch_of([(0, 0, 0, prefix, None, 0, 16) for prefix in found], [0] * len(found), table)
    assert compiled(batch) == plainly(batch)


@pytest.mark.parametrize("room", [0, 1, 255, 256, 300, 511, 700, 2000])
def test_no_octet_is_written_behind_the_room(room: int) -> None:
    from collector.files.bgpdump import _Columns
    from collector.kernel.text import Halt, lines

    table = AttributeTable(bytes(16))
    identity = table.intern(s.attributes(65001, 65002), False)
    row = (1, 0, 0, LONG, 7, 1, 17)
    batch = batch_of([row] * 40, [identity] * 40, table)
    columns = _Columns(1)
    columns._forget()
    whole = np.full(room + 512, 0xAA, np.uint8)
    arrays = table.arrays
    arguments = arrays, arrays.arena.view(np.uint8), columns._texts, whole[:room]
    row_number, size, halt, _, _ = lines(columns._of(batch), np.uint64(0), columns._spelling(SESSIONS), *arguments)
    assert (whole[room:] == 0xAA).all()
    assert halt == (Halt.END if row_number == 40 else Halt.FULL)
    assert bytes(whole[:size]) == compiled(batch)[:size]


LONG = ip_network("2001:db8:1111:2222:3333:4444:5555:6666/128")


@pytest.mark.parametrize("spoilt", ["attributes", "session", "form", "action"])
def test_rows_that_point_nowhere_are_refused(spoilt: str) -> None:
    table = AttributeTable(bytes(16))
    batch = batch_of([(0, 0, 0, LONG, None, 1, 16)], [table.intern(s.attributes(1), False)], table)
    assert compiled(batch)
    column = batch.form if spoilt == "form" else getattr(batch.routes, spoilt)
    column[0] = 99
    with pytest.raises(IndexError):
        compiled(batch)


def test_texts_are_forgotten_with_their_table() -> None:
    """The ids of a new table are other ones, and their entries have the old ones' numbers."""
    out = io.BytesIO()
    writer = Writer(out)
    for asn in (1, 2):
        table = AttributeTable(bytes(16))
        identity = table.intern(s.attributes(asn), False)
        writer.batch(batch_of([(0, 0, 0, LONG, None, 1, 16)], [identity], table))
    assert [line.split(b"|")[6] for line in out.getvalue().splitlines()] == [b"1", b"2"]


def test_more_attributes_than_there_were_entries_for() -> None:
    table = AttributeTable(bytes(16))
    found = [(0, 0, 0, LONG, None, 1, 16)] * 9000
    batch = batch_of(found, [table.intern(s.attributes(number), False) for number in range(1, 9001)], table)
    lines = compiled(batch).splitlines()
    assert [int(line.split(b"|")[6]) for line in lines] == list(range(1, 9001))
