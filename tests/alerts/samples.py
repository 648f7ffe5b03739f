"""Findings, records and messages for tests, and times that read as seconds after a beginning."""

from datetime import UTC, datetime, timedelta

from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.intent import HoldDown
from anycast.message import Message

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SEEN: frozenset[str] = frozenset()
"""Nothing is unknown."""


def at(seconds: float) -> datetime:
    """The beginning and so many seconds."""
    return START + timedelta(seconds=seconds)


def held(opens: float = 2, clears: float = 2) -> HoldDown:
    """A hold-down in seconds."""
    return HoldDown(timedelta(seconds=opens), timedelta(seconds=clears))


def finding(
    region: str = "weu",
    kind: Kind = Kind.MISSING,
    severity: Severity = Severity.MAJOR,
    since: float = 0,
    summary: str = "web is not advertised by weu",
    evidence: tuple[tuple[str, str], ...] = (("weu-rs0", "absent"),),
    rests_on: tuple[str, ...] = ("weu-rs0",),
    site: str | None = None,
) -> Finding:
    """Something wrong about the service `web`."""
    subject = Subject(service="web", region=region, site=site)
    return Finding(kind, subject, severity, at(since), summary, evidence, rests_on=frozenset(rests_on))


def opened(wrong: Finding | None = None, ident: str = "abc", seconds: float = 2) -> Record:
    """A record that is open."""
    return Record(ident, wrong or finding(), State.OPEN, at(0), opened_at=at(seconds))


def told(ident: str = "abc", receiver: str = "ops", step: Step = Step.OPENED, wrong: Finding | None = None) -> Message:
    """A message to a receiver."""
    return Message(f"{ident}.{step}@{receiver}", receiver, opened(wrong, ident), step, at(2))


def steps(transitions: tuple[Transition, ...]) -> list[Step]:
    """Only the words."""
    return [transition.step for transition in transitions]
