"""An incident in words."""

from typing import Final

from anycast.finding import Subject
from anycast.incident import Incident, Member

_MOST: Final = 3
"""Services named in a first line; of more, how many."""


def headline(incident: Incident) -> str:
    """Return whom it concerns, what is wrong and where: `web: missing in weu`."""
    whom = _services(incident)
    what = f"{incident.cause.kind}{_where(incident.cause.subject)}"
    return f"{whom}: {what}" if whom else what


def because(member: Member) -> str:
    """Return what a member says, with why it is here: of the first cause, only what it says."""
    return f"{member.summary} ({member.why})" if member.why else member.summary


def _services(incident: Incident) -> str:
    services = incident.services
    if len(services) > _MOST:
        return f"{', '.join(services[:_MOST])} and {len(services) - _MOST} more"
    return ", ".join(services)


def _where(subject: Subject) -> str:
    """Where, from the finest on; a vantage only where nothing names it better."""
    finest = subject.nva or subject.instance or subject.exporter
    if finest is None and subject.service is None:
        finest = subject.vantage
    site = None if finest else subject.site
    parts = ((subject.detail, ""), (finest, "at "), (subject.region, "in "), (site, "at "))
    return "".join(f" {word}{part}" for part, word in parts if part)
