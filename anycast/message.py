"""What is owed to a receiver, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anycast.finding import Record, Step


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one receiver."""

    id: str
    """`<idempotency key>@<receiver>`: unique for ever."""
    receiver: str
    record: Record
    """The finding as it stood when this became owed; what is sent never changes between attempts."""
    step: Step
    """OPENED, CHANGED (the severity rose) or CLEARED."""
    created: datetime

    @property
    def idempotency_key(self) -> str:
        """The same on every attempt, and for every receiver: by it a receiver knows a repetition."""
        return self.id.partition("@")[0]


class DeliveryState(StrEnum):
    """Where a message stands in the outbox."""

    OWED = "owed"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It cannot succeed: kept, shown, never tried again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in the outbox."""

    message: Message
    state: DeliveryState = DeliveryState.OWED
    attempts: int = 0
    next_attempt: datetime | None = None
    """Not to be tried before; None means at once, and is kept once the message is settled."""
    last_error: str = ""
    """Why the last attempt failed, as a sentence without secrets; empty after a success."""
    settled_at: datetime | None = None
    """When it was delivered or given up."""
