"""The cap on all that an agent sends: a token bucket by the monotonic clock."""

from typing import Final

SECOND: Final = 1_000_000_000
BURST: Final = 0.05
"""Seconds' worth of tokens that it holds at most: what a loop may catch up with after it was late."""


class Bucket:
    """Gives `rate` tokens a second. Starts with a full bucket."""

    def __init__(self, rate: float, now: int) -> None:
        """`rate` per second, more than 0; `now` monotonic ns."""
        self._cost = SECOND / rate
        self._room = max(1.0, rate * BURST) * self._cost
        self._full_at = float(now)
        """When it would be full, if nobody took more."""

    def take(self, now: int) -> bool:
        """Take a token if there is one."""
        full_at = max(self._full_at, float(now)) + self._cost
        if full_at - now > self._room:
            return False
        self._full_at = full_at
        return True
