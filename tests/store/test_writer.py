"""The writer's thread: bounded, in order, and what it acknowledged survives a kill."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import wait
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from store.folder import CLOSED
from store.journal import Journal
from store.reader import Reader
from store.schema import JournalError, Submission
from store.writer import JournalBehind, JournalWriter
from tests import needs
from tests.store import writing
from tests.store.made import NOON, WEB, at, attributes, route, routes

Writer = partial(JournalWriter, clock=lambda: NOON)
"""Writes on the day of its rows, whatever day it is."""


def test_a_future_is_done_when_its_submission_is_on_disk(tmp_path: Path) -> None:
    seen: list[int] = []
    writer = Writer(Journal(tmp_path), observe=lambda seconds, submissions: seen.append(submissions))
    futures = [writer.submit(routes(route(second))) for second in range(20)]
    numbers = [future.result(5) for future in futures]
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    assert writer.committed == numbers[-1]
    assert sum(seen) == 20
    writer.close()
    assert [row.at for row in Reader(tmp_path).routes(WEB, NOON, at(60)).rows] == [at(n) for n in range(20)]


def test_closing_writes_what_waits_and_then_refuses(tmp_path: Path) -> None:
    writer = Writer(Journal(tmp_path), linger=0.2)
    futures = [writer.submit(routes(route(second))) for second in range(5)]
    writer.close()
    assert all(future.done() for future in futures)
    with pytest.raises(JournalError, match="the journal is closed"):
        writer.submit(routes(route(9)))
    assert Journal(tmp_path).recovered == ()


class _Stalled(Journal):
    """A journal whose disk does not answer until told."""

    go = threading.Event()

    def commit(self) -> int:
        self.go.wait(60)
        return super().commit()


def test_a_disk_that_stalls_is_said_at_once_and_memory_stays_bounded(tmp_path: Path) -> None:
    journal = _Stalled(tmp_path)
    writer = Writer(journal, capacity=10_000, linger=0.0)
    accepted = [writer.submit(routes(route(0)))]
    begun = time.perf_counter()
    with pytest.raises(JournalBehind, match="too slow for what comes in"):
        accepted.extend(writer.submit(routes(*[route(0)] * 10)) for _ in range(1000))
    assert time.perf_counter() - begun < 5
    assert 0 < writer.waiting <= 10_000
    _Stalled.go.set()
    wait(accepted, 10)
    assert all(future.exception() is None for future in accepted)
    writer.submit(routes(route(1))).result(5)
    writer.close()


def test_a_dump_that_fills_the_queue_keeps_out_nobody_who_has_little_to_say_and_they_are_bounded_too(
    tmp_path: Path,
) -> None:
    _Stalled.go.clear()
    writer = Writer(_Stalled(tmp_path), capacity=1 << 18, linger=0.0)
    flood = (writer.submit(routes(*[route(0)] * 100)) for _ in range(1000))
    with pytest.raises(JournalBehind):
        list(flood)
    assert writer.waiting <= 1 << 18
    accepted = [writer.submit(routes(route(1)))]
    with pytest.raises(JournalBehind):
        accepted.extend(writer.submit(routes(route(1))) for _ in range(10_000))
    assert 1 << 18 < writer.waiting <= (1 << 18) * 5 // 4
    _Stalled.go.set()
    wait(accepted, 10)
    writer.close()


def test_a_wrong_batch_is_refused_to_its_sender_and_hurts_nobody_else(tmp_path: Path) -> None:
    writer = Writer(Journal(tmp_path))
    good = writer.submit(routes(route(0)))
    with pytest.raises(JournalError, match="columns of routes"):
        writer.submit([("routes", attributes(1))])
    assert good.result(5)
    writer.close()


def test_what_is_urgent_overtakes_what_waits_and_is_taken_when_the_queue_is_full(tmp_path: Path) -> None:
    _Stalled.go.clear()
    writer = Writer(_Stalled(tmp_path), capacity=10, linger=0.0)
    writer.submit(routes(route(0)))
    while writer.waiting == 0 or writer.waiting > 100:
        time.sleep(0.01)
    time.sleep(0.1)  # the first is at the disk now
    plain = writer.submit(routes(*[route(1)] * 40_000), timeout=5)
    with pytest.raises(JournalBehind):
        writer.submit(routes(route(2)))
    urgent = writer.submit([("attributes", attributes(1))], urgent=True)
    _Stalled.go.set()
    assert urgent.result(5) < plain.result(5)
    writer.close()


class _Broken(Journal):
    """A journal whose disk fails once."""

    failures = 1

    def append(self, submissions: list[Submission], now: datetime) -> int:  # type: ignore[override]
        if self.failures:
            self.failures -= 1
            raise OSError(5, "Input/output error")
        return super().append(submissions, now)


def test_a_failing_disk_is_told_to_who_waits_and_the_writer_goes_on(tmp_path: Path) -> None:
    writer = Writer(_Broken(tmp_path))
    with pytest.raises(OSError, match="Input/output"):
        writer.submit(routes(route(0))).result(5)
    failures = [writer.failure]
    assert writer.submit(routes(route(1))).result(5)
    failures.append(writer.failure)
    assert [type(failure) for failure in failures] == [OSError, type(None)]
    writer.close()


def test_a_future_that_nobody_waits_for_any_more_stops_nothing(tmp_path: Path) -> None:
    writer = Writer(Journal(tmp_path), linger=0.2)
    first = writer.submit(routes(route(0)))
    first.cancel()
    assert writer.submit(routes(route(1))).result(5)
    writer.close()


def test_an_idle_writer_closes_the_segments_of_a_past_hour(tmp_path: Path) -> None:
    times = iter([NOON])
    writer = Writer(Journal(tmp_path), clock=lambda: next(times, NOON + timedelta(hours=1)))
    writer.submit(routes(route(0))).result(5)
    deadline = time.monotonic() + 10
    while not list(tmp_path.glob(f"growing/*/*{CLOSED}")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    writer.close()


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed_in_the_middle(tmp_path: Path) -> None:
    acknowledged, cut, draw = 0, 0, random.Random(7)
    for _ in range(20):
        acknowledged = _killed(tmp_path, acknowledged, draw.uniform(0.0, 0.08))
        journal = Journal(tmp_path)
        cut += len(journal.recovered)
        journal.close()
    rows = Reader(tmp_path).routes(WEB, NOON, at(10**7), limit=10**7).rows
    counts = Counter(int((row.at - NOON).total_seconds()) for row in rows)
    assert acknowledged > 20
    assert [number for number in range(1, acknowledged + 1) if counts[number] < writing.PADDING] == []
    assert {count % writing.PADDING for count in counts.values()} == {0}


def _killed(folder: Path, first: int, after: float) -> int:
    """Run the writer from `first` on and kill it a moment after its first acknowledgement; returns the last one."""
    command = [sys.executable, "-m", "tests.store.writing", str(folder), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=needs.ROOT)
    assert process.stdout is not None
    told = [process.stdout.readline()]
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    told += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return max(int(line) for line in told if line.endswith("\n"))


def _sets(folder: Path) -> list[int | None]:
    """The attribute set of each row of WEB on disk."""
    rows = Reader(folder).routes(WEB, NOON, at(60)).rows
    return [None if row.attributes is None else row.attributes.id for row in rows]


def test_attribute_sets_go_with_the_next_group_whoevers_it_is_and_cost_no_commit(tmp_path: Path) -> None:
    commits: list[int] = []
    writer = Writer(Journal(tmp_path), observe=lambda seconds, submissions: commits.append(submissions))
    writer.refer(attributes(1))
    time.sleep(0.1)
    assert commits == []
    assert writer.submit(routes(route(1, attributes=1))).result(5)
    assert (_sets(tmp_path), commits) == ([1], [2])
    writer.refer(attributes(2))
    writer.close()
    assert sum(commits) == 3


def test_attribute_sets_that_nobody_comes_for_are_written_all_the_same(tmp_path: Path) -> None:
    writer = Writer(Journal(tmp_path))
    writer.refer(attributes(1))
    _until(lambda: writer.waiting == 0)
    assert writer.committed > 0
    writer.close()


@pytest.mark.parametrize("referred", [True, False])
def test_a_group_that_the_disk_refuses_loses_its_rows_but_not_the_attribute_sets_in_it(
    tmp_path: Path, referred: bool
) -> None:
    writer = Writer(_Broken(tmp_path))
    own = [] if referred else [("attributes", attributes(1))]
    if referred:
        writer.refer(attributes(1))
    with pytest.raises(OSError, match="Input/output"):
        writer.submit([*own, *routes(route(0, attributes=1))]).result(5)
    assert writer.submit(routes(route(1, attributes=1))).result(5)
    assert _sets(tmp_path) == [1]
    writer.close()


def test_attribute_sets_that_cannot_be_written_keep_rows_out_so_that_memory_stays_bounded(tmp_path: Path) -> None:
    journal = _Broken(tmp_path)
    journal.failures = 1 << 30
    writer = Writer(journal, capacity=1000)
    writer.submit(routes(route(0))).cancel()
    writer.refer(attributes(*range(1, 100)))
    with pytest.raises(JournalBehind):
        writer.submit(routes(route(0)))
    journal.failures = 0
    assert writer.submit(routes(route(1, attributes=7)), timeout=10).result(5)
    assert 7 in _sets(tmp_path)
    writer.close()


def test_closing_ends_although_the_disk_takes_nothing(tmp_path: Path) -> None:
    journal = _Broken(tmp_path)
    journal.failures = 1 << 30
    writer = Writer(journal)
    writer.refer(attributes(1))
    lost = writer.submit(routes(route(0, attributes=1)))
    writer.close()
    assert isinstance(lost.exception(), OSError)


def test_a_disk_that_is_well_again_is_noticed_although_nothing_is_written(tmp_path: Path) -> None:
    writer = Writer(_Broken(tmp_path))
    with pytest.raises(OSError, match="Input/output"):
        writer.submit(routes(route(0))).result(5)
    assert writer.failure is not None
    _until(lambda: writer.failure is None)
    writer.close()


def _until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
