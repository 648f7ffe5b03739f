"""All judgements. An analyzer says what is wrong now; the ledger says what changed."""

from collections.abc import Callable, Iterator
from datetime import datetime

from analyzers.drift import attribute_drift
from analyzers.everywhere import cascade, missing_everywhere, redundancy_low
from analyzers.flapping import flapping
from analyzers.limits import prefix_limit
from analyzers.missing import missing
from analyzers.prepends import prepend_added, prepend_lost
from analyzers.ranges import covering_route, more_specific, overlap
from analyzers.selection import backup_active, ecmp_shrunk
from analyzers.sessions import blind, session_down
from analyzers.skew import instance_skew
from analyzers.unexpected import unexpected_next_hop, unexpected_origin, unexpected_region
from analyzers.view import View
from anycast.finding import Finding
from anycast.intent import Intent

Analyzer = Callable[[View, Intent, datetime], Iterator[Finding]]

ANALYZERS: tuple[Analyzer, ...] = (
    missing,
    missing_everywhere,
    unexpected_origin,
    unexpected_region,
    unexpected_next_hop,
    more_specific,
    covering_route,
    instance_skew,
    attribute_drift,
    prepend_lost,
    prepend_added,
    backup_active,
    ecmp_shrunk,
    redundancy_low,
    cascade,
    session_down,
    flapping,
    overlap,
    prefix_limit,
    blind,
)


def judge(view: View, intent: Intent, now: datetime) -> tuple[Finding, ...]:
    """Return everything that is wrong now, each key once. `intent` is the one that the view has."""
    found = {finding.key: finding for analyzer in ANALYZERS for finding in analyzer(view, intent, now)}
    return tuple(found.values())
