"""The past, from the data folder alone: events from the ledger, any prefix at any time from the journal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from anycast.change import Change
from anycast.intent import Intent
from anycast.observation import Announced, Session, Source
from anycast.plain import Plain, to_plain
from anycast.prefix import Prefix, family
from anycast.route import Asn, Attributes
from anycast.situation import Event, EventKind
from collector.bmp.own_as import without_own_as
from collector.wire.bgp.path import attributes_of
from collector.wire.errors import Malformed
from pipeline.timeline import KEPT, Narrator
from store.answers import Blob, Held
from store.history import Happened
from store.ledger import LedgerReader
from store.reader import Reader

Tell = Callable[[Change], Event]
_ANYBODY = Narrator(Intent((), (), (), (), ()))
"""Tells of changes without an intent: sources go by their addresses."""


class Told(NamedTuple):
    """Events, oldest first: the newest ones when there are more than were asked for."""

    events: tuple[Event, ...]
    more: bool


class Past:
    """Reads a data folder, with or without a daemon that writes to it."""

    def __init__(self, data: Path) -> None:
        """Raises FileNotFoundError when there is no data folder, another OSError when it may not be read."""
        self._ledger, self._journal = data / "ledger.sqlite", data / "journal"
        try:
            self._ledger.open("rb").close()  # says who is to blame where SQLite only says that it cannot
        except FileNotFoundError as error:
            said = f"{data} holds no data of Catchment; name the data folder with --data"
            raise FileNotFoundError(said) from error
        except NotADirectoryError as error:
            raise NotADirectoryError(f"{data} is no folder; name the data folder with --data") from error

    def events(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int, tell: Tell = _ANYBODY.changed
    ) -> Told:
        """What happened in [start, end): the timeline, and what the journal shows of a prefix while nobody watched it.

        `tell` puts a change of the journal into words.
        """
        with LedgerReader(self._ledger) as reader:
            found = reader.events(prefix=prefix, start=start, end=end, limit=limit + 1, newest=True)
            first = reader.events(prefix=prefix, kind="route", limit=1) if prefix is not None else ()
            absences = reader.events(kind=str(EventKind.DAEMON), start=start, limit=limit, newest=True)
        found = _with_absences(found, absences, end)
        if prefix is None or len(found) > limit:
            return Told(found[-limit:], len(found) > limit)
        if first and first[0].service is not None:
            end = min(end, first[0].at)  # watched since then: the ledger knows all that came later
        else:  # at most what sessions watched whole had of it, and the journal has that, too
            found = tuple(event for event in found if event.kind is not EventKind.ROUTE)
        unwatched, more = self._unwatched(prefix, start, end, tell) if start < end else ([], False)
        told = sorted((*unwatched, *found), key=lambda event: event.at)
        return Told(tuple(told[-limit:]), more or len(told) > limit)

    def numbered(self, after: int, before: int, limit: int) -> tuple[Event, ...]:
        """Events of the timeline numbered above `after` and below `before`: of more than `limit` the newest."""
        with LedgerReader(self._ledger) as reader:
            found = reader.events(after_number=after, newest=True, limit=limit + KEPT)
        return tuple(event for event in found if event.number < before)[-limit:]

    def _unwatched(self, prefix: Prefix, start: datetime, end: datetime, tell: Tell) -> tuple[list[Event], bool]:
        reader = Reader(self._journal)
        page, asns = reader.history(prefix, start, end), reader.as_numbers(end)
        return [tell(_change(row, asns)) for row in page.rows], page.more

    def state(self, prefix: Prefix, at: datetime) -> Plain:
        """What every router's tables held of `prefix` at a time, in three-valued presence."""
        reader = Reader(self._journal)
        asns = reader.as_numbers(at)
        return [_held(row, asns) for row in reader.state(prefix, at).rows]


def _with_absences(found: Sequence[Event], absences: Sequence[Event], end: datetime) -> tuple[Event, ...]:
    """Put in the times when we were not running, which any prefix and any time in them is concerned by."""
    numbers = {event.number for event in found}
    more = [event for event in absences if event.number not in numbers and (event.not_before or event.at) < end]
    return tuple(sorted((*found, *more), key=lambda event: event.number))


def announced(rows: Iterable[Held], asns: Mapping[Session, tuple[int, int]]) -> Iterable[Announced]:
    """Routes that were present, as announcements with the times of theirs; what cannot be decoded is left out.

    `asns` are both sides' AS numbers by session, the router's own first: the journal keeps what was on the wire, and
    this is what the peer sent, as the judged lane has it.
    """
    for row in rows:
        attributes = as_sent(row.attributes, row.prefix, row.source, asns)
        if attributes is not None and row.since is not None:
            yield Announced(row.since, row.source, row.prefix, attributes, row.path_id)


def as_sent(
    blob: Blob | None, prefix: Prefix, source: Source, asns: Mapping[Session, tuple[int, int]]
) -> Attributes | None:
    """The attributes of a row as the peer sent them; None for a withdrawal, and for a set that no longer decodes."""
    if blob is None:
        return None
    try:
        attributes = attributes_of(blob.octets, blob.two_octet_as, family(prefix))
    except Malformed:
        return None
    if source.session not in asns:
        return attributes
    own, peer = map(Asn, asns[source.session])
    return without_own_as(attributes, source.rib, own, peer)


def _change(row: Happened, asns: Mapping[Session, tuple[int, int]]) -> Change:
    before, after = (as_sent(blob, row.prefix, row.source, asns) for blob in (row.before, row.after))
    where = (row.source, row.prefix, row.path_id)
    return Change(row.at, row.kind, row.cause, *where, before=before, after=after, not_before=row.not_before)


def _held(row: Held, asns: Mapping[Session, tuple[int, int]]) -> Plain:
    session = row.source.session
    return {
        "router": session.router,
        "peer": "" if session.peer is None else str(session.peer),
        "rib": str(row.source.rib),
        "presence": str(row.presence),
        "since": to_plain(row.since),
        "path_id": row.path_id,
        "attributes": to_plain(as_sent(row.attributes, row.prefix, row.source, asns)),
    }
