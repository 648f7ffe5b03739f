"""Filters on columns let through what they let through of elements, and every filter has its opposite beside it."""

from collections.abc import Iterator
from functools import cache

import pytest

from collector.files.batch import FileBatch, as_elements
from collector.files.read import read
from collector.stream.filters import Filter, Not, parse_filter
from collector.stream.sieve import Sieve
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from tests import needs
from tests.collector.stream.samples import FILTERS, opened, stream


@cache
def plain(seed: int = 1) -> tuple[Element, ...]:
    """Every element of the stream, by the plain decoder."""
    return tuple(elements(opened(stream(seed=seed))))


def sieved(data: bytes, wanted: Filter, rows: int = 1 << 16) -> Iterator[Element]:
    """What a sieve lets through of the batches, as elements; elements between them as the filter takes them."""
    sieve = Sieve(wanted)
    for item in read(opened(data), rows):
        if isinstance(item, FileBatch):
            yield from as_elements(sieve.select(item))
        elif wanted.matches(item):
            yield item


def test_the_stream_has_every_kind_of_route() -> None:
    batches = [item for item in read(opened(stream())) if isinstance(item, FileBatch)]
    assert max(map(len, batches)) > 100, "columns must be long, or they are not what is tested"
    assert {4, 6} == {element.prefix.version for element in plain() if element.prefix is not None}
    assert {"adj-in-pre", "adj-in-post", "adj-out-pre"} <= {element.rib for element in plain()}
    assert any(element.path_id for element in plain())
    assert any(element.time is None and element.prefix is not None for element in plain())


@pytest.mark.parametrize("text", FILTERS)
def test_columns_and_elements_are_filtered_alike_and_something_passes_and_something_does_not(text: str) -> None:
    wanted = parse_filter(text)
    right = [element for element in plain() if wanted.matches(element)]
    assert list(sieved(stream(), wanted)) == right
    assert list(sieved(stream(), wanted, rows=1000)) == right
    assert (len(right) > 0) == (text != "router nobody")
    assert len(right) < len(plain())


@pytest.mark.parametrize("text", FILTERS)
def test_what_a_filter_keeps_back_its_negation_lets_through(text: str) -> None:
    wanted = parse_filter(text)
    through, back = list(sieved(stream(), wanted)), list(sieved(stream(), Not(wanted)))
    assert len(through) + len(back) == len(plain())
    assert sorted(map(repr, [*through, *back])) == sorted(map(repr, plain()))


def test_a_term_asks_what_it_says() -> None:
    """What the names mean, checked without the code under test."""
    routes = [element for element in plain() if element.type in (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL)]

    def through(text: str) -> list[Element]:
        wanted = parse_filter(text)
        return [element for element in routes if wanted.matches(element)]

    texts = {str(element.prefix) for element in through("prefix exact 10.3.0.0/16")}
    assert texts == {"10.3.0.0/16"}
    assert {"10.3.7.9/32", "10.3.7.0/24", "10.3.0.0/16"} <= {str(e.prefix) for e in through("prefix 10.3.0.0/16")}
    assert "10.0.0.0/8" not in {str(element.prefix) for element in through("prefix more 10.3.0.0/16")}
    less = {str(element.prefix) for element in through("prefix less 10.3.0.0/16")}
    assert less == {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/12", "10.3.0.0/16"}
    assert {element.type for element in through("elemtype withdrawals")} == {ElementType.WITHDRAWAL}
    for element in through("community 65010:*"):
        assert any(community >> 16 == 65010 for community in element.attributes.communities)  # type: ignore[union-attr]
    assert not any(element.attributes is None for element in through("path !_65010_"))
    assert {str(element.peer) for element in through("peer 10.10.1.5")} == {"10.10.1.5"}


@pytest.mark.parametrize("text", ["prefix any 192.0.2.0/24", "path _65000_", "community 64496:1001", "ipversion 6"])
def test_real_captures_are_filtered_alike(text: str) -> None:
    wanted = parse_filter(text)
    folder, passed, kept = needs.captures(), 0, 0
    for file in (*folder.glob("bmp/huawei-vrp-[bc].bmp.gz"), *folder.glob("bmp/iosxr-24.1.2.bmp.gz")):
        data = file.read_bytes()
        every = list(elements(opened(data)))
        right = [element for element in every if wanted.matches(element)]
        assert list(sieved(data, wanted)) == right, file.name
        passed, kept = passed + len(right), kept + len(every) - len(right)
    assert passed > 0
    assert kept > 0
