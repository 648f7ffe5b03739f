"""Closed segments become Parquet, sorted for lookup by prefix and time, in one folder a day that stands on its own.

Each step writes to a `.partial` file, forces it to disk, gives it its name, and only then removes what it was made of:
a crash anywhere leaves something to do again, and doing it again changes nothing. The daemon calls `seal` every few
minutes; only one may run at a time.

Left out while sealing, and by the reader of what is not sealed yet: a dump row that says what the row of the same route
before it said, with no break of its session between (see `store.scan.WITHOUT_REPEATS`). The first dump row after a
break is kept: it turns unknown into present, at its time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from store.folder import CLOSED, GROWING, SEALED, Folder, sync_folder
from store.opening import write_opening
from store.recovery import Recovered, recover
from store.scan import ACTIVITY, ACTIVITY_SQL, CARRIED, KEY, ROUTES, WITHOUT_REPEATS, Scan, opening_day, whole_batches
from store.schema import SCHEMAS
from store.sealed import ATTRIBUTES_ROW_GROUP, ORDER, ROW_GROUP, attributes_of, lacking, write

_WITH_ROWS_BEFORE: Final = f"""
    select {ROUTES} from segment
    union all select {ROUTES} from (
        select {ROUTES} from routes
        semi join (select distinct {KEY} from segment where phase = 0) as dumped using ({KEY})
        where row < $first qualify row_number() over (partition by {KEY} order by row desc) = 1
    )
"""
"""A segment's rows, and what was last said before it of each route that it dumps."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one call of `seal` did."""

    segments: int = 0
    rows: int = 0
    """Read."""
    repeats: int = 0
    """Dump rows left out."""
    opened: date | None = None
    """The day whose opening state was written down."""
    recovered: tuple[Recovered, ...] = ()
    """Damage found on the way."""


def seal(path: Path, now: datetime) -> Sealed:
    """Seal every closed segment, and write the opening state of today once all days before it are sealed.

    Raises OSError (a full disk, say); what was sealed by then stays sealed, and the rest is as it was.
    """
    folder = Folder(path)
    segments, rows, kept, recovered = 0, 0, 0, []
    for segment in folder.segments(CLOSED):
        if report := recover(folder, segment):
            recovered.append(report)
        if segment.exists():
            before, after = _seal_one(folder, segment)
            segments, rows, kept = segments + 1, rows + before, kept + after
    today = now.astimezone(UTC).date()
    opened = today if _may_open(folder, today) else None
    if opened:
        write_opening(folder, opened)
    _remove_empty(folder, today)
    return Sealed(segments, rows, rows - kept, opened, tuple(recovered))


def _may_open(folder: Folder, today: date) -> bool:
    waiting = any(path.parent.name < today.isoformat() for path in folder.segments(GROWING, CLOSED))
    before = any(day < today for day in folder.days())
    there = (folder.sealed / today.isoformat() / f"{CARRIED}-routes{SEALED}").exists()
    return before and not waiting and not there


def _remove_empty(folder: Folder, today: date) -> None:
    for day in folder.growing.glob("????-??-??"):
        if day.name < today.isoformat() and not any(day.iterdir()):
            day.rmdir()


def _seal_one(folder: Folder, segment: Path) -> tuple[int, int]:
    """Seal one segment; returns rows read and rows kept."""
    day, table = date.fromisoformat(segment.parent.name), segment.stem.partition("-")[0]
    target = folder.sealed / day.isoformat()
    target.mkdir(parents=True, exist_ok=True)
    sync_folder(folder.sealed)
    scan = Scan(folder, opening_day(folder, day), day, spill=True)
    try:
        rows = pa.Table.from_batches(whole_batches(segment), SCHEMAS[table])
        scan.register("segment", rows)
        kept = _sorted_routes(folder, scan, segment, target) if table == "routes" else _sorted(scan, table)
    finally:
        scan.close()
    # The segment's own rows come last: while they are not there, the segment counts.
    write(target / f"{segment.stem}{SEALED}", kept, ATTRIBUTES_ROW_GROUP if table == "attributes" else ROW_GROUP)
    segment.unlink()
    sync_folder(segment.parent)
    return rows.num_rows, kept.num_rows


def _sorted(scan: Scan, table: str) -> pa.Table:
    return scan.arrow(f"select * from segment order by {ORDER[table]}").cast(SCHEMAS[table])


def _sorted_routes(folder: Folder, scan: Scan, segment: Path, target: Path) -> pa.Table:
    """Write what the reader needs besides the rows themselves; return the rows that stay."""
    number = segment.stem.removeprefix("routes-")
    write(target / f"activity-{number}{SEALED}", scan.arrow(ACTIVITY_SQL.format(routes="segment")).cast(ACTIVITY))
    day = date.fromisoformat(target.name)
    used = scan.arrow("select distinct attributes as id from segment where attributes <> 0")
    earlier = [other for other in reversed(folder.days()) if other < day]
    if (missing := lacking(folder, day, used)).num_rows and earlier:
        borrowed = attributes_of(folder, missing, earlier)
        write(target / f"attributes-{number}-borrowed{SEALED}", borrowed, ATTRIBUTES_ROW_GROUP)
    first = scan.rows("select min(row) from segment")[0][0]
    kept = WITHOUT_REPEATS.format(routes=f"({_WITH_ROWS_BEFORE})")
    sql = f"select {ROUTES} from ({kept}) where row >= $first order by {ORDER['routes']}"
    return scan.arrow(sql, {"first": first}, "breaks", "routes").cast(SCHEMAS["routes"])
