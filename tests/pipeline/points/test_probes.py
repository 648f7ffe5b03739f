"""Results of probes by window: counted once, in the window in which they were sent, by who proved to answer."""

from datetime import UTC, datetime, timedelta

import pytest

from anycast.point import Point
from anycast.probe import AgentReported, Identity, Outcome, Probe, ProbeResult, Proof
from pipeline.points.probes import MOST_TRIPS, WAITING, ProbeWindows
from tests.analyzers.network import intent

EVERY = 10_000_000_000
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = int(START.timestamp()) * 1_000_000_000 + EVERY
"""The end of the first window."""


def result(seconds: float, outcome: Outcome = Outcome.ANSWERED, region: str = "weu", **more: object) -> ProbeResult:
    answered = outcome is Outcome.ANSWERED
    made: dict[str, object] = {
        "rtt": 0.010 if answered else None,
        "identity": Identity(region) if answered and region else None,
        "proof": Proof.AUTHENTICATED if answered and region else Proof.NONE,
    }
    at = START + timedelta(seconds=seconds)
    return ProbeResult(at, Probe.UDP, "web", outcome, **made | more)  # type: ignore[arg-type]


def folded(*results: ProbeResult, now: int = FIRST + WAITING, all_of_them: bool = False) -> list[Point]:
    windows = ProbeWindows(EVERY)
    windows.take(AgentReported(START, "ams", "run", 1, results), intent())
    return list(windows.over(now, all_of_them))


def test_a_window_has_who_answered_how_fast_and_what_was_lost() -> None:
    trips = [0.010 + 0.001 * n for n in range(11)]
    points = folded(*(result(n / 10, rtt=trip) for n, trip in enumerate(trips)), result(5, Outcome.SILENT))
    ours, nobodys = sorted(points, key=lambda point: point.tags, reverse=True)
    assert (ours.measurement, ours.tags, ours.at) == ("probe", ("ams", "web", "weu", "udp"), FIRST)
    assert ours.fields == {
        "n": 11, "lost": 0, "min": 0.010, "median": 0.015, "p90": 0.019, "p99": pytest.approx(0.0199), "max": 0.020,
    }  # fmt: skip
    assert nobodys.tags == ("ams", "web", "-", "udp")
    assert (nobodys.fields["n"], nobodys.fields["lost"], nobodys.fields["median"]) == (1, 1, None)


@pytest.mark.parametrize(
    "odd",
    [
        result(1, tainted=True),
        result(1, Outcome.UNSENT),
        result(1, Outcome.LATE),
        ProbeResult(START, Probe.TRACE, "web", Outcome.ANSWERED),
        ProbeResult(START, Probe.UDP, "weu-nva1", Outcome.ANSWERED),
    ],
)
def test_what_says_nothing_of_a_service_is_not_counted(odd: ProbeResult) -> None:
    assert folded(odd) == []


@pytest.mark.parametrize("odd", [result(1, region="mars"), result(1, proof=Proof.NONE), result(1, Outcome.INVALID)])
def test_who_proves_to_be_none_of_ours_makes_no_series(odd: ProbeResult) -> None:
    [point] = folded(odd)
    assert point.tags == ("ams", "web", "-", "udp")


def test_each_result_is_in_the_window_in_which_it_was_sent() -> None:
    points = folded(result(9.999), result(10), result(25), now=FIRST + 3 * EVERY + WAITING)
    assert [(point.at - FIRST) // EVERY for point in points] == [0, 1, 2]


def test_a_window_waits_for_what_is_on_its_way_and_what_comes_later_is_counted() -> None:
    windows = ProbeWindows(EVERY)
    report = AgentReported(START, "ams", "run", 1, (result(1),))
    windows.take(report, intent())
    assert list(windows.over(FIRST + WAITING - 1)) == []
    assert len(list(windows.over(FIRST + WAITING))) == 1
    windows.take(report, intent())
    assert (list(windows.over(FIRST + 10 * WAITING)), windows.late) == ([], 1)


def test_one_that_stops_writes_what_it_has() -> None:
    assert [point.fields["n"] for point in folded(result(1), result(2), now=0, all_of_them=True)] == [2]


def test_memory_is_bounded_and_the_count_goes_on() -> None:
    windows = ProbeWindows(EVERY)
    many = tuple([result(1)] * 5000)
    for _ in range(MOST_TRIPS // 5000 + 2):
        windows.take(AgentReported(START, "ams", "run", 1, many), intent())
    [fold] = windows._windows[FIRST].values()
    assert len(fold.trips) == MOST_TRIPS
    assert fold.n > MOST_TRIPS
