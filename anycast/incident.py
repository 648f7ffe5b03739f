"""Incidents: the findings that one cause explains, from the first sign to the end of the last."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from anycast.finding import Finding, Kind, Severity, Subject


class Place(StrEnum):
    """What a finding's subject points at, at its finest."""

    SERVICE = "service"
    """A service everywhere, or no place at all."""
    REGION = "region"
    NVA = "nva"
    INSTANCE = "instance"
    SITE = "site"
    FEED = "feed"
    """An exporter's BMP connection."""


def place(finding: Finding) -> Place:
    """Return what a finding points at."""
    subject = finding.subject
    given = (
        (Place.FEED, subject.exporter),
        (Place.NVA, subject.nva),
        (Place.INSTANCE, subject.instance),
        (Place.SITE, subject.site),
        (Place.REGION, subject.region),
    )
    return next((found for found, name in given if name is not None), Place.SERVICE)


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    RECOVERING = "recovering"
    """What caused it is over, and something that follows from it is not."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Member:
    """A finding's part in an incident."""

    record: str
    """The record's id in the ledger."""
    kind: Kind
    subject: Subject
    key: str
    summary: str
    severity: Severity
    """The worst that it was."""
    since: datetime
    opened_at: datetime
    joined_at: datetime
    why: str
    """Why it belongs to this incident, in words; empty for the first cause."""
    explained_by: str | None = None
    """Record of the member that it follows from; None for the first cause."""
    not_before: datetime | None = None
    """It began in a gap of our sight, between this time and `since`."""
    ended_at: datetime | None = None
    """When the condition was first seen gone; None while it lasts."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Evidence that came later made something else the first cause."""

    at: datetime
    before: str
    """Record of the member that was taken for the first cause."""
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One fault and what follows from it."""

    id: str
    """The same when the same history is judged again."""
    first_cause: str
    """Record of the member that explains the others."""
    members: tuple[Member, ...]
    """The first cause, then the others in the order in which they joined."""
    services: tuple[str, ...]
    regions: tuple[str, ...]
    sites: tuple[str, ...]
    severity: Severity
    """The worst so far."""
    opened_at: datetime
    state: IncidentState
    closed_at: datetime | None = None
    """When the last member was known to be over; None while one lasts."""
    reopened: int = 0
    """How often it came again soon after all of it was over."""
    revisions: tuple[Revision, ...] = ()
    absorbed: tuple[str, ...] = ()
    """Ids of incidents that turned out to be this one."""

    @property
    def cause(self) -> Member:
        """The member that explains the others."""
        return self.members[0]

    @property
    def began(self) -> Member:
        """The member whose condition began first."""
        return min(self.members, key=lambda member: member.since)

    @property
    def since(self) -> datetime:
        """When the first condition began, as far as it was seen."""
        return self.began.since

    @property
    def ended_at(self) -> datetime | None:
        """When the last condition was first seen gone; None while one lasts."""
        return None if self.closed_at is None else max(member.ended_at or member.since for member in self.members)

    @property
    def flaps(self) -> int:
        """How often the same went wrong again."""
        return max(Counter(member.key for member in self.members).values()) - 1

    @property
    def detection(self) -> timedelta:
        """From the first sign in what routers sent to the opening: hold-downs, mostly."""
        return self.opened_at - self.since

    @property
    def outage(self) -> timedelta | None:
        """From the first sign to the end of the last condition; None while one lasts."""
        ended = self.ended_at
        return None if ended is None else ended - self.since


class Step(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    JOINED = "joined"
    REVISED = "revised"
    """Another first cause than was thought."""
    MERGED = "merged"
    """Another incident turned out to be this one, and is none of its own any more."""
    WORSENED = "worsened"
    RECOVERING = "recovering"
    REOPENED = "reopened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Development:
    """One step of an incident, and the incident after all steps of that moment."""

    at: datetime
    step: Step
    incident: Incident
    said: str
    """The step in one sentence."""


def latest(developments: Iterable[Development]) -> tuple[Incident, ...]:
    """Return every incident as it stood last, in the order of opening; what another one absorbed is none."""
    last = {development.incident.id: development.incident for development in developments}
    absorbed = {ident for incident in last.values() for ident in incident.absorbed}
    kept = (incident for ident, incident in last.items() if ident not in absorbed)
    return tuple(sorted(kept, key=lambda incident: (incident.opened_at, incident.id)))


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the worst of some severities."""
    return max(severities, key=lambda severity: severity.rank)
