"""The Python API: elements under pybgpstream's names, and the same as Arrow batches."""

import io
from ipaddress import ip_address
from pathlib import Path

import pyarrow as pa
import pytest

from anycast.route import Asn
from collector.stream import BGPElem, FilterError, catchment_batches, catchment_stream
from collector.stream.batches import SCHEMA
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from tests import needs
from tests.collector.stream.samples import FILTERS, documented, opened, stream

ROUTES = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB)


def test_an_element_has_the_fields_of_pybgpstream() -> None:
    up, _, first, *_, last = catchment_stream(opened(documented()))
    assert (first.record_type, first.type, first.time) == ("update", "A", 1_700_000_000.25)
    assert (first.peer_address, first.peer_asn) == ("10.10.1.4", 65010)
    assert (first.project, first.collector, first.router, first.router_ip) == ("", "weu-rs0", "weu-rs0", "")
    assert first.fields == {
        "prefix": "10.250.0.10/32",
        "next-hop": "10.10.1.4",
        "as-path": "65010",
        "communities": {"65010:100"},
    }
    assert str(first) == (
        "update|A|1700000000.250000||weu-rs0|weu-rs0||65010|10.10.1.4|10.250.0.10/32|10.10.1.4|65010|65010:100|None|None"
    )
    assert up.fields == {"old-state": "", "new-state": "ESTABLISHED"}
    assert (last.type, last.fields) == ("W", {"prefix": "10.250.0.10/32"})
    assert first.element.rib == "adj-in-pre"


def test_states_are_spelled_as_there_and_a_loc_rib_has_no_peer() -> None:
    seen = Element(ElementType.STATE, router="10.0.0.1", state="open-sent", old_state="active")
    elem = BGPElem(seen)
    assert elem.fields == {"old-state": "ACTIVE", "new-state": "OPENSENT"}
    assert (elem.router_ip, elem.peer_address, elem.peer_asn, elem.time) == ("10.0.0.1", "", 0, 0.0)
    assert BGPElem(Element(ElementType.RIB, peer=ip_address("fd00::1"), peer_asn=Asn(1))).record_type == "rib"


def test_paths_files_and_lists_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "weu.bmp"
    path.write_bytes(documented())
    once = list(map(str, catchment_stream(path)))
    assert list(map(str, catchment_stream(str(path), [path, opened(documented())]))) == once * 3
    assert list(catchment_stream()) == []


def test_only_the_types_that_pybgpstream_has_unless_the_filter_asks_for_others() -> None:
    assert {elem.type for elem in catchment_stream(opened(documented()))} == {"S", "A", "W"}
    assert {elem.type for elem in catchment_stream(opened(documented()), filter="elemtype feeds")} == {"F"}
    torn = catchment_stream(opened(documented()[:-5]))
    assert "M" not in {elem.type for elem in torn}
    assert torn.malformed == 1


def test_arguments_filter_together() -> None:
    def prefixes(**words: str) -> list[object]:
        return [elem.fields.get("prefix") for elem in catchment_stream(opened(documented()), **words)]

    assert prefixes(filter="prefix more 10.250.8.0/22") == ["10.250.8.0/24"]
    assert prefixes(from_time="2023-11-14T22:13:40Z") == ["10.250.0.10/32"]
    assert len(prefixes(until_time="2023-11-14 22:13:39", filter="elemtype A")) == 4
    assert prefixes(record_type="ribs") == []
    assert prefixes(collector="eus-rs0") == []
    assert len(prefixes(collector="weu-rs0", record_type="updates")) == 7
    with pytest.raises(FilterError, match="none of ribs, updates"):
        prefixes(record_type="rib")


def test_a_file_that_was_opened_is_closed_and_one_that_was_given_is_not(tmp_path: Path) -> None:
    given = opened(documented())
    with catchment_stream(given) as source:
        next(source)
    assert not given.closed
    with pytest.raises(StopIteration):
        next(source)
    with pytest.raises(FileNotFoundError):
        next(catchment_stream(tmp_path / "nowhere"))
    with pytest.raises(Malformed, match="neither"):
        next(catchment_stream(io.BytesIO(b"good morning, everybody")))


def test_of_many_files_the_one_that_is_none_is_named(tmp_path: Path) -> None:
    (whole := tmp_path / "weu.bmp").write_bytes(documented())
    (none := tmp_path / "none.txt").write_bytes(b"good morning, everybody")
    for take in (catchment_stream, catchment_batches):
        with pytest.raises(Malformed, match=f"^{none}: neither a BMP stream"):
            list(take(whole, none))


def test_a_batch_has_no_more_rows_than_asked_for() -> None:
    whole = [row for batch in catchment_batches(opened(documented())) for row in batch.to_pylist()]
    for rows in (1, 2, 3):
        batches = list(catchment_batches(opened(documented()), rows=rows))
        assert max(batch.num_rows for batch in batches) == rows
        assert [row for batch in batches for row in batch.to_pylist()] == whole
    with pytest.raises(ValueError, match="rows: a batch has at least one row, not 0"):
        catchment_batches(opened(documented()), rows=0)


# Columns.


def _rows(seen: Element) -> dict[str, object]:
    plain = seen.plain()
    return {
        **{name: plain.get(name) for name in SCHEMA.names},
        "time": seen.time,
        "peer_address": plain.get("peer"),
    }


@pytest.mark.parametrize("text", ["", *FILTERS[::3]])
def test_batches_hold_what_elements_say(text: str) -> None:
    data = stream(300, seed=4)
    wanted = {_key(elem.element) for elem in catchment_stream(opened(data), filter=text)}
    right = [_rows(each) for each in elements(opened(data)) if each.type in ROUTES and _key(each) in wanted]
    batches = list(catchment_batches(opened(data), filter=text))
    assert all(batch.schema == SCHEMA for batch in batches)
    assert [row for batch in batches for row in batch.to_pylist()] == right
    assert all(batch.validate(full=True) is None for batch in batches)


def _key(element: Element) -> str:
    return repr(element)


def test_small_and_large_batches_hold_the_same() -> None:
    data = stream(300, seed=5)
    whole = pa.Table.from_batches(catchment_batches(opened(data))).to_pylist()
    small = list(catchment_batches(opened(data), rows=1000))
    assert pa.Table.from_batches(small).to_pylist() == whole
    assert all(len(batch) <= 1000 for batch in small)


def test_a_torn_end_is_counted() -> None:
    batches = catchment_batches(opened(documented()[:-5]))
    assert sum(map(len, batches)) == 4
    assert batches.malformed == 1


def test_table_dumps_of_real_routers_are_batches_too() -> None:
    path = needs.captures() / "mrt" / "openbgpd_rib_table-v2.mrt"
    right = [_rows(each) for each in elements(io.BytesIO(path.read_bytes())) if each.type in ROUTES]
    assert [row for batch in catchment_batches(path) for row in batch.to_pylist()] == right
    assert {row["type"] for row in right} == {"R"}
    assert sum(map(len, catchment_batches(path, record_type="updates"))) == 0
