"""Each nonce once: what a responder answered, it answers to nobody again. (What a client believes is the client's own.)

No clock of the one is compared with a clock of the other. A responder keeps a nonce for two seconds and then only the
latest T1 among those it forgot, for each run of a client: what was sent no later than that is too old to be answered,
now or in a year. T1 never steps back within a run, so a client whose machine was paused is not refused.
"""

from collections import OrderedDict, deque

from collector.probe.identity.datagram import Request
from collector.probe.identity.refused import Cause, Refused

WINDOW = 2_000_000_000  # ns in which a nonce may be answered
CAPACITY = 1 << 16  # nonces, 32 768 requests a second: about 20 MB
RUNS = 1 << 8  # of clients, for each key: a captured request of a run that fell out could be answered once more

_NO_RUNS: OrderedDict[int, int] = OrderedDict()


class Nonces:
    """What a responder answered. A run that is not known yet is taken from its first request on."""

    def __init__(self, window: int = WINDOW, capacity: int = CAPACITY, runs: int = RUNS) -> None:
        """`window` in ns; `capacity` nonces within it; `runs` for each key, of which the longest silent goes first."""
        self._window, self._capacity, self._runs = window, capacity, runs
        self._answered: set[tuple[int, int, int]] = set()
        self._order: deque[tuple[int, tuple[int, int, int], int]] = deque()
        self._floors: dict[int, OrderedDict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._answered)

    def take(self, request: Request, now: int) -> None:
        """Check a request and note it as answered; raises Refused. `now` is monotonic, ns."""
        self.check(request, now)
        self.note(request, now)

    def check(self, request: Request, now: int) -> None:
        """Raise Refused when an authenticated request may not be answered."""
        self._forget(now)
        if request.sent <= self._floors.get(request.key, _NO_RUNS).get(request.run, -1):
            raise Refused(Cause.EXPIRED, "it is older than what was answered two seconds ago")
        if (request.key, request.run, request.nonce) in self._answered:
            raise Refused(Cause.REPLAYED, "its nonce was answered already")
        if len(self._answered) >= self._capacity:
            raise Refused(Cause.FULL, f"{self._capacity} nonces wait to be forgotten")

    def note(self, request: Request, now: int) -> None:
        """Remember that a request, just checked, is answered."""
        known = (request.key, request.run, request.nonce)
        self._answered.add(known)
        self._order.append((now, known, request.sent))

    def _forget(self, now: int) -> None:
        while self._order and now - self._order[0][0] >= self._window:
            _, known, sent = self._order.popleft()
            self._answered.discard(known)
            key, run, _ = known
            runs = self._floors.setdefault(key, OrderedDict())
            runs[run] = max(sent, runs.get(run, -1))
            runs.move_to_end(run)
            if len(runs) > self._runs:
                runs.popitem(last=False)

    def keep(self, keys: frozenset[int]) -> None:
        """Forget the runs of keys that are not valid any more."""
        self._floors = {key: runs for key, runs in self._floors.items() if key in keys}
