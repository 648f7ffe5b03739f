"""`catchment sites` and `catchment agents status`: in a terminal of 80 columns, in pipes, with a daemon and without."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.terminal import COLOUR, catchment, in_pipes, in_terminal


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A data folder whose daemon answers: ams moved to eus, nyc's agent lied, and is lost."""
    folder: Path = tmp_path_factory.mktemp("sites")
    served = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.landed", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    try:
        assert served.stdout.readline() == "serving\n"
        yield str(folder)
    finally:
        served.kill()
        served.wait()
        served.stdout.close()


def test_the_matrix_fits_a_terminal_and_says_what_is_not_as_meant(data: str) -> None:
    said = in_terminal("sites", "--data", data)
    assert said.code == 1
    assert max(len(COLOUR.sub("", line)) for line in said.lines) <= 80
    text = COLOUR.sub("", said.out)
    assert text.splitlines()[0].split()[:3] == ["SITE", "SERVICE", "MEANT"]
    [web] = [line for line in text.splitlines() if line.startswith("ams") and " web " in line]
    assert "weu, eus" in web
    assert "eus 100 %" in web
    assert "against bgp" in text
    assert "The agent of nyc is lost; what is shown was seen" in text
    assert "proves nothing of now" in " ".join(text.split())


def test_one_site_alone_and_one_that_there_is_not(data: str) -> None:
    said = catchment("sites", "nyc", "--data", data)
    assert "ams" not in said.out
    assert said.code == 0, "what is not seen is not wrong"
    said = catchment("sites", "nowhere", "--data", data)
    assert (said.code, said.out) == (0, "The intent names no site nowhere.\n")
    said = catchment("sites", "ams", "nothing", "--data", data)
    assert (said.code, said.out) == (2, "")
    assert "the intent names no service nothing at a site ams" in said.err


def test_one_service_at_one_site_has_regions_legs_and_history(data: str) -> None:
    said = in_terminal("sites", "ams", "web", "--data", data, "--from", "2m")
    text = COLOUR.sub("", said.out)
    assert said.code == 1
    assert max(len(COLOUR.sub("", line)) for line in said.lines) <= 80
    for words in ("ams to web  10.250.0.10/32  against bgp", "meant   weu then eus", "by BGP  weu", "authenticated"):
        assert words in text
    legs = [line for line in text.splitlines() if line.startswith(("eus-nva", "172."))]
    assert len(legs) == 4
    assert all("fine" in line for line in legs)
    assert "weu 100 %" in text
    assert "eus 100 %" in text
    assert "Traffic moved" in text
    assert "by UDP, each from a new source port" in text


def test_history_needs_no_daemon(data: str, tmp_path: Path) -> None:
    alone = tmp_path / "data"
    alone.mkdir()
    for name in ("journal", "ledger.sqlite"):
        (alone / name).symlink_to(Path(data) / name)
    said = catchment("sites", "ams", "web", "--data", str(alone), "--from", "5m")
    assert said.code == 0
    assert "no daemon answers" in said.err
    assert "this is from the data folder alone" in said.err
    assert "weu 100 %" in said.out
    assert "eus 100 %" in said.out
    told = json.loads(catchment("sites", "ams", "web", "--data", str(alone), "--json").out)
    assert told["now"] is None
    assert told["shares"]["steps"]
    said = catchment("sites", "--data", str(alone))
    assert (said.code, said.out) == (2, "")
    assert "no daemon answers" in said.err
    said = catchment("sites", "ams", "web", "--data", str(tmp_path / "nope"))
    assert said.code == 2
    assert "holds no data of Catchment" in said.err


def test_json_is_for_programs(data: str) -> None:
    told = json.loads(in_pipes("sites", "--json", "--data", data).out)
    assert {each["fit"] for each in told["catchment"]} >= {"against-bgp", "unseen"}
    told = json.loads(in_pipes("sites", "ams", "web", "--json", "--data", data).out)
    assert told["now"]["site"] == "ams"
    assert told["shares"]["probe"] == told["smoke"]["probe"] == "udp"
    told = json.loads(in_pipes("agents", "status", "--json", "--data", data).out)
    assert {each["name"]: each["state"] for each in told["agents"]} == {"ams": "heard", "nyc": "lost"}


def test_agents_say_how_they_are_and_what_they_lack(data: str) -> None:
    said = in_terminal("agents", "status", "--data", data)
    text = COLOUR.sub("", said.out)
    assert said.code == 1, "an agent that is meant to report is lost"
    assert max(len(COLOUR.sub("", line)) for line in said.lines) <= 80
    assert "AGENT" in text
    assert "heard" in text
    assert "lost" in text
    assert "nyc: <script>window.owned=1</script>" in text


@pytest.mark.parametrize("words", [("sites",), ("sites", "nyc", "web", "--from", "5m"), ("agents", "status")])
def test_nothing_that_an_agent_says_steers_a_terminal(data: str, words: tuple[str, ...]) -> None:
    for said in (in_pipes(*words, "--data", data), in_terminal(*words, "--data", data)):
        text = COLOUR.sub("", said.out)
        assert not set(text) & set("\x00\x07\x1b\u202e"), words
        assert max(map(len, text.splitlines()[:40]), default=0) < 1_000
    if "nyc" in words:
        assert "\\x1b]0;owned" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ams", "web", "--from", "yesterday"), "'yesterday' is no time; write 2026-01-31T08:00:00Z, or 6h"),
        (("ams", "web", "--from", "1h", "--to", "2h"), "must be before --to"),
        (("--from", "1h"), "--from and --to are for one service at one site: catchment sites SITE SERVICE --from 6h"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_what_would(words: tuple[str, ...], sentence: str) -> None:
    said = catchment("sites", *words)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.startswith("catchment sites: ")


def test_without_a_daemon_agents_say_what_to_do(tmp_path: Path) -> None:
    said = catchment("agents", "status", "--data", str(tmp_path))
    assert (said.code, said.out) == (2, "")
    assert "start one with `catchment run -c FILE`" in said.err
