"""Gaps in our sight of real routers: no false alarm, nothing told twice, and a state that equals the routers' own."""

import random
from collections.abc import Iterator

import pytest

from lab.daemons import bird
from tests import needs
from tests.prove import redump, tables
from tests.prove.gaps import GAPS, Mode, cycle
from tests.prove.labs import WatchedLab, watched_lab
from tests.rig import eventually

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def module_lab() -> Iterator[WatchedLab]:
    needs.root()
    for program, package in (("bird", "bird2"), ("gobgpd", "gobgpd"), ("bgpd", "frr"), ("haproxy", "haproxy")):
        needs.tool(program, package)
    with watched_lab("trsync") as watched:
        yield watched


@pytest.fixture
def watched(module_lab: WatchedLab) -> WatchedLab:
    """The lab, healthy and all in sight."""
    module_lab.healthy()
    module_lab.resynced()
    return module_lab


@pytest.mark.parametrize("gap", list(GAPS))
def test_what_was_withdrawn_in_a_gap_is_said_with_both_ends_and_nothing_else_is(watched: WatchedLab, gap: str) -> None:
    assert cycle(watched, gap, Mode.DURING, random.Random(gap)).wrong == []


@pytest.mark.parametrize("gap", ["bmp-reset", "catchment-killed"])
def test_a_gap_in_which_nothing_happened_is_no_event(watched: WatchedLab, gap: str) -> None:
    assert cycle(watched, gap, Mode.NOTHING, random.Random(gap)).wrong == []


def test_what_was_told_before_a_restart_is_not_told_again(watched: WatchedLab) -> None:
    assert cycle(watched, "catchment-stopped", Mode.BEFORE, random.Random(1)).wrong == []


def test_a_full_re_dump_is_no_event(watched: WatchedLab) -> None:
    found = redump.redump(watched)
    assert found["routes"] >= redump.LEAST
    assert (found["texts"], found["notifications"]) == ([], 0)


def test_a_withdrawal_and_the_same_announcement_are_two_events(watched: WatchedLab) -> None:
    assert redump.pair(watched, random.Random(1))["said"] == ["withdrawn", "announced"]


def test_the_comparison_with_the_routers_sees_a_route_that_is_gone(watched: WatchedLab) -> None:
    held = tables.theirs(watched.lab)
    assert tables.ours(watched.rig.client) == held
    bird.ask(watched.lab, "weu-nva1", "disable svc_web")
    try:
        eventually(lambda: tables.theirs(watched.lab) != held, 10, what="the route to go")
        eventually(lambda: tables.ours(watched.rig.client) != held, 10, what="us to know it")
        assert held.keys() - tables.ours(watched.rig.client).keys() == {("gobgp/weu-nva1", "10.250.0.10/32")}
    finally:
        bird.ask(watched.lab, "weu-nva1", "enable svc_web")
