"""What happened to one prefix: the true differences, of any prefix, from its rows and the events of its sessions. Pure.

The same rules as for watched prefixes: a duplicate is nothing, a re-dump after a gap of our sight shows only what it
found different, and that happened "between" the gap's beginning and the time it was seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from anycast.change import Cause, ChangeKind, Presence
from anycast.columns import SessionEvent
from anycast.observation import UNMONITORED, Session, Source
from anycast.prefix import Prefix
from store.answers import RIBS, Blob
from store.schema import moment
from store.standing import FEED_EVENTS, PEER_EVENTS, Event, Order, Standings, loaded_at
from store.state import Row, Sources


@dataclass(frozen=True, slots=True)
class Turn:
    """One true difference; `before` and `after` are attribute ids, 0 for none."""

    at: int
    kind: ChangeKind
    cause: Cause
    source: Source
    prefix: Prefix
    path_id: int
    before: int
    after: int
    not_before: int | None


@dataclass(frozen=True, slots=True)
class Happened:
    """A `Turn` with times and attributes as values: `anycast.change.Change`, with attributes still on the wire."""

    at: datetime
    kind: ChangeKind
    cause: Cause
    source: Source
    prefix: Prefix
    path_id: int
    before: Blob | None
    after: Blob | None
    not_before: datetime | None


def happened(turn: Turn, blobs: Mapping[int, Blob]) -> Happened:
    """Put times and attributes in."""
    gap = None if turn.not_before is None else moment(turn.not_before)
    before, after = blobs.get(turn.before), blobs.get(turn.after)
    return Happened(moment(turn.at), turn.kind, turn.cause, turn.source, turn.prefix, turn.path_id, before, after, gap)


def turns(
    rows: Sequence[Row], events: Sequence[Event], names: Standings, sources: Sources, end: int, quiet: int
) -> list[Turn]:
    """Return what happened up to `end`, in order of time, from all rows of the prefixes and all session events."""
    routes: dict[tuple[Session, int, Prefix, int], list[Row]] = {}
    for row in rows:
        routes.setdefault((names.name(row.session), row.rib, row.prefix, row.path_id), []).append(row)
    found: list[Turn] = []
    for (session, rib, prefix, path_id), told in routes.items():
        route = _Route(Source(session, RIBS[rib]), prefix, path_id, sources.get((session, rib), ()), quiet)
        about = [event for event in events if _concerns(event, session)]
        found += route.follow([*about, *told], end)
    return sorted(found, key=lambda turn: turn.at)


def _concerns(event: Event, session: Session) -> bool:
    if event.event in FEED_EVENTS:
        return event.router == session.router
    if event.event not in PEER_EVENTS or event.router != session.router:
        return False
    peer = "" if session.peer is None else str(session.peer)
    return (event.peer, event.peer_type, event.distinguisher) == (peer, session.peer_type, session.distinguisher)


class _Route:
    """One route on its way through time."""

    def __init__(
        self, source: Source, prefix: Prefix, path_id: int, bursts: Sequence[tuple[int, int]], quiet: int
    ) -> None:
        self._where = (source, prefix, path_id)
        self._bursts, self._quiet = bursts, quiet
        self._presence = Presence.ABSENT
        self._attributes = 0
        self._up = False
        self._seen_until: int | None = None
        """When the gap of our sight began that is not over yet."""
        self._due: int | None = None
        """When the table that is loading will be complete."""

    def follow(self, told: Sequence[Event | Row], end: int) -> Iterator[Turn]:
        ordered = sorted(told, key=lambda item: (Order.of(item.row, item.at), isinstance(item, Row), item.row))
        for item in ordered:
            yield from self._complete(item.at)
            yield from self._row(item) if isinstance(item, Row) else self._event(item)
        yield from self._complete(end)

    def _complete(self, at: int) -> Iterator[Turn]:
        """The table is complete: what was not announced again is gone, since some time in the gap."""
        if self._due is None or at < self._due:
            return
        due, self._due = self._due, None
        if self._presence is Presence.UNKNOWN:
            yield from self._turn(due, 0, Cause.RESYNC)
        self._seen_until = None

    def _row(self, row: Row) -> Iterator[Turn]:
        cause = Cause.RESYNC if self._presence is Presence.UNKNOWN or self._missed(row) else Cause.UPDATE
        yield from self._turn(row.at, row.attributes if row.action else 0, cause)

    def _missed(self, row: Row) -> bool:
        """Whether a route that was not there may have come while we could not see."""
        return self._presence is Presence.ABSENT and self._due is not None and self._seen_until is not None

    def _turn(self, at: int, after: int, cause: Cause) -> Iterator[Turn]:
        before = 0 if self._presence is Presence.ABSENT else self._attributes
        self._presence = Presence.PRESENT if after else Presence.ABSENT
        self._attributes = after
        if before != after:
            kind = ChangeKind.REPLACED if before and after else _ONE_SIDED[bool(after)]
            gap = self._seen_until if cause is Cause.RESYNC else None
            yield Turn(at, kind, cause, *self._where, before, after, gap)

    def _event(self, event: Event) -> Iterator[Turn]:
        if event.event == SessionEvent.PEER_UP:
            if not self._up:
                self._up = True
                self._due = loaded_at(event.at, self._bursts, self._quiet)
            return
        was_up, self._up, self._due = self._up, False, None
        down = event.event == SessionEvent.PEER_DOWN and event.detail.get("reason") not in UNMONITORED
        if down and self._presence is Presence.UNKNOWN:
            yield from self._turn(event.at, 0, Cause.RESYNC)
        elif down:
            yield from self._turn(event.at, 0, Cause.PEER_DOWN)
        elif was_up and self._seen_until is None:
            self._seen_until = event.at
        if down:
            self._seen_until = None
        elif self._presence is Presence.PRESENT:
            self._presence = Presence.UNKNOWN


_ONE_SIDED = {True: ChangeKind.ANNOUNCED, False: ChangeKind.WITHDRAWN}
