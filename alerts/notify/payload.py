"""What a webhook receives: the document described in README.md beside this file."""

from dataclasses import dataclass

from anycast.finding import Record
from anycast.kinds import KINDS
from anycast.message import Message
from anycast.plain import Plain, to_plain

VERSION = 1
"""Grows when a field changes its meaning or goes away, not when one is added."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where a person finds more."""

    finding: str = ""
    """Address of a finding's page, with `{id}` in place of the record's id; empty when there is no page."""
    runbook: str = "docs/runbooks/{kind}.md"
    """Address of a kind's runbook, with `{kind}` in place of the kind."""


def payload(message: Message, links: Links) -> dict[str, Plain]:
    """Build the document. The same message always gives the same document."""
    record, finding = message.record, message.record.finding
    about = KINDS.get(finding.kind)
    return {
        "version": VERSION,
        "status": str(message.step),
        "id": record.id,
        "key": finding.key,
        "kind": str(finding.kind),
        "severity": str(finding.severity),
        "subject": dict(finding.subject.parts),
        "summary": finding.summary,
        "since": to_plain(finding.since),
        "not_before": to_plain(finding.not_before),
        "opened_at": to_plain(record.opened_at),
        "cleared_at": to_plain(record.cleared_at),
        "duration_seconds": _duration(record),
        "evidence": [{"label": label, "text": text} for label, text in finding.evidence],
        "action": about.action if about else "",
        "runbook": links.runbook.replace("{kind}", str(finding.kind)),
        "link": links.finding.replace("{id}", record.id),
    }


def _duration(record: Record) -> float | None:
    """Seconds from the beginning of the condition to its end; None while it lasts."""
    if record.cleared_at is None:
        return None
    return max(0.0, (record.cleared_at - record.finding.since).total_seconds())
