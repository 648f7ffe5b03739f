"""An agent's own health: how much it lagged, whether there are two of it, and what its clock says."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anycast.plain import Plain
from anycast.probe import AgentReported

SPAN: Final = 10.0  # seconds over which lag is averaged
TAINTED: Final = 0.05  # of the time
TWO: Final = 3.0  # seconds for which two runs take turns; the hold-down asks for five more
SKEWED, STEPPED, AGREE = 1.0, 0.5, 0.5
"""Seconds that a clock may be off, that it may step, and by which two batches may differ that agree."""
STEP_TOLD: Final = 60.0  # seconds for which a step is told
STALE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Lag:
    """A loop that lags."""

    since: float
    part: float
    """Of the time, as it was when it was told."""
    worst: float
    """99th percentile of the lag, in seconds; the worst batch."""


@dataclass(frozen=True, slots=True)
class Two:
    """Two runs that report for one site."""

    since: float
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that is wrong: by how much it is off, or how far it stepped; seconds."""

    since: float
    off: float | None = None
    step: float | None = None


class AgentHealth:
    """One site's agent, by what it says of itself in batches that were not late."""

    def __init__(self) -> None:
        self._lags: deque[tuple[float, float, float]] = deque(maxlen=64)
        self._lag: Lag | None = None
        self._run = ""
        self._runs: dict[str, tuple[float, str]] = {}
        """When each run was last heard, and from which host; at most four."""
        self._turns: deque[tuple[float, str]] = deque(maxlen=64)
        """When a run spoke again after another had spoken."""
        self._skew: float | None = None
        self._clock: Clock | None = None
        self._stepped: Clock | None = None
        self._at = 0.0

    def take(self, report: AgentReported) -> None:
        """Fold in one batch."""
        if report.late:
            return
        at = self._at = report.at.timestamp()
        self._take_turns(at, report)
        self._lags.append((at, report.tainted, report.lag))
        self._weigh(at)
        self._read_clock(at, report)

    def _take_turns(self, at: float, report: AgentReported) -> None:
        if report.run != self._run and report.run in self._runs:
            self._turns.append((at, report.run))
        self._run = report.run
        self._runs.pop(report.run, None)
        self._runs[report.run] = (at, report.host)
        while len(self._runs) > 4:
            del self._runs[next(iter(self._runs))]

    def _weigh(self, at: float) -> None:
        kept = [(when, part, lag) for when, part, lag in self._lags if at - when <= SPAN]
        part = sum(part for _, part, _ in kept) / len(kept)
        if part <= TAINTED:
            self._lag = None
        elif self._lag is None and len(kept) > 1:
            first = next(when for when, part, _ in kept if part > 0)
            self._lag = Lag(first, part, max(lag for _, _, lag in kept))

    def _read_clock(self, at: float, report: AgentReported) -> None:
        before, self._skew = self._skew, report.skew
        if abs(report.step) > STEPPED:
            self._stepped = Clock(at, step=report.step)
        if report.skew is None:
            return
        wrong = abs(report.skew) > SKEWED
        if not wrong:
            self._clock = None
        elif before is not None and abs(before - report.skew) <= AGREE and self._clock is None:
            self._clock = Clock(at, off=report.skew)

    def lag(self, now: float) -> Lag | None:
        """Return how its loop lags, when that is too much of the time."""
        return self._lag if now - self._at <= STALE else None

    def two(self, now: float) -> Two | None:
        """Return the two runs that take turns. One that restarts never hears its old run again."""
        turns = [at for at, _ in self._turns if now - at <= SPAN]
        if len(turns) < 3 or turns[-1] - turns[0] < TWO:
            return None
        hosts = sorted({host or "a host without a name" for at, host in self._runs.values() if now - at <= SPAN})
        return Two(self._first_turn(), tuple(hosts))

    def _first_turn(self) -> float:
        """When the turns that still go on began."""
        began = self._turns[-1][0]
        for at, _ in reversed(self._turns):
            if began - at > SPAN:
                break
            began = at
        return began

    def clock(self, now: float) -> Clock | None:
        """Return what is wrong with its clock: how far it is off, or that it stepped within the last minute."""
        if self._clock is not None:
            return self._clock
        if self._stepped is not None and now - self._stepped.since <= STEP_TOLD and self._at > self._stepped.since:
            return self._stepped
        return None

    def plain(self) -> Plain:
        """Return what survives a restart: what its clock was known to be."""
        clock = self._clock
        return {"skew": self._skew, "clock": None if clock is None else [clock.since, clock.off]}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self._skew = plain["skew"]
        if plain["clock"] is not None:
            since, off = plain["clock"]
            self._clock = Clock(since, off=off)
