"""What the journal answers, as values."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from anycast.change import Cause, Change, ChangeKind, Presence
from anycast.columns import Action, Phase, SessionEvent
from anycast.observation import Rib, Session, Source
from anycast.plain import attributes_from_plain
from anycast.prefix import Prefix, parse_prefix
from store.places import prefix_of
from store.schema import moment
from store.standing import Event, named

T = TypeVar("T")
RIBS = tuple(Rib)
"""The order that the `rib` columns count in."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows up to a limit, oldest first."""

    rows: tuple[T, ...]
    more: bool
    """There were more than the limit; ask for a shorter time, a longer prefix, or with a higher limit."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One attribute set as it was on the wire. Decoding is the collector's; the pipeline brings the two together."""

    id: int
    two_octet_as: bool
    octets: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """One route row: announced or withdrawn."""

    at: datetime
    router_time: datetime | None
    source: Source
    prefix: Prefix
    path_id: int
    action: Action
    phase: Phase
    attributes: Blob | None
    """None for a withdrawal, and for a set that the journal has lost."""
    row: int
    """Order of arrival over all tables."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a prefix at one source at one time.

    For an ABSENT one, and for an UNKNOWN one of which nothing was heard, there is one of these a source, with path id 0
    and neither `since` nor attributes. An UNKNOWN one otherwise shows what was last known.
    """

    source: Source
    prefix: Prefix
    path_id: int
    presence: Presence
    since: datetime | None = None
    """When it was announced as it is."""
    attributes: Blob | None = None


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """One session row. `session` is None for an event of the whole feed."""

    at: datetime
    router_time: datetime | None
    event: SessionEvent
    router: str
    session: Session | None
    rib: Rib
    detail: str
    """JSON, as the collector wrote it."""
    row: int


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """Bytes that could not be taken as they stand."""

    at: datetime
    router: str
    peer: str
    reason: str
    action: str
    raw: bytes


def time_of(at: int | None) -> datetime | None:
    """Return a time; None for none."""
    return None if at is None else moment(at)


def seen(row: Sequence[Any], name: Callable[[int], Session], blobs: Mapping[int, Blob]) -> Seen:
    """Build from row, at, router_time, session, rib, phase, four of the prefix, path_id, action, attributes."""
    number, at, router_time, session, rib, phase, family, high, low, length, path_id, action, attributes = row
    return Seen(
        at=moment(at),
        router_time=time_of(router_time),
        source=Source(name(session), RIBS[rib]),
        prefix=prefix_of(family, high, low, length),
        path_id=path_id,
        action=Action(action),
        phase=Phase(phase),
        attributes=blobs.get(attributes),
        row=number,
    )


def session_seen(row: Sequence[Any]) -> SessionSeen:
    """Build from at, router_time, event, session and the columns after it in `sessions`, row."""
    at, router_time, event, session, router, peer, peer_type, distinguisher, rib, detail, number = row
    full = Event(number, at, session, event, router, peer, peer_type, distinguisher, rib, detail or "")
    return SessionSeen(
        at=moment(at),
        router_time=time_of(router_time),
        event=SessionEvent(event),
        router=router,
        session=named(full) if session else None,
        rib=RIBS[rib],
        detail=full.detail_text,
        row=number,
    )


def change(row: Sequence[Any]) -> Change:
    """Build from the columns of `changes`."""
    at, not_before, kind, cause, router, peer, peer_type, distinguisher, rib, prefix, path_id, before, after = row
    event = Event(0, at, 0, 0, router, peer, peer_type, distinguisher, 0, "")
    return Change(
        at=moment(at),
        kind=ChangeKind(kind),
        cause=Cause(cause),
        source=Source(named(event), Rib(rib)),
        prefix=parse_prefix(prefix),
        path_id=path_id,
        before=attributes_from_plain(json.loads(before)) if before else None,
        after=attributes_from_plain(json.loads(after)) if after else None,
        not_before=time_of(not_before),
    )
