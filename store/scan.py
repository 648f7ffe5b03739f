"""One look at the journal: sealed and growing files of some days, together, under a query engine that owns no file.

Every table is a view in a DuckDB that lives in memory for one question. A segment that is being written is read up to
its last whole batch; one that is being sealed is taken once, as Parquet if that is there already.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from store.folder import CLOSED, GROWING, SEALED, Folder
from store.schema import SCHEMAS, nanoseconds
from store.standing import FEED_EVENTS, PEER_EVENTS, Event, Order, Standings, standings
from store.tail import Tail

SECOND: Final = 1_000_000_000
SLACK: Final = timedelta(days=1)
"""Rows may stand in the next day's folder: they are filed by when they were written, asked for by when received."""
CARRIED: Final = "carried"
_MEMORY: Final = "1GB"

ACTIVITY: Final = pa.schema(
    [
        pa.field("session", pa.uint32()),
        pa.field("rib", pa.uint8()),
        pa.field("phase", pa.uint8()),
        pa.field("first_at", pa.int64()),
        pa.field("last_at", pa.int64()),
    ]
)
"""When dump rows of each session and view came, by the second; live rows in one line. Nanoseconds since 1970."""

ACTIVITY_SQL: Final = f"""
    select session, rib, phase, min(epoch_ns("at")) as first_at, max(epoch_ns("at")) as last_at
    from {{routes}} group by session, rib, phase, if(phase = 0, epoch_ns("at") // {SECOND}, -1)
"""

KEY: Final = "session, rib, family, prefix_high, prefix_low, length, path_id"
"""What makes two rows speak of the same route."""

ROUTES: Final = ", ".join(f'"{name}"' for name in SCHEMAS["routes"].names)

WITHOUT_REPEATS: Final = f"""
    select {ROUTES} from (
        select *, (row >> 24, epoch_ns("at")) as place, lag((row >> 24, epoch_ns("at"))) over one as place_before,
            phase = 0 and action = lag(action) over one and attributes = lag(attributes) over one as again
        from {{routes}} window one as (partition by {KEY} order by row)
    ) as seen
    where not coalesce(again, false) or exists (
        select 1 from breaks where breaks.session = seen.session
            and (submission, moment) > seen.place_before and (submission, moment) <= seen.place
    )
"""
"""Route rows without dump rows that say once more what the row before said, with no break of the session between."""


class Scan:
    """The files of the days from `first` to `last`, and the opening state of `first` if it was written down."""

    def __init__(self, folder: Folder, first: date, last: date, *, spill: bool = False) -> None:
        """List the files. `spill` lets large sorts use the journal's scratch folder (the daemon's jobs only)."""
        self._folder = folder
        self._days = [day for day in folder.days() if first <= day <= last]
        self._opening = first
        self._connection = engine(str(folder.scratch) if spill else "").cursor()
        growing = [path for path in folder.segments(GROWING, CLOSED) if self._covers(path)]
        self._sealed = [path for day in self._days for path in (folder.sealed / day.isoformat()).glob(f"*{SEALED}")]
        done = {(path.parent.name, path.stem) for path in self._sealed}
        self._growing = [path for path in growing if (path.parent.name, path.stem) not in done]
        self._views: set[str] = set()

    def close(self) -> None:
        """Let go of the query engine."""
        self._connection.close()

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None, *views: str) -> list[tuple[Any, ...]]:
        """Answer a query over the named tables (`routes`, `breaks`, ...), parameters by name."""
        self._need(*views)
        return self._connection.execute(sql, dict(parameters or {})).fetchall()

    def arrow(self, sql: str, parameters: Mapping[str, object] | None = None, *views: str) -> pa.Table:
        """Answer as an Arrow table."""
        self._need(*views)
        return self._connection.sql(sql, params=dict(parameters or {})).to_arrow_table()

    def stream(self, sql: str, *views: str) -> pa.RecordBatchReader:
        """Answer batch by batch; to be read before the scan is closed."""
        self._need(*views)
        return self._connection.sql(sql).to_arrow_reader(1 << 16)

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known to queries."""
        self._connection.register(name, table)

    def narrow(self, tail: Tail) -> None:
        """Make a table known with a tail's columns alone, which has the growing segments in memory already."""
        self._views.add(tail.table)
        sealed = [path for path in self._sealed if path.name.startswith(f"{tail.table}-")]
        growing = [path for path in self._growing if path.name.startswith(f"{tail.table}-")]
        self._union(tail.table, tail.schema, sealed, tail.read(growing))

    @cached_property
    def events(self) -> list[Event]:
        """Feed and peer events, and ends of tables, in order of their rows, the opening ones included."""
        columns = 'row, epoch_ns("at"), session, event, router, peer, peer_type, distinguisher, rib, detail'
        found = self.rows(f"select {columns} from sessions where event < 5 order by row", {}, "sessions")
        return [Event._make((*row[:-1], row[-1] or "")) for row in found]

    def standings(self, at: datetime) -> Standings:
        """How sessions stood at a time."""
        limit = nanoseconds(at)
        return standings(event for event in self.events if event.at <= limit)

    def _need(self, *views: str) -> None:
        for view in views:
            if view not in self._views:
                self._views.add(view)
                self._make(view)

    def _make(self, view: str) -> None:
        if view == "breaks":
            self.register(view, breaks(self.events))
        elif view == "activity":
            self._make_activity()
        else:
            carried = f"{CARRIED}-{view}"
            sealed = [path for path in self._sealed if path.name.startswith(f"{view}-")]
            opening = [path for path in self._sealed if self._opens(path, carried)]
            self._union(view, SCHEMAS[view], [*sealed, *opening], self._read(view))

    def _make_activity(self) -> None:
        sealed = [path for path in self._sealed if path.name.startswith("activity-")]
        opening = [path for path in self._sealed if self._opens(path, f"{CARRIED}-activity")]
        self.register("growing_only", self._read("routes"))
        growing = self._connection.sql(ACTIVITY_SQL.format(routes="growing_only")).to_arrow_table().cast(ACTIVITY)
        self._union("activity", ACTIVITY, [*sealed, *opening], growing)

    def _opens(self, path: Path, stem: str) -> bool:
        return path.stem == stem and path.parent.name == self._opening.isoformat()

    def _covers(self, path: Path) -> bool:
        return date.fromisoformat(path.parent.name) in self._days

    def _read(self, table: str) -> pa.Table:
        batches = [
            batch for path in self._growing if path.name.startswith(f"{table}-") for batch in whole_batches(path)
        ]
        return pa.Table.from_batches(batches, SCHEMAS[table])

    def _union(self, view: str, schema: pa.Schema, sealed: Sequence[Path], growing: pa.Table) -> None:
        columns = ", ".join(f'"{name}"' for name in schema.names)
        self.register(f"growing_{view}", growing)
        parts = [f"select {columns} from growing_{view}"]
        if sealed:
            files = ", ".join(quoted(str(path)) for path in sealed)
            parts.append(f"select {columns} from read_parquet([{files}])")
        self._connection.execute(f"create temp view {view} as {' union all '.join(parts)}")


@cache
def engine(spill_to: str) -> duckdb.DuckDBPyConnection:
    """Return the process's query engine; what a cursor of it makes is that cursor's own. "" keeps it off the disk."""
    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": _MEMORY})
    connection.execute(f"set temp_directory = {quoted(spill_to)}")
    connection.execute("set preserve_insertion_order = false")
    return connection


def quoted(text: str) -> str:
    """Write a text of our own, a path say, as SQL; what others wrote is a parameter."""
    return "'" + text.replace("'", "''") + "'"


def whole_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Read a segment up to its last whole batch, mapped, not copied."""
    mapped = pa.memory_map(str(path)) if path.stat().st_size else pa.BufferReader(b"")
    with mapped:
        try:
            stream = pa.ipc.open_stream(mapped)
            while True:
                yield stream.read_next_batch()
        except (StopIteration, pa.ArrowInvalid, OSError):
            return  # the writer is in the middle of one, or a crash was


def breaks(events: Sequence[Event]) -> pa.Table:
    """Return (session, submission, moment) of every event that may end what rows of a session said."""
    state = standings(events)
    of_router: dict[str, list[int]] = {}
    of_session: dict[object, list[int]] = {}
    for number, session in state.names.items():
        of_router.setdefault(session.router, []).append(number)
        of_session.setdefault(session, []).append(number)
    found = [
        (number, *Order.of(event.row, event.at))
        for event in events
        if event.event in PEER_EVENTS + FEED_EVENTS
        for number in (of_session[state.names[event.session]] if event.session else of_router.get(event.router, ()))
    ]
    types = {"session": pa.uint32(), "submission": pa.int64(), "moment": pa.int64()}
    return pa.table({name: pa.array([row[i] for row in found], kind) for i, (name, kind) in enumerate(types.items())})


def stamp(at: int) -> str:
    """Write nanoseconds since 1970 as a parameter that is compared as a time in UTC."""
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def opening_day(folder: Folder, day: date) -> date:
    """Return the latest day, not after `day`, whose opening state was written down; else the first day there is."""
    known = [
        found for found in folder.days() if (folder.sealed / found.isoformat() / f"{CARRIED}-routes{SEALED}").exists()
    ]
    return max((found for found in known if found <= day), default=min([*folder.days(), day]))
