"""How an application answers: how soon, and how often wrongly; and how long the responder beside it takes.

An application's time is what lies between the handshake and the first octet (of DNS: the answer's round trip, which is
held against the way's own by whoever judges). It is held against its own past; while it is slow nothing is learnt.
"""

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analyzers.probing.latency import NORMAL_AFTER, STALE
from analyzers.probing.packed import packed, unpacked
from anycast.finding import Severity
from anycast.plain import Plain
from anycast.probe import Outcome, ProbeResult

LAST: Final = 5  # answers, of which the median counts
KEPT, WARM, STRIDE = 120, 30, 1.0
"""Answers of the base, how many are enough to judge, and seconds between them (two minutes and more)."""
TIMES, MORE = 3.0, 0.1
"""It is slow when it takes three times as long and 100 ms more."""
BACK: Final = 0.6  # of the way from usual to slow: below, it is over


@dataclass(frozen=True, slots=True)
class Slow:
    """Answers that take longer. Times are seconds since 1970, durations seconds."""

    since: float
    before: float
    after: float


class Speed:
    """One duration of one application, against its own past."""

    def __init__(self) -> None:
        self.slow: Slow | None = None
        self.last = 0.0
        self._recent: deque[tuple[float, float]] = deque(maxlen=LAST)
        self._base: array[float] = array("f")
        self._next: array[float] = array("f")
        self._entered = 0.0

    @property
    def usual(self) -> float | None:
        """The median of the base, in seconds; None until it is known."""
        return float(sorted(self._base)[len(self._base) // 2]) if len(self._base) >= WARM else None

    @property
    def lately(self) -> float | None:
        """The median of the last answers; None where there are too few."""
        return sorted(seconds for _, seconds in self._recent)[LAST // 2] if len(self._recent) == LAST else None

    def take(self, at: float, seconds: float) -> None:
        """Fold in one answer."""
        self.last = max(self.last, at)
        if len(self._recent) == LAST:
            self._learn(*self._recent[0])
        self._recent.append((at, seconds))
        usual, lately = self.usual, self.lately
        if usual is None or lately is None:
            return
        bound = max(TIMES * usual, usual + MORE)
        if self.slow is None and lately >= bound:
            since = next(at for at, seconds in self._recent if seconds >= bound)
            self.slow = Slow(since, usual, lately)
        elif self.slow is not None and lately < usual + BACK * (bound - usual):
            self._settle()
        elif self.slow is not None and at - self.slow.since >= NORMAL_AFTER and len(self._next) >= WARM:
            self._base = self._next
            self._settle()

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self._recent.clear()

    def found(self, now: float) -> Slow | None:
        """Return what stands, if it is seen."""
        return self.slow if now - self.last <= STALE else None

    def _learn(self, at: float, seconds: float) -> None:
        if at - self._entered < STRIDE:
            return
        self._entered = at
        into = self._base if self.slow is None else self._next
        into.append(seconds)
        if len(into) > KEPT:
            del into[0]

    def _settle(self) -> None:
        self.slow, self._next = None, array("f")

    def plain(self) -> Plain:
        """Return what survives a restart."""
        slow = None if self.slow is None else [self.slow.since, self.slow.before, self.slow.after]
        return {"base": packed(self._base), "next": packed(self._next), "slow": slow}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self._base, self._next = unpacked(plain["base"]), unpacked(plain["next"])
        self.slow = None if plain["slow"] is None else Slow(*plain["slow"])


WRONG: Final = frozenset((Outcome.BROKEN, Outcome.RESET))
"""Answers with an error: of an HTTP request a reset is an answer that was cut."""
ASKED: Final = frozenset((Outcome.ANSWERED, Outcome.BROKEN, Outcome.RESET))
REMEMBERED, SPAN = 50, 60.0
"""Answers, and seconds, that a share is taken of."""
SHARE, LEAST = 0.1, 5
"""A tenth, of five errors or more;"""
LAST_FEW, FEW_WRONG, HALF_WRONG = 10, 3, 5
"""or three of the last ten. Five of the last ten are half of them. None of the last ten: it is over."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Answers with errors."""

    since: float
    severity: Severity
    words: tuple[str, ...]
    """What they were, the commonest first."""


class Answers:
    """How many of an application's answers are errors."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, str]] = deque(maxlen=REMEMBERED)
        """When it was asked, and what was wrong; empty for a right answer."""
        self._wrong_at = 0.0

    def take(self, at: float, result: ProbeResult) -> None:
        """Fold in one answer; whatever is none is passed over."""
        if result.outcome in ASKED:
            wrong = _wrong(result) if result.outcome in WRONG else ""
            self._kept.append((at, wrong))
            self._wrong_at = at if wrong else self._wrong_at

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self._kept.clear()

    def found(self, now: float) -> Errors | None:
        """Return the errors, if they are a tenth or more of the answers of the last minute."""
        if now - self._wrong_at > SPAN:
            return None
        kept = [(at, wrong) for at, wrong in self._kept if now - at <= SPAN]
        wrongs = [(at, wrong) for at, wrong in kept if wrong]
        last = [wrong for _, wrong in kept[-LAST_FEW:] if wrong]
        many = len(wrongs) >= max(LEAST, SHARE * len(kept))
        if not last or not (many or len(last) >= FEW_WRONG):
            return None
        texts = [wrong for _, wrong in wrongs]
        words = sorted(set(texts), key=lambda text: (-texts.count(text), text))
        severity = Severity.CRITICAL if len(last) >= HALF_WRONG else Severity.MAJOR
        return Errors(wrongs[0][0], severity, tuple(words[:3]))


def _wrong(result: ProbeResult) -> str:
    if result.outcome is Outcome.RESET:
        return "reset"
    said = result.detail[:120] or "broken"
    return f"status {result.status}" if result.status >= 400 else said


HELD, HELD_FEWEST, HELD_SPAN, HELD_LONG = 32, 8, 10.0, 0.02
"""Answers remembered, how many are enough, seconds they are good for, and the seconds that are too long."""


class Holding:
    """How long a responder keeps requests, by its own two stamps."""

    def __init__(self) -> None:
        self.since: float | None = None
        self._kept: deque[tuple[float, float]] = deque(maxlen=HELD)

    def take(self, at: float, held: float) -> None:
        """Fold in one answer."""
        self._kept.append((at, held))
        if held > HELD_LONG:
            self.since = self.since or at
        elif self.since is not None and self._median(at) <= HELD_LONG:
            self.since = None

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self._kept.clear()
        self.since = None

    def found(self, now: float) -> float | None:
        """Return since when the median is too long; None when it is not, or too few answered."""
        if self.since is None:
            return None
        few = sum(now - at <= HELD_SPAN for at, _ in self._kept) < HELD_FEWEST
        return None if few or self._median(now) <= HELD_LONG else self.since

    def _median(self, now: float) -> float:
        held = sorted(held for at, held in self._kept if now - at <= HELD_SPAN)
        return held[len(held) // 2] if held else 0.0
