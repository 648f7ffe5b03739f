"""What a responder did: answers by transport and key, drops by transport and cause. All it ever says of requests."""

from collections import Counter
from typing import Any

from collector.probe.identity.refused import Cause


class Counters:
    """Counts since the start."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.keys: Counter[int] = Counter()
        """Answers by key id: a key that counts no further is one that nobody uses any more."""
        self._dropped: Counter[tuple[str, Cause]] = Counter()

    def answer(self, transport: str, key: int) -> None:
        """Count an answer."""
        self.answered[transport] += 1
        self.keys[key] += 1

    def drop(self, transport: str, cause: Cause) -> None:
        """Count a request that is not answered."""
        self._dropped[transport, cause] += 1

    def dropped(self, cause: Cause) -> int:
        """Return how many were dropped for a cause, over all transports."""
        return sum(count for (_, why), count in self._dropped.items() if why is cause)

    def plain(self) -> dict[str, Any]:
        """Return all counts as JSON can carry them."""
        drops: dict[str, Any] = {f"{via}.{why}": count for (via, why), count in sorted(self._dropped.items())}
        return {
            "answered": dict(sorted(self.answered.items())),
            "keys": {str(key): count for key, count in sorted(self.keys.items())},
            "dropped": drops,
        }
