"""Whose clock a result was timed by, and what time that was by ours.

An agent times by its monotonic clock, which nobody sets; each request says what that clock showed when it was sent. A
request takes some time to come, so our clock minus theirs is too much by that: the least of the last two minutes is
nearest to the truth. Their wall clock is compared with ours the same way, reported, and never believed.

    time of a result = its monotonic stamp + the least of (our time of receipt - monotonic stamp of sending)

Results from before the agent's machine started again belong to another monotonic clock. Where that one was never heard
live they are dated by the agent's wall clock, for nothing else is known of them; but never into the future.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

SECOND: Final = 1_000_000_000
PIECE: Final = 10 * SECOND
PIECES: Final = 12
"""Two minutes: clocks that are not disciplined drift apart by 50 millionths, 6 ms in that time."""
STEPPED: Final = SECOND // 2
"""ns by which our own clock must jump against our monotonic one before what was measured with it is forgotten."""
MOST_BOOTS: Final = 8


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a request says of the clocks that it was sent by."""

    boot: str
    mono: int
    wall: int


@dataclass(frozen=True, slots=True)
class Now:
    """Our own clocks at one moment, ns."""

    wall: int
    mono: int


@dataclass(slots=True)
class _Boot:
    """One monotonic clock of an agent."""

    pieces: deque[tuple[int, int]] = field(default_factory=deque)
    """(number of the piece of our monotonic time, least difference in it)."""
    wall: int = 0
    """Their wall clock minus their monotonic one, as last told."""

    @property
    def offset(self) -> int:
        return min(difference for _, difference in self.pieces)


class Clocks:
    """The clocks of one site's agents."""

    def __init__(self) -> None:
        self._boots: OrderedDict[str, _Boot] = OrderedDict()
        self._ours: int | None = None

    def hear(self, stamp: Stamp, now: Now) -> None:
        """Take what a request says; `now` is when it came."""
        ours = now.wall - now.mono
        if self._ours is not None and abs(ours - self._ours) > STEPPED:
            self._boots.clear()  # our own clock was set
        self._ours = ours
        boot = self._boots.setdefault(stamp.boot, _Boot())
        self._boots.move_to_end(stamp.boot)
        while len(self._boots) > MOST_BOOTS:
            self._boots.popitem(last=False)
        piece, difference = now.mono // PIECE, now.wall - stamp.mono
        if boot.pieces and boot.pieces[-1][0] == piece:
            boot.pieces[-1] = (piece, min(boot.pieces[-1][1], difference))
        else:
            boot.pieces.append((piece, difference))
        while boot.pieces[0][0] <= piece - PIECES:
            boot.pieces.popleft()
        boot.wall = stamp.wall - stamp.mono

    def offset(self, boot: str) -> int | None:
        """Return what to add to a monotonic stamp, ns; None for a clock that was never heard live."""
        found = self._boots.get(boot)
        return None if found is None else found.offset

    def skew(self, boot: str) -> int | None:
        """Return an agent's wall clock minus ours, ns, short of the least delay; None while it is not known."""
        found = self._boots.get(boot)
        return None if found is None else found.wall - found.offset
