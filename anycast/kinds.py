"""What each kind of finding means. `docs/findings.md` and the runbook index are made from this table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from anycast.finding import Kind, Severity
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


def _held(open_after: float, clear_after: float = 2) -> HoldDown:
    return HoldDown(timedelta(seconds=open_after), timedelta(seconds=clear_after))


KINDS: Mapping[Kind, About] = MappingProxyType(
    {
        Kind.MISSING: About(
            Severity.MAJOR,
            _held(2),
            (Rung.V1, Rung.V2, Rung.V5),
            "A service is not advertised by an NVA (warning), by a region, or not heard at a vantage.",
            "Look at the health check and the BGP speaker of the NVAs that are named; compare with what changed.",
        ),
    }
)
