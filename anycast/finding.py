"""Findings: one thing wrong now, under a stable key, about a subject."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property


class Severity(StrEnum):
    """How bad it is; critical pages."""

    INFO = "info"
    WARNING = "warning"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 3 for critical."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """Every kind of finding; the word is the same in code, metric label, alert title, runbook and docs heading."""

    MISSING = "missing"
    MISSING_EVERYWHERE = "missing-everywhere"
    UNEXPECTED_ORIGIN = "unexpected-origin"
    UNEXPECTED_REGION = "unexpected-region"
    UNEXPECTED_NEXT_HOP = "unexpected-next-hop"
    MORE_SPECIFIC = "more-specific"
    COVERING_ROUTE = "covering-route"
    INSTANCE_SKEW = "instance-skew"
    ATTRIBUTE_DRIFT = "attribute-drift"
    PREPEND_LOST = "prepend-lost"
    PREPEND_ADDED = "prepend-added"
    BACKUP_ACTIVE = "backup-active"
    ECMP_SHRUNK = "ecmp-shrunk"
    REDUNDANCY_LOW = "redundancy-low"
    CASCADE = "cascade"
    SESSION_DOWN = "session-down"
    FLAPPING = "flapping"
    OVERLAP = "overlap"
    PREFIX_LIMIT = "prefix-limit"
    BLIND = "blind"
    BLACKHOLE = "blackhole"
    ADVERTISED_WHILE_DEAD = "advertised-while-dead"
    HEALTHY_BUT_SILENT = "healthy-but-silent"
    DEAD_LEG = "dead-leg"
    LOSSY_LEG = "lossy-leg"
    MISROUTED = "misrouted"
    CATCHMENT_SHIFT = "catchment-shift"
    CATCHMENT_FLAP = "catchment-flap"
    FIB_DIVERGENCE = "fib-divergence"
    HASH_POLARISED = "hash-polarised"
    ASYMMETRIC_RETURN = "asymmetric-return"
    LATENCY_SHIFT = "latency-shift"
    SUBOPTIMAL_REGION = "suboptimal-region"
    JITTER = "jitter"
    THROUGHPUT_DROP = "throughput-drop"
    MTU_BLACKHOLE = "mtu-blackhole"
    SLOW_CONVERGENCE = "slow-convergence"
    STALE_ROUTE = "stale-route"
    UNREACHABLE = "unreachable"
    TCP_BREAK = "tcp-break"
    APP_SLOW = "app-slow"
    APP_ERRORS = "app-errors"
    HEALTH_CHECK_DEFECT = "health-check-defect"
    IDENTITY_INVALID = "identity-invalid"
    AGENT_LOST = "agent-lost"
    AGENT_TAINTED = "agent-tainted"
    AGENT_DUPLICATE = "agent-duplicate"
    CLOCK_WRONG = "clock-wrong"
    SITE_UPLINK = "site-uplink"
    RESPONDER_SLOW = "responder-slow"
    SINK_FAILING = "sink-failing"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about. Only the parts that make it *this* finding and not another are given."""

    service: str | None = None
    prefix: str | None = None
    region: str | None = None
    nva: str | None = None
    instance: str | None = None
    site: str | None = None
    vantage: str | None = None
    """A vantage's name, or the text of a source the intent does not name."""
    exporter: str | None = None
    detail: str | None = None
    """Whatever else keeps two findings of a kind apart (an attribute's name, an origin AS)."""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts that are given, by name, in the order of this class."""
        pairs = ((part.name, getattr(self, part.name)) for part in fields(self))
        return tuple((name, value) for name, value in pairs if value is not None)

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.parts)


@dataclass(frozen=True)
class Finding:
    """One thing wrong now."""

    kind: Kind
    subject: Subject
    severity: Severity
    since: datetime
    """When the condition began, as far as it was seen."""
    summary: str
    """One sentence: service, what and where; no time in it, so that it stays the same while nothing changes."""
    evidence: tuple[tuple[str, str], ...] = ()
    """Label and text, in the order to read them."""
    not_before: datetime | None = None
    """The condition began in a gap of our sight, between this time and `since`."""
    rests_on: frozenset[str] = frozenset()
    """Names of the vantages it was judged from: while one of them is unknown, its absence proves no recovery."""

    @cached_property
    def key(self) -> str:
        """Stable identity: the kind and the parts of the subject, no value and no time."""
        return "|".join((str(self.kind), *(f"{name}={value}" for name, value in self.subject.parts)))


class State(StrEnum):
    """Where a finding stands in the ledger."""

    PENDING = "pending"
    """Judged wrong; its hold-down has not run out."""
    OPEN = "open"
    CLEARED = "cleared"


class Step(StrEnum):
    """A change of state in the ledger."""

    PENDING = "pending"
    OPENED = "opened"
    CHANGED = "changed"
    CLEARED = "cleared"
    DROPPED = "dropped"
    """Healed inside the hold-down: in the history, told to nobody."""


@dataclass(frozen=True, slots=True)
class Record:
    """A finding as the ledger holds it."""

    id: str
    """Unique for each time the key goes wrong; the same from pending to cleared."""
    finding: Finding
    state: State
    pending_at: datetime
    opened_at: datetime | None = None
    cleared_at: datetime | None = None
    muted_by: str | None = None
    """Name of the maintenance window that keeps it from being told."""

    @property
    def until(self) -> datetime | None:
        """When the condition ended; None while it lasts."""
        return self.cleared_at


@dataclass(frozen=True, slots=True)
class Transition:
    """One step that the ledger took, and the record after it."""

    at: datetime
    step: Step
    record: Record
