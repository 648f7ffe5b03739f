"""UDP echo with an authenticated identity: a connected socket for each fixed flow, and one for each rotating probe.

A fixed flow's socket keeps its source port, so its five-tuple never changes. Answers are known by the nonce of their
request and nothing else; ICMP errors quote our datagram, and where a router quotes too little of it, the error belongs
to what the socket sent last.
"""

import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address
from typing import Final

from anycast.prefix import Address
from anycast.probe import Outcome, Proof
from collector.probe.agent.clock import round_trip
from collector.probe.agent.errors import Trouble, troubles
from collector.probe.agent.kit import SOCKETS, UNDER_WAY, Asks, Kit, result
from collector.probe.agent.pending import Pending, Sent
from collector.probe.agent.sockets import DATAGRAM, connected_udp, left_over, own_mtu, unsendable
from collector.probe.identity.datagram import Request, decode_reply
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.nonces import WINDOW
from collector.probe.identity.refused import Refused
from collector.probe.identity.repeated import NONCE, Answer, Repeated
from collector.probe.taken import Taken
from collector.probe.wire.ancillary import SPACE, stamp_and_ttl

_NONCES: Final = 512
"""That are drawn from the system at once."""


@dataclass(slots=True, eq=False)
class Sender:
    """A socket with one five-tuple, and what is under way on it."""

    sock: socket.socket
    address: Address
    """Ours."""
    port: int
    """Ours."""
    last: "Sent[Asked] | None" = None
    """What it sent last: an error that quotes too little belongs to it."""
    once: bool = False
    """Whether it sends one probe and is closed."""


@dataclass(slots=True, eq=False)
class Asked:
    """One datagram under way; nobody writes to it but what an ICMP error teaches (`Udp._trouble`)."""

    asks: Asks
    repeated: Repeated
    datagram: bytes
    sender: Sender
    deliver: Callable[[Taken], None]
    trouble: Callable[[Trouble, Taken], None] | None = None
    """Takes what an ICMP error ends, where more must be known of it."""


class Udp:
    """Sends requests from any socket and delivers how they ended."""

    def __init__(self, kit: Kit, keys: Keys) -> None:
        """The first of `keys` signs; an answer may come under any of them."""
        self._kit = kit
        self._keys = keys
        self._key: Key | None = next(iter(keys), None)
        self._run = int.from_bytes(os.urandom(4), "big")
        self._random = b""
        self._sequence = 0
        self._repeated: dict[tuple[str, int, int], Repeated] = {}
        self.pending: Pending[bytes, Asked] = Pending(kit.timeout, kit.late, UNDER_WAY, self._silent, self._forgotten)
        self.strays = 0
        """Answers that nothing waits for: duplicates, and what came after all limits."""

    @property
    def able(self) -> bool:
        """Whether there is a key to ask with."""
        return self._key is not None

    def open(self, asks: Asks, port: int, source: int = 0, dscp: int = 0, df: bool = False) -> Sender | None:
        """Open a socket towards `port` of what is asked; when that fails, deliver why, and return None."""
        if self._kit.sockets >= SOCKETS:
            self._kit.unsent(asks, f"{SOCKETS} sockets are open")
            return None
        try:
            sock = connected_udp(asks.address, port, source, dscp, df)
        except OSError as error:
            how, why = unsendable(error)
            self._kit.deliver(result(asks, self._kit.clock.mono(), self._kit.clock.wall(), how, detail=why))
            return None
        self._kit.sockets += 1
        ours = sock.getsockname()
        sender = Sender(sock, ip_address(ours[0]), ours[1])
        self._kit.ears.add(sock.fileno(), partial(self._hear, sender))
        return sender

    def close_all(self) -> None:
        """Give up what is under way."""
        for sent in self.pending.all():
            self.close(sent.of.sender)

    def close(self, sender: Sender) -> None:
        """Close a socket; what is under way on it will be silent."""
        if sender.sock.fileno() >= 0:
            self._kit.ears.remove(sender.sock.fileno())
            sender.sock.close()
            self._kit.sockets -= 1

    def send(
        self,
        sender: Sender,
        asks: Asks,
        size: int,
        deliver: Callable[[Taken], None] | None = None,
        ancillary: tuple[tuple[int, int, bytes], ...] = (),
        trouble: Callable[[Trouble, Taken], None] | None = None,
    ) -> Outcome | None:
        """Send one request of `size` octets of UDP payload; return None. When it cannot be sent, deliver how it ended,
        and return that."""
        key, kit = self._key, self._kit
        assert key is not None, "without a key nothing is asked"
        deliver = deliver or kit.deliver
        if self.pending.full:
            kit.unsent(asks, f"{len(self.pending)} probes wait for answers", deliver)
            return Outcome.UNSENT
        repeated = self._repeated.get((asks.service, asks.flow, size)) or self._first(asks, key, size)
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        nonce = self._nonce()
        datagram = repeated.ask(nonce, kit.clock.mono(), self._sequence)
        sent = Sent(0, 0, Asked(asks, repeated, datagram, sender, deliver, trouble))
        self.pending.add(nonce, sent)
        try:
            sent.mono, sent.wall = kit.clock.mono(), kit.clock.wall()
            self._out(sender, datagram, ancillary)
        except OSError as error:
            self.pending.take(nonce)
            how, why = unsendable(error)
            asks = replace(asks, value=own_mtu(sender.sock)) if how is Outcome.TOO_BIG else asks
            deliver(result(asks, sent.mono, sent.wall, how, detail=why))
            return how
        sender.last = sent
        return None

    def once(self, asks: Asks, port: int, size: int, dscp: int = 0, df: bool = False) -> None:
        """Send one request from a port that the kernel chooses, and close it when the answer is there or forgotten."""
        sender = self.open(asks, port, 0, dscp, df)
        if sender is not None:
            sender.once = True
            if self.send(sender, asks, size) is not None:
                self.close(sender)

    def _out(self, sender: Sender, datagram: bytes, ancillary: tuple[tuple[int, int, bytes], ...]) -> None:
        for again in (False, True):
            try:
                if ancillary:
                    sender.sock.sendmsg((datagram,), ancillary)
                else:
                    sender.sock.send(datagram)
            except OSError as error:
                if again or not left_over(error):
                    raise
                self._errors(sender)
            else:
                return

    def _first(self, asks: Asks, key: Key, size: int) -> Repeated:
        """Make what the requests of a flow have in common; there are as many as the agent's file names."""
        made = Repeated(Request(key.id, self._run, 0, 0, asks.service, asks.flow), key, size)
        self._repeated[asks.service, asks.flow, size] = made
        return made

    def _nonce(self) -> bytes:
        if not self._random:
            self._random = os.urandom(8 * _NONCES)
        nonce, self._random = self._random[:8], self._random[8:]
        return nonce

    def _hear(self, sender: Sender, events: int) -> None:
        if events & select.EPOLLERR:
            self._errors(sender)
        if events & select.EPOLLIN and sender.sock.fileno() >= 0:
            try:
                data, ancillary, _, _ = sender.sock.recvmsg(DATAGRAM, SPACE)
            except OSError:
                return  # what an error left on the socket was read off its queue, with more than an errno
            mono, wall = self._kit.clock.mono(), self._kit.clock.wall()
            stamp, ttl = stamp_and_ttl(ancillary)
            self._answer(sender, data, ttl, mono, wall, stamp)

    def _answer(self, sender: Sender, data: bytes, ttl: int, mono: int, wall: int, stamp: int) -> None:
        sent = self.pending.take(data[NONCE])
        if sent is None:
            self._unasked(sender, data, ttl, mono, wall, stamp)
            return
        rtt = round_trip(sent.mono, mono, wall, stamp)
        try:
            answer = sent.of.repeated.answered(data, sent.of.datagram)
        except Refused as error:
            self._end(sent, Outcome.INVALID, rtt, str(error), ttl)
            return
        sent.of.deliver(self._good(sent, answer, rtt, ttl))
        self._done(sent.of)

    def _unasked(self, sender: Sender, data: bytes, ttl: int, mono: int, wall: int, stamp: int) -> None:
        """Nothing waits for this. A copy that the network made comes soon; anything else ends the probe sent last: what
        is no answer of ours, and what is said again."""
        try:
            request = decode_reply(data, self._keys).request
        except Refused as error:
            why = str(error)
        else:
            if request.run == self._run and mono - request.sent <= WINDOW:
                self.strays += 1
                return
            why = "it is replayed: it answers what was asked long ago"
        sent = self.pending.take(sender.last.of.datagram[NONCE]) if sender.last is not None else None
        if sent is None:
            self.strays += 1
            return
        self._end(sent, Outcome.INVALID, round_trip(sent.mono, mono, wall, stamp), why, ttl)

    def _good(self, sent: Sent[Asked], answer: Answer, rtt: int, ttl: int) -> Taken:
        asks = sent.of.asks
        return Taken(
            sent.mono,
            sent.wall,
            asks.probe,
            asks.target,
            Outcome.LATE if self.pending.overdue(sent, rtt) else Outcome.ANSWERED,
            asks.flow,
            asks.port or sent.of.sender.port,
            rtt,
            answer.identity,
            Proof.AUTHENTICATED,
            answer.received - sent.wall,
            answer.answered - answer.received,
            ttl=ttl,
            far_ttl=answer.far_ttl,
            seen=self._seen(sent.of.sender, answer),
            value=asks.value,
        )

    def _seen(self, sender: Sender, answer: Answer) -> str:
        if answer.port == sender.port and answer.address == sender.address:
            return ""
        return f"[{answer.address}]:{answer.port}" if answer.address.version == 6 else f"{answer.address}:{answer.port}"

    def _errors(self, sender: Sender) -> None:
        for trouble in troubles(sender.sock, self._kit.clock):
            self._trouble(sender, trouble)

    def _trouble(self, sender: Sender, trouble: Trouble) -> None:
        nonce = trouble.data[NONCE]
        if len(nonce) < 8:
            nonce = sender.last.of.datagram[NONCE] if sender.last is not None else b""
        sent = self.pending.take(nonce)
        if sent is None:
            self.strays += 1
            return
        if trouble.outcome is Outcome.TOO_BIG:
            sent.of.asks = replace(sent.of.asks, value=trouble.mtu)
        told = sent.of.trouble
        deliver = partial(told, trouble) if told is not None else sent.of.deliver
        self._end(sent, trouble.outcome, round_trip(sent.mono, *trouble.when), trouble.detail, deliver=deliver)

    def _end(
        self,
        sent: Sent[Asked],
        how: Outcome,
        rtt: int,
        why: str,
        ttl: int = 0,
        deliver: Callable[[Taken], None] | None = None,
    ) -> None:
        asks = sent.of.asks
        how = Outcome.LATE if self.pending.overdue(sent, rtt) else how
        port = asks.port or sent.of.sender.port
        taken = Taken(
            sent.mono, sent.wall, asks.probe, asks.target, how, asks.flow, port, rtt,
            ttl=ttl, value=asks.value, detail=why,
        )  # fmt: skip
        (deliver or sent.of.deliver)(taken)
        self._done(sent.of)

    def _silent(self, sent: Sent[Asked]) -> None:
        asks = sent.of.asks
        port = asks.port or sent.of.sender.port
        sent.of.deliver(
            Taken(sent.mono, sent.wall, asks.probe, asks.target, Outcome.SILENT, asks.flow, port, value=asks.value)
        )

    def _forgotten(self, sent: Sent[Asked]) -> None:
        self._done(sent.of)

    def _done(self, asked: Asked) -> None:
        if asked.sender.once:
            self.close(asked.sender)
