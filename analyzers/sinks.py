"""`sink-failing`: a server of time series that does not take points, or not all of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.plain import stamp
from anycast.sink import SinkState, SinkStatus

REFUSED = timedelta(minutes=10)
"""How long single points that were refused are told."""
FORGOTTEN = timedelta(hours=1)
"""How long points that retention took are told."""


def sink_failing(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield each sink that does not deliver everything."""
    for sink in view.sinks:
        said = _wrong(sink, now)
        if said is not None:
            severity, since, summary = said
            yield Finding(
                Kind.SINK_FAILING,
                Subject(detail=sink.name),
                severity,
                since,
                summary,
                tuple(_evidence(sink)),
            )


def _wrong(sink: SinkStatus, now: datetime) -> tuple[Severity, datetime, str] | None:
    """The worst that can be said of a sink now: severity, since when, and a sentence."""
    where = f"time series do not all reach {sink.name}"
    if sink.state is SinkState.HOLDING:
        return Severity.MAJOR, sink.since, f"{where}: the server does not take them until somebody mends that"
    if sink.forgotten_at is not None and now - sink.forgotten_at < FORGOTTEN:
        return Severity.MAJOR, sink.forgotten_at, f"{where}: retention took points before they were delivered"
    if sink.state is SinkState.WAITING:
        return Severity.WARNING, sink.since, f"{where}: the server is away"
    if sink.refused_at is not None and now - sink.refused_at < REFUSED:
        return Severity.WARNING, sink.refused_at, f"{where}: the server refused points, which are in quarantine"
    return None


def _evidence(sink: SinkStatus) -> Iterator[tuple[str, str]]:
    yield "server", f"{sink.url}, bucket {sink.bucket}"
    if sink.last_error:
        yield "it said", sink.last_error
    if sink.last_error_at is not None:
        yield "last at", stamp(sink.last_error_at)
    if sink.quarantined:
        yield "in quarantine", f"{sink.quarantined} since the start"
    if sink.forgotten:
        yield "gone before they were delivered", f"{sink.forgotten} since the start"
