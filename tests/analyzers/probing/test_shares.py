"""Shares of regions: Wilson's interval, shifts that are there, and luck that is none."""

from datetime import timedelta
from random import Random

import pytest

from analyzers.probing.shares import Moved, Shares, apart, wilson
from tests.analyzers.network import START


def fill(
    shares: Shares, seconds: float, part: float, random: Random, start: float = 0.0, lost: float = 0.0
) -> list[Moved]:
    found = []
    for turn in range(int(seconds * 5)):
        at = START + timedelta(seconds=start + turn / 5)
        region = "weu" if random.random() < part else "eus"
        moved = shares.count(at, None if random.random() < lost else region)
        found += [moved] if moved is not None else []
    return found


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (300, 600, 0.4601, 0.5399)],
)
def test_the_interval_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    share = wilson(part, whole)
    assert share.value == part / whole
    assert share.low == pytest.approx(low, abs=1e-4)
    assert share.high == pytest.approx(high, abs=1e-4)


def test_without_samples_everything_is_possible() -> None:
    share = wilson(0, 0)
    assert (share.low, share.high, share.samples) == (0.0, 1.0, 0)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    random, held = Random(4), 0
    for _ in range(400):
        shares = Shares()
        fill(shares, 120, 0.7, random)
        sent, _, answers, _ = shares.since(START)
        share = wilson(answers["weu"], sent)
        held += share.low <= 0.7 <= share.high
    assert 0.92 <= held / 400 <= 0.98


def test_six_hundred_samples_are_within_two_percent_as_often_as_chance_lets_them() -> None:
    random, near = Random(5), 0
    for _ in range(400):
        shares = Shares()
        fill(shares, 120, 0.5, random)
        sent, _, answers, span = shares.since(START)
        assert (sent, span) == (600, 120)
        near += abs(answers["weu"] / sent - 0.5) <= 0.02
    assert near / 400 == pytest.approx(0.673, abs=0.07)  # one standard deviation is 2.04 %


def test_a_share_that_moves_by_half_is_a_shift_and_one_that_does_not_is_none() -> None:
    for seed in range(20):
        random, shares = Random(seed), Shares()
        assert fill(shares, 600, 0.6, random) == []
        moved = fill(shares, 60, 0.1, random, start=600)
        assert moved
        assert abs(moved[0].at - START - timedelta(seconds=600)) <= timedelta(seconds=10)


def test_a_region_that_dies_gives_its_share_to_nobody() -> None:
    random, shares = Random(3), Shares()
    fill(shares, 120, 0.5, random)
    for turn in range(300):
        region = None if random.random() < 0.5 else "eus"
        assert shares.count(START + timedelta(seconds=120 + turn / 5), region) is None


def test_losses_that_come_late_are_counted_where_they_belong() -> None:
    shares = Shares()
    shares.count(START, "weu")
    shares.count(START + timedelta(seconds=5), "weu")
    shares.count(START + timedelta(seconds=4.9), None)
    assert [(slot.sent, slot.lost) for slot in shares.slots] == [(2, 1), (1, 0)]


def test_memory_is_bounded_in_time_and_regions() -> None:
    shares = Shares()
    for turn in range(20_000):
        shares.count(START + timedelta(seconds=turn), f"region-{turn % 500}")
    for turn in range(500):
        shares.count(START + timedelta(seconds=20_000), f"region-{turn}")
    assert len(shares.slots) == 120
    assert max(len(slot.regions) for slot in shares.slots) <= 32


def test_shares_are_restored_as_they_were() -> None:
    shares, again = Shares(), Shares()
    fill(shares, 60, 0.4, Random(1), lost=0.1)
    again.restore(shares.plain())
    assert again.plain() == shares.plain()
    assert again.since(START) == shares.since(START)


def test_the_two_proportion_test_is_signed_and_silent_without_samples() -> None:
    assert apart(0, 0, 5, 10) == apart(5, 5, 5, 5) == 0.0
    assert apart(10, 100, 50, 100) == pytest.approx(6.17, abs=0.01)
    assert apart(50, 100, 10, 100) < 0
