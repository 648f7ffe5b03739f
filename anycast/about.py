"""What is said of one kind of finding, in words and figures."""

from dataclasses import dataclass
from datetime import timedelta

from anycast.finding import Severity
from anycast.intent import HoldDown, Rung


@dataclass(frozen=True, slots=True)
class About:
    """One kind, in words and figures."""

    severity: Severity
    """The severity without circumstances; an analyzer may say another, and `meaning` says when."""
    hold_down: HoldDown
    rungs: tuple[Rung, ...]
    """The rungs it is judged from; with none of them in sight it stays silent."""
    meaning: str
    action: str
    """What to do first, in one or two sentences; the runbook has the rest."""
    held: str = ""
    """Why the hold-down is what it is."""


def held(open_after: float, clear_after: float = 2) -> HoldDown:
    """How long a condition lasts before it is told, and how long it is gone before it is over; seconds."""
    return HoldDown(timedelta(seconds=open_after), timedelta(seconds=clear_after))
