"""Debian's `influxdb` (1.6, a real InfluxQL engine) and `victoria-metrics`, each on a free port, with its own data."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.needs import tool
from tests.servers.running import Running, free_port

_INFLUX = """\
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[ifql]
  enabled = false
"""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: a name, its tags or labels, its columns, and rows in their order."""

    name: str
    tags: Mapping[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Influx(Running):
    """InfluxDB 1.6."""

    def make(self, database: str) -> None:
        """Make a database."""
        self.influxql(None, f'CREATE DATABASE "{database}"')

    def write(self, database: str, lines: bytes, precision: str = "ns") -> tuple[int, bytes]:
        """Write line protocol. Returns status (204 when all of it was taken) and the server's words."""
        return self.ask("POST", f"/write?{urlencode({'db': database, 'precision': precision})}", lines)

    def influxql(self, database: str | None, query: str, epoch: str = "ns") -> list[Series]:
        """Ask. Raises AssertionError with the server's words where it does not take the query."""
        asked = {"q": query, "epoch": epoch} | ({"db": database} if database else {})
        status, body = self.ask("POST", f"/query?{urlencode(asked)}")
        answer = json.loads(body)
        wrong = answer.get("error") or next((each["error"] for each in answer["results"] if "error" in each), None)
        assert status == 200, f"{status} {body.decode()}: {query}"
        assert wrong is None, f"{wrong}: {query}"
        return [
            Series(
                each.get("name", ""),
                each.get("tags", {}),
                tuple(each["columns"]),
                tuple(map(tuple, each.get("values", ()))),
            )
            for result in answer["results"]
            for each in result.get("series", ())
        ]


class Victoria(Running):
    """VictoriaMetrics, a single node."""

    def write(self, lines: bytes, precision: str = "ns") -> tuple[int, bytes]:
        """Write line protocol and have it flushed, so that it can be read. Returns status and the server's words."""
        answered = self.ask("POST", f"/write?{urlencode({'precision': precision})}", lines)
        self.flush()
        return answered

    def flush(self) -> None:
        """Make what was written readable now; by itself that takes some seconds."""
        self.ask("GET", "/internal/force_flush")

    def instant(self, query: str, at: float) -> list[Series]:
        """Ask for one time (seconds since the epoch); each series has one row of time and value."""
        return self._asked("/api/v1/query", {"query": query, "time": f"{at:.3f}"})

    def over(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Ask for a range, as Grafana's graphs do."""
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return self._asked("/api/v1/query_range", asked)

    def values(self, label: str, match: str, start: float, end: float) -> list[str]:
        """Values of a label of the series that match, as Grafana's label_values() asks for them."""
        asked = {"match[]": match, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        status, body = self.ask("GET", f"/api/v1/label/{label}/values?{urlencode(asked)}")
        assert status == 200, f"{status} {body.decode()}: {match}"
        found: list[str] = json.loads(body)["data"]
        return found

    def _asked(self, path: str, asked: Mapping[str, str]) -> list[Series]:
        status, body = self.ask("GET", f"{path}?{urlencode(asked)}")
        assert status == 200, f"{status} {body.decode()}: {asked['query']}"
        return [
            Series(
                each["metric"].get("__name__", ""),
                {name: value for name, value in each["metric"].items() if name != "__name__"},
                ("time", "value"),
                tuple((at, float(value)) for at, value in each.get("values") or [each["value"]]),
            )
            for each in json.loads(body)["data"]["result"]
        ]


@contextmanager
def influx(folder: Path) -> Iterator[Influx]:
    """A running InfluxDB with its data below `folder`; killed at the end."""
    program, port = tool("influxd", "influxdb"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "influxdb.conf"
    settings.write_text(_INFLUX.format(folder=folder, port=port))
    server = Influx([program, "run", "-config", str(settings)], port, folder / "log", "/ping", {"GOMAXPROCS": "2"})
    with _ended(server):
        yield server


@contextmanager
def victoria(folder: Path) -> Iterator[Victoria]:
    """A running VictoriaMetrics with its data below `folder`; killed at the end. It keeps points for ten years."""
    program, port = tool("victoria-metrics"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = (
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder / 'data'}",
        "-retentionPeriod=10y",
        "-search.latencyOffset=0s",
        "-search.disableCache",
        "-memory.allowedBytes=268435456",
    )
    server = Victoria([program, *settings], port, folder / "log", "/health", {"GOMAXPROCS": "2"})
    with _ended(server):
        yield server


@contextmanager
def _ended(server: Running) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.kill()
