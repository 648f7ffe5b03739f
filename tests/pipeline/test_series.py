"""Time series of the whole daemon: points to a server, through its absence, with what is said of that."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycast.series import MEASUREMENTS, When
from tests.pipeline.points.contract import Read, read
from tests.pipeline.watched import Watched
from tests.store.influx.server import Reply, Server, refusal

SINK = "sink-failing|detail=main"
PROBED = {"probe", "share", "landing", "leg", "agent", "convergence"}
"""What needs an agent."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


@pytest.fixture
def watched(tmp_path: Path, server: Server) -> Iterator[Watched]:
    made = Watched(tmp_path)
    (tmp_path / "token").write_text("s3cret-token")
    (tmp_path / "token").chmod(0o600)
    with made.intent.open("a") as intent:
        intent.write(f"influx: {{url: '{server.url}', token_file: token, every: 1s, org: ops, timeout: 5s}}\n")
        intent.write("hold_downs: {sink-failing: {open: 1s, clear: 1s}}\n")
    try:
        made.start()
        yield made
    finally:
        made.close()


def points(server: Server) -> list[Read]:
    """All points that the server took, in order of time."""
    with server.lock:
        lines = [f"{key} {fields} {at}" for (key, at), fields in server.points.items()]
    return sorted(map(read, lines), key=lambda point: point.at)


def of(server: Server, measurement: str, **tags: str) -> list[Read]:
    return [p for p in points(server) if p.measurement == measurement and tags.items() <= p.tags.items()]


def cli(watched: Watched, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "influx", *words, "--data", str(watched.folder / "data")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_that_is_seen_becomes_points_and_every_one_is_in_the_contract(watched: Watched, server: Server) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present in weu")
    watched.withdraw("weu")
    watched.wait(lambda: of(server, "finding", kind="missing", step="opened"), 20, "the finding's point")
    watched.advertise("weu")
    watched.wait(lambda: of(server, "finding", kind="missing", step="cleared"), 20, "its end")
    watched.wait(lambda: of(server, "incident", cause="missing", step="closed"), 20, "its incident's end")
    found = points(server)
    sampled = {name for name, kind in MEASUREMENTS.items() if kind.when is When.SAMPLED}
    assert {p.measurement for p in found} >= sampled - PROBED | {"change", "finding", "incident"}
    assert all(p.at % 1_000_000_000 == 0 for p in found if p.measurement in sampled)
    withdrawn = of(server, "change", action="withdrawn", vantage="gobgp/weu-nva1")
    assert [(p.tags["service"], p.tags["prefix"], p.tags["region"], p.fields["n"]) for p in withdrawn] == [
        ("web", "10.250.0.10/32", "weu", 1)
    ]
    presence = [p.fields["present"] for p in of(server, "presence", vantage="gobgp/weu-nva1")]
    assert 1 in presence
    assert 0 in presence
    [cleared] = of(server, "finding", kind="missing", step="cleared")
    assert float(cleared.fields["duration"]) > 1
    assert {p.fields["state"] for p in of(server, "session", vantage="gobgp/weu-nva1")} >= {2}
    assert {p.fields["connected"] for p in of(server, "feed", exporter="gobgp")} >= {1}
    assert of(server, "own")[-1].fields["memory"] > 50_000_000  # type: ignore[operator]
    watched.wait(lambda: set(of(server, "own")[-1].fields) == set(MEASUREMENTS["own"].fields), what="all of our health")
    counts = of(server, "findings", kind="missing", severity="major")
    assert {p.fields["open"] for p in counts} >= {0, 1}


def test_a_server_that_is_away_is_told_loses_nothing_and_is_told_to_be_back(watched: Watched, server: Server) -> None:
    watched.wait(lambda: len(of(server, "own")) > 2, what="points")
    assert cli(watched, "status").returncode == 0
    server.behaviour = lambda lines: refusal(500, "no disk")
    watched.wait(lambda: SINK in watched.findings("open"), 20, "sink-failing open")
    [sink] = json.loads(cli(watched, "status", "--json").stdout)
    assert (sink["state"], sink["last_error"]) == ("waiting", "500: no disk")
    server.behaviour = lambda lines: Reply()
    watched.wait(lambda: SINK not in watched.findings(), 30, "sink-failing cleared")
    own = [point.at // 1_000_000_000 for point in of(server, "own")]
    assert own == list(range(own[0], own[0] + len(own)))


def test_who_is_not_let_in_holds_over_a_restart_and_the_token_is_nowhere(watched: Watched, server: Server) -> None:
    watched.wait(lambda: len(of(server, "own")) > 2, what="points")
    server.behaviour = lambda lines: refusal(401, "s3cret-token is no token")
    watched.wait(lambda: SINK in watched.findings("open"), 20, "sink-failing open")
    told = cli(watched, "status", "--json")
    [sink] = json.loads(told.stdout)
    assert (told.returncode, sink["state"]) == (1, "holding")
    assert "*** is no token" in sink["last_error"]
    watched.stop(signal.SIGKILL)
    last = of(server, "own")[-1].at
    server.behaviour = lambda lines: Reply()
    watched.start()
    watched.wait(lambda: len([p for p in of(server, "own") if p.at > last]) > 2, 30, "points again")
    assert of(server, "own")[-1].fields["sink_failing"] == 0
    told_of = told.stdout + json.dumps(watched.client.get("/api/v1/findings")) + watched.log.read_text()
    assert "s3cret" not in told_of
    assert "holding" in told_of


def test_points_that_are_refused_are_shown_with_the_servers_reason(watched: Watched, server: Server) -> None:
    def picky(lines: list[str]) -> Reply:
        return refusal(400, "no feeds, please") if any(line.startswith("feed,") for line in lines) else Reply()

    server.behaviour = picky
    watched.wait(lambda: len(of(server, "own")) > 2, what="points")
    watched.wait(lambda: SINK in watched.findings("open"), 20, "sink-failing open")
    shown = cli(watched, "quarantine", "--limit", "5")
    assert shown.returncode == 0
    assert "main  400: no feeds, please" in shown.stdout
    assert "feed,exporter=" in shown.stdout
    kept = json.loads(cli(watched, "quarantine", "--json", "--limit", "3").stdout)
    assert len(kept["main"]) == 3
    assert of(server, "feed") == []


def test_without_influx_nothing_of_it_is_loaded_made_or_shown(tmp_path: Path) -> None:
    made = Watched(tmp_path)
    try:
        made.start()
        assert made.client.get("/api/v1/influx") == {"sinks": []}
        assert "No time series are written" in cli(made, "status").stdout
        [pid] = [made.client.get("/api/v1/status")["pid"]]
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert "influxdb" not in mapped
        assert list((tmp_path / "data" / "journal").glob("growing/*/points-*")) == []
    finally:
        made.close()


def test_the_daemon_loads_no_module_of_it_before_it_is_configured() -> None:
    heavy = ("influxdb", "reactivex", "pipeline.points", "pipeline.series", "pipeline.sinks", "store.influx.sink")
    program = f"import sys, pipeline.daemon; print([name for name in sys.modules if name.startswith({heavy!r})])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_who_stops_does_not_wait_for_a_server_that_says_nothing(watched: Watched, server: Server) -> None:
    watched.wait(lambda: len(of(server, "own")) > 1, what="points")
    server.behaviour = lambda lines: Reply(how=lambda handler: time.sleep(60))
    watched.intent.write_text(watched.intent.read_text().replace("timeout: 5s", "timeout: 60s"))
    watched.stop()
    watched.start()
    count = len(server.requests)
    watched.wait(lambda: len(server.requests) > count, what="a request that hangs")
    since = time.monotonic()
    assert watched.stop() == 0
    assert time.monotonic() - since < 10
