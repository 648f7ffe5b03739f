"""Questions to the journal: what was there, when, and what happened. For the daemon and for any other process.

A question opens the files it needs, answers, and lets go of them; the writer is never held up, and needs not be there.
Every answer is bounded by a limit. Times are exact to the microsecond.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa

from anycast.change import Change
from anycast.columns import Phase, SessionEvent
from anycast.observation import Session
from anycast.prefix import Prefix
from anycast.probe import Probe
from store.answers import Blob, Held, MalformedRow, Page, Seen, SessionSeen, change, seen, session_seen
from store.folder import Folder
from store.history import Happened, happened, turns
from store.places import Condition, Match, condition, prefix_of
from store.probed import COLUMNS as PROBED
from store.probed import PROBES, Probed, probed
from store.scan import KEY, ROUTES, SLACK, WITHOUT_REPEATS, Scan, opening_day, stamp
from store.schema import ROW_BITS, JournalError, moment, nanoseconds
from store.standing import QUIET, Standings, named
from store.state import Row, state_of

LIMIT: Final = 10_000
SPOOLED: Final = timedelta(days=7)
"""How long after a probe was sent its row may have been written: an agent's spool waits for the centre."""
_ATTEMPTS: Final = 5
"""How often files may be sealed or deleted under a question before it gives up."""
T = TypeVar("T")


class Reader:
    """Reads one journal folder. Holds no file and no state between questions; threads may share it."""

    def __init__(self, path: Path, *, quiet: int = QUIET) -> None:
        """Check the folder's version; `quiet` is the nanoseconds (a second or more) after which a table is complete.

        Raises JournalNewer for a folder that a newer Catchment wrote.
        """
        self._folder = Folder(path)
        self._folder.check_version()
        self._quiet = quiet

    def changes(self, prefix: Prefix | None, start: datetime, end: datetime, limit: int = LIMIT) -> Page[Change]:
        """Return true differences of a watched prefix (of all when None) in [start, end), as the view found them."""
        sql = """select epoch_ns("at"), epoch_ns(not_before), kind, cause, router, peer, peer_type, distinguisher, rib,
                 prefix, path_id, before, after from changes
                 where "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS and ($all or prefix = $prefix)
                 order by row limit $limit"""
        parameters = {"all": prefix is None, "prefix": str(prefix)}
        return self._page(sql, start, end, limit, parameters, "changes", change)

    def malformed(self, start: datetime, end: datetime, limit: int = LIMIT) -> Page[MalformedRow]:
        """Return the bytes of [start, end) that could not be taken as they stand."""
        sql = """select epoch_ns("at"), router, peer, reason, action, raw from malformed
                 where "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS order by row limit $limit"""
        return self._page(sql, start, end, limit, {}, "malformed", lambda row: MalformedRow(moment(row[0]), *row[1:]))

    def probes(
        self,
        start: datetime,
        end: datetime,
        *,
        site: str | None = None,
        target: str | None = None,
        probe: Probe | None = None,
        limit: int = LIMIT,
    ) -> Page[Probed]:
        """Return results of probes sent in [start, end), oldest first: of a site, a target, a kind of probe, or all."""
        wanted = {"site": site, "target": target, "probe": None if probe is None else PROBES.index(probe)}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" and {name} = ${name}" for name in given)
        sql = f"""select {PROBED} from probes
                  where "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS {where}
                  order by "at", site, run, batch, number limit $limit"""
        everything = {**given, **_between(start, end), "limit": limit + 1}

        def ask(scan: Scan) -> Page[Probed]:
            found = scan.rows(sql, everything, "probes")
            return Page(tuple(map(probed, found[:limit])), len(found) > limit)

        return self._look(start.astimezone(UTC).date(), (end + SPOOLED).astimezone(UTC).date(), ask)

    def batches(self, since: datetime, after: int = 0) -> Mapping[tuple[str, str], int]:
        """Return the highest batch of each site and run in the journal: what of an agent's results is there.

        Only rows that were written on the day of `since` or later, and with a submission numbered above `after`.
        """
        sql = "select site, run, max(batch) from probes where row >= $first group by site, run"
        first = {"first": (after + 1) << ROW_BITS}

        def ask(scan: Scan) -> Mapping[tuple[str, str], int]:
            return {(site, run): batch for site, run, batch in scan.rows(sql, first, "probes")}

        return self._look(since.astimezone(UTC).date(), date.max, ask)

    def sessions(self, start: datetime, end: datetime, limit: int = LIMIT) -> Page[SessionSeen]:
        """Return feed and session events and statistics of [start, end)."""
        sql = """select epoch_ns("at"), epoch_ns(router_time), event, session, router, peer, peer_type, distinguisher,
                 rib, detail, row from sessions
                 where "at" >= $start::TIMESTAMPTZ_NS and "at" < $end::TIMESTAMPTZ_NS order by row limit $limit"""
        return self._page(sql, start, end, limit, {}, "sessions", session_seen)

    def routes(
        self, prefix: Prefix, start: datetime, end: datetime, match: Match = Match.EXACT, limit: int = LIMIT
    ) -> Page[Seen]:
        """Return route rows of a prefix in [start, end) with their attributes, without repeats in dumps."""
        wanted = condition(prefix, match)
        inside = f"""select {ROUTES} from routes where "at" < $end::TIMESTAMPTZ_NS and {wanted.sql}"""
        sql = f"""select row, epoch_ns("at") as received, epoch_ns(router_time), session, rib, phase, family,
                  prefix_high, prefix_low, length, path_id, action, attributes from ({_without_repeats(inside)})
                  where "at" >= $start::TIMESTAMPTZ_NS order by row limit $limit"""
        parameters = {**wanted.parameters, **_between(start, end), "limit": limit + 1}

        def ask(scan: Scan) -> Page[Seen]:
            found = scan.rows(sql, parameters, "routes", "breaks")
            blobs = _blobs(scan, {row[-1] for row in found[:limit]})
            name = scan.standings(end).name
            return Page(tuple(seen(row, name, blobs) for row in found[:limit]), len(found) > limit)

        return self._ask(start, end, ask)

    def history(
        self, prefix: Prefix, start: datetime, end: datetime, match: Match = Match.EXACT, limit: int = LIMIT
    ) -> Page[Happened]:
        """Return what happened to any prefix in [start, end): true differences, peers down and gaps accounted for.

        `more` also when the prefix has more than `limit` rows since the last opening state: then the end is missing.
        """
        wanted = condition(prefix, match)
        inside = f"""select {ROUTES} from routes where "at" < $end::TIMESTAMPTZ_NS and {wanted.sql}"""
        sql = f"""select row, epoch_ns("at") as received, session, rib, family, prefix_high, prefix_low, length,
                  path_id, action, attributes from ({_without_repeats(inside)}) order by row limit $limit"""
        parameters = {**wanted.parameters, "end": stamp(nanoseconds(end)), "limit": limit + 1}
        first, last = nanoseconds(start), nanoseconds(end)

        def ask(scan: Scan) -> Page[Happened]:
            found = [_row(row) for row in scan.rows(sql, parameters, "routes", "breaks")]
            state, events = scan.standings(end), [event for event in scan.events if event.at < last]
            told = turns(found[:limit], events, state, _sources(scan, state, end), last - 1, self._quiet)
            told = [turn for turn in told if first <= turn.at < last]
            blobs = _blobs(scan, {number for turn in told for number in (turn.before, turn.after)})
            shown = tuple(happened(turn, blobs) for turn in told[:limit])
            return Page(shown, len(found) > limit or len(told) > limit)

        return self._ask(start, end, ask)

    def state(self, prefix: Prefix, at: datetime, limit: int = LIMIT) -> Page[Held]:
        """Return what every source known at a time had of exactly this prefix: present, absent, or unknown."""

        def ask(scan: Scan) -> Page[Held]:
            rows, state = self._last(scan, [condition(prefix, Match.EXACT)], at, limit)
            sources = _sources(scan, state, at)
            held = state_of(rows[:limit], state, sources, nanoseconds(at), self._quiet, every=prefix)
            blobs = _blobs(scan, {item.attributes for item in held})
            return Page(tuple(item.held(blobs) for item in held), len(rows) > limit)

        return self._ask(at, at, ask)

    def fill(
        self, prefixes: Iterable[Prefix], at: datetime, limit: int = LIMIT, sessions: Collection[Session] = ()
    ) -> Page[Held]:
        """Return the routes that were present at a time and touch any of the prefixes, or came from `sessions`.

        This is what a newly watched prefix begins with: equal, more specific and covering routes, from every source;
        and a session that is newly watched whole.
        """
        touching = [condition(prefix, Match.TOUCHING, f"p{index}") for index, prefix in enumerate(prefixes)]

        def ask(scan: Scan) -> Page[Held]:
            names = scan.standings(at).names if sessions else {}
            ids = [str(number) for number, session in names.items() if session in sessions]
            wanted = [*touching, *([Condition(f"session in ({', '.join(ids)})", {})] if ids else [])]
            if not wanted:
                return Page((), False)
            rows, state = self._last(scan, wanted, at, limit)
            held = state_of(rows[:limit], state, _sources(scan, state, at), nanoseconds(at), self._quiet)
            blobs = _blobs(scan, {item.attributes for item in held})
            return Page(tuple(item.held(blobs) for item in held), len(rows) > limit)

        return self._ask(at, at, ask)

    def attributes(self, ids: Iterable[int], start: datetime, end: datetime) -> Mapping[int, Blob]:
        """Return attribute sets by id, from the days of [start, end]; ids that are not there are left out."""
        wanted = set(ids)
        return self._ask(start, end, lambda scan: _blobs(scan, wanted))

    def open_feeds(self, at: datetime) -> tuple[str, ...]:
        """Return the routers whose feed was opened and not lost: after a restart, those we lost without saying so."""

        def ask(scan: Scan) -> tuple[str, ...]:
            feeds = scan.standings(at).feeds
            return tuple(router for router, event in feeds.items() if event.event == SessionEvent.FEED_OPENED)

        return self._ask(at, at, ask)

    def as_numbers(self, at: datetime) -> Mapping[Session, tuple[int, int]]:
        """Return the AS numbers that each session's two OPENs gave, the router's own first, up to a time.

        A session whose router sent no OPENs with its Peer Up is left out.
        """

        def ask(scan: Scan) -> Mapping[Session, tuple[int, int]]:
            last = nanoseconds(at)
            ups = (each for each in scan.events if each.event == SessionEvent.PEER_UP and each.at <= last)
            return {named(each): asns for each in ups if (asns := _as_numbers(each.detail)) is not None}

        return self._ask(at, at, ask)

    def highest_session(self, at: datetime) -> int:
        """Return the highest session id in the journal; ids above it are free."""
        sql = "select coalesce(max(session), 0) from sessions"
        first = min([*self._folder.days(), at.date()])
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        return self._ask(start, at, lambda scan: int(scan.rows(sql, {}, "sessions")[0][0]))

    def _last(self, scan: Scan, wanted: Sequence[Condition], at: datetime, limit: int) -> tuple[list[Row], Standings]:
        """The last row of each route that meets any condition, and how the sessions stood."""
        where = " or ".join(part.sql for part in wanted)
        inside = f"""select {ROUTES} from routes where "at" <= $at::TIMESTAMPTZ_NS and ({where})"""
        sql = f"""select row, epoch_ns("at") as received, session, rib, family, prefix_high, prefix_low, length,
                  path_id, action, attributes from ({_without_repeats(inside)})
                  qualify row_number() over (partition by {KEY} order by row desc) = 1
                  order by row limit $limit"""
        parameters: dict[str, object] = {"at": stamp(nanoseconds(at)), "limit": limit + 1}
        for part in wanted:
            parameters |= part.parameters
        found = scan.rows(sql, parameters, "routes", "breaks")
        return [_row(row) for row in found], scan.standings(at)

    def _page(
        self,
        sql: str,
        start: datetime,
        end: datetime,
        limit: int,
        parameters: Mapping[str, object],
        table: str,
        build: Callable[[Sequence[Any]], T],
    ) -> Page[T]:
        everything = {**parameters, **_between(start, end), "limit": limit + 1}

        def ask(scan: Scan) -> Page[T]:
            found = scan.rows(sql, everything, table)
            return Page(tuple(build(row) for row in found[:limit]), len(found) > limit)

        return self._ask(start, end, ask)

    def _ask(self, start: datetime, end: datetime, ask: Callable[[Scan], T]) -> T:
        """Look at the days from the opening state before `start` to `end`, again when files went away meanwhile."""
        last = (end + SLACK).astimezone(UTC).date()
        return self._look(opening_day(self._folder, start.astimezone(UTC).date()), last, ask)

    def _look(self, first: date, last: date, ask: Callable[[Scan], T]) -> T:
        """Look at the files that were written on the days from `first` to `last`."""
        for _ in range(_ATTEMPTS):
            scan = Scan(self._folder, first, last)
            try:
                return ask(scan)
            except (FileNotFoundError, duckdb.IOException):
                continue
            finally:
                scan.close()
        raise JournalError(f"files of the journal in {self._folder.path} went away {_ATTEMPTS} times while it was read")


def _row(row: Sequence[Any]) -> Row:
    return Row._make((*row[:4], prefix_of(*row[4:8]), *row[8:]))


def _as_numbers(detail: Mapping[str, object]) -> tuple[int, int] | None:
    """The AS numbers in the OPENs of a Peer Up's detail; None when either is not there."""
    match detail:
        case {"local": {"asn": int(own)}, "remote": {"asn": int(peer)}}:
            return own, peer
    return None


def _without_repeats(rows: str) -> str:
    return WITHOUT_REPEATS.format(routes=f"({rows})")


def _between(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": stamp(nanoseconds(start)), "end": stamp(nanoseconds(end))}


def _blobs(scan: Scan, ids: set[int]) -> Mapping[int, Blob]:
    wanted = [number for number in ids if number]
    if not wanted:
        return {}
    scan.register("wanted", pa.table({"id": pa.array(wanted, pa.uint64())}))
    sql = """select id, any_value(two_octet_as), any_value(blob) from attributes
             where id in (select id from wanted) group by id"""
    return {number: Blob(number, two, octets) for number, two, octets in scan.rows(sql, {}, "attributes")}


def _sources(scan: Scan, state: Standings, at: datetime) -> Mapping[tuple[Session, int], list[tuple[int, int]]]:
    """Every (session, RIB view) known at a time, and when dump rows of it came."""
    found: dict[tuple[Session, int], list[tuple[int, int]]] = {}
    sql = "select session, rib, phase, first_at, last_at from activity where first_at <= $at order by first_at"
    for number, rib, phase, first, last in scan.rows(sql, {"at": nanoseconds(at)}, "activity"):
        bursts = found.setdefault((state.name(number), rib), [])
        if phase == Phase.DUMP:
            bursts.append((first, last))
    return found
