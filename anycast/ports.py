"""What one box needs of another, as Protocols. The pipeline hands the implementations in; nobody imports sideways."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from anycast.finding import Record, State
from anycast.message import Delivery
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


class Outbox(Protocol):
    """What is owed, kept where a crash cannot reach it. One process delivers."""

    async def receivers(self) -> Sequence[str]:
        """Names of the receivers that anything is owed to."""
        ...

    async def due(self, receiver: str, now: datetime, limit: int) -> Sequence[Delivery]:
        """What may be tried now: of each finding only the first message that is owed, oldest first."""
        ...

    async def next_attempt(self, receiver: str, now: datetime) -> datetime | None:
        """When the next message that waits (and is not due) may be tried; None when none waits."""
        ...

    async def accepted(self, receiver: str, record: str) -> bool:
        """Whether the receiver has accepted any message about the record of this id."""
        ...

    async def settle(self, delivery: Delivery) -> None:
        """Write how an attempt ended; durable when it returns."""
        ...
