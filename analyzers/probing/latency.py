"""How long a region's answers take to come to a site, and whether that changed.

Theory of operation. One `Series` for each (site, service, kind of probe, region, NVA) that answered: a site that lands
on a slower region starts another series, and is no change of this one. Only the way counts: what the responder kept
a request for is taken off. A series works on the logarithm, for queues and detours are long to one side.

Samples gather into windows of half a second (longer where they are few), of which the least and the median are kept.
Windows wait ten seconds beside the base before they enter it, so that the base never holds what is judged against it.
The base is ten minutes of windows; its *level* is the median of the last three, so that it follows a slow ramp a
hundred seconds behind: a tenth in twenty minutes is then 0.8 %, and nothing (`LEAST_PART` is 2 %).

    samples ─▶ rank test ──────────────┐
       └─▶ window ─┬─ least ─▶ CUSUM ──┼─▶ two of three agree, and the median moved by enough ─▶ shifted
                   └─ median ─▶ P.-H. ─┘          (three windows when it is plain, ten seconds when it is not)

While shifted the base learns nothing. It is over when the median is back; what lasts half an hour becomes the base.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import exp, log, log1p, sqrt
from typing import Final

from analyzers.probing.detectors import CERTAIN, Cusum, PageHinkley, RankTest
from analyzers.probing.packed import packed, unpacked
from analyzers.probing.scatter import Scatter, Wide
from analyzers.probing.slow_flows import SlowFlows
from anycast.plain import Plain

WINDOW, FEWEST, LONGEST = 0.5, 4, 2.0
"""A window lasts half a second and longer until it has four samples, but no more than two seconds."""
RECENT: Final = 10.0  # seconds that are judged against the base, and kept out of it
RANKED: Final = 64  # samples of them that the rank test looks at: quick where there are many
KEPT, WARM, TREND = 120, 40, 36
"""Windows of the base; how many are enough to judge (about a minute); how many make its level (three minutes)."""
STRIDE, STRIDE_AT_FIRST = 5.0, 1.0
"""Seconds between windows that enter the base, and until it is full."""
LEAST, LEAST_PART = 0.002, 0.02
"""Seconds, and part of the round trip: what moved less is not told, however certain it is."""
PLAIN: Final = 6.0  # standard deviations of a window: what moved more is told by three windows
DOUBT: Final = 5.0  # standard deviations of ten seconds' medians, as they wander: what moved less is not told
BACK: Final = 0.5  # of what is told: it is over when less is left
AFTER: Final = 6  # windows, whose median says whether it is over
AT_ONCE: Final = 0.25  # of a plain shift: with less in each of two windows it is over, so that a hiccup is short
NORMAL_AFTER: Final = 1800.0  # seconds until a level that stays is the new normal
STALE: Final = 10.0  # seconds without an answer, after which nothing is said
QUIETEST: Final = 0.004  # of the round trip: a spread that is taken for the least, so that noise of the clock is none
MAD: Final = 1.4826  # standard deviations in a median absolute deviation, of a normal distribution


@dataclass(frozen=True, slots=True)
class Shift:
    """A level that changed. Times are seconds since 1970, durations seconds."""

    since: float
    before: float
    """Round trip as it was."""
    moved: float
    """By how much; negative when it is faster. Told anew only when it differs by a quarter."""
    worst: float
    not_before: float | None = None
    """It began in a gap, after this time."""
    agreed: tuple[str, ...] = ()
    """The detectors that agreed."""


class Series:
    """Round trips of one region's answers, by one NVA, to one site."""

    def __init__(self) -> None:
        self.last = 0.0
        """When the last sample was taken; 0 while there was none."""
        self.shift: Shift | None = None
        self.flows = SlowFlows()
        self.scatter = Scatter()
        self._values: list[float] = []
        self._opened = 0.0
        self._recent: deque[tuple[float, float, float, float]] = deque(maxlen=32)
        """When it opened, least, median and one sample of each window that is judged."""
        self._base = _columns()
        """Least, median and one sample of each window of the base, in order, and the median of ten seconds then."""
        self._next = _columns()
        """The same of the windows since it shifted."""
        self._entered = 0.0
        self._level_low = self._level = 0.0
        self._spread_low = self._spread = self._wander = 1.0
        self._rank, self._cusum, self._hinkley = RankTest(RANKED, RECENT), Cusum(), PageHinkley()
        self._gap: tuple[float, float | None] | None = None
        """The last gap: until when answers were taken before it, and from when on after it."""
        self._written: Plain = None
        self._wrote: Wide | None = None

    @property
    def ready(self) -> bool:
        """Whether there is base enough to judge."""
        return len(self._base[0]) >= WARM

    @property
    def level(self) -> float | None:
        """The round trip that is normal, in seconds; None until it is known."""
        return exp(self._level) if self.ready else None

    def now(self) -> float | None:
        """Return the median round trip of the last ten seconds; None where nothing was heard."""
        return exp(_median([mid for _, _, mid, _ in self._recent])) if self._recent else None

    def take(self, at: float, rtt: float, flow: int) -> None:
        """Fold in one answer: sent at `at`, back after `rtt` seconds, over a fixed flow (or -1)."""
        if rtt <= 0.0:
            return
        if at - self.last > STALE and self.last:
            self.gap()
        self.last = max(self.last, at)
        value = log(rtt)
        self._rank.take(at, value)
        if not (flow >= 0 and self.shift is None and self.flows.take(at, flow, value)):
            self.scatter.take(at, rtt)  # flows that have a level of their own scatter the whole, and are no jitter
        if not self._values:
            self._opened = at
        self._values.append(value)
        lasted = at - self._opened
        if (lasted >= WINDOW and len(self._values) >= FEWEST) or lasted >= LONGEST:
            self._close(at)

    def gap(self) -> None:
        """What is judged begins anew; what was learnt, and what was found, stays."""
        if self.last:
            self._gap = self.last, None
        self._values.clear()
        self._recent.clear()
        self._forget()
        self.flows.gap()
        self.scatter.gap()

    def found(self, now: float) -> Shift | None:
        """Return the shift that stands, if it is seen."""
        return self.shift if now - self.last <= STALE else None

    def _close(self, at: float) -> None:
        values = sorted(self._values)
        sample = self._values[-1]
        low, mid = values[0], (values[len(values) // 2] + values[(len(values) - 1) // 2]) / 2
        self._values.clear()
        self._recent.append((self._opened, low, mid, sample))
        if self._gap is not None and self._gap[1] is None:
            self._gap = self._gap[0], self._opened
        if self.ready:
            self._cusum.take((low - self._level_low) / self._spread_low)
            self._hinkley.take((mid - self._level) * MAD / self._spread)
            self._judge(at)
            if self.shift is None:
                self.flows.judge(at)
        while self._recent and self._recent[0][0] < at - RECENT:
            self._learn(*self._recent.popleft())

    def _judge(self, at: float) -> None:
        steady = self._moved(len(self._recent))
        if self.shift is not None:
            self._follow(at, steady)
            return
        quick = self._moved(3)
        if self.flows.leg or len(self._recent) < 3 or max(abs(quick), abs(steady)) < self._least:
            return
        votes = self._votes(at)
        side = 1 if quick > 0 else -1
        agreed = tuple(name for name, vote in votes.items() if vote == side)
        if len(agreed) < 2:
            return
        plain = side * quick >= max(self._least, PLAIN * self._scattered())
        plain = plain and all(side * self._off(n) >= side * quick / 2 for n in (1, 2, 3))
        if plain or side * steady >= max(self._least, DOUBT * self._wanders()):
            moved = max(quick * side, steady * side) * side
            since, normal = self._began(side, moved), exp(self._level)
            self.shift = Shift(since, normal, moved, moved, self._unseen(since), agreed)
            self._written = None

    @property
    def _least(self) -> float:
        """What is worth telling; seconds."""
        return max(LEAST, LEAST_PART * exp(self._level))

    def _scattered(self) -> float:
        """How much windows scatter: as they did, or as they do now, whichever is more; seconds."""
        _, spread = _centre(array("f", (mid for _, _, mid, _ in self._recent)))
        return max(self._spread, spread) * exp(self._level)

    def _wanders(self) -> float:
        """How much the medians of ten seconds wander by themselves, and can be told at all; seconds."""
        return max(self._wander * exp(self._level), self._scattered() / sqrt(len(self._recent)))

    def _off(self, back: int) -> float:
        """How far one of the last windows lies from the level; seconds. 1 is the last."""
        return exp(self._recent[-back][2]) - exp(self._level)

    def _votes(self, at: float) -> Mapping[str, int]:
        z = self._rank.z(at)
        return {
            "rank test": 1 if z > CERTAIN else -1 if z < -CERTAIN else 0,
            "CUSUM": self._cusum.says,
            "Page-Hinkley": self._hinkley.says,
        }

    def _moved(self, windows: int) -> float:
        """How far the median of the last windows lies from the level; seconds."""
        recent = self._recent
        mids = [mid for _, _, mid, _ in islice(recent, max(0, len(recent) - windows), None)]
        return exp(_median(mids)) - exp(self._level)

    def _began(self, side: int, moved: float) -> float:
        """When the first of the last windows opened that all lie more than half way."""
        half = log1p(max(-0.9, moved / 2 / exp(self._level)))
        began = self._recent[-1][0]
        for opened, _, mid, _ in reversed(self._recent):
            if side * (mid - self._level) < side * half:
                break
            began = opened
        return began

    def _unseen(self, since: float) -> float | None:
        """The end of our sight, where it began with the first window after a gap."""
        until, resumed = self._gap or (0.0, None)
        return until if resumed is not None and since <= resumed else None

    def _follow(self, at: float, steady: float) -> None:
        """See whether it is over, has become normal, or must be told anew."""
        shift = self.shift
        assert shift is not None
        side = 1 if shift.moved > 0 else -1
        back = len(self._recent) >= 3 and side * self._moved(AFTER) < BACK * self._least
        plain = len(self._recent) >= 3 and side * shift.moved >= max(
            self._least, PLAIN * self._spread * exp(self._level)
        )
        if back or (plain and all(side * self._off(n) < AT_ONCE * side * shift.moved for n in (1, 2))):
            self._settle()
        elif at - shift.since >= NORMAL_AFTER and len(self._next[0]) >= WARM:
            self._base = self._next
            self._settle()
            self._relevel()
            self.flows.gap()
        elif abs(steady - shift.moved) > max(LEAST, abs(shift.moved) / 4) and at - shift.since >= RECENT:
            worst = steady if side * steady > side * shift.worst else shift.worst
            self.shift = Shift(shift.since, shift.before, steady, worst, shift.not_before, shift.agreed)
            self._written = None

    def _settle(self) -> None:
        self.shift, self._written = None, None
        self._next = _columns()
        self._forget()

    def _forget(self) -> None:
        self._rank.forget()
        self._cusum.forget()
        self._hinkley.forget()

    def _learn(self, opened: float, low: float, mid: float, sample: float) -> None:
        """Let a window enter the base, or what may become it."""
        shifted = self.shift is not None and opened >= self.shift.since
        into = self._next if shifted else self._base
        stride = STRIDE if len(into[0]) >= KEPT else STRIDE_AT_FIRST
        if opened - self._entered < stride:
            return
        self._entered, self._written = opened, None
        steady = _median([mid for _, _, mid, _ in self._recent]) if self._recent else mid
        for kept, value in zip(into, (low, mid, sample, steady), strict=True):
            kept.append(value)
            if len(kept) > KEPT:
                del kept[0]
        if not shifted:
            self._relevel()

    def _relevel(self) -> None:
        if not self.ready:
            return
        lows, mids, samples, steady = self._base
        self._level_low, self._spread_low = _centre(lows[-TREND:])
        self._level, self._spread = _centre(mids[-TREND:])
        _, self._wander = _centre(steady)
        self._rank.rebase(samples)
        self.flows.expect(exp(self._level))

    def plain(self) -> Plain:
        """Return what survives a restart; the same object while nothing was learnt."""
        if self._written is None or self._wrote is not self.scatter.wide:
            shift, self._wrote = self.shift, self.scatter.wide
            self._written = {
                "last": self._entered,
                "base": [packed(kept) for kept in self._base],
                "next": [packed(kept) for kept in self._next],
                "shift": None
                if shift is None
                else [shift.since, shift.before, shift.moved, shift.worst, shift.not_before, list(shift.agreed)],
                "scatter": self.scatter.plain(),
            }
        return self._written

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self._base = tuple(unpacked(text) for text in plain["base"])
        self._next = tuple(unpacked(text) for text in plain["next"])
        self._entered = self.last = float(plain["last"])
        if plain["shift"] is not None:
            since, before, moved, worst, not_before, agreed = plain["shift"]
            self.shift = Shift(since, before, moved, worst, not_before, tuple(agreed))
        self.scatter.restore(plain["scatter"])
        self._relevel()
        self.gap()


def _columns() -> "tuple[array[float], ...]":
    return tuple(array("f") for _ in range(4))


def _median(values: list[float]) -> float:
    ranked = sorted(values)
    return (ranked[len(ranked) // 2] + ranked[(len(ranked) - 1) // 2]) / 2


def _centre(values: "array[float]") -> tuple[float, float]:
    """The median, and the spread as a standard deviation."""
    ranked = sorted(values)
    middle = ranked[len(ranked) // 2]
    off = sorted([abs(value - middle) for value in ranked])
    return middle, max(QUIETEST, MAD * off[len(off) // 2])


SeriesKey = tuple[str, str, str]
"""Kind of probe, region, NVA."""
MOST_SERIES: Final = 64  # of one service at one site: eight regions of four NVAs, by two kinds of probe
BETTER_FOR: Final = 60.0  # seconds that a better probe's word keeps the others from being asked
RANKS: Final = {"udp": 0, "http": 1, "dns": 2}
"""UDP shows the way alone; a handshake too, more coarsely; a DNS answer includes the server's own time."""


class Latency:
    """The series of one service at one site."""

    def __init__(self) -> None:
        self.series: dict[SeriesKey, Series] = {}
        self._best: tuple[int, float] = (len(RANKS), 0.0)

    def take(self, at: float, probe: str, region: str, nva: str, rtt: float, flow: int) -> None:
        """Fold in one answer, `rtt` seconds of the way alone. A worse kind of probe counts only without a better."""
        rank, (best, seen) = RANKS[probe], self._best
        if rank > best and at - seen < BETTER_FOR:
            return
        if rank < best:  # what the worse kind taught is of no use any more
            self.series = {key: series for key, series in self.series.items() if RANKS[key[0]] <= rank}
        self._best = (rank, at)
        key = (probe, region, nva)
        series = self.series.get(key)
        if series is None:
            series = self._meet(key)
        series.take(at, rtt, flow)

    def _meet(self, key: SeriesKey) -> Series:
        if len(self.series) >= MOST_SERIES:
            del self.series[min(self.series, key=lambda old: self.series[old].last)]
        self.series[key] = Series()
        return self.series[key]

    @property
    def troubled(self) -> bool:
        """Whether anything is to be said of it."""
        return any(s.shift or s.flows.since or s.scatter.wide for s in self.series.values())

    def gap(self) -> None:
        """What is judged begins anew."""
        for series in self.series.values():
            series.gap()

    def of(self, region: str) -> Iterator[tuple[str, Series]]:
        """Yield the NVA and the series of each that answered for a region."""
        return ((nva, series) for (_, where, nva), series in self.series.items() if where == region)

    def regions(self) -> list[str]:
        """Return the regions that ever answered, in order of their names."""
        return sorted({region for _, region, _ in self.series})

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return [[*key, series.plain()] for key, series in self.series.items()]

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        for probe, region, nva, written in plain:
            self._meet((probe, region, nva)).restore(written)
