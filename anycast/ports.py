"""What one box needs of another, as Protocols. The pipeline hands the implementations in; nobody imports sideways."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from anycast.finding import Record, State
from anycast.prefix import Prefix
from anycast.situation import Event, Situation


class Reading(Protocol):
    """What pages, reports and terminals read of the running daemon."""

    def situation(self) -> Situation:
        """Everything at a glance, now."""
        ...

    def findings(self, *states: State) -> Sequence[Record]:
        """Findings in any of `states` (all when none is given), newest first; cleared ones of the last day only."""
        ...

    async def history(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int = 1000
    ) -> Sequence[Event]:
        """What happened to a prefix (to everything watched when None) in [start, end), oldest first."""
        ...

    def events(self, after: int = 0) -> AsyncIterator[Event]:
        """Live events numbered above `after`; those still in memory first, then each as it happens."""
        ...
