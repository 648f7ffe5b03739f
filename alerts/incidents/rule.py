"""What a rule of the table of causes says: which finding explains which, where they must be the same, and when."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from anycast.finding import Kind
from anycast.incident import Place

SPREAD: Final = timedelta(seconds=5)
"""One change at one machine shows for all of its services within this: health checks ask each second or two."""
SOON: Final = timedelta(seconds=60)
"""What follows through BGP follows within this: two hops that each wait 30 s between UPDATEs (RFC 4271, 10)."""
HOLD: Final = timedelta(seconds=240)
"""Two neighbours of a dead speaker notice up to its hold time apart: 180 s at Route Server, and a minute to follow."""
WINDOW: Final = timedelta(minutes=5)
"""Downs so far apart are one flapping (`flap_window` as it is by default)."""


class When(StrEnum):
    """How the times of a cause and its effect must lie to each other; `within` is the slack."""

    FOLLOWS = "begins with it"
    """The effect begins within the slack of the cause's beginning, earlier or later, and is not over before it."""
    WHILE = "begins while it lasts"
    """The effect begins no earlier than the slack before the cause, and no later than the slack after its end."""
    MEETS = "lasts while it lasts"
    """Both last at one time, or miss each other by no more than the slack."""


Seen = tuple[Kind, Place]
"""A kind of finding at a kind of place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    cause: Seen
    effects: tuple[Seen, ...]
    same: tuple[str, ...]
    """Parts of the subject in which both agree. A service without a region is in every region that it is meant for.

    `exporter`: the effect is a session that the cause's feed shows. `seen elsewhere`: the effect's feed is not the one
    that shows the cause.
    """
    when: When
    within: timedelta
    why: str
    """Said of the effect."""

    @property
    def sibling(self) -> bool:
        """Whether it links one fault that shows at several places."""
        return self.cause in self.effects
