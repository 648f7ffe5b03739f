"""What is wrong now, worst first, with evidence and what to do."""

from collections.abc import Sequence

from anycast.finding import Record, State
from anycast.kinds import KINDS
from dashboards.console.frame import pair_path, runbook_path
from dashboards.console.markup import clock, join, tag, text


def findings(records: Sequence[Record]) -> str:
    """Open and pending findings as HTML; no text in it that ages, so that what is unfolded stays so."""
    live = [record for record in records if record.state is not State.CLEARED]
    if not live:
        return tag("p", "quiet", "Nothing is wrong that anybody sees.")
    ordered = sorted(live, key=lambda record: (record.state is not State.OPEN, -record.finding.severity.rank))
    return join(_finding(record) for record in ordered)


def _finding(record: Record) -> str:
    finding = record.finding
    head = join(
        (
            tag("span", f"severity {finding.severity}", text(finding.severity)),
            tag("b", "", text(finding.kind)),
            tag("span", "quiet", f"{record.state} since {clock(finding.since)} UTC"),
            tag("span", "muted", f"muted by {text(record.muted_by)}") if record.muted_by else "",
        )
    )
    rows = join(
        tag("li", "", tag("span", "quiet", f"{text(label)}: ") + text(told)) for label, told in finding.evidence
    )
    about = KINDS.get(finding.kind)
    action = tag("p", "action", text(about.action)) if about else ""
    link = tag("a", "", f"docs/runbooks/{text(finding.kind)}.md", href=runbook_path(finding.kind))
    subject = finding.subject
    if subject.site is not None and subject.service is not None:
        link += " · " + tag(
            "a", "", text(f"{subject.service} at {subject.site}"), href=pair_path(subject.site, subject.service)
        )
    runbook = tag("p", "quiet", f"runbook: {link}")
    body = tag("details", "", tag("summary", "", text(finding.summary)) + tag("ul", "", rows) + action + runbook)
    return tag(
        "article",
        f"finding {finding.severity} {record.state}",
        tag("header", "", head) + body,
        data_kind=str(finding.kind),
        data_state=str(record.state),
    )
