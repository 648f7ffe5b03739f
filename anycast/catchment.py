"""Where a site's traffic lands: as it is meant, by BGP, and as probes see it; what the API and the console show."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anycast.probe import Probe, Proof


class AgentState(StrEnum):
    """Whether what a site's agent reports can be believed now."""

    HEARD = "heard"
    NEW = "new"
    """Heard again for less than three seconds: silence means nothing yet."""
    TAINTED = "tainted"
    """Its own host lags: what it measures is its host."""
    LOST = "lost"
    """Nothing was heard for ten seconds: what is shown is what was seen last."""
    NEVER = "never"


class Fit(StrEnum):
    """Whether a site lands where it was meant to, as far as probes tell."""

    AS_MEANT = "as-meant"
    """In its first tier, and where BGP leads, as far as that is known."""
    NOT_AS_MEANT = "not-as-meant"
    """Where BGP leads, and not in its first tier."""
    AGAINST_BGP = "against-bgp"
    """Where BGP does not lead."""
    SILENT = "silent"
    """It is asked, and nobody proves to be a region of ours."""
    NOT_PROBED = "not-probed"
    UNSEEN = "unseen"
    """The agent cannot be believed now."""


class LegKind(StrEnum):
    """What a leg leads through."""

    NVA = "nva"
    CIRCUIT = "circuit"
    """A router on the way at which flows part, named by its address, or by the intent where it knows it."""


class LegState(StrEnum):
    """What is said of a leg now, before any hold-down."""

    FINE = "fine"
    LOSSY = "lossy"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of a whole, as far as samples let it be known: 95 % confidence, by Wilson's score."""

    value: float
    """0 to 1; what was counted."""
    low: float
    high: float
    samples: int
    """The whole that was counted; with none of them `low` is 0 and `high` is 1."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Round trips in seconds."""

    samples: int
    least: float
    p50: float
    p90: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class RegionShare:
    """One region's part in the traffic of a site for a service."""

    region: str
    share: Interval
    """Of answers to probes whose source port is used once: unbiased over the routers' hashes."""
    flows: int
    """Fixed flows that it answers."""
    intended: bool
    """Whether the region stands in one of the site's tiers."""
    by_bgp: bool
    """Whether the site's best path leads there, by itself or in an intended group of equals."""
    latency: Quantiles | None
    """None while nothing was heard of it."""
    proof: Proof = Proof.NONE
    """What its answers rest on: MATCHED could be said by anybody. NONE while it does not answer."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One way through the groups of equal paths."""

    kind: LegKind
    name: str
    """The NVA's name, or the router's address."""
    said: str
    """The router's name where the intent knows its address, else the same as `name`."""
    region: str | None
    """Of an NVA; of a circuit only where all its flows land in one region."""
    flows: int
    """Fixed flows that take it."""
    loss: Interval
    """Of the last probes of those flows, up to 64 each."""
    latency: float | None
    """Median of its flows' last round trips, seconds."""
    state: LegState


@dataclass(frozen=True, slots=True)
class Shift:
    """The last time that traffic moved to another region."""

    at: datetime
    before: tuple[tuple[str, int], ...]
    """Regions and how many of the flows that moved (or of the samples before) they had."""
    after: tuple[tuple[str, int], ...]
    explained: str | None
    """The event of BGP that explains it, in words; None where none does."""


@dataclass(frozen=True, slots=True)
class SiteServiceCatchment:
    """One service as one site sees it."""

    site: str
    service: str
    prefix: str
    agent: AgentState
    heard: datetime | None
    """When the agent's last batch was taken; None while there was none."""
    intended: tuple[tuple[str, ...], ...]
    """Tiers of regions."""
    by_bgp: tuple[str, ...]
    """Every region that the site lands on, by BGP; empty when unknown or no region's."""
    regions: tuple[RegionShare, ...]
    """Regions that answered or are meant to, in the order of the intent."""
    legs: tuple[Leg, ...]
    loss: Interval
    """Of the probes that shares are counted of, in the last two minutes."""
    seconds: float
    """The time over which shares were counted: shorter after a shift, so that two truths are not mixed."""
    probe: Probe | None = None
    """By which way of asking shares are counted: UDP, else HTTP or DNS; None while nobody answers."""
    shift: Shift | None = None
    """None while none was seen in the last ten minutes."""

    @property
    def fit(self) -> Fit:
        """Whether it lands where it was meant to."""
        if self.agent is not AgentState.HEARD:
            return Fit.UNSEEN
        answering = set(self.answering)
        if not answering:
            return Fit.SILENT if self.loss.samples else Fit.NOT_PROBED
        if self.by_bgp and not answering <= set(self.by_bgp):
            return Fit.AGAINST_BGP
        return Fit.AS_MEANT if not self.intended or answering <= set(self.intended[0]) else Fit.NOT_AS_MEANT

    @property
    def answering(self) -> tuple[str, ...]:
        """Regions that answer now."""
        return tuple(region.region for region in self.regions if region.share.value > 0 or region.flows)


@dataclass(frozen=True, slots=True)
class HostCatchment:
    """Where one on-premises host's traffic for a service lands, by the NVA that heard its reply (`Probe.REVERSE`)."""

    site: str
    """As the NVAs' lists of hosts say; empty where they do not."""
    host: str
    """Its address."""
    service: str
    region: str
    nva: str
    since: datetime
    """When this NVA was the first time the one, without another in between."""
    heard: datetime
    """When it was the last time: an old one is what was, and not what is."""
    rtt: float | None
    """Of the last ping that the NVA had sent itself, seconds; None while all came of others' pings."""
    before: str | None = None
    """The region that it landed in until `since`; None while only one was seen."""
