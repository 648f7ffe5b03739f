"""The API of a running daemon, over TCP and over its Unix socket."""

import http.client
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anycast.plain import stamp
from pipeline.client import Client, DaemonRefused, NoDaemon
from pipeline.timeline import PENDING_CLIENT
from tests import needs
from tests.pipeline.watched import WEB, Watched

WEU = f"missing|service=web|prefix={WEB}|region=weu"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A daemon that sees web in both regions, and saw it gone from weu for a while."""
    made = Watched(tmp_path_factory.mktemp("api"))
    try:
        made.start()
        made.healthy()
        made.wait(lambda: made.presence("weu") == made.presence("eus") == "present", what="both present")
        time.sleep(2)
        made.withdraw("weu")
        made.wait(lambda: WEU in made.findings("open"), what="missing open")
        made.advertise("weu")
        made.wait(lambda: made.findings() == set(), what="all clear")
        yield made
    finally:
        made.close()


def page(watched: Watched) -> tuple[str, int]:
    """Where the daemon listens for HTTP, by its own log."""
    host, port = re.findall(r"the page is http://(.*):(\d+);", watched.log.read_text())[-1]
    return host, int(port)


def asked(watched: Watched, method: str, path: str, **headers: str) -> tuple[int, Any]:
    """Ask over TCP, with headers of a browser or none; the status, and the body as JSON where it is."""
    connection = http.client.HTTPConnection(*page(watched), timeout=20)
    try:
        connection.putrequest(method, path, skip_host="host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(body) if answer.headers["Content-Type"] == "application/json" else body.decode()


# Every endpoint, on both doors.


def test_both_doors_tell_the_same(watched: Watched) -> None:
    for path in ("/api/v1/routes?prefix=0.0.0.0/0", "/api/v1/findings?state=cleared", "/api/v1/timeline"):
        assert asked(watched, "GET", path) == (200, watched.client.get(path)), path
    status, told = asked(watched, "GET", "/api/v1/status")
    assert status == 200
    assert told.keys() == watched.client.get("/api/v1/status").keys()


def test_status_is_about_the_daemon_its_intent_its_feeds_and_its_sessions(watched: Watched) -> None:
    status = watched.client.get("/api/v1/status")
    assert status["mode"] == "live"
    assert watched.child is not None
    assert status["pid"] == watched.child.pid
    assert status["intent"]["source"] == str(watched.intent)
    assert status["intent"]["problem"] is None
    assert {feed["exporter"]: feed["connected"] for feed in status["feeds"]} == {"gobgp": True, "ams-ce1": False}
    up = {session["vantage"] for session in status["sessions"] if session["state"] == "up"}
    assert up == {f"gobgp/{name}" for name in ("weu-nva1", "weu-rs0", "weu-rs1", "eus-nva1", "eus-rs0", "eus-rs1")}


def test_routes_are_those_that_touch_the_prefix(watched: Watched) -> None:
    exact, covering, inside, apart = (
        watched.client.get("/api/v1/routes", prefix=prefix)["routes"]
        for prefix in (WEB, "10.250.0.0/16", "0.0.0.0/0", "192.0.2.0/24")
    )
    assert {(row["vantage"], row["presence"]) for row in exact} == {
        (f"gobgp/{name}", "present") for name in ("weu-nva1", "weu-rs0", "weu-rs1", "eus-nva1", "eus-rs0", "eus-rs1")
    }
    assert exact == covering == inside
    assert apart == []
    some = watched.client.get("/api/v1/routes", prefix=WEB, limit=2)
    assert (some["routes"], some["more"]) == (exact[:2], True)


def test_findings_are_by_state_newest_first(watched: Watched) -> None:
    assert [each for each in watched.client.get("/api/v1/findings")["findings"] if "ams" not in each["key"]] == []
    found = watched.client.get("/api/v1/findings", state=["cleared", "open"])["findings"]
    assert WEU in {record["key"] for record in found if record["state"] == "cleared"}
    assert found == sorted(found, key=lambda record: record["pending_at"], reverse=True)
    one = watched.client.get("/api/v1/findings", state=["cleared", "open"], limit=1)
    assert (one["findings"], one["more"]) == (found[:1], len(found) > 1)


def test_history_is_oldest_first_within_its_times_and_the_newest_of_too_much(watched: Watched) -> None:
    told = watched.client.get("/api/v1/history", prefix=WEB)
    times = [event["at"] for event in told["events"]]
    assert times == sorted(times)
    assert len({event["number"] for event in told["events"]}) == len(times) > 5
    assert told["more"] is False
    some = watched.client.get("/api/v1/history", prefix=WEB, limit=3)
    assert (some["events"], some["more"]) == (told["events"][-3:], True)
    gone = next(event["at"] for event in told["events"] if event["what"] == "withdrawn")
    before = watched.client.get("/api/v1/history", prefix=WEB, **{"from": "1h", "to": gone})["events"]
    assert {event["what"] for event in before} == {"announced"}
    assert before == [event for event in told["events"] if event["at"] < gone]


def test_a_question_without_an_answer_is_422_and_a_sentence(watched: Watched) -> None:
    now = datetime.now(UTC)
    for path, sentence in (
        ("/api/v1/routes", "prefix: Field required"),
        ("/api/v1/routes?prefix=10.0.0.1/8", "'10.0.0.1/8' has host bits set; the network is 10.0.0.0/8"),
        ("/api/v1/routes?prefix=web", "'web' is not a prefix such as 10.250.0.10/32"),
        (f"/api/v1/routes?prefix={'1' * 65}", "prefix: String should have at most 64 characters"),
        (f"/api/v1/routes?prefix={WEB}&limit=0", "limit: Input should be greater than or equal to 1"),
        ("/api/v1/findings?state=bogus", "state: Input should be 'pending', 'open' or 'cleared', not 'bogus'"),
        ("/api/v1/findings?limit=10001", "limit: Input should be less than or equal to 10000"),
        ("/api/v1/history?prefix=10.0.0.1/8", "the network is 10.0.0.0/8"),
        ("/api/v1/history?from=yesterday", "'yesterday' is no time; write 2026-01-31T08:00:00Z, or 6h"),
        ("/api/v1/history?from=2026-01-31T08:00:00", "(with its zone: Z is UTC)"),
        ("/api/v1/history?to=0001-01-01T00:00:00Z", "lies outside 1970 to 2261"),
        (f"/api/v1/history?from={stamp(now)}&to={stamp(now)}", "from must be before to, and at most 31 days before it"),
        ("/api/v1/history?from=32d", "at most 31 days"),
        ("/api/v1/timeline?after=-1", "after: Input should be greater than or equal to 0"),
        ("/api/v1/events?after=99999999999999999999", "after: Input should be less than or equal to"),
    ):
        status, answer = asked(watched, "GET", path)
        assert status == 422, path
        assert sentence in answer["error"], path
        assert answer.keys() == {"error"}
    with pytest.raises(DaemonRefused, match="is not a prefix such as"):
        watched.client.get("/api/v1/routes", prefix="web")


def test_what_is_not_there_and_what_may_not_be_done_are_said_so(watched: Watched) -> None:
    for method, path, answer in (
        ("GET", "/api/v1/nothing", (404, "there is no /api/v1/nothing; /api/openapi.json names everything that is")),
        ("GET", "/api", (404, "there is no /api; /api/openapi.json names everything that is")),
        ("GET", "/api/v1/reload", (405, "/api/v1/reload is asked with POST, not with GET")),
        ("POST", "/api/v1/status", (405, "/api/v1/status is asked with GET, not with POST")),
        ("DELETE", "/healthz", (405, "/healthz is asked with GET, not with DELETE")),
    ):
        assert asked(watched, method, path) == (answer[0], {"error": answer[1]}), path
    assert "<html" in asked(watched, "GET", "/nothing")[1]  # the console's own pages stay pages
    assert asked(watched, "GET", "/docs")[0] == asked(watched, "GET", "/redoc")[0] == 404


def test_the_reference_names_what_the_schema_does(watched: Watched) -> None:
    paths = watched.client.get("/api/openapi.json")["paths"]
    reference = (needs.ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", reference, re.MULTILINE))
    assert written == {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}
    for path, ways in paths.items():
        for parameter in ways.get("get", {}).get("parameters", ()):
            name = parameter["name"]
            assert f"`{name}`" in reference or f"?{name}=" in reference or name == "last-event-id", (path, name)


# Health.


def test_it_is_healthy_and_ready(watched: Watched) -> None:
    assert asked(watched, "GET", "/healthz") == (200, "ok\n")
    assert asked(watched, "GET", "/readyz") == (200, "ready\n")


def test_it_is_not_ready_before_routers_may_connect(tmp_path: Path) -> None:
    made = Watched(tmp_path)
    client, answers = Client(tmp_path / "data"), []

    def answers_status() -> bool:
        try:
            client._answer("GET", "/readyz")
        except NoDaemon:
            return False
        except DaemonRefused as refused:
            answers.append(str(refused))
        return bool(answers)

    made._answers = answers_status  # type: ignore[method-assign]
    try:
        made.start()
        assert set(answers) == {"HTTP 503"}
        made.wait(
            lambda: asked(made, "GET", "/readyz") == (200, "ready\n") if "the page is" in made.log.read_text() else 0
        )
    finally:
        made.close()


# Who may ask.


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost.evil.example:8470"},
        {"Origin": "file://"},
        {"Origin": ""},
    ],
)
def test_a_page_of_somebody_else_may_neither_reload_nor_read(watched: Watched, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/api/v1/reload"), ("GET", "/api/v1/status"), ("GET", "/")):
        status, answer = asked(watched, method, path, **headers)
        assert status == 403
        assert "may not ask here" in answer["error"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8470", "127.0.0.1.evil.example", "192.0.2.1:8470", "a@b", "::"]
)
def test_a_name_that_is_not_this_machines_is_refused(watched: Watched, host: str) -> None:
    status, answer = asked(watched, "POST", "/api/v1/reload", host=host)
    assert status == 421
    assert "is not a name of this machine" in answer["error"]


def test_two_hosts_are_one_too_many(watched: Watched) -> None:
    assert asked(watched, "GET", "/healthz", Host="evil.example")[0] in (400, 421)


def test_our_own_page_and_programs_may_ask(watched: Watched) -> None:
    host, port = page(watched)
    for headers in (
        {},
        {"Origin": f"http://{host}:{port}"},
        {"host": f"localhost:{port}", "Origin": f"http://localhost:{port}"},
        {"host": f"LOCALHOST:{port}"},
        {"host": "[::1]:8470"},
    ):
        assert asked(watched, "POST", "/api/v1/reload", **headers)[0] == 200, headers
    with socket.create_connection((host, port)) as old:
        old.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 " in old.makefile("rb").readline()


def test_a_foreign_page_gets_no_websocket_of_the_console(watched: Watched) -> None:
    def upgraded(origin: str) -> bytes:
        host, port = page(watched)
        with socket.create_connection((host, port), timeout=10) as opened:
            opened.sendall(
                f"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\n"
                f"Origin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            return opened.makefile("rb").readline()

    assert b" 101 " in upgraded("http://{}:{}".format(*page(watched)))
    assert b" 403 " in upgraded("https://evil.example")


# The event stream.


class Stream:
    """A client of the event stream that reads when it is told to."""

    def __init__(self, client: Client, last: str) -> None:
        self._connection = client._connect(timeout=20)
        self._connection.request("GET", "/api/v1/events", headers={"Last-Event-ID": last})
        self.answer = self._connection.getresponse()

    def events(self) -> Iterator[int]:
        """Numbers of the events as they come, until the daemon ends the stream."""
        number = 0
        for line in self.answer:
            if line.startswith(b"id: "):
                number = int(line[4:])
            elif line.startswith(b"data: "):
                assert json.loads(line[6:])["number"] == number
                yield number

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        self._connection.close()


@contextmanager
def stream(client: Client, last: str = "") -> Iterator[Stream]:
    """Follow, and hang up."""
    made = Stream(client, last)
    try:
        yield made
    finally:
        made.close()


def test_the_stream_resumes_after_the_last_event_that_a_client_saw(watched: Watched) -> None:
    with stream(watched.client) as first:
        assert first.answer.headers["Content-Type"].startswith("text/event-stream")
        assert first.answer.headers["Cache-Control"] == "no-store"
        assert next(first.events()) == 1
    last = watched.client.get("/api/v1/status")["events"]
    after = watched.client.follow(after=last - 1)
    with stream(watched.client, str(last - 3)) as again:
        events = again.events()
        assert [next(events) for _ in range(3)] == [last - 2, last - 1, last]
        watched.withdraw("eus")
        watched.advertise("eus")
        assert [next(events), next(events)] == [last + 1, last + 2]
    assert [next(after)["number"], next(after)["number"]] == [last, last + 1]
    after.close()  # type: ignore[attr-defined]


def test_the_stream_resumes_after_a_restart(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    try:
        watched.start()
        watched.healthy()
        watched.wait(lambda: watched.presence("weu") == "present", what="web present")
        last = watched.client.get("/api/v1/status")["events"]
        watched.stop()
        watched.gobgp.reset()
        watched.start()
        with stream(watched.client, str(last - 5)) as back:
            assert [next(back.events()) for _ in range(6)] == list(range(last - 4, last + 2))
    finally:
        watched.close()


@pytest.mark.parametrize("said", ["nonsense", "-5", "٣", "9" * 5000])
def test_a_last_event_id_that_is_none_ends_nothing(watched: Watched, said: str) -> None:
    with stream(watched.client, said.encode().decode("latin-1")) as answered:
        assert answered.answer.status in (200, 400, 431)
    assert asked(watched, "GET", "/healthz") == (200, "ok\n")


def test_a_client_that_does_not_read_is_let_go_and_misses_nothing_when_it_comes_back(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    try:
        watched.start()
        watched.healthy()
        watched.wait(lambda: watched.presence("weu") == "present", what="web present")
        with stream(watched.client, "1") as slow:
            began = watched.client.get("/api/v1/status")["events"]
            while watched.client.get("/api/v1/status")["events"] < began + 6 * PENDING_CLIENT:
                for _ in range(50):
                    watched.withdraw("weu")
                    watched.advertise("weu")
            got = list(slow.events())
        assert got == list(range(2, got[-1] + 1))
        last = _once_quiet(watched)
        assert got[-1] < last - PENDING_CLIENT
        with stream(watched.client, str(got[-1])) as back:
            events = back.events()
            assert [next(events) for _ in range(last - got[-1])] == list(range(got[-1] + 1, last + 1))
    finally:
        watched.close()


def _once_quiet(watched: Watched) -> int:
    """The number of the last event, once everything that was sent has become one."""
    last = -1
    while (now := watched.client.get("/api/v1/status")["events"]) != last:
        last = now
        time.sleep(1)
    return int(last)


# Reload.


def test_reload_by_signal_takes_all_or_nothing_and_says_which(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    try:
        watched.start()
        assert watched.child is not None
        good, first = watched.intent.read_text(), watched.client.get("/api/v1/status")["intent"]
        watched.intent.write_text(good.replace("weu: active", "wue: active").replace("hold: 9", "hold: 1"))
        watched.child.send_signal(signal.SIGHUP)
        watched.wait(lambda: watched.client.get("/api/v1/status")["intent"]["problem"], what="a problem in status")
        broken = watched.client.get("/api/v1/status")["intent"]
        assert "wue is no region of this file" in broken["problem"]
        assert broken["loaded"] == first["loaded"]
        assert "the intent file was not taken" in watched.log.read_text()
        assert watched.presence("weu") == "unknown", "the old intent is still in effect"
        watched.intent.write_text(good.replace("eus: active", "eus: backup"))
        watched.child.send_signal(signal.SIGHUP)
        watched.wait(lambda: watched.client.get("/api/v1/status")["intent"]["loaded"] > first["loaded"], what="loaded")
        assert watched.client.get("/api/v1/status")["intent"]["problem"] is None
        [service] = watched.client.get("/api/v1/services")["services"]
        assert {region["region"]: region["role"] for region in service["regions"]} == {"weu": "active", "eus": "backup"}
        watched.intent.unlink()
        answer = watched.client.post("/api/v1/reload")
        assert answer["reloaded"] is False
        assert "cannot be read" in answer["problems"][0]
        assert watched.presence("weu") == "unknown"
    finally:
        watched.close()


def test_history_of_the_last_day_ends_now(watched: Watched) -> None:
    told = watched.client.get("/api/v1/history")
    assert datetime.fromisoformat(told["to"]) - datetime.fromisoformat(told["from"]) == timedelta(days=1)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(told["to"])) < timedelta(seconds=10)
