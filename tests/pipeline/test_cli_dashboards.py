"""`catchment dashboards`: builds files, over another's work only when asked to, and pushes; loaded when asked for."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Variant
from dashboards.grafana.render import Setting, rendered
from tests.dashboards.grafana.fake_grafana import TOKEN, Grafana, grafana
from tests.pipeline.terminal import catchment, environment

SDKS = ("grafana_client", "grafana_foundation_sdk", "dashboards.grafana")


@pytest.fixture
def there() -> Iterator[Grafana]:
    with grafana() as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.mark.parametrize("words", [("build",), ("push",)])
def test_help_fits_a_terminal_and_offers_json(words: tuple[str, ...]) -> None:
    said = catchment("dashboards", *words, "--help")
    assert said.code == 0
    assert "--json" in said.out
    assert max(map(len, said.lines)) <= 80


@pytest.mark.parametrize("module", ["pipeline.cli", "pipeline.daemon", "pipeline.engine"])
def test_the_help_and_the_daemon_load_nothing_of_grafanas(module: str) -> None:
    ask = f"import sys, {module}\nprint([each for each in {SDKS!r} if each in sys.modules])"
    run = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment())
    assert run.stdout == "[]\n"
    loads = ask.replace(module, "dashboards.grafana.push")
    run = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True, env=environment())
    assert run.stdout == f"{list(SDKS)!r}\n"


def test_build_writes_every_dashboard_and_says_so(tmp_path: Path) -> None:
    said = catchment("dashboards", "build", "--out", str(tmp_path / "out"))
    assert said.code == 0
    for board in BOARDS:
        path = tmp_path / "out" / f"catchment-{board.name}.json"
        assert path.read_bytes() == rendered(board, Setting(Variant.INFLUXQL))
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert str(path) in said.out
    assert len(list((tmp_path / "out").iterdir())) == len(BOARDS)


def test_build_again_changes_nothing_and_build_over_another_work_is_refused_as_a_whole(tmp_path: Path) -> None:
    words = ("dashboards", "build", "--out", str(tmp_path), "--json")
    assert {each["what"] for each in json.loads(catchment(*words).out)} == {"made"}
    assert {each["what"] for each in json.loads(catchment(*words).out)} == {"same"}
    mine, gone = tmp_path / "catchment-site.json", tmp_path / "catchment-own.json"
    mine.write_text("mine")
    gone.unlink()
    said = catchment(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"catchment dashboards build: {mine}: something else is there; --force overwrites it\n"
    assert (mine.read_text(), gone.exists()) == ("mine", False)
    forced = {Path(each["path"]).name: each["what"] for each in json.loads(catchment(*words, "--force").out)}
    assert (forced["catchment-site.json"], forced["catchment-own.json"]) == ("replaced", "made")
    assert mine.read_bytes() == rendered(BOARDS[2], Setting(Variant.INFLUXQL))


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = catchment("dashboards", "build", "--out", str(tmp_path / "file"))
    assert said.code == 2
    assert said.err.startswith(f"catchment dashboards build: {tmp_path}/file")
    assert "Traceback" not in said.err


def test_provisioning_writes_all_that_grafana_needs_and_keeps_it_current(tmp_path: Path) -> None:
    words = ("dashboards", "build", "--provisioning", str(tmp_path), "--variant", "metricsql", "--json")
    first = json.loads(catchment(*words, "--token-file", "none", "--database", "db").out)
    assert {Path(each["path"]).parent.name for each in first} == {"alerting", "dashboards", "datasources", "catchment"}
    source = tmp_path / "datasources" / "catchment.yaml"
    assert "secureJsonData" not in source.read_text()
    again = json.loads(catchment(*words, "--token-file", "/run/secrets/t", "--server", "https://vm.example").out)
    assert [Path(each["path"]).name for each in again if each["what"] == "replaced"] == ["catchment.yaml"]
    assert 'httpHeaderValue1: "Bearer $__file{/run/secrets/t}"' in source.read_text()
    assert 'url: "https://vm.example"' in source.read_text()


def test_grafana_may_read_it_as_another_user_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert catchment("dashboards", "build", "--provisioning", str(tmp_path / "a" / "b")).code == 0
    finally:
        os.umask(before)
    made = list((tmp_path / "a").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o755}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o644}
    assert len(made) > 12


def test_the_console_is_where_it_is_said_to_be(tmp_path: Path) -> None:
    catchment("dashboards", "build", "--out", str(tmp_path), "--console", "https://catchment.example.net/")
    text = (tmp_path / "catchment-findings.json").read_text()
    assert "https://catchment.example.net/runbooks/missing" in text
    assert "127.0.0.1" not in text


def test_push_pushes_and_says_what_became_of_each_and_never_the_token(there: Grafana, token: Path) -> None:
    words = ("dashboards", "push", "--url", there.url, "--token-file", str(token))
    said = catchment(*words)
    assert said.code == 0
    assert len(there.boards) == len(BOARDS)
    assert said.out.count("new") == len(BOARDS)
    assert TOKEN not in said.out + said.err
    again = json.loads(catchment(*words, "--json").out)
    assert again["dry_run"] is False
    assert again["folder"] == {"uid": "catchment", "title": "Catchment", "what": "same"}
    assert {each["what"] for each in again["dashboards"]} == {"same"}


def test_a_dry_run_leaves_with_1_where_something_differs_and_with_0_where_nothing_does(
    there: Grafana, token: Path
) -> None:
    words = ("dashboards", "push", "--url", there.url, "--token-file", str(token), "--folder", "Net")
    assert catchment(*words, "--dry-run").code == 1
    assert there.writes == []
    assert catchment(*words).code == 0
    assert catchment(*words, "--dry-run").code == 0
    there.boards["catchment-own"]["panels"][1]["description"] = "mine"
    said = catchment(*words, "--dry-run", "--json")
    assert said.code == 1
    [changed] = [each for each in json.loads(said.out)["dashboards"] if each["what"] == "changed"]
    assert (changed["uid"], changed["differs"]) == ("catchment-own", ["panel Now"])


def test_a_refusal_is_a_sentence_and_2(there: Grafana, token: Path) -> None:
    token.write_text("glsa_wrong")
    said = catchment("dashboards", "push", "--url", there.url, "--token-file", str(token))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("catchment dashboards push: folder catchment: Grafana does not know the token (401)")
    assert "glsa_wrong" not in said.err


def test_push_without_a_token_file_or_url_is_refused() -> None:
    said = catchment("dashboards", "push", "--url", "http://127.0.0.1:1")
    assert said.code == 2
    assert "--token-file" in said.err
