"""A packet tap on all sessions of the collector, with a reader of BGP that shares nothing with Catchment's own.

Strict where `lab.segments` is generous: whatever a segment of the collector's holds must be whole BGP messages from the
first octet to the last, or it counts as unread, so that nothing hides behind a cut.
"""

import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from lab import space
from lab.segments import UPDATE, Segment, segment, update
from lab.topology import Lab

MARKER = b"\xff" * 16
ROUTE_REFRESH = 5
MP_REACH, MP_UNREACH = 14, 15


@dataclass
class Seen:
    """What passed since the tap was opened, or last read."""

    to_peers: Counter[str] = field(default_factory=Counter)
    """BGP messages of the collector by the peer's address."""
    refreshes: Counter[str] = field(default_factory=Counter)
    """ROUTE-REFRESH messages of peers by their address."""
    nlri: list[str] = field(default_factory=list)
    """A sentence for each UPDATE of the collector that announces anything."""
    withdrawn: list[str] = field(default_factory=list)
    """A sentence for each that withdraws anything: GoBGP may withdraw what it filtered and so never announced."""
    unread: list[str] = field(default_factory=list)
    """A sentence for each segment of the collector that is not whole messages."""


class Tap:
    """Listens on every interface of the collector's host until closed."""

    def __init__(self, lab: Lab) -> None:
        sessions = lab.sessions_of("collector")
        self._ours = {session.dialer.address for session in sessions}
        self.peers = {str(session.listener.address): session.listener.node for session in sessions}
        self._socket = space.inside(lab.namespace("collector"), _opened)
        self._seen, self._lock, self._over = Seen(), Lock(), Event()
        self._thread = Thread(target=self._listen, name="tap", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def read(self) -> Seen:
        """Return what passed so far, and begin anew."""
        time.sleep(0.2)
        with self._lock:
            seen, self._seen = self._seen, Seen()
        return seen

    def peek(self) -> Seen:
        """Return what passed so far, and go on."""
        return self._seen

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                packet = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            found = segment(packet)
            if found is not None and found.bgp and found.payload:
                with self._lock:
                    self._note(found)

    def _note(self, found: Segment) -> None:
        ours = found.source in self._ours
        peer = str(found.target if ours else found.source)
        if peer not in self.peers:
            return
        whole, messages = split(found.payload)
        for kind, body in messages:
            if not ours:
                self._seen.refreshes[peer] += kind == ROUTE_REFRESH
                continue
            self._seen.to_peers[peer] += 1
            if kind == UPDATE:
                announced, withdrawn = said(body)
                self._seen.nlri += [f"to {self.peers[peer]}: {announced}"] * bool(announced)
                self._seen.withdrawn += [f"to {self.peers[peer]}: {withdrawn}"] * bool(withdrawn)
        if ours and not whole:
            self._seen.unread.append(f"{len(found.payload)} octets to {self.peers[peer]} that are not whole messages")


def split(payload: bytes) -> tuple[bool, list[tuple[int, bytes]]]:
    """Cut a segment into BGP messages, type and body; says whether it was whole messages from end to end."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(payload):
        (length,) = struct.unpack_from("!H", payload, at + 16) if len(payload) >= at + 19 else (0,)
        if payload[at : at + 16] != MARKER or length < 19 or at + length > len(payload):
            return False, found
        found.append((payload[at + 18], payload[at + 19 : at + length]))
        at += length
    return True, found


def said(body: bytes) -> tuple[str, str]:
    """Return what an UPDATE announces and what it withdraws, in words; neither for an End-of-RIB."""
    read = update(body)
    reach, unreach = (read.attributes.get(code, b"") for code in (MP_REACH, MP_UNREACH))
    announced = [*map(str, read.announced), *([f"MP_REACH {reach.hex()}"] if reach else [])]
    withdrawn = [*map(str, read.withdrawn), *([f"MP_UNREACH {unreach.hex()}"] if len(unreach) > 3 else [])]
    return ", ".join(announced), ", ".join(withdrawn)


def _opened() -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    tap.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    tap.settimeout(0.1)
    return tap
