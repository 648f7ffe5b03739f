"""The time series that Catchment writes: the contract between what fills them and the dashboards and rules that ask.

Names are written once, here. A measurement has tags, all of them on every point from the first write on (an empty
value is written as `-`), and fields of one type each. Tags have few values: names of the intent, never an address that
a router may make up, and never a path. Times are fixed when a point is made, so that a retry overwrites itself.
Two events of one series are a millisecond apart at least, for no server tells apart what is closer than its own grain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

NONE: Final = "-"
"""The value of a tag that does not apply: InfluxDB leaves an empty tag out, and the series would be another one."""
OVERFLOW: Final = "(more)"
"""The value of every tag of points beyond the cap on distinct series of a measurement."""


class Type(StrEnum):
    """What a field holds."""

    FLOAT = "float"
    INTEGER = "integer"
    TEXT = "text"
    """Not stored by VictoriaMetrics: no panel of its variant rests on one."""


class Unit(StrEnum):
    """In Grafana's own words (`fieldConfig.defaults.unit`)."""

    NONE = "none"
    COUNT = "short"
    SECONDS = "s"
    RATIO = "percentunit"
    BYTES = "bytes"
    PER_SECOND = "ops"
    STATE = "state"
    """A code, whose words are in `Field.codes`; Grafana shows those."""


class When(StrEnum):
    """When points of a measurement are made."""

    SAMPLED = "sampled"
    """Every `influx.every` (10 s), on whole multiples of it, whether or not anything changed."""
    WINDOW = "window"
    """At the end of each window of the same length in which there was something to count."""
    EVENT = "event"
    """When it happened, with the time of the event."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a measurement."""

    type: Type
    said: str
    """What it is, for descriptions of panels and for the documentation."""
    unit: Unit = Unit.NONE
    codes: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement."""

    name: str
    said: str
    when: When
    tags: tuple[str, ...]
    fields: Mapping[str, Field]


def _float(said: str, unit: Unit = Unit.NONE) -> Field:
    return Field(Type.FLOAT, said, unit)


def _integer(said: str, unit: Unit = Unit.COUNT) -> Field:
    return Field(Type.INTEGER, said, unit)


def _text(said: str) -> Field:
    return Field(Type.TEXT, said)


def _code(said: str, *codes: tuple[int, str]) -> Field:
    return Field(Type.INTEGER, said, Unit.STATE, codes)


PRESENCE: Final = ((1, "present"), (0, "absent"), (-1, "unknown"))
SESSION: Final = ((2, "up"), (1, "loading"), (0, "down"), (-1, "unknown"))
HEALTH: Final = ((0, "ok"), (1, "degraded"), (2, "down"), (-1, "unknown"))
SEVERITY: Final = ((0, "none"), (1, "info"), (2, "warning"), (3, "major"), (4, "critical"))
FIT: Final = (
    (0, "as-meant"),
    (1, "not-as-meant"),
    (2, "against-bgp"),
    (3, "silent"),
    (-1, "not-probed"),
    (-2, "unseen"),
)
"""Of `anycast.catchment.Fit`."""
AGENT: Final = ((2, "heard"), (1, "new"), (0, "lost"), (-1, "never"), (-2, "tainted"))
STEP: Final = ((1, "opened"), (2, "worsened"), (3, "recovering"), (4, "reopened"), (0, "closed"))


_MEASUREMENTS: Final = (
    Measurement(
        "service",
        "A service prefix as a whole.",
        When.SAMPLED,
        ("service", "prefix"),
        {
            "health": _code("State of the service.", *HEALTH),
            "findings": _integer("Findings open about it."),
            "severity": _code("The worst of them.", *SEVERITY),
            "regions_present": _integer("Regions whose Route Server holds the route."),
            "regions_meant": _integer("Regions meant to advertise it."),
        },
    ),
    Measurement(
        "presence",
        "A service prefix at one vantage.",
        When.SAMPLED,
        ("service", "prefix", "rung", "region", "site", "vantage"),
        {
            "present": _code("Whether the route is there.", *PRESENCE),
            "meant": _integer("1 where the intent wants a route, else 0."),
            "paths": _integer("Paths held."),
            "as_path": _text("AS path of the best of them."),
            "next_hop": _text("Next hop of the best of them."),
            "best_region": _text("Region that the best path is recognised as; at V5 and V6."),
        },
    ),
    Measurement(
        "change",
        "A true difference of a watched route.",
        When.EVENT,
        ("service", "prefix", "rung", "region", "site", "vantage", "action"),
        {
            "n": _integer("1 a change, so that sums count."),
            "path_length": _integer("AS numbers in the path, prepends counted; 0 for a withdrawal."),
            "prepends": _integer("Repeated AS numbers in the path."),
            "local_pref": _integer("LOCAL_PREF; left out where there is none."),
            "med": _integer("MULTI_EXIT_DISC; left out where there is none."),
            "as_path": _text("AS path."),
            "next_hop": _text("Next hop."),
            "communities": _text("Communities, by name where they have one."),
            "text": _text("The change in one sentence."),
        },
    ),
    Measurement(
        "session",
        "A BGP session as its router reports it.",
        When.SAMPLED,
        ("exporter", "vantage", "rung", "region", "site"),
        {
            "state": _code("State of the session.", *SESSION),
            "routes": _integer("Routes held: watched ones, or the whole table."),
            "hold_time": _integer("Negotiated hold time.", Unit.SECONDS),
            "age": _float("Since it is so.", Unit.SECONDS),
        },
    ),
    Measurement(
        "feed",
        "An exporter's BMP connection, and what came over it.",
        When.SAMPLED,
        ("exporter",),
        {
            "connected": _integer("1 while it is connected, else 0."),
            "messages": _integer("Messages since the start."),
            "routes": _integer("Routes announced or withdrawn since the start."),
            "malformed": _integer("Messages that could not be taken as they stood, since the start."),
            "unjudged": _integer("Watched routes that no Peer Up named, since the start."),
        },
    ),
    Measurement(
        "bmp_stats",
        "A statistic that a router reports of a peer (RFC 7854 section 4.8, RFC 8671, RFC 9069, RFC 9972).",
        When.EVENT,
        ("exporter", "vantage", "statistic"),
        {"value": _float("Its value: a counter or a gauge, as its definition says.")},
    ),
    Measurement(
        "probe",
        "Probes of a window, by who answered.",
        When.WINDOW,
        ("site", "service", "region", "kind"),
        {
            "n": _integer("Probes sent; under region `-` those that nobody of ours answered."),
            "lost": _integer("Of these, how many nobody answered."),
            "min": _float("Least round trip.", Unit.SECONDS),
            "median": _float("Median round trip.", Unit.SECONDS),
            "p90": _float("90th percentile.", Unit.SECONDS),
            "p99": _float("99th percentile.", Unit.SECONDS),
            "max": _float("Longest round trip.", Unit.SECONDS),
        },
    ),
    Measurement(
        "share",
        "A region's part in a site's traffic for a service.",
        When.SAMPLED,
        ("site", "service", "region"),
        {
            "value": _float("Of answers to probes from ports used once.", Unit.RATIO),
            "low": _float("The least it may be, with 95 % confidence.", Unit.RATIO),
            "high": _float("The most it may be, with 95 % confidence.", Unit.RATIO),
            "samples": _integer("Answers counted."),
            "meant": _integer("1 where the region stands in one of the site's tiers, else 0."),
            "by_bgp": _integer("1 where the site's best path leads there, else 0."),
        },
    ),
    Measurement(
        "landing",
        "Where a site lands for a service.",
        When.SAMPLED,
        ("site", "service"),
        {
            "fit": _code("Whether that is as meant.", *FIT),
            "loss": _float("Of probes of the last two minutes.", Unit.RATIO),
            "observed": _text("Regions that answer."),
            "by_bgp": _text("Regions that BGP leads to."),
            "meant": _text("Regions of the first tier."),
        },
    ),
    Measurement(
        "leg",
        "One way through the groups of equal paths.",
        When.SAMPLED,
        ("site", "service", "kind", "leg"),
        {
            "loss": _float("Of the last probes of its fixed flows.", Unit.RATIO),
            "latency": _float("Median of its flows' last round trips.", Unit.SECONDS),
            "flows": _integer("Fixed flows that take it."),
        },
    ),
    Measurement(
        "finding",
        "A step of a finding.",
        When.EVENT,
        ("kind", "severity", "service", "region", "site", "step"),
        {
            "n": _integer("1 a step, so that sums count."),
            "duration": _float("How long it was so, when it cleared.", Unit.SECONDS),
            "id": _text("Id of its record."),
            "summary": _text("The finding in one sentence."),
        },
    ),
    Measurement(
        "findings",
        "Findings that are open.",
        When.SAMPLED,
        ("kind", "severity"),
        {"open": _integer("How many.")},
    ),
    Measurement(
        "incident",
        "A step of an incident.",
        When.EVENT,
        ("cause", "severity", "service", "region", "site", "step"),
        {
            "n": _integer("1 a step, so that sums count."),
            "members": _integer("Findings in it."),
            "detection": _float("From the first sign to the opening.", Unit.SECONDS),
            "outage": _float("From the first sign to the end of the last condition, when it closed.", Unit.SECONDS),
            "id": _text("Its id."),
            "said": _text("The step in one sentence."),
        },
    ),
    Measurement(
        "incidents",
        "Incidents that are not closed.",
        When.SAMPLED,
        ("cause", "severity"),
        {"open": _integer("How many.")},
    ),
    Measurement(
        "convergence",
        "How a site came to rest after a change: one episode that is over.",
        When.EVENT,
        ("site", "service", "region"),
        {
            "detection": _float("From the first lost probe to the first event of the control plane.", Unit.SECONDS),
            "control_plane": _float("To the last update at the site's vantages.", Unit.SECONDS),
            "outage": _float("From the first lost probe to the last.", Unit.SECONDS),
            "remap": _float("To the last answer by which a flow was seen to have moved.", Unit.SECONDS),
            "objective": _float("What the intent allows; left out where it allows anything.", Unit.SECONDS),
            "lost": _integer("Probes lost."),
            "steps": _integer("Changes at the busiest vantage: more than one is path hunting."),
            "first": _text("What came first."),
        },
    ),
    Measurement(
        "agent",
        "A site's agent.",
        When.SAMPLED,
        ("site",),
        {
            "state": _code("Whether what it reports can be believed.", *AGENT),
            "tainted": _float("The part of its last seconds in which its loop lagged.", Unit.RATIO),
            "lag": _float("99th percentile of its loop lag.", Unit.SECONDS),
            "skew": _float("Its wall clock minus ours.", Unit.SECONDS),
            "results": _integer("Results of probes taken since the start."),
            "dropped": _integer("Results that it gave up since the start, for its spool was full."),
        },
    ),
    Measurement(
        "own",
        "Catchment's own health.",
        When.SAMPLED,
        (),
        {
            "loop_lag": _float("Longest delay of the event loop since the last sample.", Unit.SECONDS),
            "judging": _float("Time that the last round of judging took.", Unit.SECONDS),
            "commit": _float("Time that the journal's last commit took.", Unit.SECONDS),
            "journal_queue": _integer("Octets handed to the journal and not committed.", Unit.BYTES),
            "journal_bytes": _integer("Octets that the journal takes on disk.", Unit.BYTES),
            "memory": _integer("Resident memory.", Unit.BYTES),
            "descriptors": _integer("Open file descriptors."),
            "owed": _integer("Notifications that are owed."),
            "dead_letters": _integer("Notifications that were given up."),
            "refused": _integer("BMP connections refused since the start."),
            "sink_behind": _float("Age of the oldest point that the sink has not delivered.", Unit.SECONDS),
            "sink_quarantined": _integer("Points that the server refused since the start."),
            "sink_unfit": _integer("Points that were too old or in the future, and not sent, since the start."),
            "sink_forgotten": _integer("Points that retention took before the sink delivered them, since the start."),
            "sink_failing": _integer("Sinks that do not deliver now."),
            "overflowed": _integer("Points written to an overflow series since the start."),
            "uptime": _float("Since the start.", Unit.SECONDS),
        },
    ),
)

MEASUREMENTS: Final[Mapping[str, Measurement]] = MappingProxyType({each.name: each for each in _MEASUREMENTS})
"""Every measurement by name."""


def texts() -> tuple[tuple[str, str], ...]:
    """Return every field that holds a text, with its measurement: what VictoriaMetrics does not store."""
    return tuple(
        (name, field)
        for name, measurement in MEASUREMENTS.items()
        for field, about in measurement.fields.items()
        if about.type is Type.TEXT
    )
