"""Whatever a server answers, each line is settled once and in order, and the cursor is never beyond what is settled."""

import random
from pathlib import Path

import pytest

from store.influx.answer import Answer, Verdict
from store.influx.lines import Lines, lines
from store.influx.pace import Pace
from store.influx.pending import WELL, Pending
from store.influx.quarantine import Quarantine
from store.influx.sink import Sink
from store.influx.where import Where
from store.journal import Journal
from store.schema import numbered
from tests.store.influx.made import points, write
from tests.store.made import NOON

BUSY = (Verdict.AGAIN, Verdict.LATER, Verdict.HELD)


class Moody:
    """A server of many moods: away now and then, picky about some lines, and never fond of many at once."""

    def __init__(self, chance: random.Random, bad: frozenset[int], most: int) -> None:
        self._chance, self._bad, self._most = chance, bad, most
        self.taken: list[int] = []

    def send(self, sent: Lines) -> Answer:
        if self._chance.random() < 0.2:
            return Answer(self._chance.choice(BUSY), "not now", 0.0)
        numbers = [int(text.split("=")[1].split("i")[0]) for text in sent.body().decode().splitlines()]
        if len(numbers) > self._most:
            return Answer(Verdict.LARGE, "too much")
        if self._bad & set(numbers):
            return Answer(Verdict.REFUSED, "bad line")
        self.taken += numbers
        return Answer(Verdict.TAKEN)

    def stale(self) -> bool:
        return self._chance.random() < 0.5

    def cut(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("seed", range(25))
async def test_a_moody_server_gets_every_line_once_and_in_order(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randrange(1, 300)
    bad = frozenset(chance.sample(range(count), chance.randrange(min(count, 6))))
    server = Moody(chance, bad, chance.randrange(1, 80))
    journal = Journal(tmp_path / "journal")
    for first in range(0, count, 37):
        write(journal, NOON, range(first, min(count, first + 37)))

    async def note(cursor: int) -> None:
        pass

    where = Where("moody", "http://nowhere", lines=chance.randrange(1, 120))
    sink = Sink(
        where, tmp_path / "journal", Quarantine(tmp_path / "aside"), 0, note, lambda to: server, Pace(lambda: 0.0)
    )
    seen = 0
    for _ in range(20_000):
        sink._turn()
        cursor = sink.status().cursor
        assert cursor >= seen
        seen = cursor
        settled = len(server.taken) + sink.status().quarantined
        assert sum(len(part) for part in sink._pending._parts) <= where.lines
        if settled == count:
            break
    kept = [int(each.line.split("=")[1].split("i")[0]) for each in reversed(sink.quarantine.last(1000))]
    assert server.taken == [number for number in range(count) if number not in bad]
    assert kept == sorted(bad)
    assert sink.status().cursor == sink._follower.cursor
    journal.close()


def some(count: int) -> Lines:
    [(_, batch)] = numbered([("points", points(*range(count)))], 1)
    return lines([batch])


def test_a_part_that_was_too_large_makes_all_smaller_and_after_a_while_they_grow_again() -> None:
    pending = Pending(64, 1 << 20)
    pending.put(some(64), 1)
    assert not pending.shrink()
    assert len(pending.first) == 32
    for _ in range(2):
        pending.settle()
    pending.put(some(64), 2)
    assert len(pending.first) == 32
    for _ in range(WELL):
        pending.grow()
    pending.put(some(64), 3)
    while len(pending.first) == 32:
        pending.settle()
    assert len(pending.first) == 64


def test_nothing_fit_to_send_moves_the_cursor_all_the_same() -> None:
    pending = Pending(10, 1000)
    pending.put(some(3).part(0, 0), 77)
    assert (bool(pending), pending.cursor) == (False, 77)
