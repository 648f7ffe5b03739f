"""The files that Grafana reads at its start: they fit each other, every reader reads the same, and no secret is in."""

import json
import re
from string import Template
from typing import Any

import pytest
from ruamel.yaml import YAML

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Variant
from dashboards.grafana.provision import Place, files
from dashboards.grafana.render import Setting, panel_ids
from dashboards.grafana.rules import ALERTS
from tests.dashboards.grafana.asked import boards, panels
from tests.dashboards.grafana.ruled import provisioned_rules
from tests.needs import ROOT

BOTH = pytest.mark.parametrize("variant", Variant)
TOKEN_FILE = "/run/secrets/influx-token"


def read(text: bytes, version: str = "1.2") -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


def made(variant: Variant, **place: Any) -> dict[str, Any]:
    """The YAML files by name."""
    every = files(Setting(variant), Place(**place))
    return {path: read(text) for path, text in every.items() if path.endswith(".yaml")}


@BOTH
def test_all_that_grafana_needs_is_there_and_in_the_folders_where_it_looks(variant: Variant) -> None:
    every = files(Setting(variant), Place())
    others = {path for path in every if not path.startswith("dashboards/catchment/")}
    assert others == {
        "alerting/catchment-contact-points.yaml",
        "alerting/catchment-rules.yaml",
        "dashboards/catchment.yaml",
        "datasources/catchment.yaml",
    }
    assert {f"dashboards/catchment/{variant.uid(board.name)}.json" for board in BOARDS} == set(every) - others


@BOTH
def test_old_and_new_readers_of_yaml_read_the_same(variant: Variant) -> None:
    """Grafana's takes YAML 1.1, in which `on`, `1_000` and `60:180` are no texts."""
    for path, text in files(Setting(variant), Place(TOKEN_FILE, "on", "yes", "60:180", "1_000")).items():
        if path.endswith(".yaml"):
            assert read(text, "1.1") == read(text, "1.2")
    assert (
        made(variant, database="on")["datasources/catchment.yaml"]["datasources"][0]["jsonData"].get("dbName", "on")
        == "on"
    )


@BOTH
def test_files_name_each_other_rightly(variant: Variant) -> None:
    every = made(variant)
    [source] = every["datasources/catchment.yaml"]["datasources"]
    [point] = every["alerting/catchment-contact-points.yaml"]["contactPoints"]
    [provider] = every["dashboards/catchment.yaml"]["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/dashboards/catchment"
    ids = {board["uid"]: {panel["id"] for panel in panels(board)} for board in boards(variant)}
    for rule in provisioned_rules(variant):
        asked, reduced, judged = rule["data"]
        assert asked["datasourceUid"] == asked["model"]["datasource"]["uid"] == source["uid"]
        assert asked["model"]["datasource"]["type"] == source["type"] == variant.source
        assert (reduced["model"]["expression"], judged["model"]["expression"]) == ("A", "B")
        assert rule["condition"] == "C"
        assert rule["notification_settings"]["receiver"] == point["name"]
        assert rule["panelId"] in ids[rule["dashboardUid"]]
        assert rule["annotations"]["__panelId__"] == str(rule["panelId"])
        assert rule["annotations"]["__dashboardUid__"] == rule["dashboardUid"]
    uids = [rule["uid"] for each in Variant for rule in provisioned_rules(each)]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) <= 40 for uid in uids)


@BOTH
def test_no_query_of_a_rule_needs_a_dashboard(variant: Variant) -> None:
    for rule in provisioned_rules(variant):
        model = rule["data"][0]["model"]
        text = model.get("query") or model["expr"]
        assert set(re.findall(r"\$\{?\w+", text)) <= {"$timeFilter"}, text


@BOTH
def test_nothing_that_grafana_expands_is_expanded_into_something_else(variant: Variant) -> None:
    """Titles, labels and annotations go through the environment; a query does not."""
    for rule in provisioned_rules(variant):
        for text in (rule["title"], rule["uid"], *rule["labels"].values(), *rule["annotations"].values()):
            assert "$" not in text
    for rule in provisioned_rules(variant):
        for tag in re.findall(r"\.Labels\.(\w+)", str(rule["annotations"])):
            model = rule["data"][0]["model"]
            assert re.search(rf"\b{tag}\b", model.get("query") or model["expr"]), f"{rule['title']} has no {tag}"


@BOTH
def test_a_token_is_named_by_its_file_and_a_webhook_too(variant: Variant) -> None:
    plain = made(variant)
    assert "secureJsonData" not in plain["datasources/catchment.yaml"]["datasources"][0]
    told = made(variant, token_file=TOKEN_FILE, webhook_url_file="/run/secrets/hook")
    [source] = told["datasources/catchment.yaml"]["datasources"]
    word = "Token" if variant is Variant.INFLUXQL else "Bearer"
    assert source["secureJsonData"] == {"httpHeaderValue1": f"{word} $__file{{{TOKEN_FILE}}}"}
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"
    [point] = told["alerting/catchment-contact-points.yaml"]["contactPoints"]
    assert [each["settings"] for each in point["receivers"]] == [
        {"url": "http://alertmanager:9093"},
        {"url": "$__file{/run/secrets/hook}"},
    ]


def test_every_rule_says_what_to_do_on_a_page_that_is_there() -> None:
    for alert in ALERTS:
        kind = alert.runbook.removeprefix("/runbooks/")
        assert alert.runbook == "/" or kind in ("{kind}", "{cause}") or (ROOT / f"docs/runbooks/{kind}.md").is_file()
        board = next(board for board in BOARDS if board.name == alert.board)
        assert alert.panel in panel_ids(board)


def test_silence_alone_fires_where_silence_is_what_is_wrong() -> None:
    states = {rule["title"]: rule["noDataState"] for rule in provisioned_rules(Variant.INFLUXQL)}
    assert {title for title, state in states.items() if state == "Alerting"} == {"Catchment writes nothing"}
    assert len(states) == len(ALERTS) > 10


def test_the_dashboards_that_are_provisioned_are_those_that_are_built() -> None:
    every = files(Setting(Variant.INFLUXQL, "https://c.example"), Place())
    [text] = [text for path, text in every.items() if path.endswith("catchment-own.json")]
    assert json.loads(text)["links"][1]["url"] == "https://c.example/"
    assert Template("$timeFilter").safe_substitute() in every["alerting/catchment-rules.yaml"].decode()
