"""The past, from the data folder alone: events from the ledger, the state of a prefix at any time from the journal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from anycast.columns import Action, Phase
from anycast.observation import Announced
from anycast.plain import Plain, to_plain
from anycast.prefix import Prefix, family
from anycast.route import Attributes
from anycast.situation import Event, EventKind
from collector.wire.bgp.path import attributes_of
from collector.wire.errors import Malformed
from store.answers import Blob, Held, Seen
from store.ledger import LedgerReader
from store.reader import Reader


class Past:
    """Reads a data folder, with or without a daemon that writes to it."""

    def __init__(self, data: Path) -> None:
        """Raises FileNotFoundError when there is no data folder."""
        if not (data / "ledger.sqlite").exists():
            raise FileNotFoundError(f"{data} holds no data of Catchment; name the data folder with --data")
        self._data = data

    def events(self, prefix: Prefix | None, start: datetime, end: datetime, limit: int) -> Sequence[Event]:
        """What happened, oldest first: the timeline; of a prefix that nobody watches, what the routers sent."""
        with LedgerReader(self._data / "ledger.sqlite") as reader:
            found = reader.events(prefix=prefix, start=start, end=end, limit=limit)
        if found or prefix is None:
            return found
        rows = Reader(self._data / "journal").routes(prefix, start, end, limit=limit).rows
        return tuple(_sent(row) for row in rows)

    def state(self, prefix: Prefix, at: datetime) -> Plain:
        """What every router's tables held of `prefix` at a time, in three-valued presence."""
        return [_held(row) for row in Reader(self._data / "journal").state(prefix, at).rows]


def announced(rows: Iterable[Held]) -> Iterable[Announced]:
    """Routes that were present, as announcements with the times of theirs; what cannot be decoded is left out."""
    for row in rows:
        attributes = decoded(row.attributes, row.prefix)
        if attributes is not None and row.since is not None:
            yield Announced(row.since, row.source, row.prefix, attributes, row.path_id)


def decoded(blob: Blob | None, prefix: Prefix) -> Attributes | None:
    """The attributes of a row; None for a withdrawal, and for a set that no longer decodes."""
    if blob is None:
        return None
    try:
        return attributes_of(blob.octets, blob.two_octet_as, family(prefix))
    except Malformed:
        return None


def _sent(row: Seen) -> Event:
    """A route row as a line of history."""
    withdrawn = row.action is Action.WITHDRAW
    attributes = decoded(row.attributes, row.prefix)
    path = "" if attributes is None else f" [path {attributes.as_path or 'local'}, next hop {attributes.next_hop}]"
    dump = " (in a dump)" if row.phase is Phase.DUMP else ""
    what = "withdrawn" if withdrawn else "announced"
    text = f"{row.prefix} {what} at {row.source}{path}{dump}"
    return Event(0, row.at, EventKind.ROUTE, what, text, prefix=str(row.prefix), vantage=str(row.source))


def _held(row: Held) -> Plain:
    session = row.source.session
    return {
        "router": session.router,
        "peer": "" if session.peer is None else str(session.peer),
        "rib": str(row.source.rib),
        "presence": str(row.presence),
        "since": to_plain(row.since),
        "path_id": row.path_id,
        "attributes": to_plain(decoded(row.attributes, row.prefix)),
    }
