"""Each nonce once: a responder answers it once (`Nonces`), a client believes one answer to it (`Pending`).

No clock of the one is compared with a clock of the other. A responder keeps a nonce for two seconds and then only the
latest T1 among those it forgot, for each run of a client: what was sent no later than that is too old to be answered,
now or in a year. T1 never steps back within a run, so a client whose machine was paused is not refused.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from collector.probe.identity.datagram import Reply, Request
from collector.probe.identity.refused import Cause, Refused

WINDOW = 2_000_000_000  # ns in which a nonce may be answered
CAPACITY = 1 << 16  # nonces, 32 768 requests a second: about 20 MB
RUNS = 1 << 8  # of clients, for each key: a captured request of a run that fell out could be answered once more

T = TypeVar("T")
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


@dataclass(slots=True)
class _Asked(Generic[T]):
    request: Request
    what: T
    answered: bool = False


class Pending(Generic[T]):
    """What a client asked and may still be answered, with whatever it wants to remember of it."""

    def __init__(self, window: int = WINDOW, capacity: int = CAPACITY) -> None:
        """`window` in ns: an answer that comes later is told as EXPIRED. `capacity` requests within it."""
        self._window, self._capacity = window, capacity
        self._asked: OrderedDict[int, _Asked[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._asked)

    def ask(self, request: Request, what: T) -> None:
        """Remember a request that is sent now; raises Refused when too many are."""
        self._forget(request.sent)
        if len(self._asked) >= self._capacity:
            raise Refused(Cause.FULL, f"{self._capacity} requests wait for their answers")
        self._asked[request.nonce] = _Asked(request, what)

    def take(self, reply: Reply, now: int) -> T:
        """Take an authenticated reply, `now` by the clock of `Request.sent`; raises Refused unless it is the first to a
        request of ours, says what was asked, and comes within the window."""
        asked = self._asked.get(reply.request.nonce)
        if asked is None:
            raise Refused(Cause.UNASKED, "its nonce is not one of ours, or was long ago")
        if asked.request != reply.request:
            raise Refused(Cause.UNASKED, "it does not repeat what was asked")
        if asked.answered:
            raise Refused(Cause.REPLAYED, "its nonce was answered already")
        if now - asked.request.sent > self._window:
            raise Refused(Cause.EXPIRED, "it came more than two seconds after it was asked for")
        asked.answered = True
        return asked.what

    def _forget(self, now: int) -> None:
        """Forget what is older than twice the window, so that a late answer is still told apart from a strange one."""
        while self._asked:
            nonce = next(iter(self._asked))
            if now - self._asked[nonce].request.sent <= 2 * self._window:
                break
            del self._asked[nonce]
