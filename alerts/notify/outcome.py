"""How an attempt to tell somebody ended, as values; reasons are sentences without secrets."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from anycast.message import Message


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver accepted it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It may succeed later."""

    reason: str
    after: timedelta | None = None
    """How long the receiver asked everybody to stay away; None leaves it to our backoff."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot succeed: a dead letter."""

    reason: str


Outcome: TypeAlias = Delivered | Retry | Refused


class Sender(Protocol):
    """One receiver, as something that can be told."""

    async def send(self, message: Message) -> Outcome:
        """Try once. Never raises for what the network or the receiver does."""
        ...
