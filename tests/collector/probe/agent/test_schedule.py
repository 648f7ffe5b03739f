"""When probes are due: phases that stay, nothing made up for, and the cap on all of them."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.probe.agent.bucket import SECOND, Bucket
from collector.probe.agent.schedule import Schedule, phase


@dataclass
class Counted:
    every: int
    fired: int = 0

    def fire(self) -> None:
        self.fired += 1


def fire(schedule: Schedule, now: int) -> None:
    for stream in schedule.take(now):
        stream.fire()


def test_a_stream_is_due_every_period_at_its_phase() -> None:
    schedule, stream = Schedule(), Counted(10)
    schedule.add(stream, 103)
    due = []
    for now in range(100, 150):
        before = stream.fired
        fire(schedule, now)
        due += [now] * (stream.fired - before)
    assert due == [103, 113, 123, 133, 143]
    assert schedule.missed == 0


def test_what_is_late_by_less_than_a_period_is_sent_and_keeps_its_phase() -> None:
    schedule, stream = Schedule(), Counted(10)
    schedule.add(stream, 100)
    fire(schedule, 109)
    assert (stream.fired, schedule.missed, schedule.next) == (1, 0, 110)


def test_what_is_late_by_more_than_a_period_is_left_out_and_counted() -> None:
    schedule, stream = Schedule(), Counted(10)
    schedule.add(stream, 100)
    fire(schedule, 145)
    assert (stream.fired, schedule.missed, schedule.next) == (1, 4, 150)


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=8), st.lists(st.integers(0, 120))
)
def test_whatever_the_loop_does_each_time_is_sent_or_counted(streams: list[tuple[int, int]], steps: list[int]) -> None:
    schedule, counted = Schedule(), [Counted(every) for every, _ in streams]
    for stream, (_, due) in zip(counted, streams, strict=True):
        schedule.add(stream, due)
    now = 0
    for step in steps:
        now += step
        fire(schedule, now)
    fire(schedule, now)
    meant = sum((now - due) // every + 1 for every, due in streams if due <= now)
    assert sum(stream.fired for stream in counted) + schedule.missed == meant


def test_phases_are_the_same_each_time_and_spread_over_the_period() -> None:
    phases = sorted(phase(f"london svc udp {number}", SECOND) for number in range(640))
    assert phases == sorted(phase(f"london svc udp {number}", SECOND) for number in range(640))
    gaps = [later - earlier for earlier, later in pairwise(phases)]
    assert 0 <= phases[0] < phases[-1] < SECOND
    assert max(gaps) < SECOND // 50


@given(st.floats(1, 50_000), st.lists(st.integers(0, 200_000_000), max_size=300))
def test_no_more_is_sent_than_the_cap_allows_and_a_burst(rate: float, steps: list[int]) -> None:
    bucket, now, taken = Bucket(rate, 0), 0, 0
    for step in steps:
        now += step
        taken += bucket.take(now)
    assert taken <= rate * now / SECOND + max(1.0, rate * 0.05) + 1


def test_all_that_is_under_the_cap_is_sent() -> None:
    bucket = Bucket(1000.0, 0)
    assert all(bucket.take(number * 1_000_000) for number in range(10_000))


def test_what_is_over_the_cap_is_not() -> None:
    bucket = Bucket(1000.0, 0)
    assert 10_000 <= sum(bucket.take(number * 500_000) for number in range(20_000)) <= 10_051
