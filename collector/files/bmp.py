"""A BMP file through compiled code, message by message through the plain decoder where that stops."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from collector.batch import Array
from collector.bmp.peers import PeerTable
from collector.files.batch import FileBatch, FileSession
from collector.files.buffer import Buffer
from collector.files.filling import Filling
from collector.wire.bmp.elements import Feed, skipped
from collector.wire.bmp.frames import LONGEST
from collector.wire.bmp.values import PerPeerHeader
from collector.wire.cutting import Cutter, Piece, Whole
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.feeds import BMP

PIECE: Final = 1 << 12
"""Octets that are looked at in the plain way at once, where damage begins."""


class BmpFile:
    """One exporter's stream, from its first octet to its end."""

    def __init__(self, buffer: Buffer, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        from collector.kernel.decode import Stop
        from collector.kernel.decode import decode as kernel

        self._kernel, self._stop = kernel, Stop
        self._buffer, self._filling = buffer, Filling(rows)
        self._feed, self._peers = Feed(), PeerTable()
        self._error: Malformed | None = None
        self._carried: Array = np.zeros(16, np.uint8)
        scratch = np.zeros(1 << 10, np.uint64)
        self._work = scratch.view(np.uint8), scratch, np.zeros(8, np.uint64)

    def read(self) -> Iterator[FileBatch | Element]:
        """Yield the whole stream, in order; raises Malformed, after everything, where its compression is damaged."""
        filling, buffer = self._filling, self._buffer
        while True:
            stop = self._run()
            if stop == self._stop.ROOM:
                filling.table.grow()
            elif stop == self._stop.END and self._more():
                continue
            elif stop == self._stop.FULL and filling.count:
                yield self._batch()
            else:
                if filling.count:
                    yield self._batch()
                if stop in (self._stop.END, self._stop.BROKEN):
                    if not self._holds(1):
                        break
                    yield from self._sought()
                else:
                    yield from self._plain()

        if self._error is not None:
            raise self._error

    def _more(self) -> bool:
        """Read another piece; where its compression is damaged, that is noted, and what came before is read first."""
        try:
            return self._error is None and self._buffer.more()
        except Malformed as error:
            self._error = error
            return False

    def _holds(self, size: int) -> bool:
        while self._buffer.size < size and self._more():
            pass
        return self._buffer.size >= size

    def _run(self) -> int:
        """Let compiled code take what it can; returns why it stopped."""
        buffer, filling = self._buffer, self._filling
        at, count, _, stop, _ = self._kernel(
            buffer.octets,
            np.uint64(0),
            np.uint64(LONGEST),
            np.array([buffer.size], np.uint64),
            _UNKNOWN,
            self._peers.arrays,
            filling.table.arrays,
            filling.rows,
            np.uint64(filling.count),
            self._work,
            0,
        )
        buffer.skip(int(at))
        filling.count = int(count)
        return int(stop)

    def _batch(self) -> FileBatch:
        batch = self._filling.take()
        routes = replace(batch.routes, at=batch.routes.router_time)
        has_path_id = batch.has_path_id
        if self._carried.any():  # two bits for each direction, see `collector.kernel.peers.Peers.add_path`
            shift = 2 * (routes.rib >= 3) + (routes.family == 6)
            has_path_id = (self._carried[routes.session] >> shift & 1).astype(np.bool_)
        return replace(batch, routes=routes, has_path_id=has_path_id)

    def _plain(self) -> list[Element]:
        """The next message, which is whole, by the plain decoder."""
        buffer = self._buffer
        size, offset = int.from_bytes(buffer.peek(1, 4), "big"), buffer.offset
        return self._message(buffer.take(size), offset)

    def _message(self, message: bytes, offset: int) -> list[Element]:
        feed, router = self._feed, self._feed.router
        found = list(feed.elements(message, None, offset))
        if feed.router != router:  # what compiled code knows of sessions has the name in it
            self._peers = PeerTable()
        if feed.header is not None:
            self._admit(feed.header)
        return found

    def _sought(self) -> Iterator[Element]:
        """Where messages cannot be told apart by their lengths: the plain way, up to the next whole message."""
        buffer, cutter, given = self._buffer, Cutter(BMP, strict=False), self._buffer.offset
        cutter.offset = given
        while self._holds(given - buffer.offset + 1):
            piece = buffer.peek(given - buffer.offset, PIECE)
            given += len(piece)
            for found in cutter.feed(piece):
                yield from self._piece(found)
                if isinstance(found, Whole):
                    return
        for found in cutter.end():
            yield from self._piece(found)

    def _piece(self, piece: Piece) -> list[Element]:
        size = len(piece.data) if isinstance(piece, Whole) else piece.size
        self._buffer.skip(piece.offset + size - self._buffer.offset)
        if isinstance(piece, Whole):
            return self._message(piece.data, piece.offset)
        return [
            skipped(Element(ElementType.MALFORMED, router=self._feed.router), piece.reason, piece.offset, piece.raw)
        ]

    def _admit(self, header: PerPeerHeader) -> None:
        """Let compiled code take the routes of a session, as its OPENs and its AS number are now."""
        of, peers = header.session(self._feed.router), self._peers
        session = FileSession(of.peer, header.asn, of.router, int(of.peer_type), of.distinguisher)
        number = self._filling.session(session)
        peer = peers.get(of) or peers.add(header, of, number, 0)
        peer.agree(*self._feed.sessions.opens(header))
        peers.agree(peer)
        peers.admit(peer)
        arrays = peers.arrays
        arrays.session[peer.number], arrays.asn[peer.number] = number, header.asn
        if number >= len(self._carried):
            self._carried = np.concatenate((self._carried, np.zeros_like(self._carried)))
        self._carried[number] = arrays.add_path[peer.number]

    def left(self) -> Iterator[FileBatch | Element]:
        """Yield the rows that were not handed over yet."""
        if self._filling.count:
            yield self._batch()


_UNKNOWN = np.zeros(1, np.int64)
