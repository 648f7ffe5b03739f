"""What probes showed over time, as charts show it: round trips, shares and legs, step by step."""

from dataclasses import dataclass
from datetime import datetime

from anycast.catchment import Interval, LegKind
from anycast.finding import Severity
from anycast.probe import Probe, Proof


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a chart covers: [start, end), in steps of so many seconds."""

    start: datetime
    end: datetime
    step: float


@dataclass(frozen=True, slots=True)
class Smoke:
    """Round trips of one step that one region answered. Seconds; None where nothing was answered."""

    at: datetime
    """When the step begins."""
    region: str
    """Empty for probes that nobody answered, and for answers that do not prove whose they are."""
    sent: int
    lost: int
    least: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None
    proof: Proof = Proof.NONE
    """The weakest that any of the answers rests on."""


@dataclass(frozen=True, slots=True)
class SmokeChart:
    """Round trips from a site to a target."""

    site: str
    target: str
    window: Window
    probe: Probe | None
    """By which way of asking; None where no probe was sent."""
    bins: tuple[Smoke, ...]
    """In order of time; several of one time are several regions."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One region's part in the answers of one step."""

    region: str
    answers: int
    share: Interval
    proof: Proof


@dataclass(frozen=True, slots=True)
class ShareStep:
    """Who answered in one step; probes whose source port is used once, and so unbiased over the routers' hashes."""

    at: datetime
    sent: int
    lost: int
    loss: Interval
    regions: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class ToldShift:
    """Traffic that moved to another region, as it was told."""

    at: datetime
    text: str
    severity: Severity
    explained: str
    """The event of BGP that explains it, or that none does, in words."""
    finding: str
    """The finding's record id."""


@dataclass(frozen=True, slots=True)
class SharesChart:
    """Where a site's traffic for a service landed."""

    site: str
    service: str
    window: Window
    probe: Probe | None
    steps: tuple[ShareStep, ...]
    shifts: tuple[ToldShift, ...]


@dataclass(frozen=True, slots=True)
class LegStep:
    """One leg in one step: what its fixed flows lost, and how long they took."""

    at: datetime
    kind: LegKind
    name: str
    region: str
    """Of an NVA; of a circuit only where all its flows landed in one region, else empty."""
    flows: int
    loss: Interval
    latency: float | None
    """Median of its flows' medians, seconds; None where nothing was answered."""


@dataclass(frozen=True, slots=True)
class LegsChart:
    """The legs from a site to a service."""

    site: str
    service: str
    window: Window
    steps: tuple[LegStep, ...]
