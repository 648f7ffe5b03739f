"""CHAOS TXT queries with NSID, each from a port of its own: who serves this DNS address?"""

import os
import select
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from anycast.probe import Identity, Outcome, Proof
from collector.probe.agent.clock import round_trip
from collector.probe.agent.errors import troubles
from collector.probe.agent.kit import SOCKETS, UNDER_WAY, Asks, Kit, result
from collector.probe.agent.pending import Pending, Sent
from collector.probe.agent.sockets import DATAGRAM, connected_udp, unsendable
from collector.probe.config.values import Matcher, Part
from collector.probe.identity.matching import Heard, Unmatched, matched
from collector.probe.taken import Taken
from collector.probe.wire.ancillary import SPACE, stamp_and_ttl
from collector.probe.wire.dns import Answer, decode_answer, encode_query
from collector.wire.errors import Malformed

NOERROR: Final = 0
_ANYBODY: Final = Matcher(Part.ANSWER)


@dataclass(frozen=True, slots=True)
class Query:
    """One query under way."""

    asks: Asks
    identifier: int
    matcher: Matcher | None
    sock: socket.socket


class Dns:
    """Queries to any number of targets."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.pending: Pending[int, Query] = Pending(kit.timeout, kit.late, UNDER_WAY, self._silent, self._forgotten)

    def ask(self, asks: Asks, port: int, name: str, matcher: Matcher | None) -> None:
        """Send one query; when it cannot be sent, deliver why."""
        kit = self._kit
        if kit.sockets >= SOCKETS:
            kit.unsent(asks, f"{SOCKETS} sockets are open")
            return
        identifier = int.from_bytes(os.urandom(2), "big")
        query = encode_query(identifier, name)
        mono, wall = kit.clock.mono(), kit.clock.wall()
        try:
            sock = connected_udp(asks.address, port)
        except OSError as error:
            how, why = unsendable(error)
            kit.deliver(result(asks, mono, wall, how, detail=why))
            return
        kit.sockets += 1
        kit.ears.add(sock.fileno(), partial(self._hear, sock))
        sent = Sent(kit.clock.mono(), kit.clock.wall(), Query(asks, identifier, matcher, sock))
        self.pending.add(sock.fileno(), sent)
        try:
            sock.send(query)
        except OSError as error:
            self.pending.take(sock.fileno())
            how, why = unsendable(error)
            self._end(sent, how, None, why)

    def _hear(self, sock: socket.socket, events: int) -> None:
        descriptor, clock = sock.fileno(), self._kit.clock
        if events & select.EPOLLERR:
            for trouble in troubles(sock, clock):
                sent = self.pending.take(descriptor)
                if sent is not None:
                    self._end(sent, trouble.outcome, round_trip(sent.mono, *trouble.when), trouble.detail)
                    return
        if events & select.EPOLLIN:
            with suppress(OSError):
                data, ancillary, _, _ = sock.recvmsg(DATAGRAM, SPACE)
                when = clock.mono(), clock.wall()
                self._answer(descriptor, data, *when, *stamp_and_ttl(ancillary))

    def _answer(self, descriptor: int, data: bytes, mono: int, wall: int, stamp: int, ttl: int) -> None:
        sent = self.pending.find(descriptor)
        if sent is None:
            return
        rtt = round_trip(sent.mono, mono, wall, stamp)
        try:
            answer = decode_answer(data)
        except Malformed as error:
            self.pending.take(descriptor)
            self._end(sent, Outcome.BROKEN, rtt, str(error), ttl)
            return
        if answer.identifier != sent.of.identifier:
            return  # of somebody who guessed our port and not our identifier: the answer may still come
        self.pending.take(descriptor)
        how, who, why = judged(answer, sent.of.matcher)
        self._end(sent, how, rtt, why, ttl, who, answer.rcode)

    def _end(
        self,
        sent: Sent[Query],
        how: Outcome,
        rtt: int | None,
        why: str,
        ttl: int = 0,
        who: Identity | None = None,
        rcode: int = 0,
    ) -> None:
        asks, sock = sent.of.asks, sent.of.sock
        if rtt is not None and self.pending.overdue(sent, rtt):
            how = Outcome.LATE
        self._kit.deliver(
            Taken(
                sent.mono,
                sent.wall,
                asks.probe,
                asks.target,
                how,
                port=sock.getsockname()[1],
                rtt=rtt,
                identity=who,
                proof=Proof.NONE if who is None else Proof.MATCHED,
                ttl=ttl,
                status=rcode,
                detail=why,
            )
        )
        self._close(sock)

    def _silent(self, sent: Sent[Query]) -> None:
        asks, port = sent.of.asks, sent.of.sock.getsockname()[1]
        self._kit.deliver(Taken(sent.mono, sent.wall, asks.probe, asks.target, Outcome.SILENT, port=port))

    def _forgotten(self, sent: Sent[Query]) -> None:
        self._close(sent.of.sock)

    def _close(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._kit.ears.remove(sock.fileno())
            sock.close()
            self._kit.sockets -= 1

    def close(self) -> None:
        """Give up what is under way."""
        for sent in self.pending.all():
            self._close(sent.of.sock)


def judged(answer: Answer, matcher: Matcher | None) -> tuple[Outcome, Identity | None, str]:
    """Say how a query ended that was answered, by whom, and what is wrong with it.

    Without a matcher nobody in particular is expected, and a server that says nothing of itself is as good.
    """
    if answer.rcode != NOERROR:
        return Outcome.BROKEN, None, f"the server answers with rcode {answer.rcode}"
    texts = answer.texts or ((answer.nsid,) if answer.nsid else ())
    try:
        return Outcome.ANSWERED, matched(matcher or _ANYBODY, Heard(texts=texts)), ""
    except Unmatched as error:
        return (Outcome.INVALID if matcher else Outcome.ANSWERED), None, str(error)


class Chaos:
    """Queries to one target, again and again."""

    def __init__(self, dns: Dns, asks: Asks, port: int, name: str, matcher: Matcher | None, every: int) -> None:
        """`every` ns. Raises ValueError when `name` is no domain name."""
        encode_query(0, name)
        self.dns, self.asks, self.every = dns, asks, every
        self._port, self._name, self._matcher = port, name, matcher

    def fire(self) -> None:
        """Send one."""
        self.dns.ask(self.asks, self._port, self._name, self._matcher)
