"""One side of a BGP session, played: says what it has to, keeps the session up, ends it with a NOTIFICATION."""

import select
import socket
import threading
import time

from collector.wire.bgp.open import decode_open
from tests.collector.bmp import streams as s
from tests.collector.routers.said import IN_REACH, Family, Speaker

KEEPALIVE = s.bgp(4, b"")
CEASE = s.bgp(3, b"\x06\x04\x05bye.\n")
"""Administrative reset, with words (RFC 9003)."""
PATIENCE = 45.0
"""Seconds; GoBGP takes no session for half a minute after a NOTIFICATION."""
BEAT = 10.0


class Session(threading.Thread):
    """A session with one router, until it is told to end. Made and started inside the speakers' namespace."""

    def __init__(self, speaker: Speaker, router: str, asn: int, in_reach: bool) -> None:
        """`in_reach`: the router takes IPv4 in MP_REACH_NLRI."""
        super().__init__(name=f"{speaker.name} > {router}", daemon=True)
        self._speaker, self._router, self._asn = speaker, router, asn
        self._more = frozenset({IN_REACH}) if in_reach else frozenset[Family]()
        self._enough = threading.Event()
        self._theirs = frozenset[Family]()
        self.ended = ""
        """Why it ended, where we did not end it."""

    def enough(self) -> None:
        """Let it end."""
        self._enough.set()

    def run(self) -> None:
        """Speak."""
        try:
            with self._opened() as line:
                self._speak(line)
        except OSError as error:
            self.ended = str(error)

    def _opened(self) -> socket.socket:
        """A session that is up; tried again and again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = None
            try:
                source = (self._speaker.address, 0)
                line = socket.create_connection((self._router, 179), timeout=PATIENCE, source_address=source)
                self._open(line)
                return line
            except OSError:
                if line is not None:
                    line.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _open(self, line: socket.socket) -> None:
        line.sendall(self._speaker.open_message(self._asn))
        kind, body = _message(line)
        if kind != 1:
            raise OSError(f"no OPEN but a message of type {kind}: {body.hex()}")
        self._theirs = _families(body) | self._more
        line.sendall(KEEPALIVE)
        while _message(line)[0] != 4:
            pass

    def _speak(self, line: socket.socket) -> None:
        for said in self._speaker.says:
            if said.families <= self._theirs:
                line.sendall(said.data)
                time.sleep(0.02)
        while not self._enough.is_set():
            line.sendall(KEEPALIVE)
            self._listen(line, time.monotonic() + BEAT)
        line.sendall(CEASE)

    def _listen(self, line: socket.socket, until: float) -> None:
        while not self._enough.is_set() and time.monotonic() < until:
            if select.select([line], [], [], 0.2)[0]:
                kind, body = _message(line)
                if kind == 3:
                    raise OSError(f"{self.name}: NOTIFICATION {body.hex()}")


def _message(line: socket.socket) -> tuple[int, bytes]:
    head = _exactly(line, 19)
    return head[18], _exactly(line, int.from_bytes(head[16:18], "big") - 19)


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            raise OSError("the router closed the connection")
        data += more
    return data


def _families(body: bytes) -> frozenset[Family]:
    opened = decode_open(body)
    return frozenset((family.afi, family.safi) for family in opened.families)
