"""A file's routes as lines of `bgpdump -m`, from columns by compiled code and from elements by the plain speller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np

from anycast.prefix import Family
from collector.batch import Array, AttributeTable
from collector.files.batch import FileBatch, FileSession
from collector.files.read import read
from collector.wire.element import Element
from collector.wire.mrt.records import Readable
from collector.wire.spelled import DEPRECATED, FORMS, attributes_text, form_text, peer_text, spelled

PIECE: Final = 1 << 20
"""Octets that are gathered before they are written."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    lines: int
    octets: int


def write_bgpdump(file: Readable, out: BinaryIO) -> Written:
    """Write what a binary BMP or MRT file holds to `out` as `bgpdump -m` would print it, in large pieces.

    Raises Malformed, with nothing written, when the file is of no kind that we know; OSError where reading or writing
    fails.
    """
    return write_lines(read(file), out)


def write_lines(source: Iterable[FileBatch | Element], out: BinaryIO) -> Written:
    """Write what `collector.files.read.read` yields, or the part of it that a filter left."""
    writer = Writer(out)
    for item in source:
        if isinstance(item, FileBatch):
            writer.batch(item)
        else:
            writer.element(item)
    writer.flush()
    return Written(writer.lines, writer.octets)


class Writer:
    """Lines of one file on their way to `out`."""

    def __init__(self, out: BinaryIO, piece: int = PIECE) -> None:
        """`piece`: octets that are gathered before they are written."""
        self._out = out
        self._gathered = bytearray()
        self._piece = piece
        self._columns: _Columns | None = None
        self.lines = 0
        self.octets = 0

    def element(self, element: Element) -> None:
        """Write an element's line, where it has one."""
        line = spelled(element, FORMS[element.record])
        if line is not None:
            self.lines += 1
            self.octets += len(line)
            self._gathered += line
            if len(self._gathered) >= self._piece:
                self.flush()

    def batch(self, batch: FileBatch) -> None:
        """Write a line a row."""
        self.flush()
        self._columns = self._columns or _Columns(self._piece)
        self.octets += self._columns.write(batch, self._out)
        self.lines += len(batch)

    def flush(self) -> None:
        """Write what has been gathered."""
        if self._gathered:
            self._out.write(self._gathered)
            self._gathered = bytearray()


class _Columns:
    """Compiled code, and what it needs beside the columns."""

    def __init__(self, piece: int) -> None:
        from collector.kernel import text
        from collector.kernel.text_attributes import EACH, FIXED, VARIANTS

        self._kernel = text
        self._least, self._each, self._variants = int(FIXED), int(EACH), VARIANTS
        self._buffer: Array = np.empty(piece, np.uint8)
        self._heads = _heads(text.HEAD, text.HEADS)
        self._table: AttributeTable | None = None
        self._texts: Any = None
        self._peers, self._peer_starts = bytearray(), [0]

    def write(self, batch: FileBatch, out: BinaryIO) -> int:
        """Write a line a row; returns the octets."""
        if batch.attributes is not self._table:
            self._table = batch.attributes
            self._forget()
        columns, spelling = self._of(batch), self._spelling(batch.sessions)
        row, octets, halt = 0, 0, self._kernel.Halt
        while True:
            table = batch.attributes.arrays
            answer = self._kernel.lines(
                columns, np.uint64(row), spelling, table, table.arena.view(np.uint8), self._texts, self._buffer
            )
            row, size, why, number, variant = map(int, answer)
            out.write(self._buffer[:size].data)
            octets += size
            if why == halt.END:
                return octets
            if why == halt.GROW:
                self._grow(batch.attributes)
            elif why == halt.PLAIN:
                self._spell(batch.attributes, number, variant)
            elif not size:  # a line of its own is longer than the buffer
                self._buffer = np.empty(2 * len(self._buffer), np.uint8)

    def _of(self, batch: FileBatch) -> Any:
        routes = batch.routes
        return self._kernel.Columns(
            *(routes.at, routes.session, routes.rib, routes.family, routes.prefix_high, routes.prefix_low),
            *(routes.length, routes.path_id, routes.action, routes.attributes, batch.form, batch.has_path_id),
        )

    def _spelling(self, sessions: Sequence[FileSession]) -> Any:
        for session in sessions[len(self._peer_starts) - 1 :]:
            self._peers += peer_text(session.peer, session.peer_asn).encode()
            self._peer_starts.append(len(self._peers))
        peers = np.frombuffer(bytes(self._peers) + bytes(8), np.uint8)
        return self._kernel.Spelling(*self._heads, peers, np.array(self._peer_starts, np.uint64))

    def _forget(self) -> None:
        """Begin with no texts of attributes."""
        none = np.zeros(self._variants << 12, np.uint64)
        self._texts = self._kernel.Texts(none, none.copy(), np.zeros(1 << 20, np.uint8), np.array([8], np.uint64))

    def _grow(self, table: AttributeTable) -> None:
        """Make entries for all blobs, and twice the room for their texts."""
        starts, sizes, arena, used = self._texts
        entries = self._variants * len(table.arrays.ids)
        if entries > len(sizes):
            none = np.zeros(entries - len(sizes), np.uint64)
            starts, sizes = np.concatenate((starts, none)), np.concatenate((sizes, none))
        need = int(used[0]) + self._least + self._each * (1 << 16)
        if need > len(arena):
            arena = np.concatenate((arena, np.zeros(need, np.uint8)))
        self._texts = self._kernel.Texts(starts, sizes, arena, used)

    def _spell(self, table: AttributeTable, number: int, variant: int) -> None:
        """Let the plain speller make the text that compiled code would not."""
        family = Family.IPV6 if variant & 1 else Family.IPV4
        attributes = table.attributes(int(table.arrays.ids[number]), family)
        text = attributes_text(attributes, DEPRECATED if variant & 2 else "").encode()
        starts, sizes, arena, used = self._texts
        at, start = number * self._variants + variant, int(used[0])
        if start + len(text) + self._least > len(arena):
            arena = np.concatenate((arena, np.zeros(len(arena) + len(text) + self._least, np.uint8)))
            self._texts = self._kernel.Texts(starts, sizes, arena, used)
        arena[start : start + len(text)] = np.frombuffer(text, np.uint8)
        starts[at], sizes[at], used[0] = start, len(text), start + len(text)


def _heads(size: int, entries: int) -> tuple[Array, Array, Array]:
    """The forms' texts, their sizes, and which have microseconds, as `collector.kernel.text.Spelling` has them."""
    heads, sizes, micros = np.zeros(size * entries, np.uint8), np.zeros(entries, np.uint8), np.zeros(entries, np.uint8)
    for form, name in FORMS.items():
        micros[form] = name == FORMS[0]
        for which in range(4):
            text = (form_text(name, which & 2 != 0, which & 1 != 0) + "|").encode()
            at = form * 4 + which
            heads[at * size : at * size + len(text)] = np.frombuffer(text, np.uint8)
            sizes[at] = len(text)
    return heads, sizes, micros
