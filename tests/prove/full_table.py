"""What a full table costs: a million routes from the socket into the journal, again and again.

Rate: routes over the time from the router's first octet to the end of the journal's last commit (its lock file is
touched when a commit is on disk), one table at a time. Lag: how late the event loop woke, from the daemon's own
histogram, while one table follows the other without a pause. Memory: what the daemon holds before the first dump,
after it, and after the last.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.prove.dumps import ROUTES, SACRIFICED, TAKEN, Dumps, Pace
from tests.prove.figures import Proven, Target, load, percentile
from tests.prove.partial import Partial, Repeat
from tests.prove.pouring import Pouring
from tests.prove.scene import POURS, Scene, scene

NAME = "full-table"
SEED = 20265
DUMPS = 15
LAG_MS = 20.0
MEMORY_MIB = 1024.0
STEADY = 30.0
"""Seconds of one table after the other."""
QUIET = 0.5
"""Seconds without a write after which a dump is over."""
LAG = "catchment_loop_lag_seconds"


def prove(say: Callable[[str], None]) -> Proven:
    """Dump tables, all into one daemon: what was begun is begun anew, for memory is a matter of one process."""
    partial = Partial(NAME, "dumps")
    if len(partial.repeats) < DUMPS + 1:
        partial.forget()
        with scene() as made, Pouring(made.port, POURS, ROUTES, SEED) as pouring:
            time.sleep(3)
            before = made.resident()
            for number in range(1, DUMPS + 1):
                partial.add({"before_mib": before, **dump(made, pouring, number)})
                say(f"dump {number} of {DUMPS}: {_said(partial.repeats[-1])}")
            partial.add(_steadily(made, pouring))
            if SACRIFICED in (made.folder / "daemon.log").read_text():
                raise AssertionError("the daemon left routes of the dump out, so that it had less to do")
    return _proven(partial.repeats)


def _steadily(made: Scene, pouring: Pouring) -> Repeat:
    """Have table follow table, and return how late the event loop was meanwhile."""
    with Dumps(made, pouring) as dumps:
        before, pace = _lags(made), Pace(made)
        time.sleep(STEADY)
        rate, after = pace.rate(), _lags(made)
    assert not dumps.failure, dumps.failure
    lags = {bound: count - before.get(bound, 0.0) for bound, count in after.items()}
    return {"lags": lags, "rate": rate, "resident_mib": made.resident(), "load": load()}


def dump(made: Scene, pouring: Pouring, number: int) -> Repeat:
    """Have one table come; returns its figures once all of it is in the journal."""
    pouring.pour()
    begun, _ = pouring.done()
    ended = _committed(made.data / "journal", begun)
    taken = made.metrics()[TAKEN]
    assert taken == number * ROUTES, f"of {number} tables of {ROUTES:,} routes {taken:,.0f} routes were taken"
    if number == 1:  # before sealing leaves out what the next tables repeat
        assert (rows := _rows(made.data / "journal")) >= ROUTES, f"the journal holds {rows:,} rows"
    return {
        "seconds": ended - begun,
        "resident_mib": made.resident(),
        "load": load(),
    }


def _committed(journal: Path, begun: float) -> float:
    """Wait for the end of the writing that began at `begun`, and return when its last commit was on disk."""
    lock, written, ended = journal / "lock", begun, begun
    while time.time() - written < QUIET or written <= begun:
        latest = max(map(_changed, _segments(journal)), default=0.0)
        alive = lock.stat().st_mtime
        if latest > written:
            written, ended = latest, 0.0
        if not ended and alive >= written:
            ended = alive
        time.sleep(0.002)
    return ended or lock.stat().st_mtime


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it was closed, and so renamed, or sealed
        return 0.0


def _segments(journal: Path) -> list[Path]:
    return [path for path in (journal / "growing").rglob("*") if "routes" in path.name]


def _rows(journal: Path) -> int:
    return sum(batch.num_rows for path in _segments(journal) for batch in _batches(path))


def _batches(path: Path) -> list[Any]:
    found = []
    with pa.memory_map(str(path)) as mapped, pa.ipc.open_stream(mapped) as stream:
        while True:
            try:
                found.append(stream.read_next_batch())
            except (StopIteration, pa.ArrowInvalid):
                return found


def _lags(made: Scene) -> dict[str, float]:
    """How many of the event loop's sleepers woke at most so late (s), by bound."""
    found = made.metrics()
    return {
        name[len(LAG) + len('_bucket{le="') : -2]: count
        for name, count in found.items()
        if name.startswith(f"{LAG}_bucket")
    }


def _said(repeat: Repeat) -> str:
    return f"{ROUTES / repeat['seconds']:,.0f} routes/s, {repeat['resident_mib']} MiB held"


def _proven(repeats: list[Repeat]) -> Proven:
    *dumps, steady = repeats
    rates = [ROUTES / repeat["seconds"] for repeat in dumps]
    lags = steady["lags"]
    total = lags["+Inf"]
    p99 = next(float(bound) for bound in sorted(lags, key=float) if lags[bound] >= 0.99 * total)
    figures = {
        "dumps": len(dumps),
        "routes": ROUTES,
        "routes_per_second_median": round(percentile(rates, 0.5)),
        "routes_per_second_least": round(min(rates)),
        "steady_seconds": STEADY,
        "steady_routes_per_second": round(steady["rate"]),
        "loop_lag_p99_at_most_ms": p99 * 1000,
        "loop_lag_target_p99_ms": LAG_MS,
        "loop_lag_over_20_ms_percent": round(100 * (1 - lags["0.02"] / total), 3),
        "loop_lag_samples": round(total),
        "resident_before_mib": repeats[0]["before_mib"],
        "resident_after_one_mib": repeats[0]["resident_mib"],
        "resident_after_all_mib": dumps[-1]["resident_mib"],
        "resident_while_steady_mib": steady["resident_mib"],
        "load_average": max(repeat["load"] for repeat in repeats),
    }
    targets = (
        Target("event loop's lag during dumps, 99th percentile", figures["loop_lag_p99_at_most_ms"], LAG_MS, unit="ms"),
        Target("growth of memory from the first dump to the last", _growth(dumps), at_most=1.25, unit="times"),
        Target("memory while one table follows the other", steady["resident_mib"], at_most=MEMORY_MIB, unit="MiB"),
    )
    return Proven(SEED, figures, targets)


def _growth(repeats: list[Repeat]) -> float:
    return round(float(repeats[-1]["resident_mib"]) / float(repeats[0]["resident_mib"]), 2)
