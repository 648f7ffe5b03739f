"""Records of types and subtypes that nobody has given a meaning: passed over with a count, and nothing lost by them."""

import io

import pytest

from collector.files.read import read_elements
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests.collector.bmp import streams as s
from tests.collector.wire.mrt.writing import ends, record

ROUTE = record(16, 4, ends() + s.update(attrs=s.attributes(65010), announced=s.nlri("10.250.0.0/24")))


def told(data: bytes) -> list[Element]:
    """What both lanes say."""
    found = list(elements(io.BytesIO(data)))
    assert list(read_elements(io.BytesIO(data))) == found
    return found


@pytest.mark.parametrize("kind", [14, 15, 18, 64, 127])
def test_records_of_an_unknown_type_are_passed_over_and_counted(kind: int) -> None:
    *routes, note = told(ROUTE + record(kind, 1, b"of tomorrow") * 2 + ROUTE + record(kind, 1, b""))
    assert [route.type for route in routes] == [ElementType.ANNOUNCEMENT] * 2
    assert (note.type, note.detail) == (ElementType.NOTE, f"passed over: 3 type {kind} records of subtype 1")


@pytest.mark.parametrize(("kind", "subtype"), [(128, 1), (64, 64), (0xFFFF, 0)])
def test_what_no_standard_will_number_so_is_damage(kind: int, subtype: int) -> None:
    first, damage, last = told(ROUTE + record(kind, subtype, b"of tomorrow") + ROUTE)
    assert (first.type, last.type) == (ElementType.ANNOUNCEMENT, ElementType.ANNOUNCEMENT)
    assert damage.type is ElementType.MALFORMED
    assert damage.offset == len(ROUTE)


def test_an_unknown_type_whose_length_leads_nowhere_swallows_no_route() -> None:
    lying = record(64, 1, b"of tomorrow")[:8] + (len(ROUTE) + 20).to_bytes(4, "big") + b"of tomorrow"
    found = told(ROUTE + lying + ROUTE + ROUTE)
    assert [each.type for each in found if each.prefix is not None] == [ElementType.ANNOUNCEMENT] * 3
