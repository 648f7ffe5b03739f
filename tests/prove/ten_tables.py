"""What ten full tables cost in memory: ten routers dump a million routes each, all at once, into one daemon.

Each router's table has routes, paths and attribute sets of its own (a seed each), and comes over TCP as fast as the
daemon takes it. Resident memory (Rss of smaps_rollup, so with what is mapped of files) is read several times a second
from the daemon's start to the moment when all is in the journal and half a minute has passed. Where it goes: private
and file-backed pages at the peak, and what the daemon's own counters hold.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

from tests.prove.dumps import SACRIFICED
from tests.prove.figures import Proven, Target, load
from tests.prove.partial import Partial, Repeat
from tests.prove.scene import Scene, scene

NAME = "ten-tables"
SEED = 20271
TABLES = 10
ROUTES = 1_000_000
SETS = 150_000
MEMORY_MB = 450.0
PATIENCE = 300.0
"""Seconds until all must be decoded."""
SETTLING = 30.0
"""Seconds after which memory is called settled."""
KINDS = ("Rss", "Pss_Anon", "Pss_File", "Private_Dirty")


def prove(say: Callable[[str], None]) -> Proven:
    """Have ten tables come at once, twice: a second dump must not add to the first."""
    partial = Partial(NAME, "dumps")
    if len(partial.repeats) < 2:
        partial.forget()
        exporters = "".join(
            f"  {_name(number)}: {{addresses: [{_source(number)}], collector: true}}\n" for number in range(TABLES)
        )
        with scene(exporters) as made:
            for number in (1, 2):
                partial.add(dumps(made, number))
                say(f"{TABLES} tables, time {number}: {_said(partial.repeats[-1])}")
            if SACRIFICED in (made.folder / "daemon.log").read_text():
                raise AssertionError("the daemon left routes of the dumps out, so that it had less to hold")
    return _proven(partial.repeats)


def dumps(made: Scene, number: int) -> Repeat:
    """Have all tables come at once; returns what memory was meanwhile."""
    before = made.metrics()
    with Watching(made.pid) as watching, ExitStack() as stack:
        senders = [stack.enter_context(_sender(made.port, each, SEED + 100 * number)) for each in range(TABLES)]
        for sender in senders:
            assert sender.stdout is not None
            assert sender.stdout.readline() == "ready\n"
        idle, begun = resident(made.pid), time.monotonic()
        watching.forget()
        for sender in senders:
            assert sender.stdin is not None
            sender.stdin.write("go\n")
            sender.stdin.flush()
        _taken(made, before, begun)
        decoded = time.monotonic() - begun
        time.sleep(SETTLING)
        settled = resident(made.pid)
    return {
        "before": idle,
        "peak": watching.peak,
        "settled": settled,
        "seconds": round(decoded, 2),
        "load": load(),
    }


def _taken(made: Scene, before: dict[str, float], begun: float) -> None:
    names = [f'catchment_feed_routes_total{{exporter="{_name(number)}"}}' for number in range(TABLES)]
    while True:
        found = made.metrics()
        taken = [found.get(name, 0.0) - before.get(name, 0.0) for name in names]
        if all(routes == ROUTES for routes in taken):
            return
        assert max(taken) <= ROUTES, f"one of {ROUTES:,} routes became {max(taken):,.0f}"
        assert time.monotonic() - begun < PATIENCE, f"of {TABLES * ROUTES:,} routes {sum(taken):,.0f} were taken"
        time.sleep(0.2)


def _name(number: int) -> str:
    return f"transit{number}"


def _source(number: int) -> str:
    return f"127.0.8.{number + 1}"


def resident(pid: int) -> dict[str, float]:
    """MB of memory that a process holds, by kind."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    held = {line.partition(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines}
    return {kind.lower(): round(held[kind], 1) for kind in KINDS}


class Watching:
    """Reads a process's memory again and again, and keeps the largest of it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = Event()
        self._thread = Thread(target=self._run, name="memory", daemon=True)
        self.peak: dict[str, float] = {}

    def forget(self) -> None:
        """Begin anew."""
        self.peak = resident(self._pid)

    def _run(self) -> None:
        while not self._over.wait(0.1):
            pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
            if pages * os.sysconf("SC_PAGE_SIZE") / 1e6 > self.peak["rss"]:
                self.peak = max(self.peak, resident(self._pid), key=lambda held: held["rss"])

    def __enter__(self) -> "Watching":
        self.forget()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def _sender(port: int, number: int, seed: int) -> Iterator["subprocess.Popen[str]"]:
    """A router of its own process, which sends its table when told, and stays connected until the end."""
    words = (port, _source(number), ROUTES, SETS, seed + number)
    argv = [sys.executable, "-m", "tests.prove.table_sender", *map(str, words)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def _said(repeat: Repeat) -> str:
    rate = TABLES * ROUTES / repeat["seconds"]
    held = (f"{word} {repeat[word]['rss']:.0f} MB" for word in ("before", "peak", "settled"))
    return f"{', '.join(held)}; {rate:,.0f} routes/s"


def _proven(repeats: list[Repeat]) -> Proven:
    figures = {
        "tables": TABLES,
        "routes_each": ROUTES,
        "attribute_sets_each": SETS,
        "target_mb": MEMORY_MB,
        "idle_mb": repeats[0]["before"]["rss"],
        "idle_of_files_mb": repeats[0]["before"]["pss_file"],
        "peak_mb": max(repeat["peak"]["rss"] for repeat in repeats),
        "peak_first_mb": repeats[0]["peak"]["rss"],
        "peak_anonymous_mb": max(repeat["peak"]["pss_anon"] for repeat in repeats),
        "settled_mb": repeats[0]["settled"]["rss"],
        "settled_after_second_mb": repeats[1]["settled"]["rss"],
        "routes_per_second": round(max(TABLES * ROUTES / repeat["seconds"] for repeat in repeats)),
        "load_average": max(repeat["load"] for repeat in repeats),
    }
    targets = (
        Target("resident memory at its peak, 10 sessions of 1M routes", figures["peak_mb"], MEMORY_MB, unit="MB"),
        Target("resident memory afterwards", figures["settled_after_second_mb"], MEMORY_MB, unit="MB"),
    )
    return Proven(SEED, figures, targets)
