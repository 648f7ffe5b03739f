"""Agents' clocks: read, compared, and not believed."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.clocks import PIECE, PIECES, SECOND, Clocks, Now, Stamp

START = 1_790_000_000 * SECOND
MS = SECOND // 1000


def heard(clocks: Clocks, at: int, delay: int, *, ahead: int = 0, boot: str = "b", booted: int = 0) -> None:
    """A request sent `at` ns after the start by a machine that booted `booted` ns after it, `delay` ns on its way."""
    clocks.hear(Stamp(boot, at - booted, START + at + ahead), Now(START + at + delay, at + delay))


def test_the_least_delayed_request_says_what_time_it_was() -> None:
    clocks = Clocks()
    for number, delay in enumerate((40, 3, 90, 12)):
        heard(clocks, number * SECOND, delay * MS)
    assert clocks.offset("b") == START + 3 * MS


def test_a_wall_clock_that_is_wrong_changes_no_time_and_is_told() -> None:
    right, wrong = Clocks(), Clocks()
    for number in range(10):
        heard(right, number * SECOND, 2 * MS)
        heard(wrong, number * SECOND, 2 * MS, ahead=-3600 * SECOND if number > 5 else 0)
    assert wrong.offset("b") == right.offset("b")
    assert wrong.skew("b") == -3600 * SECOND - 2 * MS
    assert right.skew("b") == -2 * MS, "short of the least delay"


def test_a_delay_that_is_long_ago_is_forgotten_for_clocks_drift() -> None:
    clocks = Clocks()
    heard(clocks, 0, 1 * MS)
    heard(clocks, (PIECES - 1) * PIECE, 30 * MS)
    assert clocks.offset("b") == START + MS
    heard(clocks, (PIECES + 1) * PIECE, 30 * MS)
    assert clocks.offset("b") == START + 30 * MS


def test_each_start_of_the_machine_has_a_clock_of_its_own() -> None:
    clocks = Clocks()
    heard(clocks, 10 * SECOND, MS, boot="old")
    heard(clocks, 20 * SECOND, MS, boot="new", booted=15 * SECOND)
    assert clocks.offset("old") == START + MS
    assert clocks.offset("new") == START + 15 * SECOND + MS
    assert clocks.offset("never heard") is None
    assert clocks.skew("never heard") is None


def test_when_our_own_clock_is_set_what_was_measured_with_it_goes() -> None:
    clocks = Clocks()
    heard(clocks, 0, MS)
    clocks.hear(Stamp("b", SECOND, START + SECOND), Now(START + 60 * SECOND + SECOND + 5 * MS, SECOND + 5 * MS))
    assert clocks.offset("b") == START + 60 * SECOND + 5 * MS


@given(st.lists(st.tuples(st.integers(0, 3600), st.integers(0, 5000)), min_size=1, max_size=40))
def test_no_result_is_ever_later_than_its_receipt(requests: list[tuple[int, int]]) -> None:
    clocks = Clocks()
    for at, delay in sorted(requests):
        heard(clocks, at * SECOND, delay * MS)
        offset = clocks.offset("b")
        assert offset is not None
        assert at * SECOND + offset <= START + at * SECOND + delay * MS
        assert offset >= START, "nor earlier than it was sent"
