"""A day's opening state: what was held when it began, so that nothing before it is needed to answer about it.

Rows that only say what would be said without them (a withdrawal in a complete table, whatever a peer that is down once
announced) are not carried over.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from store.folder import SEALED, Folder, publish
from store.scan import ACTIVITY, CARRIED, KEY, ROUTES, SECOND, WITHOUT_REPEATS, Scan, opening_day
from store.schema import SCHEMAS, nanoseconds
from store.sealed import ATTRIBUTES_ROW_GROUP, ORDER, attributes_of, write, write_stream
from store.standing import QUIET, Event, Sight, Standing, Standings, complete, standings

FORGOTTEN: Final = 7 * 24 * 3600 * SECOND
"""How long a session that is not up, and of which no route is held, is carried over."""

_HELD: Final = f"""
    with named as (
        select r.* replace (coalesce(s.current, r.session) as session), s.sight, s.done, s.submission, s.since
        from ({WITHOUT_REPEATS.format(routes="routes")}) as r
        left join stands as s on s.session = r.session and s.rib = r.rib
    ), last as (
        select *, (row >> 24, epoch_ns("at")) as place, (submission, since) as edge
        from named qualify row_number() over (partition by {KEY} order by row desc) = 1
    )
    select {ROUTES} from last where case
        when sight is null then action = 1
        when sight = {Sight.UP.value} and done then action = 1 and place >= edge
        when sight = {Sight.UP.value} then action = 1 or place >= edge
        when sight = {Sight.DOWN.value} then action = 1 and place > edge
        else action = 1 or place > edge
    end order by {ORDER["routes"]}
"""

_Tables = dict[tuple[int, int], list[tuple[int, int, int]]]
"""(current session id, RIB view) to (phase, first, last)."""


def write_opening(folder: Folder, day: date) -> None:
    """Write the opening state of a day from that of an earlier one and everything since; all of it must be sealed."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    before = day - timedelta(days=1)
    target = folder.sealed / day.isoformat()
    target.mkdir(parents=True, exist_ok=True)
    partial = target / f"{CARRIED}-routes.held"
    scan = Scan(folder, opening_day(folder, before), before, spill=True)
    try:
        state = standings(scan.events)
        tables = _tables(scan, state)
        scan.register("stands", _stands(scan, state, tables, nanoseconds(midnight)))
        held = scan.stream(_HELD, "routes", "breaks")
        write_stream(partial, SCHEMAS["routes"], held)
    finally:
        scan.close()
    _write_rest(folder, target, partial, state, tables, midnight)
    publish(partial, target / f"{CARRIED}-routes{SEALED}")  # last: with it the opening state counts


def _write_rest(
    folder: Folder, target: Path, held: Path, state: Standings, tables: _Tables, midnight: datetime
) -> None:
    scan = Scan(folder, midnight.date(), midnight.date())
    try:
        ids = "select distinct attributes as id from read_parquet($held) where attributes <> 0"
        wanted = scan.arrow(ids, {"held": str(held)})
        sessions = scan.rows("select distinct session from read_parquet($held)", {"held": str(held)})
    finally:
        scan.close()
    days = [day for day in reversed(folder.days()) if day < midnight.date()]
    write(target / f"{CARRIED}-attributes{SEALED}", attributes_of(folder, wanted, days), ATTRIBUTES_ROW_GROUP)
    kept = _kept(state, {number for (number,) in sessions}, nanoseconds(midnight))
    write(target / f"{CARRIED}-sessions{SEALED}", _sessions(state, kept))
    write(target / f"{CARRIED}-activity{SEALED}", _activity(kept, tables, nanoseconds(midnight)))


def _tables(scan: Scan, state: Standings) -> _Tables:
    found: _Tables = {}
    sql = "select session, rib, phase, first_at, last_at from activity order by first_at"
    for number, rib, phase, first, last in scan.rows(sql, {}, "activity"):
        found.setdefault((_current(state, number), rib), []).append((phase, first, last))
    return found


def _current(state: Standings, number: int) -> int:
    """The id under which a session goes now."""
    name = state.names.get(number)
    standing = state.by_session.get(name) if name else None
    return standing.session if standing else number


def _done(standing: Standing, table: list[tuple[int, int, int]], at: int) -> bool:
    dumps = [(first, last) for phase, first, last in table if phase == 0]
    return complete(standing.since.at, dumps, at, QUIET)


def _stands(scan: Scan, state: Standings, tables: _Tables, at: int) -> pa.Table:
    rows = []
    pairs = scan.rows("select distinct session, rib from activity", {}, "activity")
    for number, rib in pairs:
        name = state.names.get(number)
        if name is not None and (standing := state.by_session.get(name)):
            done = _done(standing, tables[standing.session, rib], at)
            rows.append((number, rib, standing.session, standing.sight.value, done, *standing.since))
    names = ("session", "rib", "current", "sight", "done", "submission", "since")
    types = (pa.uint32(), pa.uint8(), pa.uint32(), pa.int8(), pa.bool_(), pa.int64(), pa.int64())
    arrays = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(types)]
    return pa.table(dict(zip(names, arrays, strict=True)))


def _kept(state: Standings, holding: set[int], at: int) -> list[Standing]:
    return [
        standing
        for standing in state.by_session.values()
        if standing.sight is Sight.UP or standing.session in holding or at - standing.since.at < FORGOTTEN
    ]


def _sessions(state: Standings, kept: list[Standing]) -> pa.Table:
    """The events that lead to the same standings again."""
    events = [*state.feeds.values(), *(standing.peer_event._replace(session=standing.session) for standing in kept)]
    schema = SCHEMAS["sessions"]
    columns = {name: [_cell(event, name) for event in sorted(events)] for name in schema.names}
    return pa.table(columns, schema=schema)


def _cell(event: Event, name: str) -> object:
    if name == "router_time":
        return None
    return event.detail_text if name == "detail" else getattr(event, name)


def _activity(kept: list[Standing], tables: _Tables, at: int) -> pa.Table:
    current = {standing.session: standing for standing in kept}
    rows = [
        (number, rib, *burst)
        for (number, rib), table in tables.items()
        if number in current
        for burst in _bursts(current[number], table, at)
    ]
    arrays = [pa.array([row[index] for row in rows], field.type) for index, field in enumerate(ACTIVITY)]
    return pa.Table.from_arrays(arrays, schema=ACTIVITY)


def _bursts(standing: Standing, table: list[tuple[int, int, int]], at: int) -> Iterator[tuple[int, int, int]]:
    """One live line, so that the view is known to exist; of a table that still loads also its dump so far."""
    yield 1, table[0][1], max(last for _, _, last in table)
    dumps = [(first, last) for phase, first, last in table if phase == 0 and last >= standing.since.at]
    if standing.sight is Sight.UP and dumps and not _done(standing, table, at):
        yield 0, dumps[0][0], max(last for _, last in dumps)
