"""The state of routes at one time, from the last row of each and how their sessions stood. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anycast.change import Presence
from anycast.observation import Session, Source
from anycast.prefix import Prefix
from store.answers import RIBS, Blob, Held
from store.schema import moment
from store.standing import Order, Standings, complete, presence, unsaid

Sources = Mapping[tuple[Session, int], Sequence[tuple[int, int]]]
"""(session, RIB view) to (first, last) times of dump rows, nanoseconds, in order."""


class Row(NamedTuple):
    """The last row of a route under one session id."""

    row: int
    at: int
    session: int
    rib: int
    prefix: Prefix
    path_id: int
    action: int
    attributes: int


@dataclass(frozen=True, slots=True)
class Found:
    """A `Held` whose attributes are still an id."""

    source: Source
    prefix: Prefix
    path_id: int
    presence: Presence
    since: int | None
    attributes: int

    def held(self, blobs: Mapping[int, Blob]) -> Held:
        """Put the attributes in."""
        since = None if self.since is None else moment(self.since)
        return Held(self.source, self.prefix, self.path_id, self.presence, since, blobs.get(self.attributes))


def state_of(
    rows: Sequence[Row], state: Standings, sources: Sources, at: int, quiet: int, every: Prefix | None = None
) -> list[Found]:
    """Judge the routes of `rows`, which come in order.

    Without `every` only what is present is returned; with it (and then all rows are of that prefix) also what is
    unknown, and one answer for each source that has nothing of the prefix.
    """
    last: dict[tuple[Session, int, Prefix, int], Row] = {}
    for row in rows:
        last[state.name(row.session), row.rib, row.prefix, row.path_id] = row
    found = [
        Found(Source(session, RIBS[rib]), prefix, path_id, judged, row.at, row.attributes)
        for (session, rib, prefix, path_id), row in last.items()
        if (judged := _judge(state, sources, session, row, at, quiet)) is Presence.PRESENT
        or (every is not None and judged is Presence.UNKNOWN and row.action)
    ]
    if every is not None:
        found += _rest(found, last, state, sources, at, quiet, every)
    return sorted(found, key=lambda item: (str(item.source), str(item.prefix), item.path_id))


def _judge(state: Standings, sources: Sources, session: Session, row: Row, at: int, quiet: int) -> Presence:
    standing = state.by_session.get(session)
    done = standing is not None and complete(standing.since.at, sources.get((session, row.rib), ()), at, quiet)
    return presence(standing, done, Order.of(row.row, row.at), bool(row.action))


def _rest(
    found: Sequence[Found],
    last: Mapping[tuple[Session, int, Prefix, int], Row],
    state: Standings,
    sources: Sources,
    at: int,
    quiet: int,
    prefix: Prefix,
) -> list[Found]:
    """One answer for each source that has nothing of the prefix: absent, or unknown where nothing proves it."""
    told = {item.source for item in found}
    known = {*sources, *((session, rib) for session, rib, _, _ in last)}
    rest = []
    for session, rib in known:
        source, standing = Source(session, RIBS[rib]), state.by_session.get(session)
        if source not in told:
            rows = [row for key, row in last.items() if key[:2] == (session, rib)]
            said = {_judge(state, sources, session, row, at, quiet) for row in rows}
            which = Presence.ABSENT if Presence.ABSENT in said else Presence.UNKNOWN
            if standing is not None and which is Presence.UNKNOWN:
                which = unsaid(standing, complete(standing.since.at, sources.get((session, rib), ()), at, quiet))
            rest.append(Found(source, prefix, 0, which, None, 0))
    return rest
