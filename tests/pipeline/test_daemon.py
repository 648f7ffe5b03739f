"""The whole daemon as a process: BMP over TCP in; findings, history and webhooks out; every kind of restart."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.watched import INSTANCES, WEB, Watched, running
from tests.speaker import attributes

MISSING = f"missing|service=web|prefix={WEB}|region=weu"
LOW = f"redundancy-low|service=web|prefix={WEB}"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(tmp_path) as made:
        yield made


def test_presence_is_unknown_until_seen_and_then_present(watched: Watched) -> None:
    assert watched.presence("weu") == "unknown"
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present in weu")


def test_a_withdrawal_opens_is_told_once_and_clears_with_its_duration(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == watched.presence("eus") == "present", what="both present")
    time.sleep(2)
    assert watched.findings() == set()
    watched.withdraw("weu")
    watched.wait(lambda: MISSING in watched.findings("pending", "open"), 2, "missing at least pending")
    watched.wait(lambda: watched.findings("open") == {MISSING, LOW}, what="missing and redundancy-low open")
    watched.wait(lambda: _told(watched, "opened") == ["missing", "redundancy-low"], what="both told")
    watched.advertise("weu")
    watched.wait(lambda: watched.findings() == set(), what="all clear")
    watched.wait(lambda: _told(watched, "cleared") == ["missing", "redundancy-low"], what="the ends told")
    cleared = next(m for m in watched.hook.messages if m["status"] == "cleared" and m["kind"] == "missing")
    assert 1 < cleared["duration_seconds"] < 20
    whats = [event["what"] for event in watched.client.get("/api/v1/history", prefix=WEB)["events"]]
    assert whats.count("withdrawn") == 3
    assert whats.count("announced") == 9
    assert whats.index("withdrawn") < whats.index("opened") < whats.index("cleared")


def test_a_lost_feed_is_unknown_and_never_missing(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.gobgp.reset()
    watched.wait(lambda: watched.presence("weu") == "unknown", what="unknown without a feed")
    watched.wait(lambda: watched.findings("open") == {"blind|exporter=gobgp"}, what="blind, and nothing else")
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present" and watched.findings() == set(), what="back as it was")
    whats = [event["what"] for event in watched.client.get("/api/v1/history", prefix=WEB)["events"]]
    assert whats == ["announced"] * 6


def test_what_was_withdrawn_while_we_were_blind_is_reported_between_two_times(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.gobgp.reset()
    watched.wait(lambda: watched.presence("weu") == "unknown", what="unknown without a feed")
    watched.healthy("eus")
    watched.wait(lambda: MISSING in watched.findings("open"), what="missing after the gap")
    events = watched.client.get("/api/v1/history", prefix=WEB)["events"]
    [first] = [e for e in events if e["what"] == "withdrawn" and e["vantage"] == "gobgp/weu-rs0"]
    assert first["not_before"] < first["at"]
    assert "unseen between" in first["text"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_tells_nothing_twice_and_clears_what_healed_meanwhile(watched: Watched, how: signal.Signals) -> None:
    watched.healthy("eus")
    watched.wait(lambda: watched.findings("open") == {MISSING, LOW}, what="missing and redundancy-low open")
    watched.wait(lambda: len(watched.hook.messages) >= 2, what="both told")
    told = len(watched.hook.messages)
    code = watched.stop(how)
    assert code == (0 if how is signal.SIGTERM else -how)
    watched.gobgp.reset()
    watched.start()
    assert watched.findings("open") == {MISSING, LOW}
    watched.healthy("eus")
    time.sleep(4)
    assert watched.findings("open") == {MISSING, LOW}
    assert [m for m in watched.hook.messages[told:] if "ams" not in m["key"]] == []
    watched.advertise("weu")
    watched.wait(lambda: watched.findings() == set(), what="all clear")


def test_an_intent_with_a_mistake_is_refused_whole_and_the_old_one_stays(watched: Watched) -> None:
    good = watched.intent.read_text()
    watched.intent.write_text(good.replace("weu: active", "wue: active"))
    answer = watched.client.post("/api/v1/reload")
    assert answer["reloaded"] is False
    assert any("wue" in problem for problem in answer["problems"])
    assert watched.presence("weu") == "unknown"
    watched.intent.write_text(good.replace("eus: active", "eus: backup"))
    assert watched.client.post("/api/v1/reload")["reloaded"] is True


def test_a_newly_watched_prefix_is_filled_from_the_journal(watched: Watched) -> None:
    watched.healthy()
    watched.gobgp.announce("10.10.1.4", 65010, "10.250.0.53/32", attributes("10.10.1.4", 65010))
    for instance in INSTANCES["weu"]:
        watched.gobgp.announce(instance, 65515, "10.250.0.53/32", attributes(instance, 65515, 65010))
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    time.sleep(2)
    dns = "services:\n  dns: {prefix: 10.250.0.53/32, regions: {weu: active}}\n"
    watched.intent.write_text(watched.intent.read_text().replace("services:\n", dns))
    assert watched.client.post("/api/v1/reload") == {"reloaded": True, "problems": [], "restart": []}
    found = {s["service"]: s for s in watched.client.get("/api/v1/services")["services"]}
    assert found["dns"]["regions"][0]["presence"] == "present"


def test_a_session_that_becomes_watched_whole_is_filled_from_the_journal(watched: Watched) -> None:
    other, kept, gone = "10.10.1.9", "10.77.1.0/24", "10.77.2.0/24"  # neither prefix touches a service
    watched.healthy()
    watched.gobgp.peer_up(other, 65010)
    for prefix in (kept, gone, WEB):
        watched.gobgp.announce(other, 65010, prefix, attributes(other, 65010))
    watched.gobgp.withdraw(other, 65010, gone)
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    time.sleep(2)
    assert _at(watched, kept) == []
    good = watched.intent.read_text()
    named = good.replace("asn: 65010}}", "asn: 65010}, weu-nva2: {address: 10.10.1.9, asn: 65010}}")
    assert named != good
    watched.intent.write_text(named)
    assert watched.client.post("/api/v1/reload")["reloaded"] is True
    assert _at(watched, kept) == [("gobgp/weu-nva2", "present")]
    assert _at(watched, gone) == []
    [session] = [s for s in watched.client.get("/api/v1/status")["sessions"] if s["vantage"] == "gobgp/weu-nva2"]
    assert (session["state"], session["routes"]) == ("up", 2)
    assert watched.findings() == set()
    watched.gobgp.withdraw(other, 65010, kept)
    watched.wait(lambda: _at(watched, kept) == [], what="its withdrawal is heard from now on")
    watched.intent.write_text(good)
    assert watched.client.post("/api/v1/reload")["reloaded"] is True


def _at(watched: Watched, prefix: str) -> list[tuple[str, str]]:
    rows = watched.client.get("/api/v1/routes", prefix=prefix)["routes"]
    return [(row["vantage"], row["presence"]) for row in rows]


def test_a_reload_says_what_only_a_restart_applies(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    from pipeline.cli.intent import reload

    good = watched.intent.read_text()
    text = good.replace('http: "127.0.0.1:0"', 'http: "127.0.0.1:1"') + "data: ./elsewhere\nstorage: {spool: 7MB}\n"
    watched.intent.write_text(text.replace("quiet: 1s", "quiet: 3s"))
    answer = watched.client.post("/api/v1/reload")
    assert answer["reloaded"] is True
    expected = [
        {"key": "listen.http", "running": "127.0.0.1:0", "file": "127.0.0.1:1"},
        {"key": "storage.spool", "running": "1000MB", "file": "7MB"},
    ]  # and not `data`, which the command line gave
    assert answer["restart"] == expected
    assert watched.client.get("/api/v1/status")["intent"]["restart"] == expected
    log = watched.log.read_text()
    assert "not in effect yet: listen.http: runs with 127.0.0.1:0, the file says 127.0.0.1:1; restart" in log
    assert reload(watched.folder / "data", False) == 0
    said = capsys.readouterr().out
    assert "a restart applies the rest:\n  listen.http: 127.0.0.1:0 runs, the file says 127.0.0.1:1\n" in said
    watched.intent.write_text(good)
    assert watched.client.post("/api/v1/reload")["restart"] == []
    assert reload(watched.folder / "data", False) == 0
    assert capsys.readouterr().out == "the intent file was read again, and all of it is in effect\n"


def test_two_daemons_on_one_data_folder_are_one_too_many(watched: Watched, capfd: pytest.CaptureFixture[str]) -> None:
    from pipeline.cli.run import run

    assert run(watched.intent, watched.folder / "data", False) == 2
    assert "stop it first" in capfd.readouterr().err


def _told(watched: Watched, status: str) -> list[str]:
    return sorted(m["kind"] for m in watched.hook.messages if m["status"] == status and "ams" not in m["key"])
