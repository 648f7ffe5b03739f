"""How fast the journal takes a dump, what a commit costs meanwhile, and what a question costs afterwards.

    python benchmarks/journal.py [--rows 1000000] [--folder DIR]

One thread appends a full table as a router would dump it, in batches of 4096; another submits a change every 20 ms,
ahead of the dump, and waits for it to be on disk: that wait is the latency. Prints one JSON object.
"""

import argparse
import json
import resource
import tempfile
import threading
import time
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import numpy as np
import pyarrow as pa

from store.journal import Journal
from store.reader import Reader
from store.retention import size
from store.schema import SUBMITTED
from store.seal import seal
from store.writer import JournalWriter

BATCH = 4096


def dump(first: int, count: int, phase: int = 0) -> pa.RecordBatch:
    """`count` distinct /24s from the `first` on, with one attribute set to seven prefixes, as in a full table."""
    index = np.arange(first, first + count, dtype=np.uint64)
    now = np.full(count, time.time_ns())
    same = dict.fromkeys(("rib", "path_id", "prefix_low"), np.zeros(count))
    columns = {
        "at": now,
        "router_time": now,
        "session": np.ones(count),
        "phase": np.full(count, phase),
        "family": np.full(count, 4),
        "prefix_high": (index + np.uint64(1 << 16)) << np.uint64(40),
        "length": np.full(count, 24),
        "action": np.ones(count),
        "attributes": (index // np.uint64(7) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15),
        **same,
    }
    fields = SUBMITTED["routes"]
    arrays = [pa.array(columns[field.name].astype(_plain(field.type))).cast(field.type) for field in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=fields)


def _plain(kind: pa.DataType) -> str:
    return "int64" if pa.types.is_timestamp(kind) else str(kind)


def append(writer: JournalWriter, rows: int, phase: int = 0) -> float:
    """Append a dump as fast as the queue takes it; returns the seconds until all of it is on disk."""
    begun, last = time.perf_counter(), None
    for first in range(0, rows, BATCH):
        last = writer.submit([("routes", dump(first, min(BATCH, rows - first), phase))], timeout=60)
    assert last is not None
    last.result()
    return time.perf_counter() - begun


def live(writer: JournalWriter, done: threading.Event, waits: list[float]) -> None:
    """Submit a change every 20 ms, and note how long each was on its way to the disk."""
    now = time.time_ns()
    row = (now, None, "withdrawn", "update", "edge", "10.0.0.1", 0, 0, "adj-in-pre", "10.250.0.10/32", 0, "", "")
    fields = SUBMITTED["changes"]
    arrays = [pa.array([cell], field.type) for cell, field in zip(row, fields, strict=True)]
    change = pa.RecordBatch.from_arrays(arrays, schema=fields)
    while not done.wait(0.02):
        begun = time.perf_counter()
        writer.submit([("changes", change)], urgent=True).result()
        waits.append(time.perf_counter() - begun)


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return round(sorted(values)[int(share * (len(values) - 1))] * 1000, 2)


def resident() -> int:
    """MiB this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


def measure(folder: Path, rows: int) -> dict[str, object]:
    """Run it all in one folder."""
    commits: list[float] = []
    writer = JournalWriter(Journal(folder), observe=lambda seconds, _: commits.append(seconds))
    done = threading.Event()
    waits: list[float] = []
    quiet: list[float] = []
    idle = threading.Event()
    thread = threading.Thread(target=live, args=(writer, idle, quiet))
    thread.start()
    time.sleep(3)
    idle.set()
    thread.join()
    before = resident()
    commits.clear()
    thread = threading.Thread(target=live, args=(writer, done, waits))
    thread.start()
    seconds = append(writer, rows)
    held = [resident()]
    of_dump = list(commits)
    append(writer, rows)
    held.append(resident())
    done.set()
    thread.join()
    writer.close()
    return {
        "rows": rows,
        "rows_per_second": round(rows / seconds),
        "octets_per_row_growing": round(size(folder) / (2 * rows), 1),
        "change_on_disk_ms_idle": {"p50": percentile(quiet, 0.5), "p99": percentile(quiet, 0.99)},
        "change_on_disk_ms_during_dump": {
            "p50": percentile(waits, 0.5),
            "p99": percentile(waits, 0.99),
            "n": len(waits),
        },
        "group_commit_ms": {"p50": percentile(of_dump, 0.5), "p99": percentile(of_dump, 0.99)},
        "resident_mib": {"before": before, "after_one_dump": held[0], "after_two": held[1]},
        **after(folder, rows),
    }


def after(folder: Path, rows: int) -> dict[str, object]:
    """What questions cost before sealing and after it, and what sealing costs."""
    reader, now = Reader(folder), datetime.now(UTC)
    prefix = ip_network(((1 << 24) + (rows // 2 << 8), 24))
    found: dict[str, object] = {"state_ms_growing": question(reader, prefix, now)}
    begun = time.perf_counter()
    done = seal(folder, now)
    found["seal"] = {"seconds": round(time.perf_counter() - begun, 2), "rows": done.rows, "repeats": done.repeats}
    found["octets_per_row_sealed"] = round(size(folder) / (done.rows - done.repeats), 2)
    found["state_ms_sealed"] = question(reader, prefix, now)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return found


def question(reader: Reader, prefix: object, now: datetime) -> float:
    """Milliseconds of the second of two equal questions."""
    for _ in range(2):
        begun = time.perf_counter()
        page = reader.state(prefix, now)  # type: ignore[arg-type]
    assert [str(item.presence) for item in page.rows] == ["present"], page
    return round((time.perf_counter() - begun) * 1000, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the disk to be measured is; default: a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        print(json.dumps(measure(Path(name), chosen.rows), indent=1))


if __name__ == "__main__":
    main()
