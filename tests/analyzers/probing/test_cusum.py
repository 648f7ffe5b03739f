"""The charts of a leg: how soon they cross, against the table of measuring-anycast.md 2.5, and what never crosses."""

from datetime import timedelta
from random import Random
from statistics import mean

import pytest

from analyzers.probing.cusum import CALM, GREY_ANSWER, GREY_LOSS, SPAN, Chart, H
from tests.analyzers.network import START

FAST, GREY = "fast", "grey"


def outcomes_until(chart: str, part: float, random: Random, most: int = 60_000) -> int:
    """Outcomes until one sum stands at 13.8; each in a half second of its own, so that nothing is taken for a burst."""
    leg, at = Chart(), START
    for count in range(1, most):
        at += timedelta(seconds=0.5)
        if random.random() < part:
            leg.lose(at, count % 8)
        elif leg.hot:
            leg.answer(at)
        if getattr(leg, chart) >= H:
            return count
    return most


@pytest.mark.parametrize(
    ("chart", "part", "expected"),
    [
        (FAST, 1.0, 3.0),
        (FAST, 0.5, 7.8),
        (FAST, 0.2, 31),
        (FAST, 0.1, 162),
        (GREY, 1.0, 5.0),
        (GREY, 0.5, 10),
        (GREY, 0.2, 29),
        (GREY, 0.1, 67),
        (GREY, 0.05, 212),
    ],
)
def test_the_sums_grow_as_the_table_says(chart: str, part: float, expected: float) -> None:
    random = Random(11)
    took = mean(outcomes_until(chart, part, random) for _ in range(400))
    assert took == pytest.approx(expected, rel=0.15)


def leg(part: float, seconds: float, seed: int, flows: int = 16) -> tuple[Chart, float | None]:
    """A leg whose flows are asked twice a second each; return its chart, and when it crossed."""
    random, chart = Random(seed), Chart()
    chart.members = flows
    for turn in range(int(seconds * 2 * flows)):
        at = START + timedelta(seconds=turn / (2 * flows))
        if random.random() < part:
            chart.lose(at, turn % flows)
        elif chart.hot:
            chart.answer(at)
        if chart.crossed is not None:
            return chart, (chart.crossed - START).total_seconds()
    return chart, None


@pytest.mark.parametrize(("part", "limit"), [(0.5, 3.0), (0.2, 4.0), (0.1, 8.0), (0.05, 22.0)])
def test_a_leg_that_loses_is_found_in_time(part: float, limit: float) -> None:
    took = sorted(at if at is not None else 1e9 for at in (leg(part, 600, seed)[1] for seed in range(100)))
    assert took[94] <= limit


def test_an_hour_of_a_thousandth_crosses_nothing() -> None:
    assert [leg(0.001, 3600, seed)[1] for seed in range(12)] == [None] * 12


def test_a_third_of_a_second_without_anything_crosses_nothing() -> None:
    for seed in range(50):
        random, chart = Random(seed), Chart()
        chart.members = 16
        for turn in range(32 * 60):
            at = START + timedelta(seconds=turn / 32)
            burst = 320 <= turn < 330
            if burst or random.random() < 0.001:
                chart.lose(at, turn % 16)
            elif chart.hot:
                chart.answer(at)
            assert chart.crossed is None


def test_one_flow_that_loses_everything_is_no_leg() -> None:
    chart = Chart()
    chart.members = 8
    for turn in range(800):
        at = START + timedelta(seconds=turn / 16)
        if turn % 8 == 3:
            chart.lose(at, 3)
        else:
            chart.answer(at)
    assert chart.grey >= H
    assert chart.crossed is None


@pytest.mark.parametrize("part", [0.3, 0.05])
def test_an_episode_is_over_when_its_silence_can_be_no_luck(part: float) -> None:
    chart, crossed = leg(part, 60, 1)
    assert crossed is not None
    assert chart.last is not None
    at, answers = chart.last, 0
    while chart.crossed is not None:
        at, answers = at + timedelta(seconds=1 / 32), answers + 1
        chart.answer(at)
        assert at - chart.last < timedelta(seconds=10)
    assert at - chart.last >= CALM
    assert (1 - chart.until) ** answers <= 1e-4
    assert not chart.hot


def test_a_chart_is_restored_as_it_was() -> None:
    chart, _ = leg(0.3, 3, 2)
    again = Chart.restored(chart.plain())
    assert again.plain() == chart.plain()
    assert (again.since, again.last, again.crossed) == (chart.since, chart.last, chart.crossed)


def test_the_steps_are_those_of_the_likelihood_ratio() -> None:
    assert pytest.approx(2.9957, abs=1e-4) == GREY_LOSS
    assert pytest.approx(-0.1003, abs=1e-4) == GREY_ANSWER
    assert timedelta(seconds=2) == SPAN
