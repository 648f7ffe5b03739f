"""On real servers everything is read back as it was written: Debian's InfluxDB 1.6 and VictoriaMetrics.

InfluxDB 2 and 3, too, where CATCHMENT_TEST_INFLUX_URL names one, with its CATCHMENT_TEST_INFLUX_TOKEN and, of
InfluxDB 2, CATCHMENT_TEST_INFLUX_ORG (the first when left out): in a bucket of the test's own, deleted afterwards.
"""

import asyncio
import json
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow as pa
import pytest

from anycast.point import Value
from anycast.series import MEASUREMENTS, Type, texts
from anycast.sink import SinkState
from store.influx.post import Post
from store.influx.quarantine import Quarantine
from store.influx.sink import Sink
from store.influx.where import ServerKind, Where
from store.journal import Journal
from tests.servers.influx import Influx, Victoria, influx, victoria
from tests.store.influx.hostile import Written, written

EACH = 60
"""Points of each measurement."""
Key = tuple[str, frozenset[tuple[str, str]], str, int]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influx(tmp_path_factory.mktemp("influx")) as server:
        server.make("catchment")
        yield server


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with victoria(tmp_path_factory.mktemp("victoria")) as server:
        yield server


async def deliver(folder: Path, made: Written, where: Where, refused: int = 0) -> Sink:
    """Put points into a journal, and have a sink deliver all of them but those that are refused."""
    journal = Journal(folder / "journal")
    journal.append([[("points", made.table)]], datetime.now(UTC))
    journal.commit()

    async def note(cursor: int) -> None:
        pass

    sink = Sink(where, folder / "journal", Quarantine(folder / "aside"), 0, note, Post)
    task = asyncio.create_task(sink.run())
    deadline = time.monotonic() + 60
    while sink.status().delivered + sink.status().quarantined < made.table.num_rows:
        assert time.monotonic() < deadline, sink.status()
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    journal.close()
    assert (sink.status().quarantined, sink.status().state) == (refused, SinkState.DELIVERING), sink.quarantine.last(3)
    return sink


def of_influx_1(server: Influx, database: str = "catchment") -> dict[Key, Value]:
    """Everything in a database, by InfluxQL."""
    found: dict[Key, Value] = {}
    for name, kind in MEASUREMENTS.items():
        for series in server.influxql(database, f'SELECT * FROM "{name}" GROUP BY *'):
            tags = frozenset((tag, series.tags[tag]) for tag in kind.tags)
            for row in series.rows:
                at, *values = row
                for column, value in zip(series.columns[1:], values, strict=True):
                    if value is not None:
                        found[name, tags, column, at] = value
    return found


async def test_influxdb_1_reads_back_every_field_every_tag_and_every_time(one: Influx, tmp_path: Path) -> None:
    made = written(1, EACH, int(time.time()))
    await deliver(tmp_path, made, Where("one", f"http://127.0.0.1:{one.port}", kind=ServerKind.INFLUXDB_1, lines=500))
    assert of_influx_1(one) == dict(made.values)


async def test_what_is_sent_again_overwrites_itself_in_influxdb(one: Influx, tmp_path: Path) -> None:
    one.make("twice")
    made = written(2, 5, int(time.time()))
    where = Where("one", f"http://127.0.0.1:{one.port}", kind=ServerKind.INFLUXDB_1, bucket="twice")
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        await deliver(tmp_path / folder, made, where)
    assert of_influx_1(one, "twice") == dict(made.values)


async def test_a_field_of_another_type_there_is_put_aside_with_influxdbs_own_words(one: Influx, tmp_path: Path) -> None:
    one.make("typed")
    assert one.write("typed", f'feed,exporter=x connected="yes" {int(time.time())}000000000\n'.encode())[0] == 204
    made = written(3, 2, int(time.time()))
    where = Where("one", f"http://127.0.0.1:{one.port}", kind=ServerKind.INFLUXDB_1, bucket="typed")
    sink = await deliver(tmp_path, made, where, refused=2)
    assert all("field type conflict" in kept.reason for kept in sink.quarantine.last(2))
    found = of_influx_1(one, "typed")
    assert {key: value for key, value in made.values.items() if key[0] != "feed"}.items() <= found.items()


async def test_points_that_are_too_old_for_influxdb_go_aside_by_the_request_and_hold_nothing_back(
    one: Influx, tmp_path: Path
) -> None:
    one.influxql(None, 'CREATE DATABASE "short" WITH DURATION 1h REPLICATION 1 NAME "hour"')
    now = int(time.time())
    old, fresh = written(6, 40, now - 100_000), written(7, 2, now)
    table = pa.concat_batches([old.table, fresh.table])
    made = Written(table, fresh.values)
    where = Where("one", f"http://127.0.0.1:{one.port}", kind=ServerKind.INFLUXDB_1, bucket="short", lines=256)
    sink = await deliver(tmp_path, made, where, refused=old.table.num_rows)
    assert of_influx_1(one, "short") == dict(fresh.values)
    assert sink.status().requests < 40
    assert "beyond retention policy" in sink.quarantine.last(1)[0].reason


async def test_victoria_metrics_reads_back_every_number_and_no_text(metrics: Victoria, tmp_path: Path) -> None:
    made = written(4, EACH, int(time.time()))
    where = Where("vm", f"http://127.0.0.1:{metrics.port}", kind=ServerKind.VICTORIA_METRICS, lines=700)
    await deliver(tmp_path, made, where)
    metrics.flush()
    everything = urlencode({"match[]": '{__name__!=""}'})
    status, body = metrics.ask("GET", f"/api/v1/export?{everything}")
    assert status == 200
    found: dict[Key, Value] = {}
    names = {f"{name}_{field}": (name, field) for name, kind in MEASUREMENTS.items() for field in kind.fields}
    for text in body.decode().splitlines():
        series = json.loads(text)
        labels = dict(series["metric"])
        name, field = names[labels.pop("__name__")]
        labels.pop("db", None)
        for at, value in zip(series["timestamps"], series["values"], strict=True):
            found[name, frozenset(labels.items()), field, at] = value
    numbers = {
        (name, tags, field, at // 1_000_000): value
        for (name, tags, field, at), value in made.values.items()
        if MEASUREMENTS[name].fields[field].type is not Type.TEXT
    }
    assert found == numbers
    assert {(name, field) for name, _, field, _ in made.values} - {key[0:3:2] for key in found} == set(texts())


def test_the_texts_that_victoria_metrics_does_not_store_are_listed() -> None:
    assert ("presence", "as_path") in texts()
    assert all(MEASUREMENTS[name].fields[field].type is Type.TEXT for name, field in texts())


# InfluxDB 2 and 3, which are no packages of Debian.

URL = os.environ.get("CATCHMENT_TEST_INFLUX_URL", "")
TOKEN = os.environ.get("CATCHMENT_TEST_INFLUX_TOKEN", "")
named = pytest.mark.skipif(not URL, reason="left out: CATCHMENT_TEST_INFLUX_URL names no InfluxDB 2 or 3")


def asked(method: str, path: str, body: object = None, **query: str) -> tuple[Mapping[str, str], Any]:
    """Ask that server."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL.rstrip('/')}{path}?{urlencode(query)}", data, method=method)
    request.add_header("Authorization", f"Token {TOKEN}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return dict(answer.headers), json.loads(text) if text.strip() else None
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error


def _two(bucket: str) -> tuple[str, Callable[[], dict[Key, Value]], Callable[[], None]]:
    from influxdb_client import InfluxDBClient  # type: ignore[attr-defined]

    client: Any = InfluxDBClient(URL, TOKEN, timeout=30_000)
    wanted = os.environ.get("CATCHMENT_TEST_INFLUX_ORG")
    [org, *_] = [o for o in client.organizations_api().find_organizations() if wanted in (None, o.name)]
    made = client.buckets_api().create_bucket(bucket_name=bucket, org_id=org.id)

    def read() -> dict[Key, Value]:
        found: dict[Key, Value] = {}
        flux = f'from(bucket: "{bucket}") |> range(start: 0, stop: 2100-01-01T00:00:00Z)'
        for table in client.query_api().query(flux, org=org.id):
            for record in table.records:
                name = record.get_measurement()
                tags = frozenset((tag, record.values[tag]) for tag in MEASUREMENTS[name].tags)
                at = (record.get_time() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
                found[name, tags, record.get_field(), at] = record.get_value()
        return found

    def delete() -> None:
        client.buckets_api().delete_bucket(made)
        client.close()

    return org.name, read, delete


def _three(database: str) -> tuple[str, Callable[[], dict[Key, Value]], Callable[[], None]]:
    asked("POST", "/api/v3/configure/database", {"db": database})

    def read() -> dict[Key, Value]:
        found: dict[Key, Value] = {}
        for name, kind in MEASUREMENTS.items():
            _, rows = asked("GET", "/api/v3/query_sql", db=database, format="json",
                            q=f'SELECT *, CAST(time AS BIGINT) AS "__at" FROM "{name}"')  # fmt: skip
            for row in rows:
                tags = frozenset((tag, row[tag]) for tag in kind.tags)
                for field in kind.fields:
                    if row.get(field) is not None:
                        found[name, tags, field, int(row["__at"])] = row[field]
        return found

    return "-", read, lambda: (asked("DELETE", "/api/v3/configure/database", db=database), None)[1]


@named
async def test_influxdb_2_and_3_read_back_every_field(tmp_path: Path) -> None:
    headers, _ = asked("GET", "/ping")
    version = next((value for name, value in headers.items() if name.lower() == "x-influxdb-version"), "").lstrip("v")
    if version.startswith("1"):
        pytest.skip("left out: CATCHMENT_TEST_INFLUX_URL names InfluxDB 1, which was tried above")
    bucket = f"catchment-test-{secrets.token_hex(6)}"
    org, read, delete = (_three if version.startswith("3") else _two)(bucket)
    try:
        (tmp_path / "token").write_text(TOKEN)
        made = written(5, EACH, int(time.time()))
        where = Where("named", URL.rstrip("/"), tmp_path / "token", org, bucket, timeout=timedelta(seconds=30))
        await deliver(tmp_path, made, where)
        assert read() == dict(made.values)
        assert quote(bucket) == bucket
    finally:
        delete()
