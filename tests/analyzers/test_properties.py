"""What must hold of the fold for any history: order across routers, replay, duplicates, restarts."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.judge import judge
from analyzers.memory import restore, snapshot
from analyzers.view import View
from anycast.change import Change
from anycast.observation import (
    Announced,
    DownReason,
    FeedLost,
    FeedOpened,
    LostReason,
    Observation,
    SessionDown,
    SessionUp,
    Source,
    TableComplete,
    Withdrawn,
)
from anycast.prefix import Family, Prefix
from tests.analyzers.network import (
    ROUTERS,
    START,
    VDI,
    WEB,
    best_source,
    intent,
    looks,
    msee_source,
    nva_source,
    rs_source,
)

T = TypeVar("T")
INTENT = intent()
SOURCES: tuple[Source, ...] = (
    nva_source("weu-nva1"),
    rs_source("weu-rs0"),
    best_source("ams"),
    msee_source("ams", "weu-msee1"),
    msee_source("ams", "eus-msee1"),
    msee_source("nyc", "weu-msee1"),
)
LOOKS = (
    looks(65010, hop="10.10.1.4"),
    looks(65010, 65010, hop="10.10.1.4"),
    looks(12076, hop="172.16.0.1", marks=["12076:51002"]),
    looks(64666, hop="172.31.0.8"),
)
PREFIXES: tuple[Prefix, ...] = (WEB, VDI)


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Some minutes of anything, in the order of arrival."""
    at = START
    seen: list[Observation] = [FeedOpened(START, router) for router in ROUTERS]
    for _ in range(draw(st.integers(0, 40))):
        at += timedelta(milliseconds=draw(st.sampled_from((1, 50, 900, 4000, 5000, 7000, 61000))))
        seen.append(draw(observations(at)))
    return seen


@st.composite
def observations(draw: st.DrawFn, at: datetime) -> Observation:
    source = draw(st.sampled_from(SOURCES))
    router = source.session.router
    prefix, attributes = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(LOOKS))
    reason = draw(st.sampled_from((DownReason.REMOTE_CLOSED, DownReason.DECONFIGURED, DownReason.LOCAL_FSM)))
    choices: tuple[Observation, ...] = (
        Announced(at, source, prefix, attributes),
        Announced(at, source, prefix, attributes),
        Withdrawn(at, source, prefix),
        SessionUp(at, source.session),
        SessionDown(at, source.session, reason),
        TableComplete(at, source, Family.IPV4),
        FeedLost(at, router, LostReason.RESET),
        FeedOpened(at, router),
    )
    return draw(st.sampled_from(choices))


def fold(history: list[Observation]) -> tuple[View, list[Change]]:
    view = View(INTENT)
    return view, [change for observation in history for change in view.apply(observation)]


def end(history: list[Observation]) -> datetime:
    return history[-1].at + timedelta(seconds=3)


def of_router(history: list[Observation], router: str) -> list[Observation]:
    def whose(seen: Observation) -> str:
        match seen:
            case Announced() | Withdrawn() | TableComplete():
                return seen.source.session.router
            case SessionUp() | SessionDown():
                return seen.session.router
            case FeedOpened() | FeedLost():
                return seen.router
        raise AssertionError(seen)

    return [seen for seen in history if whose(seen) == router]


def ordered(changes: list[Change]) -> list[tuple[str, ...]]:
    return sorted(tuple(map(str, (c.at, c.source, c.prefix, c.kind, c.cause, c.after, c.not_before))) for c in changes)


@given(histories())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_the_order_across_routers_changes_nothing(history: list[Observation]) -> None:
    mixed, changes = fold(history)
    apart, others = fold([seen for router in reversed(ROUTERS) for seen in of_router(history, router)])
    changes += mixed.tick(end(history))
    others += apart.tick(end(history))
    assert snapshot(mixed) == snapshot(apart)
    assert ordered(changes) == ordered(others)
    assert set(judge(mixed, INTENT, end(history))) == set(judge(apart, INTENT, end(history)))


@given(histories(), st.sampled_from((0.2, 1.0, 7.0)))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_judging_at_the_end_equals_judging_all_along(history: list[Observation], every: float) -> None:
    at_once, changes = fold(history)
    changes += at_once.tick(end(history))
    along, now = View(INTENT), START
    others: list[Change] = []
    for observation in history:
        while now < observation.at:
            others += along.tick(now)
            judge(along, INTENT, now)
            now += max(timedelta(seconds=every), (observation.at - now) / 20)
        others += along.apply(observation)
    others += along.tick(end(history))
    assert snapshot(at_once) == snapshot(along)
    assert ordered(changes) == ordered(others)
    assert judge(at_once, INTENT, end(history)) == judge(along, INTENT, end(history))


@given(histories())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_an_observation_that_comes_twice_is_one(history: list[Observation]) -> None:
    once, changes = fold(history)
    twice, others = fold([seen for observation in history for seen in (observation, replace(observation))])
    assert ordered(changes) == ordered(others)
    assert snapshot(once) == snapshot(twice)


@given(histories())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_a_snapshot_restores_to_what_a_loss_of_every_feed_would_leave(history: list[Observation]) -> None:
    view, _ = fold(history)
    view.tick(end(history))
    restored = restore(INTENT, snapshot(view), end(history))
    for router in ROUTERS:
        if view.feed(router).open:
            view.apply(FeedLost(end(history), router, LostReason.STOPPED, "Catchment stopped"))
    assert snapshot(restored) == snapshot(view)


@given(histories())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_changes_of_a_route_take_turns_as_announced_and_withdrawn(history: list[Observation]) -> None:
    _, changes = fold(history)
    there: dict[object, object] = {}
    for change in changes:
        key = (change.source, change.prefix, change.path_id)
        assert there.get(key) == change.before
        assert change.before != change.after
        there[key] = change.after


@given(histories())
@settings(derandomize=True, max_examples=60, deadline=None)
def test_with_every_feed_lost_only_blindness_is_judged_and_flaps_that_were_seen(history: list[Observation]) -> None:
    view, _ = fold(history)
    for router in ROUTERS:
        view.apply(FeedLost(end(history), router, LostReason.RESET))
    assert {f.kind for f in judge(view, INTENT, end(history))} <= {"blind", "flapping"}
    assert sum(f.kind == "blind" for f in judge(view, INTENT, end(history))) == len(ROUTERS)
