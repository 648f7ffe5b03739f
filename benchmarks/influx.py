"""Points from the journal to a local server, on one core, beside influxdb-client's own batching, in one run.

    python -m benchmarks.influx [--points 2000000] [--rounds 3] [--server victoria-metrics|influxdb]

Processes of their own, one after the other, all on the same core, the server on another: our sink, out of a journal
that still grows, and out of a sealed one, noting its cursor in a ledger; influxdb-client's batching of lines that are
written already; and its batching of its own `Point`s, made on the way. Those have their points in memory, and read no
journal. Every process ends when the server has answered its last request, and the server's own count is compared with
what was sent. Batches are of 10,000 points for all. Prints one JSON object. InfluxDB 1.6 has no v2 API, so only our
sink is measured with it.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.timed import CORE, timed
from store.influx.quarantine import Quarantine
from store.influx.sink import Sink
from store.influx.where import ServerKind, Where
from store.journal import Journal
from store.ledger import LedgerFile
from store.schema import SUBMITTED
from store.seal import seal
from tests.servers.influx import Influx, Victoria, influx, victoria

SERIES = 2_000
AT_ONCE = 10_000
RUNGS = ("V1", "V2", "V5", "V6")
TARGET = 50_000
"""Points a second."""
PARTS = ("sink-growing", "sink-sealed", "client-lines", "client-points")


def key(series: int) -> str:
    """A series as presence has it: six tags."""
    rung, region = RUNGS[series % 4], f"r{series % 20}"
    return f"presence,prefix=10.250.{series % 200}.10/32,region={region},rung={rung},service=s{series % 200},site=-,vantage=v{series}"  # noqa: E501


def fields(number: int) -> str:
    """Fields as presence has them."""
    return f'as_path="65515 650{number % 90 + 10}",best_region="",meant=1i,next_hop="10.10.1.4",paths={number % 3}i,present=1i'  # noqa: E501


def fill(folder: Path, points: int, begun: int) -> None:
    """Write a journal of points, ten thousand a submission, as fast as it goes."""
    journal, keys = Journal(folder), [key(series) for series in range(SERIES)]
    for first in range(0, points, AT_ONCE):
        numbers = range(first, min(points, first + AT_ONCE))
        columns: list[list[Any]] = [
            [begun + number * 1000 for number in numbers],
            ["presence"] * len(numbers),
            [keys[number % SERIES] for number in numbers],
            [fields(number) for number in numbers],
        ]
        made = [pa.array(column, field.type) for column, field in zip(columns, SUBMITTED["points"], strict=True)]
        batch = pa.RecordBatch.from_arrays(made, schema=SUBMITTED["points"])
        journal.append([[("points", batch)]], datetime.now(UTC))
        journal.commit()
    journal.close()


async def sink(folder: Path, where: Where, points: int) -> None:
    """Deliver a journal."""
    file = LedgerFile(folder / "ledger.sqlite")

    async def note(cursor: int) -> None:
        await file.commit(facts={"sink": cursor})

    def connect(to: Where) -> Any:
        from store.influx.post import Post

        return Post(to)

    made = Sink(where, folder / "journal", Quarantine(folder / "aside"), 0, note, connect)
    running = asyncio.create_task(made.run())
    while made.status().delivered + made.status().quarantined < points:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await file.close()
    assert made.status().delivered == points, made.status()


def client(url: str, points: int, begun: int, as_points: bool) -> None:
    """Write by influxdb-client's batching."""
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write.point import Point as Theirs
    from influxdb_client.client.write_api import WriteOptions

    new: Any = Theirs
    options = WriteOptions(batch_size=AT_ONCE, flush_interval=1_000)
    made: Any = InfluxDBClient(url, "-", org="-", enable_gzip=True, timeout=60_000)
    with made, made.write_api(write_options=options) as api:
        for number in range(points):
            at, series = begun + number * 1000, number % SERIES
            if as_points:
                point = new("presence").tag("service", f"s{series % 200}").tag("site", "-")
                point.tag("prefix", f"10.250.{series % 200}.10/32").tag("rung", RUNGS[series % 4])
                point.tag("region", f"r{series % 20}").tag("vantage", f"v{series}")
                point.field("as_path", f"65515 650{number % 90 + 10}").field("best_region", "")
                point.field("meant", 1).field("next_hop", "10.10.1.4").field("paths", number % 3)
                api.write("catchment", "-", point.field("present", 1).time(at))
            else:
                api.write("catchment", "-", f"{key(series)} {fields(number)} {at}")


@contextmanager
def server(folder: Path, kind: str) -> Iterator[Victoria | Influx]:
    """A server on the cores that are not measured."""
    others = os.sched_getaffinity(0) - {CORE} or {CORE}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)
    try:
        with (victoria if kind == "victoria-metrics" else influx)(folder) as made:
            os.sched_setaffinity(0, before)
            if isinstance(made, Influx):
                made.make("catchment")
            yield made
    finally:
        os.sched_setaffinity(0, before)


def taken(made: Victoria | Influx, begun: int) -> int:
    """How many points the server has of a run that began at `begun`."""
    if isinstance(made, Influx):
        found = made.influxql("catchment", f"SELECT count(present) FROM presence WHERE time >= {begun}")
        return int(found[0].rows[0][1])
    made.flush()
    status, body = made.ask("GET", f"/api/v1/export?match[]=presence_present&start={begun / 1e9:.3f}", timeout=600)
    assert status == 200
    return sum(len(json.loads(text)["values"]) for text in body.decode().splitlines())


def measure(points: int, rounds: int, kind: str) -> dict[str, Any]:
    """Each part, in turns."""
    parts = PARTS if kind == "victoria-metrics" else PARTS[:2]
    found: dict[str, list[dict[str, float]]] = {part: [] for part in parts}
    with tempfile.TemporaryDirectory(prefix="catchment-influx-") as name, server(Path(name) / "server", kind) as made:
        folder = Path(name)
        for turn in range(rounds):
            for part in parts:
                count = points if part != "client-points" else max(AT_ONCE, points // 10)
                begun = (int(time.time()) - 86_400) * 1_000_000_000
                data = folder / f"{part}-{turn}"
                if part.startswith("sink"):
                    fill(data / "journal", count, begun)
                    if part == "sink-sealed":
                        seal(data / "journal", datetime.now(UTC) + timedelta(hours=2))
                argv = [sys.executable, "-m", "benchmarks.influx", "--part", part, "--folder", str(data)]
                argv += ["--url", made.url, "--points", str(count), "--begun", str(begun), "--server", kind]
                took = timed(argv, keep=True)
                seconds = float(took.said.strip().splitlines()[-1])
                found[part].append(
                    {
                        "points": count,
                        "points_per_second": round(count / seconds),
                        "cpu_seconds_per_million": round(took.cpu / count * 1e6, 2),
                        "peak_mib": took.peak >> 20,
                        "lacking": count - taken(made, begun),
                    }
                )
    return {
        "server": kind,
        "series": SERIES,
        "target": TARGET,
        "parts": {part: _middle(r) for part, r in found.items()},
    }


def _middle(repeats: list[dict[str, float]]) -> dict[str, Any]:
    names = repeats[0].keys()
    return {name: statistics.median(repeat[name] for repeat in repeats) for name in names} | {"repeats": len(repeats)}


def one(part: str, folder: Path, url: str, points: int, begun: int, kind: str) -> None:
    """One part, in this process; prints the seconds from the first point to the last answer."""
    where = Where("bench", url, kind=ServerKind.INFLUXDB_1 if kind == "influxdb" else ServerKind.VICTORIA_METRICS)
    since = time.perf_counter()
    if part.startswith("sink"):
        asyncio.run(sink(folder, where, points))
    else:
        client(url, points, begun, part == "client-points")
    print(time.perf_counter() - since)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", choices=("victoria-metrics", "influxdb"), default="victoria-metrics")
    for name in ("part", "folder", "url"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    parser.add_argument("--begun", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        one(chosen.part, Path(chosen.folder), chosen.url, chosen.points, chosen.begun, chosen.server)
    else:
        print(json.dumps(measure(chosen.points, chosen.rounds, chosen.server), indent=1))


if __name__ == "__main__":
    main()
