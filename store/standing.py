"""What session events make of sight: which peers were up, which were down, and of which we could see nothing.

Pure. Events come in order of arrival. Whatever a route row says holds only as long as its session stands as it stood:
a break (feed opened or lost, peer down) ends it, and the next Peer Up begins a new epoch whose dump says all anew.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from ipaddress import ip_address
from typing import Final, NamedTuple

from anycast.change import Presence
from anycast.columns import SessionEvent
from anycast.observation import UNMONITORED, PeerType, Session
from store.schema import ROW_BITS

QUIET: Final = 5_000_000_000
"""Nanoseconds without a dump row after which a table is complete (see the design: End-of-RIB comes early, or never)."""

PEER_EVENTS: Final = (SessionEvent.PEER_UP, SessionEvent.PEER_DOWN)
FEED_EVENTS: Final = (SessionEvent.FEED_OPENED, SessionEvent.FEED_LOST)


class Event(NamedTuple):
    """One row of `sessions`."""

    row: int
    at: int
    """Nanoseconds since 1970."""
    session: int
    event: int
    router: str
    peer: str
    peer_type: int
    distinguisher: int
    rib: int
    detail_text: str
    """JSON."""

    @property
    def detail(self) -> Mapping[str, object]:
        """The detail's members; text that is no JSON object is kept under `text`."""
        try:
            found = json.loads(self.detail_text or "{}")
        except json.JSONDecodeError:
            return {"text": self.detail_text}
        return found if isinstance(found, dict) else {"text": self.detail_text}


class Order(NamedTuple):
    """Order of arrival over all tables: rows of one submission by their time, submissions by their number."""

    submission: int
    at: int

    @staticmethod
    def of(row: int, at: int) -> "Order":
        """Return the order of a row."""
        return Order(row >> ROW_BITS, at)


class Sight(Enum):
    """How a session stands, for us."""

    UP = auto()
    DOWN = auto()
    """Its router said so: its routes are gone."""
    BLIND = auto()
    """We cannot see it: its routes are unknown."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands, since when, and under which id its rows come."""

    sight: Sight
    since: Order
    session: int
    peer_event: Event
    """The Peer Up or Down that named it last."""


@dataclass
class Standings:
    """How all sessions stand after some events."""

    by_session: dict[Session, Standing] = field(default_factory=dict)
    names: dict[int, Session] = field(default_factory=dict)
    """Session id to session; several ids may name one."""
    feeds: dict[str, Event] = field(default_factory=dict)
    """Router to its last feed event."""
    _of_router: dict[str, set[Session]] = field(default_factory=dict)

    def name(self, number: int) -> Session:
        """Return the session of an id; one that no event named goes by its number."""
        return self.names.get(number) or Session(f"session {number}", None)

    def apply(self, event: Event) -> None:
        """Take one event; events must come in order of their rows."""
        if event.event in FEED_EVENTS:
            self._feed(event)
        elif event.event in PEER_EVENTS:
            self._peer(event)
        elif event.session:
            self.names.setdefault(event.session, named(event))

    def _feed(self, event: Event) -> None:
        self.feeds[event.router] = event
        for session in self._of_router.get(event.router, ()):
            standing = self.by_session[session]
            self.by_session[session] = replace(standing, sight=Sight.BLIND, since=Order.of(event.row, event.at))

    def _peer(self, event: Event) -> None:
        session = self.names[event.session] = named(event)
        self._of_router.setdefault(event.router, set()).add(session)
        before = self.by_session.get(session)
        if event.event == SessionEvent.PEER_UP:
            if before is not None and before.sight is Sight.UP:  # a second Peer Up resets nothing
                self.by_session[session] = replace(before, session=event.session)
                return
            sight = Sight.UP
        else:
            unseen = event.detail.get("reason") in UNMONITORED
            sight = Sight.BLIND if unseen else Sight.DOWN
        self.by_session[session] = Standing(sight, Order.of(event.row, event.at), event.session, event)


def named(event: Event) -> Session:
    """Return the session that an event is about."""
    peer = ip_address(event.peer) if event.peer else None
    return Session(event.router, peer, PeerType(event.peer_type), event.distinguisher)


def standings(events: Iterable[Event]) -> Standings:
    """Fold events, in order of their rows."""
    result = Standings()
    for event in events:
        result.apply(event)
    return result


def complete(since: int, bursts: Sequence[tuple[int, int]], at: int, quiet: int = QUIET) -> bool:
    """Whether a table whose session came up at `since` is complete at `at`.

    `bursts` are (first, last) times of dump rows, nanoseconds, in order of `first`, later ones too: the table is
    complete once `quiet` has passed without one.
    """
    reached = since
    for first, last in bursts:
        if last < since or first > at:
            continue
        if first - reached >= quiet:
            break
        reached = max(reached, min(last, at))
    return at - reached >= quiet


def loaded_at(since: int, bursts: Sequence[tuple[int, int]], quiet: int = QUIET) -> int:
    """Return when a table whose session came up at `since` is complete (see `complete`)."""
    reached = since
    for first, last in bursts:
        if last >= since:
            if first - reached >= quiet:
                break
            reached = max(reached, last)
    return reached + quiet


def presence(standing: Standing | None, done: bool, row: Order, announced: bool) -> Presence:
    """What the last row of a route says of it, given how its session stands and whether its table is complete.

    A row behind a break speaks for itself: some streams begin in the middle, without a Peer Up.
    """
    said = Presence.PRESENT if announced else Presence.ABSENT
    if standing is None or row > standing.since or (standing.sight is Sight.UP and row == standing.since):
        return said
    return unsaid(standing, done)


def unsaid(standing: Standing, done: bool) -> Presence:
    """What to think of a route of which no row of this epoch speaks."""
    match standing.sight:
        case Sight.UP:
            return Presence.ABSENT if done else Presence.UNKNOWN
        case Sight.DOWN:
            return Presence.ABSENT
        case Sight.BLIND:
            return Presence.UNKNOWN
