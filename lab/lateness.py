"""How late a delay line was: counted as it runs, written as a report, judged afterwards.

Reports are cumulative since the start of the line; `between` subtracts two of them, so that one run in a lab that has
been up for hours is judged by its own frames.
"""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

BIN_US = 10
LATEST_BIN = 1000  # 10 ms; what is later shares the last bin, and `max_us` says how late it was
VOID_US = 1000  # the requirement: a run whose 99th percentile is over 1 ms is void


@dataclass(frozen=True)
class Report:
    """What a delay line did. Times in microseconds unless they say otherwise."""

    started: float
    """Seconds since the epoch, as is `at`."""
    at: float
    frames: int
    p50_us: int
    p99_us: int
    max_us: int
    dropped: int
    """Frames that the kernel could not keep for us."""
    unfinished: int
    """Frames longer than a wire carries, or with a checksum left to the hardware."""
    undeliverable: int
    """Frames for an interface that was down."""
    cpu_us: int
    scheduler: str
    """"fifo" where real-time scheduling was granted, else "other"."""
    let_go: int = 0
    """Frames that a wire's loss took, as it was told to."""
    bins: dict[str, int] = field(default_factory=dict)
    """Upper edge in microseconds to how many frames were at most that late, and later than the bin before."""

    @property
    def cpu_us_per_frame(self) -> float:
        """Processor time for each frame, everything included."""
        return self.cpu_us / self.frames if self.frames else 0.0

    def write(self, path: Path) -> None:
        """Replace the file in one step: a reader sees the old report or the new one."""
        new = path.with_name(path.name + ".new")
        new.write_text(json.dumps(asdict(self)))
        os.replace(new, path)


def read(path: Path) -> Report:
    """Read a report that a line wrote. Raises OSError or ValueError where there is none."""
    return Report(**json.loads(path.read_text()))


class Lateness:
    """Counts, bounded in size however long the line runs."""

    def __init__(self) -> None:
        self.dropped = 0
        self.unfinished = 0
        self.undeliverable = 0
        self.let_go = 0
        self._bins = [0] * (LATEST_BIN + 1)
        self._worst_ns = 0

    def add(self, late_ns: int) -> None:
        """Count one frame that left this much after it was due."""
        self._bins[min(late_ns // (BIN_US * 1000), LATEST_BIN)] += 1
        if late_ns > self._worst_ns:
            self._worst_ns = late_ns

    def report(self, started: float, at: float, cpu_seconds: float, scheduler: str) -> Report:
        """Return the counts so far."""
        bins = Counter({(index + 1) * BIN_US: count for index, count in enumerate(self._bins) if count})
        worst = -(-self._worst_ns // 1000)
        return Report(
            started=started,
            at=at,
            frames=bins.total(),
            p50_us=_percentile(bins, 50, worst),
            p99_us=_percentile(bins, 99, worst),
            max_us=worst,
            dropped=self.dropped,
            unfinished=self.unfinished,
            undeliverable=self.undeliverable,
            cpu_us=round(cpu_seconds * 1e6),
            scheduler=scheduler,
            let_go=self.let_go,
            bins={str(edge): count for edge, count in bins.items()},
        )


def between(before: Report, after: Report) -> Report:
    """Return what happened between two reports of one line; its `max_us` is that of the whole time up to `after`."""
    if before.started != after.started:
        raise ValueError("the delay line was restarted between the two reports, so they cannot be subtracted")
    bins = Counter({int(edge): count for edge, count in after.bins.items()})
    bins.subtract({int(edge): count for edge, count in before.bins.items()})
    return replace(
        after,
        frames=after.frames - before.frames,
        p50_us=_percentile(bins, 50, after.max_us),
        p99_us=_percentile(bins, 99, after.max_us),
        dropped=after.dropped - before.dropped,
        unfinished=after.unfinished - before.unfinished,
        undeliverable=after.undeliverable - before.undeliverable,
        cpu_us=after.cpu_us - before.cpu_us,
        let_go=after.let_go - before.let_go,
        bins={str(edge): count for edge, count in bins.items() if count},
    )


def _percentile(bins: Counter[int], percent: int, worst: int) -> int:
    """The upper edge of the bin that holds the percentile: never less than the truth."""
    wanted, seen = bins.total() * percent / 100, 0
    for edge in sorted(bins):
        seen += bins[edge]
        if seen >= wanted and bins[edge]:
            return worst if edge > LATEST_BIN * BIN_US else min(edge, worst)
    return 0


def void(report: Report) -> str | None:
    """Return why a run with this report proves nothing about times; None where it is fit."""
    if not report.frames:
        return "the delay line carried no frame, so nothing was delayed: are the wires the lab's own?"
    if report.p99_us > VOID_US:
        return f"the delay line was late: 99th percentile {report.p99_us} us, and {VOID_US} us is the most that counts"
    if report.dropped:
        return f"the delay line lost {report.dropped} frames that it could not take from the kernel in time"
    if report.unfinished:
        return (
            f"{report.unfinished} frames were not as on a wire (too long, or without checksum): "
            "offloads are on at a far end; switch them off with lab.space.offloads_off"
        )
    return None
