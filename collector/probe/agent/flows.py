"""Fixed flows, which keep a leg of each ECMP group to themselves, and rotating probes, which sample all of them."""

from typing import Final

from anycast.probe import Outcome
from collector.probe.agent.kit import Asks
from collector.probe.agent.udp import Sender, Udp

PATIENCE: Final = 3
"""Times in a row that a socket may fail to send before it is opened anew: its own address may be gone."""


class Flow:
    """One fixed flow: the same five-tuple for as long as the agent runs."""

    def __init__(self, udp: Udp, asks: Asks, port: int, size: int, every: int, dscp: int = 0) -> None:
        """`asks.port` is our own port, `port` theirs; `size` octets of UDP payload, `every` ns."""
        self.udp, self.asks, self.every = udp, asks, every
        self._port, self._size, self._dscp = port, size, dscp
        self._sender: Sender | None = None
        self._failed = 0
        """Times in a row that nothing could be sent."""

    def sender(self) -> Sender | None:
        """Return the flow's socket, opened if it was not; None where that cannot be done now."""
        if self._sender is None:
            self._sender = self.udp.open(self.asks, self._port, self.asks.port, self._dscp)
        return self._sender

    def fire(self) -> None:
        """Send one request. A socket that cannot send is opened anew: our own address may have changed."""
        sender = self.sender()
        if sender is None:
            return
        how = self.udp.send(sender, self.asks, self._size)
        self._failed = 0 if how is None else self._failed + 1
        if how is Outcome.UNREACHABLE or self._failed >= PATIENCE:
            self.close()

    def close(self) -> None:
        """Close the flow's socket."""
        if self._sender is not None:
            self.udp.close(self._sender)
            self._sender = None


class Rotating:
    """Requests from a source port each that the kernel chooses and that is used once."""

    def __init__(self, udp: Udp, asks: Asks, port: int, size: int, every: int, dscp: int = 0) -> None:
        """As of `Flow`."""
        self.udp, self.asks, self.every = udp, asks, every
        self._port, self._size, self._dscp = port, size, dscp

    def fire(self) -> None:
        """Send one request."""
        self.udp.once(self.asks, self._port, self._size, self._dscp)
