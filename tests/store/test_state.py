"""The state of any prefix at any time, against a model that simulates everything one after the other."""

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anycast.change import Presence
from anycast.columns import Phase, SessionEvent
from anycast.prefix import Prefix, parse_prefix
from store.answers import RIBS, Held
from store.journal import Journal
from store.reader import Reader
from store.schema import Submission
from store.seal import seal
from tests.store.made import NOON, at, attributes, batch, event, route
from tests.store.model import Answer, Happening, simulate

PREFIXES = ("10.250.0.10/32", "10.250.0.0/16")
ROUTERS = ("edge", "gobgp")

_sessions = st.fixed_dictionaries({"router": st.sampled_from(ROUTERS), "peer": st.sampled_from([1, 2])})
_routes = st.builds(
    Happening,
    at=st.just(0.0),
    router=st.sampled_from(ROUTERS),
    peer=st.sampled_from([1, 2]),
    prefix=st.sampled_from(PREFIXES),
    path_id=st.sampled_from([0, 0, 0, 7]),
    rib=st.sampled_from([0, 0, 0, 2]),
    attributes=st.sampled_from([0, 1, 1, 1, 2]),
    phase=st.sampled_from([Phase.DUMP, Phase.DUMP, Phase.LIVE]),
)
_peers = st.builds(
    Happening,
    at=st.just(0.0),
    router=st.sampled_from(ROUTERS),
    peer=st.sampled_from([1, 2]),
    event=st.sampled_from([SessionEvent.PEER_UP, SessionEvent.PEER_UP, SessionEvent.PEER_DOWN]),
    deconfigured=st.booleans(),
)
_feeds = st.builds(
    Happening,
    at=st.just(0.0),
    router=st.sampled_from(ROUTERS),
    peer=st.just(0),
    event=st.sampled_from([SessionEvent.FEED_OPENED, SessionEvent.FEED_LOST]),
)
_breaks = st.sampled_from([SessionEvent.FEED_LOST, SessionEvent.FEED_OPENED, SessionEvent.PEER_DOWN])


@st.composite
def _reconnects(draw: st.DrawFn) -> list[Happening]:
    """A route is dumped; then a break, perhaps a Peer Up, and perhaps the same dump again."""
    route = replace(draw(_routes), attributes=1, phase=Phase.DUMP)
    peer = Happening(0, route.router, route.peer, SessionEvent.PEER_UP)
    kind = draw(_breaks)
    broken = replace(peer, event=kind, peer=route.peer if kind is SessionEvent.PEER_DOWN else 0)
    wanted = draw(st.tuples(st.just(True), st.just(True), st.booleans(), st.booleans()))
    return [what for what, is_wanted in zip((route, broken, peer, route), wanted, strict=True) if is_wanted]


_steps = st.sampled_from([0.5, 1.0, 1.0, 3.0, 5.0, 6.0, 40.0, 3600.0])


@st.composite
def _histories(draw: st.DrawFn, begun: bool = True) -> list[list[Happening]]:
    """What happened, in time, cut into submissions; `begun` with a Peer Up that names each session."""
    sessions = [(router, peer) for router in ROUTERS for peer in draw(st.permutations([1, 2]))] if begun else []
    single = st.one_of(_routes, _routes, _routes, _routes, _peers, _feeds).map(lambda what: [what])
    drawn = draw(st.lists(st.one_of(single, single, single, _reconnects()), min_size=1, max_size=30))
    now, happenings = 0.0, []
    for what in [
        *(Happening(0, *session, SessionEvent.PEER_UP) for session in sessions),
        *(what for several in drawn for what in several),
    ]:
        now += draw(_steps)
        happenings.append(replace(what, at=now))
    cuts = sorted(draw(st.sets(st.integers(1, len(happenings)), max_size=12)) | {0, len(happenings)})
    return [happenings[start:end] for start, end in pairwise(cuts)]


class _Writer:
    """Journals happenings; gives a session a new id at each Peer Up if asked to."""

    def __init__(self, journal: Journal, fresh_ids: bool) -> None:
        self.journal, self.fresh_ids = journal, fresh_ids
        self.ids: dict[tuple[str, int], int] = {}

    def write(self, group: list[Happening]) -> None:
        """One submission: rows of each table in order, tables apart, as the collector hands them over."""
        sessions, routes = [], []
        for what in group:
            if what.event is None:
                number = self.ids[what.router, what.peer]
                routes.append(
                    route(
                        what.at,
                        what.prefix,
                        what.attributes,
                        session=number,
                        rib=what.rib,
                        path_id=what.path_id,
                        phase=what.phase,
                    )
                )
            else:
                sessions.append(self._event(what, what.event))
        tables: Submission = [("attributes", attributes(1, 2))]
        if sessions:
            tables = [*tables, ("sessions", batch("sessions", *sessions))]
        if routes:
            tables = [*tables, ("routes", batch("routes", *routes))]
        self.journal.append([tables], at(group[-1].at))
        self.journal.commit()

    def _event(self, what: Happening, kind: SessionEvent) -> tuple[object, ...]:
        key = what.router, what.peer
        if what.peer and (key not in self.ids or (self.fresh_ids and kind is SessionEvent.PEER_UP)):
            self.ids[key] = len(self.ids) + 1 if key not in self.ids else max(self.ids.values()) + 1
        detail = '{"reason": "deconfigured"}' if what.deconfigured else "{}"
        return event(what.at, kind, self.ids.get(key, 0), router=what.router, peer=what.peer, detail=detail)


def _answer(held: tuple[Held, ...]) -> Answer:
    return {
        (
            item.source.session.router,
            int(str(item.source.session.peer).rpartition(".")[2]),
            RIBS.index(item.source.rib),
            item.path_id,
            item.presence,
            None if item.since is None else (item.since - NOON).total_seconds(),
            0 if item.attributes is None else item.attributes.id,
        )
        for item in held
    }


_Route = tuple[str, int, int, int, int]
"""Router, peer, RIB view, path id, attributes."""


def _present(answer: Answer) -> set[_Route]:
    return {(*row[:4], row[6]) for row in answer if row[4] is Presence.PRESENT}


def _shown(answer: Answer) -> set[_Route]:
    return {(*row[:4], row[6]) for row in answer if row[6]}


def _replayed(reader: Reader, prefix: str, moment: float) -> set[_Route]:
    """What is there when all that happened to a prefix is taken together: what is unknown stays as it was."""
    held: dict[tuple[str, int, int, int], int] = {}
    for turn in reader.history(_prefix(prefix), NOON, at(moment + 0.000001)).rows:
        session = turn.source.session
        peer = int(str(session.peer).rpartition(".")[2])
        key = session.router, peer, RIBS.index(turn.source.rib), turn.path_id
        assert held.pop(key, 0) == (turn.before.id if turn.before else 0)
        if turn.after:
            held[key] = turn.after.id
    return {(*key, number) for key, number in held.items()}


def _prefix(text: str) -> Prefix:
    return parse_prefix(text)


_gate = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
_hunt = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
_runs = (_histories(), st.booleans(), st.sets(st.integers(0, 12)), st.lists(st.floats(-1, 12), min_size=2, max_size=4))


@_gate
@given(*_runs)
def test_the_state_at_any_time_is_that_of_the_model_sealed_or_not(
    groups: list[list[Happening]], fresh_ids: bool, sealings: set[int], delays: list[float]
) -> None:
    _check_state(groups, fresh_ids, sealings, delays)


@pytest.mark.hunt
@pytest.mark.timeout(1800)
@_hunt
@given(*_runs)
def test_the_state_at_any_time_is_that_of_the_model_in_many_histories(
    groups: list[list[Happening]], fresh_ids: bool, sealings: set[int], delays: list[float]
) -> None:
    _check_state(groups, fresh_ids, sealings, delays)


def _check_state(groups: list[list[Happening]], fresh_ids: bool, sealings: set[int], delays: list[float]) -> None:
    everything = [what for group in groups for what in group]
    moments = [everything[-1].at + 10, *(everything[(7 * i) % len(everything)].at + d for i, d in enumerate(delays))]
    with TemporaryDirectory() as name:
        journal = Journal(Path(name), segment_size=1)
        writer = _Writer(journal, fresh_ids)
        for index, group in enumerate(groups):
            writer.write(group)
            if index in sealings:
                seal(Path(name), at(group[-1].at))
        reader = Reader(Path(name))
        for moment in moments:
            for prefix in PREFIXES:
                found = _answer(reader.state(_prefix(prefix), at(moment)).rows)
                assert found == simulate(everything, moment, prefix), (moment, prefix)
                assert _present(found) <= _replayed(reader, prefix, moment) <= _shown(found), (moment, prefix)
        journal.close()


@_gate
@given(_histories(), _histories(begun=False))
def test_a_day_answers_for_itself_when_the_day_before_it_is_deleted(
    first: list[list[Happening]], second: list[list[Happening]]
) -> None:
    _check_day(first, second)


@pytest.mark.hunt
@pytest.mark.timeout(1800)
@_hunt
@given(_histories(), _histories(begun=False))
def test_a_day_answers_for_itself_in_many_histories(
    first: list[list[Happening]], second: list[list[Happening]]
) -> None:
    _check_day(first, second)


def _check_day(first: list[list[Happening]], second: list[list[Happening]]) -> None:
    midnight, last = 12 * 3600.0, first[-1][-1].at
    yesterday = [replace(what, at=midnight - 0.5 - (last - what.at) / 10) for group in first for what in group]
    today = [replace(what, at=midnight + what.at / 4) for group in second for what in group]
    with TemporaryDirectory() as name:
        journal = Journal(Path(name), segment_size=1)
        writer = _Writer(journal, fresh_ids=False)
        for group in (yesterday, today):
            journal.rotate(at(group[0].at))
            seal(Path(name), at(group[0].at))
            writer.write(group)
        moments = [midnight, midnight + 2, today[-1].at + 10, *(what.at + 1 for what in today[::9])]
        reader = Reader(Path(name))
        before = [reader.state(_prefix(prefix), at(moment)) for moment in moments for prefix in PREFIXES]
        shutil.rmtree(Path(name) / "sealed" / NOON.date().isoformat())
        after = [reader.state(_prefix(prefix), at(moment)) for moment in moments for prefix in PREFIXES]
        assert after == before
        wanted = [simulate([*yesterday, *today], moment, prefix) for moment in moments for prefix in PREFIXES]
        assert [_answer(page.rows) for page in after] == wanted
        journal.close()
