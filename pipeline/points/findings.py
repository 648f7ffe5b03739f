"""Findings and incidents as points: their steps, and how many there are of each sort, none of it included."""

from collections import Counter
from collections.abc import Iterable, Iterator

from anycast.finding import Kind, Record, Severity, State, Step, Transition
from anycast.incident import Development, Incident, IncidentState
from anycast.point import Point
from anycast.series import NONE
from store.schema import nanoseconds


def finding_point(transition: Transition) -> Point:
    """Return the point of one step of the ledger."""
    record, finding = transition.record, transition.record.finding
    subject = finding.subject
    over = record.cleared_at if transition.step in (Step.CLEARED, Step.DROPPED) else None
    fields = {
        "n": 1,
        "duration": None if over is None else round((over - finding.since).total_seconds(), 6),
        "id": record.id,
        "summary": finding.summary,
    }
    where = (subject.service or NONE, subject.region or NONE, subject.site or NONE)
    tags = (str(finding.kind), str(finding.severity), *where, str(transition.step))
    return Point("finding", tags, fields, nanoseconds(transition.at))


def findings_points(records: Iterable[Record], at: int) -> Iterator[Point]:
    """Yield how many are open, of every kind and severity that there is: no series ends because none is open."""
    found = Counter((r.finding.kind, r.finding.severity) for r in records if r.state is State.OPEN)
    for kind in Kind:
        for severity in Severity:
            yield Point("findings", (str(kind), str(severity)), {"open": found[kind, severity]}, at)


def incident_point(development: Development) -> Point:
    """Return the point of one step of an incident, in the place that its first cause is about."""
    incident = development.incident
    cause, outage = incident.cause, incident.outage
    fields = {
        "n": 1,
        "members": len(incident.members),
        "detection": round(incident.detection.total_seconds(), 6),
        "outage": None if outage is None else round(outage.total_seconds(), 6),
        "id": incident.id,
        "said": development.said,
    }
    where = (cause.subject.service or NONE, cause.subject.region or NONE, cause.subject.site or NONE)
    tags = (str(cause.kind), str(incident.severity), *where, str(development.step))
    return Point("incident", tags, fields, nanoseconds(development.at))


def incidents_points(incidents: Iterable[Incident], at: int) -> Iterator[Point]:
    """Yield how many are not closed, by first cause and severity; of every sort that there is."""
    open_ones = [incident for incident in incidents if incident.state is not IncidentState.CLOSED]
    found = Counter((incident.cause.kind, incident.severity) for incident in open_ones)
    for kind in Kind:
        for severity in Severity:
            yield Point("incidents", (str(kind), str(severity)), {"open": found[kind, severity]}, at)
