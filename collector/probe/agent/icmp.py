"""Echo requests: one raw socket for all targets, or one datagram socket where only that is allowed.

A raw socket is given every ICMP message of the host, so one for each target costs the square of their number; a filter
in the kernel leaves ours. Answers are known by what we put into the payload, since the kernel rewrites the identifier
of datagram sockets.
"""

import os
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from anycast.probe import Outcome
from collector.probe.agent.clock import round_trip
from collector.probe.agent.echo_filter import only_ours
from collector.probe.agent.errors import troubles
from collector.probe.agent.kit import UNDER_WAY, Asks, Kit, result
from collector.probe.agent.pending import Pending, Sent
from collector.probe.agent.sockets import JUMBO, left_over, roomy, stamped, uncut, unsendable
from collector.probe.taken import Taken
from collector.probe.wire.ancillary import SPACE, stamp_and_ttl
from collector.probe.wire.icmp import HEADER, Echo, IcmpError, Other, decode_message, decode_packet, encode_echo
from collector.probe.wire.trouble import outcome, words
from collector.wire.errors import Malformed

PAYLOAD: Final = 56
"""Octets after the ICMP header, unless a size is asked for: what ping sends."""
_MARK: Final = struct.Struct("!QQ")
"""Random for each start of the agent; number of the probe."""
_BURST: Final = 64
"""Messages that are read before others are heard."""
_ICMP: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_FAMILY: Final = {4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(slots=True, eq=False)
class Echoed:
    """One echo request under way."""

    asks: Asks
    payload: bytes
    number: int
    deliver: Callable[[Taken], None]


class Icmp:
    """Echo requests of one IP version to any number of targets."""

    def __init__(self, kit: Kit, version: int) -> None:
        self._kit, self._version = kit, version
        self._raw = True
        self._sock: socket.socket | None = None
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._mark = int.from_bytes(os.urandom(8), "big")
        self._number = 0
        self.pending: Pending[int, Echoed] = Pending(kit.timeout, kit.late, UNDER_WAY, self._silent)
        self.strays = 0
        """Answers that nothing waits for."""

    def open(self) -> None:
        """Open the socket: raw with CAP_NET_RAW, else a datagram socket where net.ipv4.ping_group_range allows it."""
        sock = self._opened(socket.SOCK_RAW)
        if sock is None:
            self._raw = False
            sock = self._opened(socket.SOCK_DGRAM)
        if sock is None:
            name = "ICMP" if self._version == 4 else "ICMPv6"
            self._kit.lacks(
                f"no {name} echo: it takes CAP_NET_RAW, or a group of ours within the sysctl net.ipv4.ping_group_range"
            )
            return
        roomy(sock)
        stamped(sock, errors=not self._raw)
        uncut(sock)
        if self._raw:
            only_ours(sock, self._identifier)
        self._sock = sock
        self._kit.ears.add(sock.fileno(), self._hear)

    def _opened(self, kind: int) -> socket.socket | None:
        with suppress(PermissionError):
            return socket.socket(_FAMILY[self._version], kind | socket.SOCK_CLOEXEC, _ICMP[self._version])
        return None

    @property
    def able(self) -> bool:
        """Whether there is a socket."""
        return self._sock is not None

    def close(self) -> None:
        """Close the socket."""
        if self._sock is not None:
            self._kit.ears.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def send(self, asks: Asks, payload: int = PAYLOAD, deliver: Callable[[Taken], None] | None = None) -> None:
        """Send one echo request with `payload` octets after its header; when it cannot be sent, deliver why."""
        kit, deliver = self._kit, deliver or self._kit.deliver
        if self._sock is None or self.pending.full:
            why = "too many probes wait for answers" if self._sock else "no right to send ICMP"
            deliver(result(asks, kit.clock.mono(), kit.clock.wall(), Outcome.UNSENT, detail=why))
            return
        self._number += 1
        filled = _MARK.pack(self._mark, self._number).ljust(payload, b"\xa5")
        message = encode_echo(self._version, self._identifier, self._number & 0xFFFF, filled)
        sent = Sent(0, 0, Echoed(asks, filled, self._number, deliver))
        self.pending.add(self._number, sent)
        sent.mono, sent.wall = kit.clock.mono(), kit.clock.wall()
        try:
            self._out(message, (asks.text, 0))
        except OSError as error:
            self.pending.take(sent.of.number)
            how, why = unsendable(error)
            deliver(result(asks, sent.mono, sent.wall, how, detail=why))

    def _out(self, message: bytes, to: tuple[str, int]) -> None:
        assert self._sock is not None
        for again in (False, True):
            try:
                self._sock.sendto(message, to)
            except OSError as error:
                if again or not left_over(error):
                    raise
                self._errors()
            else:
                return

    def _hear(self, events: int) -> None:
        if events & select.EPOLLERR:
            self._errors()
        if not events & select.EPOLLIN:
            return
        clock, sock = self._kit.clock, self._sock
        decode = decode_packet if self._raw and self._version == 4 else self._message
        for _ in range(_BURST):
            try:
                if sock is None:
                    return
                data, ancillary, _, source = sock.recvmsg(JUMBO, SPACE)
            except OSError:
                return
            mono, wall = clock.mono(), clock.wall()
            try:
                message = decode(data)
            except Malformed:
                self.strays += 1
                continue
            stamp, ttl = stamp_and_ttl(ancillary)
            self._take(message, source[0], ttl, mono, wall, stamp)

    def _message(self, data: bytes) -> Echo | IcmpError | Other:
        return decode_message(self._version, data)

    def _take(self, message: Echo | IcmpError | Other, source: str, ttl: int, mono: int, wall: int, stamp: int) -> None:
        if isinstance(message, Echo):
            if message.reply:
                self._answer(message, source, ttl, mono, wall, stamp)
        elif isinstance(message, IcmpError):
            self._error(message, source, mono, wall, stamp)

    def _answer(self, echo: Echo, source: str, ttl: int, mono: int, wall: int, stamp: int) -> None:
        sent = self.pending.take(self._numbered(echo.payload) or 0)
        if sent is None:
            self.strays += 1
            return
        asks, rtt = sent.of.asks, round_trip(sent.mono, mono, wall, stamp)
        how, why = Outcome.ANSWERED, ""
        if echo.payload != sent.of.payload:
            how, why = Outcome.BROKEN, "the payload came back changed"
        elif source != asks.text and ip_address(source) != asks.address:
            how, why = Outcome.INVALID, f"{source} answered"
        self._end(sent, how, rtt, why, ttl, asks.value)

    def _numbered(self, payload: bytes) -> int | None:
        """Return the number of our probe whose payload this begins; None when it is not ours."""
        if len(payload) < _MARK.size:
            return None
        mark, number = _MARK.unpack_from(payload)
        return number if mark == self._mark else None

    def _error(self, error: IcmpError, source: str, mono: int, wall: int, stamp: int) -> None:
        quoted = error.quoted
        if quoted is None or quoted.protocol not in (1, 58) or quoted.third != self._identifier:
            return
        number = self._numbered(quoted.payload) or self._number - ((self._number - quoted.fourth) & 0xFFFF)
        sent = self.pending.find(number)
        if sent is None or sent.of.asks.address != quoted.destination:
            self.strays += 1
            return
        self.pending.take(number)
        what = self._version, error.type, error.code
        how = outcome(*what)
        value = float(error.mtu) if how is Outcome.TOO_BIG and error.mtu else sent.of.asks.value
        self._end(sent, how, round_trip(sent.mono, mono, wall, stamp), f"{words(*what)}, says {source}", 0, value)

    def _errors(self) -> None:
        """Read the error queue of a datagram socket; a raw one is given the errors as messages."""
        for trouble in troubles(self._sock, self._kit.clock) if self._sock else ():
            number = self._numbered(trouble.data[HEADER.size :])
            sent = self.pending.take(number) if number else None
            if sent is not None:
                value = trouble.mtu or sent.of.asks.value
                self._end(sent, trouble.outcome, round_trip(sent.mono, *trouble.when), trouble.detail, 0, value)

    def _end(self, sent: Sent[Echoed], how: Outcome, rtt: int, why: str, ttl: int, value: float | None) -> None:
        asks = sent.of.asks
        how = Outcome.LATE if self.pending.overdue(sent, rtt) else how
        sent.of.deliver(
            Taken(
                sent.mono, sent.wall, asks.probe, asks.target, how, asks.flow, 0, rtt, ttl=ttl, value=value, detail=why
            )
        )

    def _silent(self, sent: Sent[Echoed]) -> None:
        sent.of.deliver(result(sent.of.asks, sent.mono, sent.wall, Outcome.SILENT))


class Ping:
    """Echo requests to one target, again and again."""

    def __init__(self, icmp: Icmp, asks: Asks, every: int, payload: int = PAYLOAD) -> None:
        """`every` ns; `payload` octets after the ICMP header."""
        self.icmp, self.asks, self.every, self._payload = icmp, asks, every, payload

    def fire(self) -> None:
        """Send one."""
        self.icmp.send(self.asks, self._payload)
