"""Which maintenance window keeps a finding from being told."""

from collections.abc import Iterable
from datetime import datetime

from anycast.finding import Finding, Kind
from anycast.intent import Window

NEVER_MUTED = frozenset({Kind.UNEXPECTED_ORIGIN, Kind.MORE_SPECIFIC})
"""Somebody else's routes: planned work never explains them."""


def muted_by(finding: Finding, windows: Iterable[Window], now: datetime) -> str | None:
    """Return the name of the first window that mutes `finding` at `now`; a window holds from `start` up to `end`."""
    over = (window.name for window in windows if window.start <= now < window.end and covers(window, finding))
    return next(over, None)


def covers(window: Window, finding: Finding) -> bool:
    """Whether a window is about a finding.

    A window that names regions covers no finding that names none: what is wrong everywhere is not one region's work.
    """
    subject = finding.subject
    return finding.kind not in NEVER_MUTED and all(
        not wanted or part in wanted
        for wanted, part in (
            (window.services, subject.service),
            (window.regions, subject.region),
            (window.sites, subject.site),
            (window.kinds, finding.kind),
        )
    )
