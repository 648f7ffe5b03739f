"""What probes see from a site: who answered, how fast, or that nobody did.

A *target* is what is probed: a service at its anycast address, or a *control*: one NVA, application or gateway at its
own unicast address, which keeps "the region is dead" apart from "anycast leads elsewhere". A *fixed flow* is a
five-tuple that never changes, so that each router's hash keeps it on one *leg* (one way through the ECMP groups to one
NVA); rotating probes take a new source port each, for unbiased shares.

Times of a result are the centre's own: the agent's clock is reported and not believed (`AgentReported.skew`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anycast.prefix import Address

ROTATING = -1
"""`flow` of a result whose source port is used once, and of probes that have no flows."""


class Probe(StrEnum):
    """How a target is asked."""

    ICMP = "icmp"
    UDP = "udp"
    """UDP echo with an authenticated identity (docs/probing.md has the wire format)."""
    TCP = "tcp"
    """A handshake and nothing more."""
    HTTP = "http"
    """One request over a new connection."""
    DNS = "dns"
    """CHAOS TXT id.server (RFC 4892) and NSID (RFC 5001)."""
    MTU = "mtu"
    """One size of the ladder, with DF set."""
    TRACE = "trace"
    """A traceroute with the five-tuple of a fixed flow."""
    THROUGHPUT = "throughput"
    CANARY = "canary"
    """One beat of a long-lived TCP connection, or its end."""
    REVERSE = "reverse"
    """An echo request that an NVA sent from the anycast address; who hears the reply is the host's catchment."""


class TargetKind(StrEnum):
    """What stands behind a target's address."""

    SERVICE = "service"
    NVA = "nva"
    APPLICATION = "application"
    GATEWAY = "gateway"
    """The site's own way out: when it is silent too, the site is cut off, and nothing is said of services."""
    HOST = "host"
    """An on-premises host, asked by an NVA (reverse catchment)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an agent probes, as its own file says."""

    name: str
    """Unique for the agent; of a service, the service's name in the intent."""
    kind: TargetKind
    address: Address | None = None
    """None for a target that is asked by a name."""
    region: str | None = None
    """Of a control: the region it stands in."""
    nva: str | None = None
    """Of a control: the NVA that it is, or that the application stands behind."""
    circuit: str | None = None
    """What a throughput test of it fills; two tests never fill one circuit at once."""
    service: str | None = None
    """Of an application: the service that it is; None where all services of its NVA stand on it."""


class Outcome(StrEnum):
    """How a probe ended."""

    ANSWERED = "answered"
    LATE = "late"
    """An amendment: a probe that was SILENT before was answered after its time limit. History has both; its loss was
    counted with the first, so nothing is judged from the second."""
    SILENT = "silent"
    """Nothing came within the time limit."""
    REFUSED = "refused"
    """A reset answered the SYN, or a port unreachable the datagram."""
    UNREACHABLE = "unreachable"
    """An ICMP error says why; `detail` names its words and sender."""
    RESET = "reset"
    """An established connection was reset, or closed where it was meant to last."""
    BROKEN = "broken"
    """Answered, but not as it should: a status of 500 or more, a wrong rcode, a failed TLS handshake, a cut body."""
    INVALID = "invalid"
    """Answered with an identity that is forged, replayed, or of somebody else."""
    TOO_BIG = "too-big"
    """The size does not fit, and a router or our own kernel said so (`value` has the next hop's MTU)."""
    UNSENT = "unsent"
    """Never left us: the rate cap, a full socket, or no right to send it. It says nothing of the network."""
    BEGAN = "began"
    """A THROUGHPUT test begins, and its result follows: what is measured meanwhile is measured beside it."""


LOST = frozenset((Outcome.SILENT, Outcome.UNREACHABLE))
"""Outcomes that count as loss on the path."""
HEARD = frozenset((Outcome.ANSWERED, Outcome.BROKEN, Outcome.INVALID, Outcome.REFUSED, Outcome.RESET))
"""Outcomes in which somebody at the far end said something."""


class Proof(StrEnum):
    """What the identity of an answer rests on."""

    NONE = "none"
    MATCHED = "matched"
    """Read from a header, a body, a certificate or a DNS answer: anybody could say it."""
    AUTHENTICATED = "authenticated"
    """Under a message authentication code over our own nonce."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered. Parts that the answer does not give are empty."""

    region: str = ""
    nva: str = ""
    instance: str = ""
    """The application's or responder's own name."""
    generation: str = ""
    """Of its configuration."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe and how it ended. Durations are seconds."""

    at: datetime
    """When it was sent, by the centre's clock."""
    probe: Probe
    target: str
    outcome: Outcome
    flow: int = ROTATING
    """Number of the fixed flow or canary, from 0."""
    port: int = 0
    """Our source port; 0 where there is none."""
    rtt: float | None = None
    """Sent to received; of TCP the handshake, of HTTP the whole answer. None when nothing was heard."""
    identity: Identity | None = None
    proof: Proof = Proof.NONE
    forward: float | None = None
    """Far receive stamp minus our send stamp, by two clocks: its changes mean something, its value may not."""
    held: float | None = None
    """How long the responder kept the request (its T3 minus T2)."""
    connect: float | None = None
    """Of HTTP: the handshake alone."""
    first_byte: float | None = None
    """Of HTTP: from the handshake's end to the first octet of the answer."""
    ttl: int = 0
    """TTL with which the answer came; 0 where it is not known."""
    far_ttl: int = 0
    """TTL with which our request reached the responder; 0 where it is not known."""
    seen: str = ""
    """Our address and port as the responder saw them, where they are not ours (SNAT)."""
    status: int = 0
    """HTTP status or DNS rcode."""
    value: float | None = None
    """THROUGHPUT: octets a second. MTU: the IP packet's octets (of TOO_BIG: the MTU that was told). CANARY: its age."""
    hops: tuple[str, ...] = ()
    """TRACE: who answered at each TTL from 1; `*` for silence."""
    detail: str = ""
    """What else must be known: an ICMP error's sender, an errno's words, why an identity is not valid."""
    tainted: bool = False
    """Taken while the agent's own loop lagged: proves nothing about the network."""

    @property
    def lost(self) -> bool:
        """Whether it counts as lost on the path; untainted probes that were sent only."""
        return self.outcome in LOST

    @property
    def counts(self) -> bool:
        """Whether any verdict may rest on it."""
        return not self.tainted and self.outcome not in (Outcome.UNSENT, Outcome.LATE, Outcome.BEGAN)

    @property
    def proven(self) -> bool:
        """Whether it proves that the service works: answered as it should, by somebody with a valid identity."""
        return self.outcome is Outcome.ANSWERED and self.proof is not Proof.NONE


@dataclass(frozen=True, slots=True)
class AgentReported:
    """One batch of an agent, as the centre took it."""

    at: datetime
    """When the centre received it."""
    site: str
    run: str
    """Random for each start of an agent: two that report for one site at once are told apart by it."""
    sequence: int
    """Number of the batch in this run, from 1, without gaps."""
    results: tuple[ProbeResult, ...] = ()
    targets: tuple[Target, ...] = ()
    """All targets of the agent; sent with the first batch of a run and whenever they change, else empty."""
    host: str = ""
    interval: float = 0.25
    """Seconds between its batches, as it means to send them."""
    skew: float | None = None
    """The agent's wall clock minus ours, in seconds, as far as delays let it be known; None while it is not."""
    step: float = 0.0
    """How far its wall clock stepped since the batch before, against its monotonic clock; seconds."""
    lag: float = 0.0
    """99th percentile of its event loop's lag since the batch before; seconds."""
    tainted: float = 0.0
    """The part of the time since the batch before in which its loop lagged, 0 to 1."""
    dropped: int = 0
    """Results that its full spool gave up since the batch before."""
    unsent: int = 0
    """Probes that were due and not sent since the batch before."""
    lacking: tuple[str, ...] = ()
    """What it cannot do, each a sentence: no CAP_NET_RAW, so no ICMP."""
    late: bool = False
    """It waited in the spool: it goes into history, and nothing is judged from it."""
