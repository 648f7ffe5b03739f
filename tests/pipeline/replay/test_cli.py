"""`catchment replay` as people and programs use it."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.intent import render
from lab.tape import STORY_TAPE
from lab.topology import Lab
from tests.pipeline.replay.test_mrt import AT, OTHER, WEB, update
from tests.pipeline.replay.test_pcap import Wire
from tests.pipeline.replay.test_replay import HEALTHY, INTENT, LOSS
from tests.pipeline.terminal import Said, catchment, in_pipes


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(INTENT)
    return tmp_path


def asked(folder: Path, *words: str) -> Said:
    return catchment("replay", *words, "-c", str(folder / "mine.yaml"))


def save(path: Path, *octets: bytes) -> str:
    path.write_bytes(b"".join(octets))
    return str(path)


def test_incidents_are_json_with_their_members_and_their_figures(mine: Path) -> None:
    said = asked(mine, save(mine / "gobgp.bmp", *LOSS), "--json")
    assert said.code == 1
    document: dict[str, Any] = json.loads(said.out)
    [incident] = document["incidents"]
    [finding] = document["findings"]
    assert incident["headline"] == "web: missing-everywhere"
    assert (incident["state"], incident["severity"]) == ("closed", "critical")
    assert (incident["detection"], incident["outage"], incident["flaps"]) == (2.0, 30.0, 0)
    [member] = incident["members"]
    assert member["record"] == incident["first_cause"] == finding["id"]
    assert member["subject"] == {"service": "web", "prefix": WEB}
    assert incident["since"] == finding["finding"]["since"]
    assert incident["ended_at"] == finding["cleared_at"]


def test_the_exit_code_says_whether_anything_was_found(mine: Path) -> None:
    assert asked(mine, save(mine / "gobgp.bmp", *HEALTHY)).code == 0
    assert asked(mine, save(mine / "gobgp.bmp", *LOSS)).code == 1
    assert asked(mine, save(mine / "gobgp.bmp", b"something else")).code == 2


def test_nothing_found_is_said_in_words_and_has_no_incident(mine: Path) -> None:
    said = asked(mine, save(mine / "gobgp.bmp", *HEALTHY))
    assert said.lines[-1].endswith("UTC: nothing was found.")


def test_an_incident_that_lasts_says_so_and_for_how_long(mine: Path) -> None:
    said = asked(mine, save(mine / "gobgp.bmp", *LOSS[:5]), "--linger", "1m")
    assert "1 incident of 1 finding, all of them open at the end." in said.out
    [line] = [line for line in said.lines if line.startswith("critical")]
    assert line.endswith("found after 2.0 s, open for 60.0 s at the end")


def test_what_comes_again_is_counted(mine: Path) -> None:
    downs = b"".join(update(AT + at, withdrawn=WEB) + update(AT + at + 10, WEB) for at in (100, 150))
    said = asked(mine, f"gobgp={save(mine / 'x.mrt', update(AT, OTHER), downs)}", "--linger", "1m")
    [line] = [line for line in said.lines if line.startswith("critical")]
    assert line.endswith("lasted 60.0 s, 1 time again")


def test_who_is_no_exporter_is_named(mine: Path) -> None:
    wire = Wire()
    for address in ("127.0.0.1", "192.0.2.7"):
        wire.open(AT, (address, 40_001))
        wire.say(AT, (address, 40_001), b"".join(HEALTHY))
    said = asked(mine, wire.save(mine / "x.pcap"))
    assert "passed over: BMP from 192.0.2.7" in said.err


def test_no_line_is_wider_than_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(render(Lab()))
    said = in_pipes("replay", str(STORY_TAPE), "-c", "lab.yaml", folder=tmp_path, COLUMNS="80")
    assert said.code == 1
    assert max(map(len, said.lines)) <= 80
    first = [line for line in said.lines if line.startswith(("major", "critical"))]
    assert [line.split(",")[0] for line in first] == [
        "major web: missing in weu",
        "critical web: unexpected-origin AS65999",
        "major blind at ams-ce1",
    ]
