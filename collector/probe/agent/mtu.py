"""A ladder of packet sizes with DF set: what fits, what somebody says does not, and what vanishes without a word.

Our kernel is told to send every size that its own link carries, whatever it heard of the path before (ip(7),
IP_PMTUDISC_PROBE). Replies are as long as their requests, so both ways are tried.
"""

from dataclasses import replace
from typing import Final

from collector.probe.agent.icmp import Icmp
from collector.probe.agent.kit import Asks
from collector.probe.agent.udp import Udp
from collector.probe.identity.datagram import LONGEST, SIZE

HEADERS: Final = {4: 28, 6: 48}
"""Octets of the IP header and of UDP's or ICMP's."""


class Rung:
    """One size towards one target, again and again: an identity request where there is a port for it, else ICMP."""

    def __init__(self, senders: tuple[Udp, Icmp], asks: Asks, size: int, port: int | None, every: int) -> None:
        """`size` octets of the IP packet; `port` of the responder; `every` ns."""
        self._udp, self._icmp = senders
        self._asks = replace(asks, value=float(size))
        self._payload = size - HEADERS[asks.address.version]
        self._port = port if port is not None and SIZE <= self._payload <= LONGEST else None
        self.every = every

    def fire(self) -> None:
        """Send one."""
        if self._port is None:
            self._icmp.send(self._asks, self._payload)
        else:
            self._udp.once(self._asks, self._port, self._payload, df=True)
