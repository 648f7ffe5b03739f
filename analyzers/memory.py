"""The view as JSON can carry it, and back: after a restart everything is unknown until it is seen again.

What is restored is what would be if every feed had been lost at the moment of the snapshot's last sight: the routes are
stale, and when the tables are complete again the sweep tells what truly changed "between T1 and T2".
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from analyzers.state import REMEMBERED_DOWNS, Absence, Feed, Held, Peering, Standing, Table
from analyzers.view import View
from anycast.change import Cause
from anycast.intent import Intent
from anycast.observation import (
    FeedLost,
    LostReason,
    PeerType,
    Rib,
    Session,
    Source,
    SpeakerOpen,
)
from anycast.plain import Plain, attributes_from_plain, parse_stamp, stamp, to_plain
from anycast.prefix import parse_prefix
from anycast.route import Asn

SHAPE = 2  # of the snapshot; another number is another shape, and is not read


def snapshot(view: View) -> dict[str, Plain]:
    """Return the whole view as what `json.dumps` takes."""
    return {
        "shape": SHAPE,
        "feeds": [_feed(feed) for _, feed in sorted(view.feeds.items()) if feed.since is not None],
        "sessions": [_peering(p) for _, p in sorted(view.peerings.items(), key=lambda pair: str(pair[0])) if p.named],
        "tables": [_table(view, t) for _, t in sorted(view.by_key.items()) if t.peering.named],
        "probing": dict(view.probing.plain()),
        "episodes": view.convergence.plain(),
    }


def restore(intent: Intent, plain: Mapping[str, Plain], at: datetime) -> View:
    """Build a view from a snapshot: all of it unknown since `at`, when we last saw (or before, where sight was lost).

    Raises ValueError for a snapshot of another shape, KeyError for one that is not whole.
    """
    if plain["shape"] != SHAPE:
        raise ValueError(f"the view's snapshot has shape {plain['shape']}, this version reads {SHAPE}")
    view = View(intent)
    for row in plain["feeds"]:
        feed = view.feed(row["router"])
        feed.open, feed.since = row["open"], parse_stamp(row["since"])
        feed.reason = LostReason(row["reason"]) if "reason" in row else None
        feed.detail = row["detail"]
    for row in plain["sessions"]:
        peering = _read_peering(row)
        view.peerings[peering.session] = peering
    for row in plain["tables"]:
        _read_table(view, row)
    view.probing.restore(plain["probing"])
    view.convergence.restore(plain["episodes"])
    _lose_all(view, at)
    return view


def _lose_all(view: View, at: datetime) -> None:
    for feed in tuple(view.feeds.values()):
        if feed.open:
            view.apply(FeedLost(at, feed.router, LostReason.STOPPED, "Catchment stopped"))
    view.started = None


def _feed(feed: Feed) -> dict[str, Plain]:
    shown = {"router": feed.router, "open": feed.open, "since": feed.since, "detail": feed.detail}
    return _plain(shown | {"reason": feed.reason})


def _session(session: Session) -> dict[str, Plain]:
    shown = {"router": session.router, "peer": session.peer, "type": int(session.peer_type)}
    return _plain(shown | {"distinguisher": session.distinguisher})


def _peering(peering: Peering) -> dict[str, Plain]:
    return _session(peering.session) | _plain(
        {
            "standing": peering.standing,
            "since": peering.since,
            "reported": peering.reported,
            "not_before": peering.not_before,
            "lost_at": peering.lost_at,
            "local": peering.local,
            "remote": peering.remote,
            "reason": peering.reason,
            "detail": peering.detail,
            "carried": peering.carried,
            "downs": tuple(peering.downs),
            "routes": peering.routes,
        }
    )


def _table(view: View, table: Table) -> dict[str, Plain]:
    return (
        _session(table.source.session)
        | _plain(
            {
                "rib": table.source.rib,
                "complete": table.complete,
                "known_until": table.known_until,
                "known_since": table.known_since,
                "unfilled": table.unfilled,
                "absences": {
                    str(prefix): to_plain(absence) for prefix, absence in sorted(table.absences.items(), key=str)
                },
                "downs": {
                    str(prefix): [stamp(at) for at in downs] for prefix, downs in sorted(table.downs.items(), key=str)
                },
            }
        )
        | {"routes": _routes(view, table)}
    )


def _routes(view: View, table: Table) -> list[Plain]:
    """Its routes, written anew only where they, or what is known of them, changed since."""
    token = (table.version, view.epoch)
    if table.written is None or table.written[0] != token:
        rows: list[Plain] = [_held(held) for _, held in sorted(table.routes.items(), key=lambda pair: str(pair[0]))]
        table.written = (token, rows)
    return table.written[1]


def _held(held: Held) -> dict[str, Plain]:
    return _plain(
        {
            "prefix": held.prefix,
            "path_id": held.path_id,
            "attributes": held.attributes,
            "since": held.since,
            "changed": held.changed,
            "not_before": held.not_before,
            "lost_at": held.lost_at,
        }
    )


def _plain(shown: Mapping[str, object]) -> dict[str, Plain]:
    return {key: to_plain(value) for key, value in shown.items() if value is not None}


def _read_session(row: Mapping[str, Plain]) -> Session:
    peer = ip_address(row["peer"]) if "peer" in row else None
    return Session(row["router"], peer, PeerType(row["type"]), row["distinguisher"])


def _read_peering(row: Mapping[str, Plain]) -> Peering:
    return Peering(
        session=_read_session(row),
        standing=Standing(row["standing"]),
        since=parse_stamp(row["since"]),
        reported=row["reported"],
        not_before=_time(row, "not_before"),
        lost_at=_time(row, "lost_at"),
        local=_read_open(row.get("local")),
        remote=_read_open(row.get("remote")),
        reason=row["reason"],
        detail=row["detail"],
        carried=row["carried"],
        downs=deque(map(parse_stamp, row["downs"]), maxlen=REMEMBERED_DOWNS),
        routes=row.get("routes"),
    )


def _read_open(row: Mapping[str, Plain] | None) -> SpeakerOpen | None:
    if row is None:
        return None
    parts: dict[str, Any] = dict(row) | {"asn": Asn(row["asn"]), "identifier": ip_address(row["identifier"])}
    return SpeakerOpen(**parts)


def _read_table(view: View, row: Mapping[str, Plain]) -> None:
    source = Source(_read_session(row), Rib(row["rib"]))
    table = view.place(Table(source, str(source), None, view.peerings[source.session]))
    for shown in row["routes"]:
        prefix, path_id = parse_prefix(shown["prefix"]), shown["path_id"]
        attributes = attributes_from_plain(shown["attributes"])
        view.hold(table, prefix, path_id, attributes, parse_stamp(shown["since"]), _time(shown, "not_before"))
        held = table.routes[prefix, path_id]
        held.changed, held.lost_at = parse_stamp(shown["changed"]), _time(shown, "lost_at")
    table.complete = row["complete"]
    table.known_until, table.known_since = _time(row, "known_until"), _time(row, "known_since")
    table.unfilled = {parse_prefix(text) for text in row["unfilled"]}
    table.absences = {parse_prefix(text): _read_absence(shown) for text, shown in row["absences"].items()}
    table.downs = {
        parse_prefix(text): deque(map(parse_stamp, times), maxlen=REMEMBERED_DOWNS)
        for text, times in row["downs"].items()
    }


def _read_absence(shown: Mapping[str, Plain]) -> Absence:
    return Absence(parse_stamp(shown["since"]), Cause(shown["cause"]), _time(shown, "not_before"))


def _time(row: Mapping[str, Plain], name: str) -> datetime | None:
    return parse_stamp(row[name]) if name in row else None
