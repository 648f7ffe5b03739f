"""The spool: what was appended is there after any death, goes in order, and what is given up is counted."""

import errno
import multiprocessing
import os
import random
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.probe.spool import HEAD, Frame, Spool, SpoolError

RUN = "0123456789abcdef"
QUOTA = 1 << 30
Opened = Callable[[int], Spool]


def frame(sequence: int, size: int = 100, rows: int = 3, dropped: int = 0, run: str = RUN) -> Frame:
    return Frame(run, sequence, rows, dropped, random.Random(sequence).randbytes(size))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as all_of_them:

        def open_one(quota: int) -> Spool:
            spool = Spool(tmp_path / "s", quota)
            all_of_them.callback(spool.close)
            return spool

        yield open_one


def drained(spool: Spool, most: int = 7) -> list[Frame]:
    found = []
    while frames := spool.next(most, 1 << 20):
        found += frames
        spool.taken(frames)
    return found


def test_what_was_appended_comes_back_in_order_and_once(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    frames = [frame(number) for number in range(1, 21)]
    for each in frames:
        spool.append(each)
    assert spool.waiting == 60
    assert drained(spool) == frames
    assert (spool.waiting, spool.next(9, 1 << 20)) == (0, [])
    assert spool.dropped == 0


def test_what_the_centre_does_not_take_waits_on(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    spool.append(frame(1))
    assert spool.next(5, 1000) == [frame(1)]
    spool.kept()
    spool.append(frame(2))
    assert spool.next(1, 1000) == [frame(1)]
    spool.taken([frame(1)])
    assert drained(spool) == [frame(2)]


def test_one_request_holds_one_run_and_no_more_than_it_may(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    for each in (frame(1, 400), frame(2, 400), frame(3, 400), frame(1, 10, run="f" * 16), frame(3, 10, run="f" * 16)):
        spool.append(each)
    groups = []
    while frames := spool.next(10, 1000):
        groups.append([each.sequence for each in frames])
        spool.taken(frames)
    assert groups == [[1, 2], [3], [1], [3]], "by size, by run, by a gap"


def test_another_process_goes_on_where_this_one_ended(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    for number in range(1, 6):
        spool.append(frame(number))
    spool.taken(spool.next(2, 1 << 20))
    spool.close()
    again = opened(QUOTA)
    again.append(frame(1, run="f" * 16))
    assert again.waiting == 12
    assert [(each.run[0], each.sequence) for each in drained(again)] == [("0", 3), ("0", 4), ("0", 5), ("f", 1)]
    again.close()
    third = opened(QUOTA)
    third.append(frame(1, run="e" * 16))
    third.close()
    assert [each.run[0] for each in drained(opened(QUOTA))] == ["e"], "no number is given twice"


def test_files_that_the_centre_has_whole_are_gone(tmp_path: Path, opened: Opened) -> None:
    spool = opened(8 << 16)
    for number in range(1, 41):
        spool.append(frame(number, 9_000))
        spool.taken(spool.next(1, 1 << 20))
    assert len(list((tmp_path / "s").glob("*.batches"))) == 1
    assert spool.octets < 1 << 17


def test_nobody_else_may_read_it(tmp_path: Path, opened: Opened) -> None:
    os.umask(0o022)
    spool = opened(QUOTA)
    spool.append(frame(1))
    spool.give_up(1)
    spool.sync()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "s").iterdir()} == {0o600}


def test_two_agents_do_not_share_one(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    with pytest.raises(SpoolError, match="another agent works in"):
        opened(QUOTA)
    spool.close()
    opened(QUOTA).close()


def test_over_the_quota_the_oldest_goes_and_is_counted(tmp_path: Path, opened: Opened) -> None:
    quota = 1 << 20
    spool = opened(quota)
    for number in range(1, 401):
        spool.append(frame(number, 5_000, rows=10))
        assert spool.octets <= quota
    left = drained(spool)
    assert spool.dropped == 4_000 - 10 * len(left) > 0
    assert [each.sequence for each in left] == list(range(401 - len(left), 401)), "the newest are there, in order"


def test_what_a_dropped_batch_would_have_reported_is_reported_all_the_same(tmp_path: Path, opened: Opened) -> None:
    spool = opened(1 << 20)
    spool.give_up(50)
    spool.append(frame(1, 60_000, rows=1, dropped=50))
    assert spool.dropped == 0
    for number in range(2, 100):
        spool.append(frame(number, 60_000, rows=1))
    left = drained(spool)
    assert spool.dropped == 50 + 99 - len(left)


def test_the_count_of_what_was_dropped_outlives_the_process(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    spool.give_up(7)
    spool.close()
    again = opened(QUOTA)
    assert again.dropped == 7
    again.append(frame(1, dropped=7))
    again.close()
    assert opened(QUOTA).dropped == 0


def test_what_is_on_its_way_is_not_dropped_under_it(tmp_path: Path, opened: Opened) -> None:
    spool = opened(1 << 19)
    spool.append(frame(1, 60_000))
    on_its_way = spool.next(1, 1 << 20)
    for number in range(2, 20):
        spool.append(frame(number, 60_000))
    spool.taken(on_its_way)
    assert spool.octets <= 1 << 19
    left = drained(spool)
    assert spool.dropped == 3 * (18 - len(left)), "the first was taken, not dropped"


@pytest.mark.parametrize("cut", [1, HEAD.size - 1, HEAD.size, HEAD.size + 1, 2 * HEAD.size + 100 + 5])
def test_a_torn_end_takes_nothing_else_with_it(tmp_path: Path, opened: Opened, cut: int) -> None:
    spool = opened(QUOTA)
    for number in (1, 2, 3):
        spool.append(frame(number))
    spool.close()
    [file] = (tmp_path / "s").glob("*.batches")
    os.truncate(file, file.stat().st_size - cut)
    again = opened(QUOTA)
    again.append(frame(9))
    whole = [1, 2] if cut < HEAD.size + 100 else [1]
    assert [each.sequence for each in drained(again)] == [*whole, 9]
    assert again.dropped == 0, "a batch that was never whole was never taken"


def test_damage_costs_the_batch_it_is_in_and_is_counted(tmp_path: Path, opened: Opened) -> None:
    spool = opened(QUOTA)
    for number in range(1, 6):
        spool.append(frame(number))
    spool.close()
    [file] = (tmp_path / "s").glob("*.batches")
    size = HEAD.size + 100
    raw = bytearray(file.read_bytes())
    raw[size + HEAD.size + 10] ^= 1
    raw[3 * size + 3] ^= 1
    file.write_bytes(raw)
    again = opened(QUOTA)
    again.append(frame(9))
    assert [each.sequence for each in drained(again)] == [1, 3, 5, 9]
    assert again.dropped >= 3, "of the two that were damaged, the one whose head can be read is counted"


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_leaves_a_spool_that_works(tmp_path: Path, opened: Opened, seed: int) -> None:
    chance = random.Random(seed)
    spool = opened(QUOTA)
    for number in range(1, 30):
        spool.append(frame(number, chance.randint(0, 300)))
    spool.close()
    for file in (tmp_path / "s").iterdir():
        raw = bytearray(file.read_bytes())
        for _ in range(chance.randint(0, 5) if raw else 0):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        file.write_bytes(raw)
    again = opened(QUOTA)
    again.append(frame(99))
    found = drained(again)
    assert found[-1] == frame(99)
    assert [each.sequence for each in found] == sorted({each.sequence for each in found})


def test_a_full_disk_costs_the_oldest_and_is_counted(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(8 << 16)
    for number in range(1, 5):
        spool.append(frame(number, 60_000))
    real, room = os.pwrite, [500_000]

    def pwrite(file: int, data: Any, at: int) -> int:
        used = sum(path.stat().st_size for path in (tmp_path / "s").glob("*.batches"))
        if used + len(data) > room[0]:
            real(file, data[:100], at)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    room[0] = 250_000
    spool.append(frame(5, 60_000))
    assert spool.dropped > 0
    room[0] = 0
    with pytest.raises(OSError, match="No space"):
        spool.append(frame(6, 60_000))
    room[0] = 1 << 20
    spool.append(frame(7, 60_000))
    assert [each.sequence for each in drained(spool)][-2:] == [5, 7]


def _append_until_killed(folder: Path, said: int) -> None:
    spool = Spool(folder, QUOTA)
    number = 0
    while True:
        number += 1
        spool.append(frame(number, 2_000))
        os.write(said, number.to_bytes(4, "big"))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_appended_before_a_kill_is_there(tmp_path: Path, opened: Opened, seed: int) -> None:
    reading, writing = os.pipe()
    child = multiprocessing.get_context("fork").Process(target=_append_until_killed, args=(tmp_path / "s", writing))
    child.start()
    os.close(writing)
    want = random.Random(seed).randint(50, 500)
    told = b""
    while len(told) < 4 * want:
        told += os.read(reading, 1 << 16)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    while more := os.read(reading, 1 << 16):
        told += more
    last = int.from_bytes(told[-4:], "big")
    found = [each.sequence for each in drained(opened(QUOTA))]
    assert found == list(range(1, len(found) + 1))
    assert len(found) in (last, last + 1)
