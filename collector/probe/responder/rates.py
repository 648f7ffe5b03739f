"""Token buckets: one for all sources together, and one for each, within bounded memory."""

from collections import OrderedDict

from collector.probe.identity.refused import Cause, Refused

MOST_SOURCES = 4096  # of whom the longest silent is forgotten, and so starts with a full bucket again
SECOND = 1_000_000_000


class Bucket:
    """Fills with `rate` tokens a second up to one second's worth, and at least one."""

    __slots__ = ("_at", "_most", "_rate", "_tokens")

    def __init__(self, rate: float, now: int) -> None:
        self._rate, self._most, self._at = rate / SECOND, max(1.0, rate), now
        self._tokens = self._most

    def take(self, now: int) -> bool:
        """Take one token, if there is one. `now` is monotonic, ns."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Rates:
    """Who may still ask."""

    def __init__(self, source: float, total: float, now: int, most: int = MOST_SOURCES) -> None:
        """`source` and `total` in requests a second."""
        self._each, self._most = source, most
        self._total = Bucket(total, now)
        self._sources: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, source: str, now: int) -> None:
        """Count a request of a source; raises Refused when it is one too many."""
        bucket = self._sources.get(source)
        if bucket is None:
            bucket = self._sources[source] = Bucket(self._each, now)
            if len(self._sources) > self._most:
                self._sources.popitem(last=False)
        self._sources.move_to_end(source)
        if not bucket.take(now):
            raise Refused(Cause.RATE, f"{source} asks more than {self._each:g} times a second")
        if not self._total.take(now):
            raise Refused(Cause.RATE, "all sources together ask more often than is answered")
