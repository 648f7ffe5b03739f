"""What an agent was told by its own file: where it stands, whom it reports to, what it asks and how often.

Durations are seconds, rates are probes a second, sizes are octets. Nothing here comes from the network: the centre
cannot make an agent probe anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from anycast.probe import Identity, Target


class Part(StrEnum):
    """Which part of an answer names who answered, where a service cannot be changed to say it under a key."""

    HEADER = "header"
    """An HTTP response header; `Matcher.where` is its name."""
    JSON = "json"
    """A JSON body; `where` points to a text in it: an RFC 6901 pointer (`/served/by`), or keys separated by dots."""
    BODY = "body"
    """A body; `where` is text with holes, such as `by {nva} in {region}`; what is in `{}` is looked up in `known`."""
    CERTIFICATE = "certificate"
    """The TLS certificate's names (subject alternative DNS names, else the common name); `where` is empty."""
    ANSWER = "answer"
    """The text of a DNS answer: the TXT record, else NSID; `where` is empty."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """How the identity is read from an answer that is not under a key: never more than `Proof.MATCHED`."""

    part: Part
    where: str = ""
    known: Mapping[str, Identity] = field(default_factory=dict)
    """Texts that may be found and who they are; a text that is not among them is nobody's (`Outcome.INVALID`)."""


@dataclass(frozen=True, slots=True)
class UdpProbe:
    """Echo with an authenticated identity, over fixed flows and over rotating source ports."""

    port: int
    source: int
    """Source port of flow 0; the others follow it. The reader gives each target ports of its own."""
    flows: int = 32
    every: float = 0.5
    """Between two probes of one flow."""
    rotating: float = 5.0
    """Probes a second from a source port that is used once."""
    size: int = 256
    """Of the request: UDP payload."""
    dscp: int = 0

    @property
    def rate(self) -> float:
        """Probes a second."""
        return self.flows / self.every + self.rotating


@dataclass(frozen=True, slots=True)
class IcmpProbe:
    """Echo requests."""

    every: float = 0.5

    @property
    def rate(self) -> float:
        """Probes a second."""
        return 1 / self.every


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """A handshake and nothing more."""

    port: int
    every: float = 1.0

    @property
    def rate(self) -> float:
        """Probes a second."""
        return 1 / self.every


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """One request over a new connection."""

    url: str
    every: float = 1.0
    identity: Matcher | None = None
    """None: the identity protocol's own headers, under a key (docs/probing.md)."""
    host: str = ""
    """Host header and TLS name; the URL's own when empty. The connection goes to the target's address."""
    ca: Path | None = None
    """Whose certificates are taken; the system's authorities when None."""
    statuses: tuple[int, ...] = ()
    """What is as it should be; anything under 500 when empty."""

    @property
    def rate(self) -> float:
        """Probes a second."""
        return 1 / self.every


@dataclass(frozen=True, slots=True)
class DnsProbe:
    """CHAOS TXT `name` with NSID."""

    name: str = "id.server"
    every: float = 1.0
    port: int = 53
    identity: Matcher | None = None
    """None: the text is looked up as `region|nva|instance|generation`, or as the name of an NVA or region."""

    @property
    def rate(self) -> float:
        """Probes a second."""
        return 1 / self.every


@dataclass(frozen=True, slots=True)
class MtuProbe:
    """A ladder of sizes with DF set."""

    every: float = 30.0
    sizes: tuple[int, ...] = (1372, 1400, 1436, 1472, 1500)
    """Of the whole IP packet."""

    @property
    def rate(self) -> float:
        """Probes a second."""
        return len(self.sizes) / self.every


@dataclass(frozen=True, slots=True)
class TraceProbe:
    """Traceroutes with the five-tuples of the UDP probe's fixed flows."""

    every: float = 60.0
    """Between two traces of one flow."""
    flows: int = 32
    """The first so many of the UDP probe's."""
    hops: int = 16
    """The highest TTL."""

    @property
    def rate(self) -> float:
        """Packets a second, at most."""
        return self.flows * self.hops / self.every


@dataclass(frozen=True, slots=True)
class CanaryProbe:
    """Connections that are meant to last, with a beat on each."""

    port: int = 0
    """A TCP port that sends back what it gets (the responder's); 0 with a URL."""
    url: str = ""
    """Or a URL that is asked again and again over one connection."""
    connections: int = 4
    every: float = 1.0

    @property
    def rate(self) -> float:
        """Beats a second."""
        return self.connections / self.every


@dataclass(frozen=True, slots=True)
class ThroughputProbe:
    """One download, rarely; two never fill one circuit (`Target.circuit`) at once."""

    url: str
    every: float = 3600.0
    octets: int = 50_000_000
    """It ends when so many came,"""
    seconds: float = 10.0
    """or after so long."""

    @property
    def rate(self) -> float:
        """Downloads a second."""
        return 1 / self.every


@dataclass(frozen=True, slots=True)
class Probes:
    """How one target is asked: None for what it is not asked by."""

    udp: UdpProbe | None = None
    icmp: IcmpProbe | None = None
    tcp: TcpProbe | None = None
    http: HttpProbe | None = None
    dns: DnsProbe | None = None
    mtu: MtuProbe | None = None
    trace: TraceProbe | None = None
    canary: CanaryProbe | None = None
    throughput: ThroughputProbe | None = None

    @property
    def rate(self) -> float:
        """Probes a second, all kinds."""
        every = (
            self.udp, self.icmp, self.tcp, self.http, self.dns, self.mtu, self.trace, self.canary, self.throughput
        )  # fmt: skip
        return sum(probe.rate for probe in every if probe is not None)


@dataclass(frozen=True, slots=True)
class Asked:
    """One target and how it is asked."""

    target: Target
    probes: Probes


@dataclass(frozen=True, slots=True)
class Centre:
    """Whom the agent reports to."""

    url: str
    """`https://host:port`, without a path."""
    token: Path
    """A file with the site's token; what is in it is never kept in settings."""
    ca: Path | None = None
    """The only authority, or self-signed certificate, that is believed; the system's authorities when None."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """One agent."""

    source: Path
    """The file that says all this."""
    site: str
    centre: Centre
    data: Path
    """Its own folder: spool, and nothing else."""
    quota: int = 200_000_000
    """Of the spool."""
    user: str = "nobody"
    """Who it becomes when root starts it; of root's rights it keeps CAP_NET_RAW alone."""
    cap: float = 1000.0
    """Probes a second of the whole agent, whatever the targets ask for."""
    timeout: float = 1.0
    """A probe that was not answered within it is lost,"""
    late: float = 10.0
    """and one that is answered within this is told as late."""
    lag: float = 0.02
    """An event loop that lags more taints what was taken meanwhile."""
    keys: Mapping[int, Path] = field(default_factory=dict)
    """Key id to file, of the identity protocol; two are valid while keys rotate."""
    targets: tuple[Asked, ...] = ()

    @property
    def rate(self) -> float:
        """Probes a second that all targets ask for together."""
        return sum(asked.probes.rate for asked in self.targets)
