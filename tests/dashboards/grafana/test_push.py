"""Pushing: by uid, into a folder of its own, again and again; refusals are sentences, and no secret is in them."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from grafana_client import GrafanaApi

from dashboards.grafana import connection
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.connection import PushError, connected, read_token
from dashboards.grafana.model import Variant
from dashboards.grafana.push import What, differences, folder_uid, push
from dashboards.grafana.render import Setting
from tests.dashboards.grafana.fake_grafana import TOKEN, Grafana, grafana
from tests.servers.running import free_port

SETTING = Setting(Variant.INFLUXQL)


@pytest.fixture
def there() -> Iterator[Grafana]:
    with grafana() as server:
        yield server


def api(server: Grafana) -> GrafanaApi:
    return connected(server.url, TOKEN)


def test_a_first_push_makes_the_folder_and_every_dashboard_in_it(there: Grafana) -> None:
    outcome = push(api(there), SETTING)
    assert outcome.folder_was is What.NEW
    assert {each.what for each in outcome.dashboards} == {What.NEW}
    assert set(there.boards) == {f"catchment-{board.name}" for board in BOARDS}
    assert set(there.homes.values()) == {"catchment"} == set(there.folders)
    assert there.folders["catchment"]["title"] == "Catchment"
    assert set(there.seen) == {f"Bearer {TOKEN}"}


def test_a_second_push_writes_nothing(there: Grafana) -> None:
    push(api(there), SETTING)
    there.calls.clear()
    assert not push(api(there), SETTING).differs
    assert there.writes == []


def test_what_somebody_changed_by_hand_is_named_and_put_right_and_nothing_else_is_written(there: Grafana) -> None:
    push(api(there), SETTING)
    board = there.boards["catchment-routing"]
    board["title"] = "Mine"
    board["panels"][1]["title"] = "My churn"
    board["panels"][2]["description"] = "mine"
    board["version"] = 7
    there.calls.clear()
    planned = push(api(there), SETTING, dry=True)
    assert there.writes == []
    [changed] = [each for each in planned.dashboards if each.what is not What.SAME]
    assert changed.uid == "catchment-routing"
    assert changed.differs == ("title", "panel Churn is missing there", "panel Flaps", "panel My churn is only there")
    push(api(there), SETTING)
    assert there.writes == [("POST", "/api/dashboards/db")]
    assert there.boards["catchment-routing"]["title"] == "Catchment: routing changes"
    assert there.boards["catchment-routing"]["version"] == 8
    assert not push(api(there), SETTING).differs


def test_a_dry_run_on_an_empty_grafana_says_that_all_of_it_is_new_and_writes_nothing(there: Grafana) -> None:
    outcome = push(api(there), SETTING, dry=True)
    assert outcome.differs
    assert {each.what for each in outcome.dashboards} | {outcome.folder_was} == {What.NEW}
    assert (there.writes, there.boards, there.folders) == ([], {}, {})


def test_a_dashboard_in_another_folder_is_brought_home(there: Grafana) -> None:
    push(api(there), SETTING)
    there.homes["catchment-own"] = "elsewhere"
    [moved] = [each for each in push(api(there), SETTING).dashboards if each.what is What.CHANGED]
    assert moved.differs == ("it is in the folder elsewhere",)
    assert there.homes["catchment-own"] == "catchment"


def test_both_variants_stand_side_by_side_and_another_folder_is_another_one(there: Grafana) -> None:
    push(api(there), SETTING)
    push(api(there), Setting(Variant.METRICSQL), "Anycast, by VictoriaMetrics")
    assert len(there.boards) == 2 * len(BOARDS)
    assert set(there.folders) == {"catchment", "anycast-by-victoriametrics"}


def test_a_change_in_a_folded_row_is_seen() -> None:
    ours = {"panels": [{"type": "row", "title": "r", "panels": [{"id": 1, "title": "p", "x": 1}]}]}
    theirs = copy.deepcopy(ours)
    assert differences(ours, theirs) == ()
    theirs["panels"][0]["panels"][0]["x"] = 2  # type: ignore[index]
    assert differences(ours, theirs) == ("panel p",)


def test_a_grafana_below_a_path_is_reached(there: Grafana) -> None:
    push(connected(f"{there.url}/behind/", TOKEN), SETTING)
    assert {path.split("/api/")[0] for _, path in there.calls} == {"/behind"}
    assert len(there.boards) == len(BOARDS)


def _refused(there: Grafana, dry: bool = False, token: str = TOKEN) -> str:
    with pytest.raises(PushError) as raised:
        push(connected(there.url, token), SETTING, dry=dry)
    assert token not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    return str(raised.value)


def test_a_token_that_is_not_known_is_said_to_be_so(there: Grafana) -> None:
    assert "does not know the token (401)" in _refused(there, token="glsa_wrong")
    assert there.boards == {}


def test_a_token_that_may_only_look_is_said_to_need_a_right(there: Grafana) -> None:
    there.viewer = True
    assert "making the folder Catchment: the token may not do that (403: You'll need additional" in _refused(there)


def test_a_dashboard_that_somebody_saves_meanwhile_is_not_overwritten(there: Grafana) -> None:
    push(api(there), SETTING)
    there.boards["catchment-own"]["title"] = "Mine"
    there.interfering = True
    said = _refused(there)
    assert "writing the dashboard catchment-own: somebody else has changed it meanwhile" in said
    assert "412: The dashboard has been changed by someone else" in said
    assert there.boards["catchment-own"]["title"] == "Mine"


def test_a_dashboard_that_comes_from_a_file_is_said_to_be_so(there: Grafana) -> None:
    there.provisioned.add("catchment-overview")
    assert "Grafana refused (400: Cannot save provisioned dashboard)" in _refused(there)


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (500, b'{"message": "database is locked"}', {}, "Grafana failed with 500: database is locked; try again"),
        (302, b"", {"Location": "http://127.0.0.1:1/login"}, "sends us elsewhere"),
        (200, b"<html>hello</html>", {"Content-Type": "text/html"}, "is this its address?"),
        (200, b"[1, 2]", {"Content-Type": "application/json"}, "is this its address?"),
        (200, b'{"dashboard": 1, "uid": 1, "meta": 3}', {"Content-Type": "application/json"}, "is this its address?"),
        (200, b"{", {"Content-Type": "application/json"}, "no JSON; is this Grafana's address?"),
        (200, b"\xff", {"Content-Type": "application/json"}, "is this Grafana's address?"),
        (418, b'{"message": "\\u001b[31mred\\nlines"}', {}, "refused (418: [31mred lines)"),
        (400, b"no json", {}, "refused (400: no json)"),
        (200, b"{}", {"Content-Length": "99999"}, "nobody answers there, or the connection broke"),
        (200, b"not gzip", {"Content-Encoding": "gzip"}, "nobody answers there, or the connection broke"),
    ],
)
def test_what_is_no_grafana_or_ails_is_a_sentence(
    there: Grafana, status: int, body: bytes, headers: dict[str, str], said: str
) -> None:
    there.odd = (status, body, headers)
    assert said in _refused(there)


def test_an_endless_answer_is_cut_off(there: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST", 1 << 20)
    there.odd = (200, b'{"uid": "' + b"x" * (1 << 21) + b'"}', {"Content-Type": "application/json"})
    assert "an answer of more than 1 MB came" in _refused(there)


def test_nobody_there_is_a_sentence() -> None:
    assert "nobody answers there" in _refused(Grafana(f"http://127.0.0.1:{free_port()}"))


def test_a_slow_one_is_given_up(there: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TIMEOUT", 0.2)
    there.odd = (200, b"", {"Content-Length": "10"})
    said = _refused(there)
    assert "nobody answers there, or the connection broke" in said or "no answer within" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://grafana.example.net", "plain HTTP, which would show the token to the network; use https"),
        ("http://192.0.2.1:3000", "plain HTTP"),
        ("http://localhost.example.net", "plain HTTP"),
        ("https://admin:secret@grafana.example.net", "leave them out, and give a token with --token-file"),
        ("ftp://grafana.example.net", "is no URL such as"),
        ("grafana.example.net", "is no URL such as"),
        ("https://", "is no URL such as"),
        ("https://grafana.example.net/?verify=false", "is no URL such as"),
        ("https://grafana.example.net:99999", "is no URL such as"),
        ("https://[::1", "is no URL such as"),
        ("https://admin:secret@[::1", "is no URL such as"),
        ("https://admin:secret@grafana.example.net:x", "is no URL such as"),
        ("", "is no URL such as"),
    ],
)
def test_an_address_that_will_not_do_is_refused_before_anything_is_sent(url: str, said: str) -> None:
    with pytest.raises(PushError, match=r".") as raised:
        connected(url, TOKEN)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost", "https://g.example"])
def test_an_address_that_will_do_is_taken(url: str) -> None:
    assert connected(url, TOKEN).client.url.startswith(url)


def test_a_proxy_is_not_told_what_is_meant_for_this_machine(there: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    with grafana() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        push(api(there), SETTING)
        assert proxy.calls == []
    assert len(there.boards) == len(BOARDS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no token"),
        (b"two words", "holds more than a token"),
        (b"x" * 5000, "holds no token"),
        (b"\xff\xfe", "holds no token"),
        (b"one\ntwo", "holds no token"),
    ],
)
def test_a_file_that_holds_no_token_is_said_to_be_so(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(PushError) as raised:
        read_token(tmp_path / "token")
    assert said in str(raised.value)
    assert not content.strip() or content.decode("latin1") not in str(raised.value)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PushError, match=r"nothing cannot be read: No such file"):
        read_token(tmp_path / "nothing")


def test_folders_that_have_no_uid_are_refused() -> None:
    assert folder_uid("Catchment") == "catchment"
    assert folder_uid("  Network / Anycast (v2) ") == "network-anycast-v2"
    with pytest.raises(PushError, match="needs a letter or a digit"):
        folder_uid("***")
