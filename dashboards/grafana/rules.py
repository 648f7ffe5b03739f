"""The alert rules that Grafana judges by itself: what must be told even when Catchment cannot tell it."""

from anycast.finding import Severity
from dashboards.grafana.model import Alert
from dashboards.grafana.query import Column, Fold, Query, Shape, only

_DOWN = 1
"""Above this, a service's health is `down`."""


def _now(measurement: str, field: str, *by: str, fold: Fold = Fold.LAST, across: Fold | None = None) -> Query:
    return Query(measurement, (Column(field, field, fold),), by, shape=Shape.NOW, across=across)


def _open(severity: Severity) -> Query:
    return Query("findings", (Column("open", "open"),), ("kind", "severity"), (only("severity", severity),), Shape.NOW)


ALERTS: tuple[Alert, ...] = (
    Alert(
        "silent",
        "Catchment writes nothing",
        _now("own", "uptime", fold=Fold.MAX),
        float(10**12),
        "2m",
        "critical",
        "Nothing was written for two minutes: Catchment, its sink or this database is away, and nobody watches.",
        "own",
        "/runbooks/blind",
        silence_fires=True,
    ),
    Alert(
        "service-down",
        "A service is down",
        _now("service", "health", "service", "prefix"),
        _DOWN,
        "0s",
        "critical",
        "{service} ({prefix}) is down: no region that is meant to serve it does.",
        "service",
        "/runbooks/missing-everywhere",
    ),
    Alert(
        "service-degraded",
        "A service is degraded",
        _now("service", "health", "service", "prefix"),
        0,
        "1m",
        "warning",
        "{service} ({prefix}) is not ok.",
        "service",
        "/runbooks/missing",
    ),
    Alert(
        "finding-critical",
        "A critical finding is open",
        _open(Severity.CRITICAL),
        0,
        "0s",
        "critical",
        "{kind}: at least one is open that is critical.",
        "findings",
        "/runbooks/{kind}",
    ),
    Alert(
        "finding-major",
        "A major finding is open",
        _open(Severity.MAJOR),
        0,
        "1m",
        "major",
        "{kind}: at least one is open that is major.",
        "findings",
        "/runbooks/{kind}",
    ),
    Alert(
        "incident",
        "An incident is open",
        _now("incidents", "open", "cause", "severity"),
        0,
        "0s",
        "major",
        "An incident whose first cause is {cause} ({severity}) is not closed.",
        "findings",
        "/runbooks/{cause}",
    ),
    Alert(
        "loss",
        "A site loses probes",
        _now("landing", "loss", "site", "service"),
        0.05,
        "1m",
        "major",
        "{site}: more than one in twenty probes of {service} is lost.",
        "site",
        "/runbooks/lossy-leg",
    ),
    Alert(
        "session-limit",
        "Routes near the limit of a session",
        _now("session", "routes", "exporter", "vantage", "rung", "region", "site"),
        3200,
        "1m",
        "major",
        "{vantage} ({exporter}) holds more than 80 % of the routes that Route Server takes of one peer.",
        "region",
        "/runbooks/prefix-limit",
    ),
    Alert(
        "sink-behind",
        "This database is behind",
        _now("own", "sink_behind", fold=Fold.MAX),
        300,
        "5m",
        "warning",
        "The oldest point that was not delivered is more than five minutes old.",
        "own",
        "/runbooks/blind",
    ),
    Alert(
        "sink-failing",
        "A database takes nothing",
        _now("own", "sink_failing", fold=Fold.MAX),
        0,
        "2m",
        "warning",
        "One of the databases that are configured takes nothing: `catchment influx status` says why.",
        "own",
        "/",
    ),
    Alert(
        "points-refused",
        "This database refused points",
        _now("own", "sink_quarantined", fold=Fold.MAX),
        0,
        "0s",
        "warning",
        "Points were refused since the start: `catchment influx status` says which, and why.",
        "own",
        "/",
    ),
    Alert(
        "loop-lag",
        "Catchment lags",
        _now("own", "loop_lag", fold=Fold.MAX),
        1,
        "1m",
        "warning",
        "The event loop was held up for more than a second: what is shown is late.",
        "own",
        "/",
    ),
    Alert(
        "notifications",
        "Notifications were given up",
        _now("own", "dead_letters", fold=Fold.MAX),
        0,
        "0s",
        "warning",
        "A receiver refused notifications until they were given up: look at its configuration.",
        "own",
        "/",
    ),
)
"""In the order in which they are listed."""
