"""What was last asked and last answered: the losses since the last answer, by the times at which probes were sent.

Answers come at once and losses a second late, so the order of arrival says little: a loss is one in a row only if
nothing that was sent after it was answered. Whatever lost three in a row has been silent for a second and more.
"""

from datetime import UTC, datetime

from analyzers.probing.moments import seconds
from anycast.plain import Plain

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Track:
    """One thing that answers or does not."""

    __slots__ = ("lost", "lost_last", "lost_since", "ok_at", "said")

    def __init__(self) -> None:
        self.ok_at = NEVER
        """When the last probe was sent that was answered as it should."""
        self.lost = 0
        """Failures since, by the times of sending,"""
        self.lost_since = self.lost_last = NEVER
        """the first of them and the last one."""
        self.said = ""
        """How the last of them failed: `silent`, `refused`, ..."""

    @property
    def at(self) -> datetime:
        """The last time of which anything is known."""
        return max(self.ok_at, self.lost_last)

    def good(self, at: datetime) -> None:
        """Count a probe sent at `at` that was answered as it should."""
        if at > self.ok_at:
            self.ok_at = at
        if self.lost:
            if at >= self.lost_last:
                self.lost = 0
            elif at >= self.lost_since:
                self.lost, self.lost_since = 1, self.lost_last

    def bad(self, at: datetime, said: str) -> bool:
        """Count a probe that failed; say whether nothing that was sent later was answered."""
        if at <= self.ok_at:
            return False
        if not self.lost:
            self.lost_since = self.lost_last = at
        elif at > self.lost_last:
            self.lost_last = at
        elif at < self.lost_since:
            self.lost_since = at
        self.lost += 1
        self.said = said
        return True

    def gap(self) -> None:
        """Failures in a row begin anew."""
        self.lost = 0

    def plain(self) -> Plain:
        """Return what survives a restart: failures in a row do not, for we did not see what came between."""
        return seconds(self.ok_at)
