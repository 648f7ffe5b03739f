"""The servers that tests start: they keep what they were given over a crash, and leave no process behind."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.servers.given import bucket
from tests.servers.influx import Influx, influx, victoria

NOW = int(time.time()) - 60


def test_influxdb_takes_points_keeps_them_over_a_kill_and_is_gone_afterwards(tmp_path: Path) -> None:
    with influx(tmp_path) as server:
        server.make("catchment")
        assert server.write("catchment", f"own uptime=5 {NOW}".encode(), "s") == (204, b"")
        assert server.write("catchment", b"own uptime=")[0] == 400
        server.kill()
        server.start()
        [series] = server.influxql("catchment", "SELECT uptime FROM own", epoch="s")
        assert (series.columns, series.rows) == (("time", "uptime"), ((NOW, 5),))
        with pytest.raises(AssertionError, match="error parsing query"):
            server.influxql("catchment", "SELECT FROM own")
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_victoria_metrics_takes_points_keeps_them_over_a_stop_and_is_gone_afterwards(tmp_path: Path) -> None:
    with victoria(tmp_path) as server:
        assert server.write(f"agent,site=ams lag=0.5 {NOW}".encode(), "s")[0] == 204
        server.stop()
        server.start()
        [series] = server.over("agent_lag", NOW, NOW + 60, 60)
        assert (series.name, series.tags, series.rows[0]) == ("agent_lag", {"site": "ams"}, (NOW, 0.5))
        assert server.values("site", "agent_lag", NOW - 60, NOW + 60) == ["ams"]
        assert server.instant("agent_lag", NOW + 86400) == []
        with pytest.raises(AssertionError, match=r"^4\d\d "):
            server.instant("agent_lag{", NOW)
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_bucket_of_our_own_in_a_server_that_is_named_is_gone_afterwards(tmp_path: Path) -> None:
    with influx(tmp_path) as server:
        with bucket(f"{server.url}/") as made:
            made.write(f"own uptime=5 {NOW}000000000".encode())
            [series] = server.influxql(made.name, "SELECT uptime FROM own", epoch="s")
            assert series.rows == ((NOW, 5),)
            assert (made.name,) in _databases(server)
        assert (made.name,) not in _databases(server)


def _databases(server: Influx) -> tuple[tuple[str, ...], ...]:
    [series] = server.influxql(None, "SHOW DATABASES")
    return series.rows


class _Two(BaseHTTPRequestHandler):
    """InfluxDB 2 as far as making, writing to and removing a bucket goes."""

    seen: ClassVar[list[str]] = []

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.seen.append(f"{self.command} {self.path.split('?')[0]} {self.headers['Authorization']} {body}")
        said: dict[str, object] = {"orgs": [{"id": "1", "name": "other"}, {"id": "2", "name": "ops"}], "id": "b7"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_of_influxdb_2_the_bucket_is_made_in_the_organisation_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATCHMENT_TEST_INFLUX_TOKEN", "t0ken")
    monkeypatch.setenv("CATCHMENT_TEST_INFLUX_ORG", "ops")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Two) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with bucket(f"http://127.0.0.1:{server.server_port}") as made:
            made.write(b"own uptime=1")
        server.shutdown()
        thread.join()
    assert _Two.seen == [
        "GET /api/v2/orgs Token t0ken ",
        f'POST /api/v2/buckets Token t0ken {{"orgID": "2", "name": "{made.name}", "retentionRules": []}}',
        "POST /write Token t0ken own uptime=1",
        "DELETE /api/v2/buckets/b7 Token t0ken ",
    ]
