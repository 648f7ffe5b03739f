"""What every kind of probe works with, and how one is named in its results."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from anycast.prefix import Address
from anycast.probe import ROTATING, Outcome, Probe
from collector.probe.agent.bucket import SECOND
from collector.probe.agent.clock import Clock
from collector.probe.agent.ears import Ears
from collector.probe.agent.tasks import Tasks
from collector.probe.taken import Taken

SOCKETS: Final = 16384
"""That all probes may hold open together."""
UNDER_WAY: Final = 1 << 18
"""Probes of one kind that may wait for answers: 20,000 a second, all silent, for thirteen seconds."""


@dataclass(frozen=True, slots=True)
class Asks:
    """What a probe asks: the part of its results that is the same each time."""

    probe: Probe
    target: str
    address: Address
    flow: int = ROTATING
    port: int = 0
    value: float | None = None
    service: str = ""
    """Whose identity is asked for; empty of a control."""
    text: str = field(init=False, default="")
    """The address as sockets take it; made once, not for each probe."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", str(self.address))


@dataclass(slots=True)
class Kit:
    """What every probe is given."""

    clock: Clock
    deliver: Callable[[Taken], None]
    ears: Ears
    timeout: int
    """ns after which a probe is lost,"""
    late: int
    """and ns for which it is listened for after that."""
    allowed: Callable[[], bool]
    """Takes the right to send one packet or open one connection, under the agent's cap."""
    tasks: Tasks = field(default_factory=Tasks)
    lacking: list[str] = field(default_factory=list)
    """What cannot be done here, each a sentence."""
    sockets: int = 0
    """Open now."""

    def lacks(self, sentence: str) -> None:
        """Say once what cannot be done."""
        if sentence not in self.lacking:
            self.lacking.append(sentence)

    def unsent(self, asks: Asks, why: str, deliver: Callable[[Taken], None] | None = None) -> None:
        """Deliver that a probe never left us."""
        (deliver or self.deliver)(result(asks, self.clock.mono(), self.clock.wall(), Outcome.UNSENT, detail=why))


def result(asks: Asks, mono: int, wall: int, outcome: Outcome, *, rtt: int | None = None, detail: str = "") -> Taken:
    """Build a result that has little to say."""
    return Taken(
        mono, wall, asks.probe, asks.target, outcome, asks.flow, asks.port, rtt, value=asks.value, detail=detail
    )


def ns(seconds: float) -> int:
    """Turn seconds into ns."""
    return round(seconds * SECOND)
