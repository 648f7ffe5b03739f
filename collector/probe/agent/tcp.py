"""TCP handshakes and nothing more, each from a port of its own, without a task.

The kernel measures the SYN's round trip itself (TCP_INFO), whatever the loop does meanwhile; where the SYN had to be
sent again, the time that passed is told, and it shows the kernel's one second. Nobody stamps a refusal, so its time is
not told.
"""

import errno
import os
import select
import socket
from functools import partial
from typing import Final

from anycast.probe import Outcome
from collector.probe.agent.errors import troubles
from collector.probe.agent.kit import SOCKETS, UNDER_WAY, Asks, Kit, result
from collector.probe.agent.pending import Pending, Sent
from collector.probe.agent.sockets import family, unsendable
from collector.probe.taken import Taken
from collector.probe.wire.ancillary import IP_RECVERR, IPV6_RECVERR
from collector.probe.wire.tcp_info import SIZE, decode_tcp_info

_REFUSED: Final = frozenset((errno.ECONNREFUSED, errno.ECONNRESET))


class Tcp:
    """Handshakes with any number of targets."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.pending: Pending[int, tuple[Asks, socket.socket]] = Pending(
            kit.timeout, kit.late, UNDER_WAY, self._silent, self._forgotten
        )

    def connect(self, asks: Asks, port: int) -> None:
        """Begin a handshake; when that cannot be done, deliver why."""
        kit = self._kit
        if kit.sockets >= SOCKETS:
            kit.unsent(asks, f"{SOCKETS} sockets are open")
            return
        sock = socket.socket(family(asks.address), socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        kit.sockets += 1
        _errors_on(sock)
        sent = Sent(kit.clock.mono(), kit.clock.wall(), (asks, sock))
        failed = sock.connect_ex((asks.text, port))
        if failed not in (0, errno.EINPROGRESS):
            how, why = unsendable(OSError(failed, ""))
            if failed in _REFUSED:
                how, why = Outcome.REFUSED, os.strerror(failed)
            self._close(sock)
            kit.deliver(result(asks, sent.mono, sent.wall, how, detail=why))
            return
        self.pending.add(sock.fileno(), sent)
        kit.ears.add(sock.fileno(), partial(self._hear, sock.fileno()), select.EPOLLOUT)

    def _hear(self, descriptor: int, _events: int) -> None:
        sent = self.pending.take(descriptor)
        if sent is None:
            return
        mono = self._kit.clock.mono()
        asks, sock = sent.of
        failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        rtt = mono - sent.mono
        how, why = Outcome.ANSWERED, ""
        if failed:
            how, why = self._failed(sock, failed)
        else:
            info = decode_tcp_info(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SIZE))
            if info is not None and not info.retransmits and 0 < info.rtt < rtt:
                rtt = info.rtt
        how = Outcome.LATE if self.pending.overdue(sent, rtt) else how
        port = sock.getsockname()[1]
        took = None if failed else rtt
        self._kit.deliver(
            Taken(sent.mono, sent.wall, asks.probe, asks.target, how, port=port, rtt=took, detail=why)
        )  # fmt: skip
        self._close(sock)

    def _failed(self, sock: socket.socket, failed: int) -> tuple[Outcome, str]:
        if failed in _REFUSED:
            return Outcome.REFUSED, os.strerror(failed)
        for trouble in troubles(sock, self._kit.clock):
            return trouble.outcome, trouble.detail
        return (Outcome.SILENT if failed == errno.ETIMEDOUT else Outcome.UNREACHABLE), os.strerror(failed)

    def _silent(self, sent: Sent[tuple[Asks, socket.socket]]) -> None:
        asks, sock = sent.of
        port = sock.getsockname()[1]
        self._kit.deliver(Taken(sent.mono, sent.wall, asks.probe, asks.target, Outcome.SILENT, port=port))

    def _forgotten(self, sent: Sent[tuple[Asks, socket.socket]]) -> None:
        self._close(sent.of[1])

    def _close(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._kit.ears.remove(sock.fileno())
            sock.close()
            self._kit.sockets -= 1

    def close(self) -> None:
        """Give up what is under way."""
        for sent in self.pending.all():
            self._close(sent.of[1])


def _errors_on(sock: socket.socket) -> None:
    """Queue ICMP errors with who sent them."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)


class Handshake:
    """Handshakes with one port of one target, again and again."""

    def __init__(self, tcp: Tcp, asks: Asks, port: int, every: int) -> None:
        """`every` ns."""
        self.tcp, self.asks, self.every, self._port = tcp, asks, every, port

    def fire(self) -> None:
        """Begin one."""
        self.tcp.connect(self.asks, self._port)
