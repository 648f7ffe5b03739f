"""The recordings of real routers that stand beside this file, read."""

import gzip
import io
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from anycast.route import Attributes
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements

DUMPS: Final = Path(__file__).parent / "dumps"

Said = tuple[str, str, int | None, Attributes | None]
"""A or W, prefix, path id, attributes."""
Table = dict[tuple[str, int | None], Attributes | None]
SPOKEN: Final = frozenset({ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL})


def octets(name: str) -> bytes:
    """A recording, decompressed."""
    return gzip.decompress((DUMPS / f"{name}.gz").read_bytes())


def plainly(*names: str) -> list[Element]:
    """What the plain decoder says of recordings."""
    return [element for name in names for element in elements(io.BytesIO(octets(name)))]


def heard(found: Iterable[Element], routers: frozenset[str] = frozenset()) -> dict[str, list[Said]]:
    """What each peer said of IPv4 and IPv6 unicast, in order, as it was heard before policy (by `routers`)."""
    said = defaultdict(list)
    for element in found:
        if element.type not in SPOKEN or element.rib != "adj-in-pre" or element.mirrored or _other(element):
            continue
        if not routers or element.router in routers:
            told = str(element.type), str(element.prefix), element.path_id, element.attributes
            said[str(element.peer)].append(told)
    return said


def _other(element: Element) -> bool:
    return element.family not in ("ipv4-unicast", "ipv6-unicast")


def tables(said: list[Said]) -> Table:
    """What stands at the end, had the session not ended."""
    table: Table = {}
    for kind, prefix, path_id, attributes in said:
        if kind == "A":
            table[prefix, path_id] = attributes
        else:
            table.pop((prefix, path_id), None)
    return table
