"""Losses in a row, by the times of sending: the order in which they are known changes nothing."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.probing.controls import Control, Life
from analyzers.probing.track import NEVER, Track
from anycast.probe import Outcome, Probe, ProbeResult, Target, TargetKind
from tests.analyzers.network import START


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_loss_that_is_known_after_a_later_answer_is_none_in_a_row() -> None:
    track = Track()
    track.good(at(2))
    assert not track.bad(at(1), "silent")
    assert track.lost == 0
    assert track.bad(at(3), "silent")
    assert (track.lost, track.lost_since) == (1, at(3))
    track.good(at(4))
    assert track.lost == 0


def test_an_answer_between_losses_leaves_those_after_it() -> None:
    track = Track()
    for second in (1, 2, 3):
        track.bad(at(second), "silent")
    track.good(at(2.5))
    assert (track.lost, track.lost_since, track.lost_last) == (1, at(3), at(3))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30, unique_by=lambda pair: pair[0]), st.randoms()
)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_whatever_comes_losing_means_that_the_last_probe_was_lost(
    probes: list[tuple[int, bool]], random: object
) -> None:
    mixed, ordered = list(probes), sorted(probes)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    track, straight = Track(), Track()
    for probes_in, one in ((mixed, track), (ordered, straight)):
        for second, good in probes_in:
            if good:
                one.good(at(second))
            else:
                one.bad(at(second), "silent")
    assert track.ok_at == straight.ok_at
    assert bool(track.lost) == bool(straight.lost) == bool(ordered and not ordered[-1][1])
    if track.lost:
        assert track.lost_last == straight.lost_last
        assert track.lost_since > track.ok_at


def result(probe: Probe, outcome: Outcome, second: float) -> ProbeResult:
    return ProbeResult(at(second), probe, "app", outcome)


def test_an_application_is_judged_by_what_its_users_do_and_not_by_its_machines_echo() -> None:
    control = Control("ams", Target("app", TargetKind.APPLICATION, region="weu"))
    for second in range(4):
        control.apply([result(Probe.ICMP, Outcome.ANSWERED, second), result(Probe.HTTP, Outcome.REFUSED, second)])
    assert control.life(at(0)) is Life.DEAD
    assert control.silent_since() == at(0)
    control.apply([result(Probe.HTTP, Outcome.ANSWERED, 4)])
    assert control.life(at(4)) is Life.ALIVE
    assert control.life(at(5)) is Life.UNKNOWN
    assert [alive for _, alive in control.turns] == [False, True]


def test_of_an_nva_any_answer_will_do_and_of_a_control_never_heard_nothing_is_known() -> None:
    control = Control("ams", Target("nva", TargetKind.NVA, region="weu", nva="weu-nva1"))
    assert control.life(NEVER) is Life.UNKNOWN
    control.apply([result(Probe.TCP, Outcome.REFUSED, 1)])
    assert control.life(at(1)) is Life.ALIVE
    control.apply([result(Probe.ICMP, Outcome.SILENT, 2)])
    assert control.life(at(2)) is Life.UNKNOWN  # TCP was not asked since
    control.apply([result(Probe.TCP, Outcome.SILENT, 2)])
    assert control.life(at(2)) is Life.DEAD


def test_errors_are_somebodys_answer_and_prove_nothing() -> None:
    control = Control("ams", Target("app", TargetKind.APPLICATION, region="weu"))
    for second in range(5):
        control.apply([result(Probe.HTTP, Outcome.BROKEN, second)])
    assert control.life(at(0)) is Life.UNKNOWN
    assert control.heard_at == at(4)
