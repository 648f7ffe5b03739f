"""`prefix-limit`: how near a session is to being torn down (azure.md 1.2, checks G01 and G02)."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.sessions import subject
from analyzers.state import Table
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent, Thresholds, Vantage


def prefix_limit(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sessions that hold so many routes that the far side may tear them down."""
    for key, table in view.by_key.items():
        if table.vantage is None or table.vantage.prefix_limit is None:
            continue
        count = view.count(key)
        if count is not None and (why := _why(count, table.vantage.prefix_limit, intent.thresholds)):
            yield _finding(key, table.vantage, table, count, *why)


def _why(count: int, limit: int, thresholds: Thresholds) -> tuple[Severity, str] | None:
    if count >= limit * thresholds.limit_major:
        return Severity.MAJOR, f"at {thresholds.limit_major:.0%} of its limit or more"
    if count >= limit * thresholds.limit_warning:
        return Severity.WARNING, f"at {thresholds.limit_warning:.0%} of its limit or more"
    if count * 2 > limit:
        return Severity.WARNING, "over half of its limit, so that a refresh of the whole table would tear it down"
    return None


def _finding(key: str, vantage: Vantage, table: Table, count: int, severity: Severity, what: str) -> Finding:
    limit = vantage.prefix_limit
    counted = "counted here" if vantage.whole else "by the router's own statistics"
    return Finding(
        Kind.PREFIX_LIMIT,
        subject(key, vantage),
        severity,
        max((held.since for held in table.routes.values()), default=table.peering.since),
        f"{key}: the session is {what}",
        (
            ("routes", f"{count} ({counted})"),
            ("limit", f"{limit}"),
            ("after a refresh", f"{count} held and {count} arriving are counted together: {2 * count}"),
        ),
        None,
        frozenset({key}),
    )
