"""A loop that lags taints what was under way, and nothing else; a clock that is set changes no round trip."""

from hypothesis import given
from hypothesis import strategies as st

from anycast.probe import Outcome, Probe
from collector.probe.agent.clock import Clock, round_trip
from collector.probe.agent.lag import WINDOW, Lag
from collector.probe.taken import Taken

LIMIT = 20_000_000


def taken(mono: int) -> Taken:
    return Taken(mono, 0, Probe.ICMP, "svc", Outcome.ANSWERED)


def test_results_leave_at_the_end_of_their_window_unmarked_while_the_loop_keeps_up() -> None:
    out: list[Taken] = []
    lag = Lag(LIMIT, out.append, 0)
    lag.take(taken(10))
    assert out == []
    lag.tick(WINDOW + LIMIT)
    assert [one.tainted for one in out] == [False]
    assert lag.report(WINDOW + LIMIT) == (LIMIT, 0.0)


def test_what_was_sent_before_the_end_of_a_stall_is_tainted_and_what_is_sent_after_it_is_not() -> None:
    out: list[Taken] = []
    lag = Lag(LIMIT, out.append, 0)
    stalled_until = WINDOW + 300_000_000
    lag.take(taken(10))
    lag.take(taken(stalled_until - 1))
    lag.tick(stalled_until)
    lag.take(taken(stalled_until - 5))
    lag.take(taken(stalled_until + 5))
    lag.tick(lag.due)
    assert [one.tainted for one in out] == [True, True, True, False]


def test_the_tainted_part_and_the_lag_are_told_once() -> None:
    lag = Lag(LIMIT, lambda one: None, 0)
    now = 0
    for _ in range(8):
        now = lag.due
        lag.tick(now)
    now = lag.due + 200_000_000
    lag.tick(now)
    percentile, part = lag.report(now)
    assert percentile == 200_000_000
    assert 0.25 < part < 0.35
    assert lag.report(now + WINDOW) == (0, 0.0)


def test_a_step_of_the_wall_clock_changes_no_round_trip() -> None:
    assert round_trip(1_000, 5_000, 100_000, 99_000) == 3_000
    forward, back = 100_000 + 3_600 * 10**9, 100_000 - 3_600 * 10**9
    assert round_trip(1_000, 5_000, forward, 99_000) == 4_000
    assert round_trip(1_000, 5_000, back, 99_000) == 4_000
    assert round_trip(1_000, 5_000, 100_000, 0) == 4_000


@given(*[st.integers(0, 2**62)] * 4)
def test_no_round_trip_is_below_nothing_or_longer_than_what_passed(sent: int, took: int, wall: int, stamp: int) -> None:
    assert 0 <= round_trip(sent, sent + took, wall, stamp) <= took


def test_the_offset_of_the_clocks_moves_with_the_wall_clock_alone() -> None:
    wall = [10**18]
    clock = Clock(lambda: 5_000, lambda: wall[0])
    before = clock.offset
    wall[0] += 250_000_000
    assert clock.offset - before == 250_000_000
