"""What reverse catchment was told by its own file. Durations are seconds."""

from dataclasses import dataclass

from anycast.prefix import Address
from collector.probe.config.values import AgentSettings
from collector.probe.reverse.hitlist import Host

MOST_RATE = 1000.0  # pings a second; MAnycastR's default for a worker
SPARE = 2.0  # seconds of a round that are left for the last replies


@dataclass(frozen=True, slots=True)
class ReverseSettings:
    """One NVA that pings."""

    agent: AgentSettings
    """How its results go to the centre: as an agent's, under the NVA's name in place of a site's."""
    region: str
    nva: str
    addresses: tuple[Address, ...]
    """Anycast addresses to ping from."""
    hosts: tuple[Host, ...]
    every: float = 60.0
    """Between the beginnings of two rounds over all hosts, from each address."""
    rate: float = 100.0
    """Pings a second, at most."""

    @property
    def pairs(self) -> tuple[tuple[Address, Host], ...]:
        """Who is pinged from where in one round."""
        return tuple(
            (address, host)
            for host in self.hosts
            for address in self.addresses
            if address.version == host.address.version
        )
