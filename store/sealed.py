"""Parquet files of the journal: how they are written, and attribute sets copied so that a day stands on its own."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from store.folder import Folder, publish, sync_file
from store.scan import Scan
from store.schema import SCHEMAS

ROW_GROUP: Final = 1 << 16
ATTRIBUTES_ROW_GROUP: Final = 1 << 13
"""Attributes are looked up one by one: small groups, so that little is read for each."""

ORDER: Final = {
    "routes": "family, prefix_high, prefix_low, length, session, rib, path_id, row",
    "attributes": "id, row",
    "sessions": "row",
    "changes": "prefix, row",
    "probes": 'site, target, probe, "at", row',
    "malformed": "row",
    "points": "row",
}
"""What a table's files are sorted by."""


def write(path: Path, table: pa.Table, row_group: int = ROW_GROUP) -> None:
    """Write a Parquet file so that it is there whole or not at all."""
    write_stream(path, table.schema, table.to_batches(), row_group)


def write_stream(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], row_group: int = ROW_GROUP) -> int:
    """Write batches, as they come, to a Parquet file that is there whole or not at all; returns the rows."""
    partial, rows = path.with_name(path.name + ".partial"), 0
    steady = {
        name: "DELTA_BINARY_PACKED" for name in ("at", "agent_at", "row") if name in schema.names
    }  # nearly sorted
    others = [name for name in schema.names if name not in steady]
    with pq.ParquetWriter(
        partial, schema, compression="zstd", use_dictionary=others, column_encoding=steady
    ) as parquet:
        for batch in batches:
            parquet.write_batch(batch.cast(schema), row_group)
            rows += batch.num_rows
    sync_file(partial)
    publish(partial, path)
    return rows


def attributes_of(folder: Folder, wanted: pa.Table, days: Sequence[date]) -> pa.Table:
    """Find attribute sets by id (`wanted`, one column `id`) in the folders of some days; the first that has one counts.

    What is nowhere is left out: its rows then show no attributes.
    """
    found = []
    for day in days:
        if not wanted.num_rows:
            break
        scan = Scan(folder, day, day)
        try:
            scan.register("wanted", wanted)
            found.append(_distinct(scan))
            scan.register("found", found[-1])
            wanted = scan.arrow("select id from wanted where id not in (select id from found)")
        finally:
            scan.close()
    return pa.concat_tables(found) if found else SCHEMAS["attributes"].empty_table()


def lacking(folder: Folder, day: date, used: pa.Table) -> pa.Table:
    """Return the ids among `used` (one column `id`) whose attribute sets the day's folder does not hold."""
    scan = Scan(folder, day, day)
    try:
        scan.register("used", used)
        return scan.arrow("select id from used where id not in (select id from attributes)", {}, "attributes")
    finally:
        scan.close()


def _distinct(scan: Scan) -> pa.Table:
    sql = """select id, any_value(two_octet_as) as two_octet_as, any_value(blob) as blob, min(row) as row
             from attributes where id in (select id from wanted) group by id order by id"""
    return scan.arrow(sql, {}, "attributes").cast(SCHEMAS["attributes"])
