"""A BMP file through compiled code, message by message through the plain decoder where that stops."""

from dataclasses import replace

import numpy as np

from collector.batch import Array
from collector.bmp.peers import PeerTable
from collector.files.batch import FileBatch, FileSession
from collector.files.buffer import Buffer
from collector.files.lane import Lane
from collector.wire.bmp.elements import Feed, skipped
from collector.wire.bmp.frames import LONGEST
from collector.wire.bmp.values import PerPeerHeader
from collector.wire.cutting import Cutter, Damaged, Piece, Whole
from collector.wire.element import Element, ElementType
from collector.wire.feeds import BMP


class BmpFile(Lane):
    """One exporter's stream, from its first octet to its end."""

    _rows_first = True  # a Peer Up changes which rows have path ids

    def __init__(self, buffer: Buffer, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        from collector.kernel.decode import decode as kernel

        super().__init__(buffer, rows)
        self._kernel = kernel
        self._feed, self._peers = Feed(), PeerTable()
        self._carried: Array = np.zeros(16, np.uint8)
        scratch = np.zeros(1 << 10, np.uint64)
        self._work = scratch.view(np.uint8), scratch, np.zeros(8, np.uint64)

    def _run(self) -> int:
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
        batch = super()._batch()
        routes = replace(batch.routes, at=batch.routes.router_time)
        has_path_id = batch.has_path_id
        if self._carried.any():  # two bits for each direction, see `collector.kernel.peers.Peers.add_path`
            shift = 2 * (routes.rib >= 3) + (routes.family == 6)
            has_path_id = (self._carried[routes.session] >> shift & 1).astype(np.bool_)
        return replace(batch, routes=routes, has_path_id=has_path_id)

    def _next(self) -> Whole:
        buffer = self._buffer
        size = int.from_bytes(buffer.peek(1, 4), "big")
        return Whole(buffer.offset, buffer.take(size))

    def _cutter(self) -> Cutter:
        return Cutter(BMP, strict=False)

    def _elements(self, piece: Piece) -> list[Element]:
        feed, router = self._feed, self._feed.router
        if isinstance(piece, Damaged):
            return [skipped(Element(ElementType.MALFORMED, router=router), piece.reason, piece.offset, piece.raw)]
        found = list(feed.elements(piece.data, None, piece.offset))
        if feed.router != router:  # what compiled code knows of sessions has the name in it
            self._peers = PeerTable()
        if feed.header is not None:
            self._admit(feed.header)
        return found

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
        self._carried[number] = arrays.add_path[peer.number] & 15


_UNKNOWN = np.zeros(1, np.int64)
