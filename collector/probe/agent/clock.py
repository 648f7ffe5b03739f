"""The agent's two clocks. Durations rest on the monotonic one; the wall clock is only read beside it.

The kernel stamps what comes in by the wall clock, and we read it some time later. What is taken from the wall clock is
that short wait alone, so a step of the wall clock while a probe is under way is harmless, unless it falls into the
wait; then it is seen, or is smaller than the round trip itself:

    round trip = (monotonic now - monotonic at sending) - (wall now - kernel's stamp)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from; a test gives its own."""

    mono: Callable[[], int] = time.monotonic_ns
    wall: Callable[[], int] = time.time_ns

    @property
    def offset(self) -> int:
        """The wall clock minus the monotonic one, ns; it changes when the wall clock is set."""
        before = self.mono()
        return self.wall() - (before + self.mono()) // 2


def round_trip(sent: int, mono: int, wall: int, stamp: int) -> int:
    """Return ns from sending to the kernel's receipt; `sent` and `mono` are monotonic, `stamp` 0 where there is none.

    A wait below nothing, or longer than the whole, was measured across a step of the wall clock, and is left out.
    """
    elapsed = mono - sent
    waited = wall - stamp if stamp else 0
    return elapsed - waited if 0 <= waited <= elapsed else elapsed
