"""The file lane against the plain decoder: flattened, it says exactly the same, whatever the pieces it read."""

import gzip
import io
import subprocess
import sys
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.files import filling
from collector.files.batch import IN_TABLE, FileBatch, Form, as_elements
from collector.files.read import ROWS, read, read_elements
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from tests import needs
from tests.collector.bmp import streams as s
from tests.collector.files import samples as m
from tests.collector.kernel import test_decode as bmp
from tests.collector.wire.mrt.writing import STAMP

BMP_START = s.initiation() + s.peer_up()
SLOW = settings(suppress_health_check=[HealthCheck.too_slow])


def plain(data: bytes) -> list[Element] | str:
    """What the plain decoder says of a file, or why it refuses it."""
    try:
        return list(elements(io.BytesIO(data)))
    except Malformed as error:
        return error.reason


def fast(data: bytes, rows: int = ROWS, chunk: int = 1 << 16) -> list[Element] | str:
    """What the file lane says of it."""
    try:
        return list(read_elements(io.BytesIO(data), rows, chunk))
    except Malformed as error:
        return error.reason


def parts(data: bytes, rows: int = ROWS) -> tuple[int, int]:
    """How many rows and how many elements the file lane makes of a file."""
    items = list(read(io.BytesIO(data), rows))
    batches = [item for item in items if isinstance(item, FileBatch)]
    return sum(map(len, batches)), len(items) - len(batches)


def batches(data: bytes, rows: int = ROWS) -> list[FileBatch]:
    """The batches of a file."""
    return [item for item in read(io.BytesIO(data), rows) if isinstance(item, FileBatch)]


@pytest.mark.parametrize("name", m.ORDINARY)
def test_ordinary_records_are_columns_and_the_same(name: str) -> None:
    data = m.PEERS + m.ORDINARY[name] * 2
    assert fast(data) == plain(data)
    rows, others = parts(data)
    assert others == 0
    assert rows == len(plain(data))


@pytest.mark.parametrize("name", m.UNUSUAL)
def test_unusual_records_are_elements_and_the_rest_is_not(name: str) -> None:
    usual = m.ORDINARY["messages"]
    data = m.PEERS + usual + m.UNUSUAL[name] + usual
    assert fast(data) == plain(data)
    assert parts(data) == (2 * len(plain(m.PEERS + usual)), len(plain(data)) - 2 * len(plain(m.PEERS + usual)))


@pytest.mark.parametrize("name", m.DAMAGE)
@pytest.mark.parametrize("chunk", [1, 13, 1 << 16])
def test_damage_is_passed_over_as_the_plain_reader_does(name: str, chunk: int) -> None:
    usual = m.ORDINARY["a table of IPv4"] + m.ORDINARY["messages"]
    for data in (m.PEERS + usual + m.DAMAGE[name] + usual + usual, m.PEERS + usual + m.DAMAGE[name]):
        assert fast(data, chunk=chunk) == plain(data)
        assert parts(data)[0] > 0


@pytest.mark.parametrize("name", [*bmp.ORDINARY, *bmp.UNUSUAL])
def test_bmp_streams_are_the_same(name: str) -> None:
    message = (bmp.ORDINARY | bmp.UNUSUAL)[name]
    for start in (BMP_START, bmp.ADD_PATH):
        data = start + message + bmp.ORDINARY["both"] + message * 2
        assert fast(data) == plain(data)


def test_ordinary_bmp_is_columns_from_the_peer_up_on() -> None:
    data = BMP_START + bmp.ORDINARY["one IPv4 route"] * 5
    assert parts(data) == (5, 2)


def test_a_session_of_another_as_number_or_router_name_is_another_session() -> None:
    route = bmp.ORDINARY["one IPv4 route"]
    other = s.announce("10.0.0.0/24", head=s.header(asn=65002))
    data = BMP_START + route + other * 2 + route * 2 + s.initiation("edge2") + route * 3
    assert fast(data) == plain(data)
    last = batches(data)[-1]
    assert {(peer.router, peer.peer_asn) for peer in last.sessions} == {
        ("edge1", 65001),
        ("edge1", 65002),
        ("edge2", 65001),
    }


def test_path_ids_are_shown_where_they_are_agreed_and_nowhere_else() -> None:
    with_id = s.monitoring(s.update(attrs=s.attributes(1), announced=s.nlri("10.0.0.0/24", path_id=0)))
    without = s.announce("10.0.0.0/24")
    data = bmp.ADD_PATH + with_id * 2 + s.peer_down() + s.peer_up() + without * 2
    assert fast(data) == plain(data)
    assert [batch.has_path_id.tolist() for batch in batches(data)] == [[True, True], [False, False]]


@SLOW
@given(m.FILES, st.integers(1, 400), st.sampled_from((1, 3, 64, ROWS)))
def test_generated_files_are_the_same_in_any_pieces(data: bytes, chunk: int, rows: int) -> None:
    assert fast(data, rows, chunk) == plain(data)


@SLOW
@given(m.FILES, m.MUTATIONS, st.integers(1, 400))
def test_mutated_files_are_the_same(data: bytes, changes: list[tuple[int, int]], chunk: int) -> None:
    data = m.mutated(data, changes)
    assert fast(data, chunk=chunk) == plain(data)


@SLOW
@given(m.FILES, st.integers(0, 1 << 16), st.integers(1, 400))
def test_files_that_end_anywhere_are_the_same(data: bytes, end: int, chunk: int) -> None:
    data = data[: end % (len(data) + 1)]
    assert fast(data, chunk=chunk) == plain(data)


@SLOW
@given(
    st.lists(bmp.monitorings(), min_size=1, max_size=8),
    m.MUTATIONS,
    st.sampled_from((bmp.ADD_PATH, BMP_START, bmp.MIDWAY)),
    st.integers(1, 300),
)
def test_mutated_bmp_streams_are_the_same(
    messages: list[bytes], changes: list[tuple[int, int]], start: bytes, chunk: int
) -> None:
    for data in (start + b"".join(messages), start + m.mutated(b"".join(messages), changes)):
        assert fast(data, chunk=chunk) == plain(data)


@SLOW
@given(m.FILES, st.integers(0, 1 << 16))
@example(m.PEERS + m.ORDINARY["messages"] * 3000, 900)
def test_compressed_files_that_are_cut_are_the_same(data: bytes, end: int) -> None:
    packed = gzip.compress(data, mtime=0)
    for given_ in (packed, packed[: end % len(packed)]):
        assert fast(given_) == plain(given_)


@pytest.mark.parametrize("folder", ["bmp", "mrt"])
def test_every_shared_file_is_the_same(folder: str) -> None:
    for path in sorted((needs.captures() / folder).glob("*")):
        if path.suffix in (".gz", ".mrt", ".pcap"):
            data = path.read_bytes()
            assert fast(data, chunk=1 << 20) == plain(data), path.name


@pytest.mark.parametrize("name", ["rrc00.updates.19990903.1041.gz", "rrc15.updates.20100227.1600.gz"])
def test_nearly_all_of_a_real_archive_is_columns(name: str) -> None:
    rows, others = parts((needs.captures() / "mrt" / name).read_bytes())
    assert rows > 50_000
    assert others < rows / 1000


def test_packet_captures_are_elements() -> None:
    path = needs.captures() / "bmp" / "frr-10.8-upa.pcap"
    rows, others = parts(path.read_bytes())
    assert (rows, others > 0) == (0, True)


def test_columns_say_what_elements_say() -> None:
    data = m.PEERS + m.ORDINARY["path ids"] + m.ORDINARY["sent messages"]
    [batch] = batches(data)
    assert batch.form.tolist() == [Form.TABLE_DUMP_V2] * 3 + [Form.BGP4MP] * 3
    assert batch.has_path_id.tolist() == [True] * 3 + [False] * 3
    assert batch.routes.path_id.tolist() == [0, 2**32 - 1, 5, 0, 0, 0]
    assert batch.routes.action.tolist() == [IN_TABLE] * 3 + [0, 1, 1]
    assert batch.originated.tolist() == [STAMP - 60] * 3 + [0] * 3
    assert batch.routes.at.tolist() == [STAMP * 10**9] * 6
    ends = batch.sessions[int(batch.routes.session[-1])]
    assert (ends.peer, ends.peer_asn, ends.router) == (ip_address("10.10.1.4"), 65010, "10.10.255.4")
    assert [element.record for element in as_elements(batch)] == batch.form.tolist()


def test_picked_rows_are_rows_of_their_own() -> None:
    [batch] = batches(m.PEERS + m.ORDINARY["messages"])
    announced = batch.select(batch.routes.action == 1)
    assert {element.type for element in as_elements(announced)} == {ElementType.ANNOUNCEMENT}
    assert list(as_elements(batch.select(slice(2)))) == list(as_elements(batch))[:2]


def test_a_batch_has_at_most_as_many_rows_as_asked() -> None:
    data = m.PEERS + m.ORDINARY["a table of IPv4"] * 10
    assert [len(batch) for batch in batches(data, 8)] == [8, 8, 4]
    assert fast(data, rows=1) == plain(data)


def test_many_sessions_and_attribute_sets_make_the_tables_grow() -> None:
    data = b"".join(
        m.message(s.update(attrs=s.attributes(number), announced=s.nlri("10.0.0.0/24")), peer=number)
        for number in range(1, 500)
    )
    assert fast(data * 2) == plain(data * 2)
    assert parts(data) == (499, 0)


def test_attributes_outlive_the_table_that_came_after_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "HELD", 1 << 12)
    data = m.PEERS + b"".join(
        m.rib(2, m.FOUR, m.entry(s.attributes(number)), m.entry(s.attributes(7))) for number in range(1, 400)
    )
    found = batches(data, 32)
    assert len({id(batch.attributes) for batch in found}) > 2
    assert [element for batch in found for element in as_elements(batch)] == plain(data)


def test_a_file_of_no_known_kind_is_refused_at_once() -> None:
    with pytest.raises(Malformed, match="neither a BMP stream nor an MRT file"):
        read(io.BytesIO(b"#!/bin/sh\n\n\n\n"))


def test_importing_the_reader_imports_no_numba() -> None:
    code = "import sys, collector.files.read; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
