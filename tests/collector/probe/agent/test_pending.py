"""What is under way: one end for each probe, whatever comes twice, late or never."""

from hypothesis import given
from hypothesis import strategies as st

from collector.probe.agent.pending import Pending, Sent

TIMEOUT, LATE = 100, 1000


class Table:
    """A table, and what it told."""

    def __init__(self, capacity: int = 100) -> None:
        self.silent: list[str] = []
        self.forgotten: list[str] = []
        self.pending: Pending[str, str] = Pending(
            TIMEOUT,
            LATE,
            capacity,
            lambda sent: self.silent.append(sent.of),
            lambda sent: self.forgotten.append(sent.of),
        )

    def add(self, key: str, mono: int) -> None:
        self.pending.add(key, Sent(mono, 0, key))


def test_an_answer_in_time_is_no_loss_and_a_second_copy_finds_nothing() -> None:
    table = Table()
    table.add("a", 0)
    sent = table.pending.take("a")
    assert sent is not None
    assert not table.pending.overdue(sent, 99)
    assert table.pending.take("a") is None
    table.pending.expire(5000)
    assert (table.silent, table.forgotten) == ([], [])


def test_a_loss_is_told_at_the_time_limit_and_a_late_answer_is_late() -> None:
    table = Table()
    table.add("a", 0)
    assert not table.pending.due(99)
    table.pending.expire(99)
    assert table.silent == []
    assert table.pending.due(100)
    table.pending.expire(100)
    assert table.silent == ["a"]
    sent = table.pending.take("a")
    assert sent is not None
    assert table.pending.overdue(sent, 300)
    assert table.silent == ["a"]


def test_an_answer_that_the_kernel_stamped_too_late_is_silent_first_and_late_then() -> None:
    table = Table()
    table.add("a", 0)
    sent = table.pending.take("a")
    assert sent is not None
    assert table.pending.overdue(sent, 101)
    assert table.silent == ["a"]
    table.pending.expire(5000)
    assert table.silent == ["a"]


def test_what_never_came_is_forgotten_after_both_limits() -> None:
    table = Table()
    table.add("a", 0)
    table.pending.expire(100)
    table.pending.expire(1099)
    assert table.forgotten == []
    table.pending.expire(1100)
    assert table.forgotten == ["a"]
    assert len(table.pending) == 0


def test_a_full_table_says_so() -> None:
    table = Table(capacity=2)
    full = [table.pending.full]
    for key in "ab":
        table.add(key, 0)
        full.append(table.pending.full)
    table.pending.expire(2000)
    assert [*full, table.pending.full] == [False, False, True, False]


def test_a_key_that_is_used_again_is_another_probe() -> None:
    table = Table()
    table.add("a", 0)
    table.pending.take("a")
    table.add("a", 90)
    table.pending.expire(150)
    assert table.silent == []
    table.pending.expire(190)
    assert table.silent == ["a"]


@given(st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 2500), st.booleans()), max_size=60))
def test_each_probe_ends_once(probes: list[tuple[int, int | None, bool]]) -> None:
    """Sent some time after the one before, answered after some time or never, perhaps twice."""
    table = Table()
    events: list[tuple[int, int, str, bool]] = []
    now = 0
    for number, (gap, answer, twice) in enumerate(probes):
        now += gap
        events.append((now, 0, f"{number}", True))
        if answer is not None:
            events += [(now + answer, 1, f"{number}", False)] * (1 + twice)
    begun, in_time, late = dict[str, int](), list[str](), list[str]()
    for at, _, key, sends in sorted(events):
        table.pending.expire(at)
        if sends:
            table.add(key, at)
            begun[key] = at
        elif (sent := table.pending.take(key)) is not None:
            (late if table.pending.overdue(sent, at - begun[key]) else in_time).append(key)
    table.pending.expire(now + 10_000)
    assert sorted(in_time + table.silent) == sorted(begun)
    assert sorted(late + table.forgotten) == sorted(table.silent)
