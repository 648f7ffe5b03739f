"""Elements as rows of a table that streams: widths come from the first rows and the terminal, and then stay."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from collector.wire.element import Element, ElementType

SAMPLE: Final = 200
"""Rows that decide the widths."""

_COLOURS: Final = {
    ElementType.ANNOUNCEMENT: "32",
    ElementType.WITHDRAWAL: "31",
    ElementType.MALFORMED: "33",
    ElementType.STATE: "36",
}


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    text: Callable[[Element], str]
    most: int
    """Its width at the most."""
    rank: int
    """The lowest are shown first where the terminal has no room for all."""


def _time(element: Element) -> str:
    return "" if element.time is None else f"{element.time:%Y-%m-%d %H:%M:%S}"


def _what(element: Element) -> str:
    """The prefix, or the family, or the state."""
    if element.prefix is not None:
        path_id = "" if element.path_id is None else f" ({element.path_id})"
        return f"{element.prefix}{path_id}"
    return element.family or element.state or element.action


def _path(element: Element) -> str:
    """The AS path, or in words what else there is to say."""
    if element.attributes is not None:
        return str(element.attributes.as_path) or "local"
    return element.detail or element.reason


def _next_hop(element: Element) -> str:
    hop = None if element.attributes is None else element.attributes.next_hop
    return "" if hop is None else str(hop)


def _attribute(name: str) -> Callable[[Element], str]:
    def text(element: Element) -> str:
        shown = element.plain().get(name, "") if element.attributes is not None else ""
        return " ".join(map(str, shown)) if isinstance(shown, list) else str(shown)

    return text


_PATH: Final = "AS PATH"
_COLUMNS: Final = (
    _Column("", lambda element: str(element.type), 1, 0),
    _Column("TIME (UTC)", _time, 19, 3),
    _Column("ROUTER", lambda element: element.router, 24, 6),
    _Column("PEER", lambda element: "" if element.peer is None else str(element.peer), 39, 1),
    _Column("PEER AS", lambda element: "" if element.peer_asn is None else str(element.peer_asn), 10, 7),
    _Column("TABLE", lambda element: element.rib, 12, 8),
    _Column("PREFIX", _what, 49, 0),
    _Column("NEXT HOP", _next_hop, 39, 4),
    _Column("LP", _attribute("local_pref"), 10, 9),
    _Column("MED", _attribute("med"), 10, 9),
    _Column(_PATH, _path, 200, 0),
    _Column("COMMUNITIES", _attribute("communities"), 200, 5),
)
_LEAST_PATH: Final = 20


class ElementTable:
    """Rows for elements, as they come."""

    def __init__(self, columns: int | None = None, colours: bool | None = None) -> None:
        """`columns` of the terminal; without, those of standard output, and none at all where that is no terminal."""
        terminal = sys.stdout.isatty()
        self._room = columns if columns is not None else _terminal() if terminal else None
        self._colours = colours if colours is not None else terminal and "NO_COLOR" not in os.environ
        self._waiting: list[Element] = []
        self._shown: list[tuple[_Column, int]] | None = None

    def element(self, element: Element) -> Iterator[str]:
        """The lines that an element leads to: none while widths are not decided, then all that waited."""
        if self._shown is None:
            self._waiting.append(element)
            if len(self._waiting) >= SAMPLE:
                yield from self.rest()
        else:
            yield self._row(element)

    def rest(self) -> Iterator[str]:
        """Decide the widths, and give what waited."""
        if self._shown is None and self._waiting:
            self._shown = self._decided()
            heads = "  ".join(_fitted(column.head, width) for column, width in self._shown).rstrip()
            yield f"\x1b[2m{heads}\x1b[0m\n" if self._colours else f"{heads}\n"
            yield from map(self._row, self._waiting)
            self._waiting.clear()

    def _decided(self) -> list[tuple[_Column, int]]:
        """Columns and their widths: what the sample has, as far as there is room; the path takes what is left."""
        wanted = {}
        for column in _COLUMNS:
            longest = max(len(column.text(element)) for element in self._waiting)
            if longest:
                wanted[column] = min(column.most, max(longest, len(column.head)))
        if self._room is None:
            return list(wanted.items())
        chosen: dict[_Column, int] = {}
        for column in sorted(wanted, key=lambda each: each.rank):
            width = min(wanted[column], _LEAST_PATH) if column.head == _PATH else wanted[column]
            if not column.rank or _width(chosen) + 2 + width <= self._room:
                chosen[column] = width
        for column in chosen:
            if column.head == _PATH:
                chosen[column] = max(8, min(wanted[column], self._room - _width(chosen) + chosen[column]))
        return [(column, chosen[column]) for column in _COLUMNS if column in chosen]

    def _row(self, element: Element) -> str:
        assert self._shown is not None
        cells = [_fitted(column.text(element), width, self._room is None) for column, width in self._shown]
        text = "  ".join(cells).rstrip()
        if self._room is not None and len(text) > self._room:
            text = text[: self._room - 1] + "…"
        colour = _COLOURS.get(element.type) if self._colours else None
        return f"\x1b[{colour}m{text[:1]}\x1b[0m{text[1:]}\n" if colour else text + "\n"


def _fitted(text: str, width: int, whole: bool = False) -> str:
    """Padded to a width, and cut to it unless it is wanted whole."""
    if len(text) > width and not whole:
        return text[: width - 1] + "…"
    return text.ljust(width)


def _width(chosen: dict[_Column, int]) -> int:
    return sum(chosen.values()) + 2 * max(0, len(chosen) - 1)


def _terminal() -> int:
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80
