"""Values of the vocabulary as rows of the ledger's tables, and back."""

import json
from datetime import datetime
from ipaddress import ip_address
from typing import Any, TypeAlias

from anycast.change import Change
from anycast.finding import Record, Severity, State, Step, Transition
from anycast.message import Delivery, DeliveryState, Message
from anycast.observation import Announced, PeerType, Rib, Session, Source
from anycast.plain import (
    attributes_from_plain,
    finding_from_plain,
    parse_stamp,
    record_from_plain,
    stamp,
    to_plain,
)
from anycast.prefix import parse_prefix
from anycast.situation import Event, EventKind

Row: TypeAlias = tuple[Any, ...]  # what SQLite takes and gives

RECORD = "id, key, state, pending_at, opened_at, cleared_at, muted_by, finding"
TRANSITION = "at, step, record, snapshot"
EVENT = "number, at, kind, what, text, severity, service, prefix, region, site, vantage, finding, not_before"
MESSAGE = "id, receiver, record, step, created, snapshot"
DELIVERY = f"{MESSAGE}, state, attempts, next_attempt, last_error, settled_at"
SOURCE = "router, peer, peer_type, distinguisher, rib"
WATCHED = f"{SOURCE}, prefix, path_id, attributes, since"


def record_row(record: Record) -> Row:
    """Columns of RECORD."""
    times = (stamp(record.pending_at), time_text(record.opened_at), time_text(record.cleared_at))
    return (record.id, record.finding.key, str(record.state), *times, record.muted_by, json_text(record.finding))


def record(row: Row) -> Record:
    """Read columns of RECORD."""
    ident, _, state, pending_at, opened_at, cleared_at, muted, finding = row
    return Record(
        id=ident,
        finding=finding_from_plain(json.loads(finding)),
        state=State(state),
        pending_at=parse_stamp(pending_at),
        opened_at=_time(opened_at),
        cleared_at=_time(cleared_at),
        muted_by=muted,
    )


def transition_row(transition: Transition) -> Row:
    """Columns of TRANSITION."""
    return stamp(transition.at), str(transition.step), transition.record.id, json_text(transition.record)


def transition(row: Row) -> Transition:
    """Read columns of TRANSITION."""
    at, step, _, snapshot = row
    return Transition(parse_stamp(at), Step(step), record_from_plain(json.loads(snapshot)))


def event_row(event: Event) -> Row:
    """Columns of EVENT."""
    where = (event.service, event.prefix, event.region, event.site, event.vantage, event.finding)
    severity = None if event.severity is None else str(event.severity)
    what = (str(event.kind), event.what, event.text, severity)
    return (event.number, stamp(event.at), *what, *where, time_text(event.not_before))


def event(row: Row) -> Event:
    """Read columns of EVENT."""
    number, at, kind, what, text, severity, service, prefix, region, site, vantage, finding, not_before = row
    return Event(
        number=number,
        at=parse_stamp(at),
        kind=EventKind(kind),
        what=what,
        text=text,
        severity=None if severity is None else Severity(severity),
        service=service,
        prefix=prefix,
        region=region,
        site=site,
        vantage=vantage,
        finding=finding,
        not_before=_time(not_before),
    )


def message_row(message: Message) -> Row:
    """Columns of MESSAGE."""
    return (
        message.id,
        message.receiver,
        message.record.id,
        str(message.step),
        stamp(message.created),
        json_text(message.record),
    )


def message(row: Row) -> Message:
    """Read columns of MESSAGE."""
    ident, receiver, _, step, created, snapshot = row
    return Message(ident, receiver, record_from_plain(json.loads(snapshot)), Step(step), parse_stamp(created))


def delivery(row: Row) -> Delivery:
    """Read columns of DELIVERY."""
    state, attempts, next_attempt, last_error, settled_at = row[6:]
    return Delivery(
        message(row[:6]), DeliveryState(state), attempts, _time(next_attempt), last_error, _time(settled_at)
    )


def source_row(source: Source) -> Row:
    """Columns of SOURCE."""
    session = source.session
    peer = "" if session.peer is None else str(session.peer)
    return session.router, peer, int(session.peer_type), f"{session.distinguisher:016x}", str(source.rib)


def change_key(change: Change) -> Row:
    """The key columns of WATCHED that a change is about."""
    return *source_row(change.source), str(change.prefix), change.path_id


def announced_row(route: Announced) -> Row:
    """Columns of WATCHED."""
    where = (*source_row(route.source), str(route.prefix), route.path_id)
    return *where, json_text(route.attributes), stamp(route.at)


def announced(row: Row) -> Announced:
    """Read columns of WATCHED."""
    router, peer, peer_type, distinguisher, rib, prefix, path_id, attributes, since = row
    session = Session(router, ip_address(peer) if peer else None, PeerType(peer_type), int(distinguisher, 16))
    return Announced(
        at=parse_stamp(since),
        source=Source(session, Rib(rib)),
        prefix=parse_prefix(prefix),
        attributes=attributes_from_plain(json.loads(attributes)),
        path_id=path_id,
    )


def json_text(value: object) -> str:
    """Write a value as compact JSON."""
    return json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"))


def time_text(at: datetime | None) -> str | None:
    """Write a time, or None."""
    return None if at is None else stamp(at)


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_stamp(text)
