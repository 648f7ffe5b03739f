"""What BGP said of each service's prefix in the last minutes: it explains where traffic went, or that nothing does."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from anycast.change import Change
from anycast.prefix import Prefix

MOST = 512  # changes of one prefix: a network whose prefix changes more often explains anything
KEPT = timedelta(minutes=10)


class Recent:
    """The latest changes of routes to what is watched."""

    def __init__(self) -> None:
        self._by_prefix: dict[Prefix, deque[Change]] = {}

    def note(self, change: Change, prefixes: Iterable[Prefix]) -> None:
        """Keep a change under the service prefixes that it is about."""
        for prefix in prefixes:
            kept = self._by_prefix.get(prefix)
            if kept is None:
                kept = self._by_prefix[prefix] = deque(maxlen=MOST)
            kept.append(change)
            while change.at - kept[0].at > KEPT:
                kept.popleft()

    def learn(self, watched: Iterable[Prefix]) -> None:
        """Forget what is not watched any more."""
        still = set(watched)
        self._by_prefix = {prefix: kept for prefix, kept in self._by_prefix.items() if prefix in still}

    def between(self, prefix: Prefix, start: datetime, end: datetime) -> list[Change]:
        """Return the changes of a prefix between two times, and those that may have happened then; oldest first."""
        kept = self._by_prefix.get(prefix)
        if not kept:
            return []
        found = [c for c in kept if c.at >= start and (c.not_before or c.at) <= end]
        return sorted(found, key=lambda change: (change.at, str(change.source), change.path_id))
