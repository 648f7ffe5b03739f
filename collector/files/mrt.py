"""An MRT file through compiled code, record by record through the plain decoder where that stops."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import numpy as np

from anycast.prefix import Address
from anycast.route import Asn
from collector.batch import Array
from collector.files.batch import FileBatch, FileSession
from collector.files.buffer import Buffer
from collector.files.lane import Lane
from collector.wire.cutting import Cutter, Piece, Whole
from collector.wire.element import Element
from collector.wire.mrt.elements import Recorded
from collector.wire.mrt.records import HEADER, LONGEST, framing, record_of

PLACES: Final = 1 << 18
KEPT: Final = 1 << 21
"""Lists of attributes that are found again by their octets, and words of memory for them."""


class MrtFile(Lane):
    """One file, from its first record to its end."""

    def __init__(self, buffer: Buffer, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        from collector.kernel import ends, filed, mrt, seen

        super().__init__(buffer, rows)
        self._kernel, self._filed = mrt.records, filed.Filed
        self._recorded = Recorded()
        self._peers = self._recorded.peers
        self._indexed: Array = np.zeros(0, np.uint32)
        self._ends: Any = ends.Ends(
            slots=np.zeros(64, np.uint32),
            keys=np.zeros((32, 5), np.uint64),
            session=np.zeros(32, np.uint32),
            counts=np.zeros(2, np.uint64),
        )
        self._known = 0
        self._seen: Any = seen.Seen(np.zeros((PLACES, 4), np.uint64), np.zeros(KEPT, np.uint64), np.zeros(1, np.uint64))
        self._table = self._filling.table
        scratch = np.zeros((1 << 13) + 16, np.uint64)
        self._work = scratch.view(np.uint8), scratch, np.zeros(8, np.uint64)

    def _run(self) -> int:
        buffer, filling = self._buffer, self._filling
        at, count, stop = self._kernel(
            buffer.octets,
            np.uint64(LONGEST),
            self._ended,
            self._indexed,
            self._ends,
            self._seen,
            filling.table.arrays,
            filling.rows,
            self._filed(filling.form, filling.has_path_id.view(np.uint8), filling.originated),
            np.uint64(filling.count),
            self._work,
        )
        buffer.skip(int(at))
        filling.count = int(count)
        self._name_ends()
        return int(stop)

    def _last(self) -> list[Element]:
        return list(self._recorded.end())

    def _batch(self) -> FileBatch:
        batch = super()._batch()
        if self._filling.table is not self._table:  # ids of another table are no use
            self._table = self._filling.table
            self._seen.places[:] = 0
        return batch

    def _name_ends(self) -> None:
        """Take in the sessions to which compiled code has given numbers."""
        entries = int(self._ends.counts[0])
        for what, *words in self._ends.keys[self._known : entries].tolist():
            six, alone = what >> 32 & 1, what >> 33 & 1
            peer, local = (_address(six, *pair) for pair in (words[:2], words[2:]))
            self._filling.sessions.append(FileSession(peer, Asn(what & 0xFFFFFFFF), "" if alone else str(local)))
        self._known = entries

    def _grow(self) -> None:
        super()._grow()
        old = self._ends
        if self._known == len(old.session):
            # Emptied, not kept: every session gets a second number, and compiled code needs no way to move them.
            room = 2 * len(old.session)
            self._known = 0
            self._ends = old._replace(
                slots=np.zeros(2 * room, np.uint32),
                keys=np.zeros((room, 5), np.uint64),
                session=np.zeros(room, np.uint32),
                counts=np.array([0, len(self._filling.sessions)], np.uint64),
            )

    def _next(self) -> Whole:
        buffer = self._buffer
        size = HEADER + int.from_bytes(buffer.peek(8, 4), "big")
        return Whole(buffer.offset, buffer.take(size))

    def _cutter(self) -> Cutter:
        return Cutter(framing())

    def _elements(self, piece: Piece) -> list[Element]:
        found = list(self._recorded.elements(record_of(piece)))
        if self._recorded.peers is not self._peers:
            self._peers = self._recorded.peers
            sessions = (FileSession(peer.address, peer.asn) for peer in self._peers.peers)
            self._indexed = np.array([self._filling.session(session) for session in sessions], np.uint32)
            self._ends.counts[1] = len(self._filling.sessions)
        return found


def _address(six: int, high: int, low: int) -> Address:
    return IPv6Address(high << 64 | low) if six else IPv4Address(low)
