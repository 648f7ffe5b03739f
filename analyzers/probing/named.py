"""Who answers HTTP and DNS: what is known of services that do not answer our own protocol.

Each of these probes is a new connection or a new source port, so that shares are unbiased here too, if of fewer probes.
Nothing of it survives a restart: two minutes tell it anew.
"""

from collections import deque

from analyzers.probing.shares import Shares
from anycast.probe import Probe, ProbeResult, Proof

ROUND_TRIPS = 120  # of each region: two minutes
MOST_REGIONS = 32


class Named:
    """Answers by name, at one site to one service."""

    def __init__(self) -> None:
        self.shares = Shares()
        self.proofs: dict[str, Proof] = {}
        """What the last answer of each region rests on."""
        self.trips: dict[str, deque[float]] = {}
        """Round trips by region, seconds: the handshake of HTTP, the answer of DNS."""
        self.probe: Probe | None = None
        """By which way of asking it was answered last."""

    def take(self, result: ProbeResult, region: str | None) -> None:
        """Fold in a result of HTTP or DNS; `region` is the one that it proves."""
        if region is None:
            if result.lost:
                self.shares.count(result.at, None)
            return
        self.shares.count(result.at, region)
        if region not in self.trips and len(self.trips) >= MOST_REGIONS:
            return
        self.probe, self.proofs[region] = result.probe, result.proof
        trips = self.trips.setdefault(region, deque(maxlen=ROUND_TRIPS))
        way = result.connect if result.probe is Probe.HTTP else result.rtt
        if way is not None:
            trips.append(way)
