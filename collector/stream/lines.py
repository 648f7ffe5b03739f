"""Batches of columns as lines of JSON: octet for octet what `line` writes of each row's element."""

import json
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any, Final

import numpy as np

from anycast.observation import Rib
from anycast.prefix import Family
from collector.batch import Array, AttributeTable
from collector.files.batch import FileBatch, FileSession, Form, as_elements
from collector.stream.text import line
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.element import Element, ElementType

FEW: Final = 16
"""Rows below which making elements is quicker."""

PIECE: Final = 1 << 20
"""Octets that are written at once."""

_FAMILIES: Final = (Family.IPV4, Family.IPV6)
_NAMES: Final = (str(IPV4_UNICAST), str(IPV6_UNICAST))
_RIBS: Final = (*map(str, Rib), "")
_PREFIX: Final = ip_network("0.0.0.0/0")
_BARE: Final = json.dumps({"type": "A"})[:-1].replace(" ", "")


class Lines:
    """Writes the batches of one file; texts of sessions and attributes are made once."""

    def __init__(self, piece: int = PIECE, few: int = FEW) -> None:
        """`piece`: octets that are gathered at the most (a line alone may be longer)."""
        self._piece, self._few = piece, few
        self._kernel: Any = None
        self._out: Array = np.empty(0, np.uint8)
        self._table: AttributeTable | None = None
        self._texts: Any = None
        self._said, self._starts, self._longest = bytearray(), [0], 0

    def of(self, batch: FileBatch) -> Iterator[bytes | memoryview]:
        """The lines of a batch, in its order, in pieces; each is good until the next is asked for."""
        if len(batch) < self._few:
            return (line(element).encode() for element in as_elements(batch))
        return self._many(batch)

    def _many(self, batch: FileBatch) -> Iterator[memoryview]:
        kernel = self._begin()
        if batch.attributes is not self._table:
            self._table, self._texts = batch.attributes, None
        self._grow(batch.attributes)
        columns, sessions, halt, row = self._columns(batch), self._sessions(batch.sessions), kernel.Halt, 0
        while True:
            table = batch.attributes.arrays
            answer = kernel.lines(
                columns,
                np.uint64(row),
                sessions,
                np.uint64(self._longest),
                table,
                table.arena.view(np.uint8),
                self._texts,
                self._work,
                self._out,
            )
            row, size, why, number, variant = map(int, answer)
            if size:
                yield self._out[:size].data
            if why == halt.END:
                return
            if why == halt.GROW:
                self._grow(batch.attributes)
            elif why == halt.PLAIN:
                self._spell(batch.attributes, number, variant)
            elif not size:  # a line of its own is longer than the buffer
                self._out = np.empty(2 * len(self._out), np.uint8)

    def _begin(self) -> Any:
        if self._kernel is None:
            from collector.kernel import json_attributes, json_lines

            self._kernel = json_lines
            self._least, self._each = int(json_attributes.FIXED), int(json_attributes.EACH)
            self._work = np.zeros(json_attributes.WORK, np.uint64)
            self._out = np.empty(self._piece, np.uint8)
        return self._kernel

    def _columns(self, batch: FileBatch) -> Any:
        routes = batch.routes
        timed = (batch.form != Form.BMP) | (routes.at != 0)
        return self._kernel.Columns(
            *(routes.at, routes.session, routes.rib, routes.family, routes.prefix_high, routes.prefix_low),
            *(routes.length, routes.path_id, routes.action, routes.attributes),
            *(batch.has_path_id, batch.originated, timed),
        )

    def _sessions(self, sessions: Sequence[FileSession]) -> Any:
        each = 2 * self._kernel.KINDS + 2
        for session in sessions[(len(self._starts) - 1) // each :]:
            texts = [text.encode() for text in _texts(session)]
            self._longest = max(self._longest, max(map(len, texts)) + sum(map(len, texts[-2:])))
            for text in texts:
                self._said += text
                self._starts.append(len(self._said))
        return self._kernel.Sessions(
            np.frombuffer(bytes(self._said) + bytes(8), np.uint8), np.array(self._starts, np.uint64)
        )

    def _grow(self, table: AttributeTable) -> None:
        """Make entries for all blobs, and room for the text of any one more."""
        if self._texts is None:
            none = np.zeros(1 << 12, np.uint64)
            self._texts = self._kernel.Texts(none, none.copy(), np.zeros(1 << 20, np.uint8), np.array([8], np.uint64))
        starts, sizes, arena, used = self._texts
        entries = 2 * len(table.arrays.ids)
        if entries > len(sizes):
            none = np.zeros(entries - len(sizes), np.uint64)
            starts, sizes = np.concatenate((starts, none)), np.concatenate((sizes, none))
        need = int(used[0]) + self._least + self._each * (1 << 16)
        if need > len(arena):
            arena = np.concatenate((arena, np.zeros(max(need, len(arena)), np.uint8)))
        self._texts = self._kernel.Texts(starts, sizes, arena, used)

    def _spell(self, table: AttributeTable, number: int, variant: int) -> None:
        """Make the text that compiled code would not."""
        attributes = table.attributes(int(table.arrays.ids[number]), _FAMILIES[variant])
        text = line(Element(ElementType.ANNOUNCEMENT, attributes=attributes))[len(_BARE) : -2].encode()
        starts, sizes, arena, used = self._texts
        at, start = number * 2 + variant, int(used[0])
        if start + len(text) + self._least > len(arena):
            arena = np.concatenate((arena, np.zeros(len(arena) + len(text) + self._least, np.uint8)))
            self._texts = self._kernel.Texts(starts, sizes, arena, used)
        arena[start : start + len(text)] = np.frombuffer(text, np.uint8)
        starts[at], sizes[at], used[0] = start, len(text), start + len(text)


def _texts(session: FileSession) -> list[str]:
    """What a session's lines hold between time and prefix, in each table and of each family; then what follows the
    prefix, and what follows a path id."""
    texts = [_parts(session, rib, family)[0] for rib in _RIBS for family in _NAMES]
    return [*texts, *_parts(session, "", "")[1:]]


def _parts(session: FileSession, rib: str, family: str) -> tuple[str, str, str]:
    element = Element(
        ElementType.ANNOUNCEMENT,
        router=session.router,
        peer=session.peer,
        peer_asn=session.peer_asn,
        peer_type=session.peer_type,
        distinguisher=session.distinguisher,
        rib=rib,
        family=family,
        prefix=_PREFIX,
        path_id=0,
    )
    before, _, rest = line(element)[len(_BARE) : -2].partition(f'{_PREFIX}"')
    after, _, end = rest.partition(',"path_id":0')
    return before, after, end
