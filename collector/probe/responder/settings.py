"""What a responder was told by its own file. Durations are seconds."""

from dataclasses import dataclass, field
from pathlib import Path

from anycast.prefix import Address, Prefix
from anycast.probe import Identity


@dataclass(frozen=True, slots=True)
class Place:
    """Where a socket listens."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key, and the site whose agent has it, too."""

    id: int
    site: str
    file: Path


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests are answered in a second; as many may come at once."""

    source: float = 2000.0
    """For one source address: twice the cap of an agent."""
    total: float = 20_000.0


@dataclass(frozen=True, slots=True)
class ResponderSettings:
    """One responder."""

    source: Path
    """The file that says all this."""
    identity: Identity
    services: frozenset[str]
    """It answers for these, and for requests that name none."""
    udp: tuple[Place, ...]
    http: tuple[Place, ...]
    echo: tuple[Place, ...]
    """TCP ports that send back what they get, for canaries."""
    keys: tuple[KeyFile, ...]
    allow: tuple[Prefix, ...]
    rate: Rate = field(default_factory=Rate)
    user: str | None = None
    """Who it becomes after its sockets are bound; None: who started it."""
