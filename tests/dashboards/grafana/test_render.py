"""Grafana's JSON of every dashboard: the same octets each time, complete, legible, and without a dead link."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.models import dashboard as sdk

from anycast.series import MEASUREMENTS
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.fields import WORDS, mappings
from dashboards.grafana.model import Choice, Colour, Look, Variant
from dashboards.grafana.render import Setting, panel_ids, rendered
from tests.dashboards.grafana.asked import Json, boards, panels

CONSOLE = "https://catchment.example.net"
PAGES = (r"/", r"/runbooks/[^/]+", r"/catchment/[^/]+/[^/]+")
"""The pages of the console (dashboards/console/page.py)."""
BOTH = pytest.mark.parametrize("variant", Variant)


def walked(value: object) -> Iterator[Any]:
    """Every value below a value."""
    yield value
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in below:
        yield from walked(each)


@BOTH
def test_the_same_model_makes_the_same_octets_in_another_process_too(variant: Variant) -> None:
    script = (
        "import sys; from dashboards.grafana.boards import BOARDS; from dashboards.grafana.model import Variant\n"
        "from dashboards.grafana.render import Setting, rendered\n"
        f"[sys.stdout.buffer.write(rendered(board, Setting(Variant({str(variant)!r})))) for board in BOARDS]"
    )
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=env)
        assert done.stdout == b"".join(rendered(board, Setting(variant)) for board in BOARDS)


def test_uids_are_short_and_nobody_elses() -> None:
    uids = [board["uid"] for variant in Variant for board in boards(variant)]
    assert len(set(uids)) == len(uids) == 2 * len(BOARDS)
    assert all(re.fullmatch(r"catchment-[a-z-]{1,30}", uid) for uid in uids)


def test_the_dashboards_that_were_asked_for_are_there() -> None:
    names = {board.name for board in BOARDS}
    assert names == {"overview", "service", "site", "region", "convergence", "routing", "findings", "own"}
    looks = {board.name: {panel.look for panel in board.panels} for board in BOARDS}
    assert {Look.HISTORY, Look.TIMELINE, Look.HEATMAP, Look.LINES} <= looks["service"]
    assert Look.HISTOGRAM in looks["convergence"]
    assert "Route changes" in {note.title for board in BOARDS if board.name == "service" for note in board.annotations}


@BOTH
def test_the_sdk_reads_its_own_json_and_says_the_same_again(variant: Variant) -> None:
    for board in boards(variant):
        again = sdk.Dashboard.from_json(board)
        assert (again.uid, again.title, len(again.panels or [])) == (board["uid"], board["title"], len(board["panels"]))


@BOTH
def test_panels_have_ids_of_their_own_and_lie_beside_each_other(variant: Variant) -> None:
    for board in boards(variant):
        every = [*board["panels"], *(each for row in board["panels"] for each in row.get("panels") or [])]
        ids = [panel["id"] for panel in every]
        assert len(set(ids)) == len(ids)
        shown = board["panels"]
        taken = [(x, y) for panel in shown for x, y in _cells(panel["gridPos"])]
        assert len(set(taken)) == len(taken), board["title"]
        for row in (each for each in shown if each["type"] == "row"):
            folded = [cell for panel in row["panels"] for cell in _cells(panel["gridPos"])]
            assert len(set(folded)) == len(folded)
    for model in BOARDS:
        assert len(panel_ids(model)) == len(model.panels), f"{model.name}: two panels of one title"


def _cells(at: dict[str, int]) -> Iterator[tuple[int, int]]:
    assert at["w"] > 0
    assert at["x"] + at["w"] <= 24
    return ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))


@BOTH
def test_every_panel_says_what_it_is_and_what_it_means_when_there_is_nothing(variant: Variant) -> None:
    count = 0
    for board in boards(variant):
        assert len(board["description"]) > 40
        for panel in panels(board):
            count += 1
            defaults = panel["fieldConfig"]["defaults"]
            assert len(panel["description"]) > 20, panel["title"]
            assert 8 < len(defaults["noValue"]) < 100, panel["title"]
            assert panel["targets"], panel["title"]
            if panel["type"] != "table":
                assert defaults.get("unit") or defaults["mappings"], f"{panel['title']} has neither unit nor words"
    assert count > 100


def test_every_code_has_its_word_and_every_word_a_colour_that_means_the_same_everywhere() -> None:
    coded = [field for each in MEASUREMENTS.values() for field in each.fields.values() if field.codes]
    words = {word for field in coded for _, word in field.codes}
    steps = {"opened", "worsened", "recovering", "reopened", "closed"}
    assert words <= set(WORDS) | steps
    for field in coded:
        [mapping] = mappings(field)
        assert isinstance(mapping, sdk.ValueMap)
        assert {int(code): result.text for code, result in mapping.options.items()} == dict(field.codes)


@BOTH
def test_colours_are_grafanas_own_names_so_that_they_suit_light_and_dark(variant: Variant) -> None:
    seen = 0
    for board in boards(variant):
        for each in walked(board):
            if isinstance(each, dict):
                for key in ("color", "iconColor", "fixedColor"):
                    if isinstance(each.get(key), str):
                        seen += 1
                        assert each[key] in {*Colour, "blue", "orange"}, each[key]
        assert not re.search(r"#[0-9a-fA-F]{6}\b|rgba?\(", str(board))
    assert seen > 200


@BOTH
def test_nothing_rests_on_colour_alone(variant: Variant) -> None:
    """States show their words, heat maps their numbers, thresholds a line of their own."""
    for board in boards(variant):
        for panel in panels(board):
            match panel["type"]:
                case "state-timeline" | "status-history" | "heatmap":
                    assert panel["options"]["showValue"] == "auto"
                case "stat":
                    assert panel["options"]["textMode"] == "value_and_name"
                case "timeseries" if len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) > 1:
                    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "dashed"


@BOTH
def test_a_heat_map_draws_zero_and_leaves_out_only_what_nobody_knows(variant: Variant) -> None:
    maps = [panel for board in boards(variant) for panel in panels(board) if panel["type"] == "heatmap"]
    assert len(maps) >= 3
    for panel in maps:
        assert panel["options"]["filterValues"] == {"le": -1}
        assert panel["options"]["color"]["min"] == 0


@BOTH
def test_every_link_leads_somewhere_and_carries_what_is_there_to_carry(variant: Variant) -> None:
    variables = {board["uid"]: {each["name"] for each in board["templating"]["list"]} for board in boards(variant)}
    made = [rendered(board, Setting(variant, CONSOLE)) for board in BOARDS]
    seen = {"board": 0, "console": 0}
    for board, text in zip(boards(variant), made, strict=True):
        assert b"127.0.0.1" not in text
        for panel in panels(board):
            offered = set(re.findall(r"[a-z_]+", " ".join(_grouped(panel, variant))))
            for url in _links(panel):
                if not url.startswith("/d/"):
                    path = url.removeprefix("http://127.0.0.1:8470")
                    seen["console"] += 1
                    assert any(re.fullmatch(page, path) for page in PAGES), url
                else:
                    uid, asked = url.removeprefix("/d/").split("?", 1)
                    seen["board"] += 1
                    assert "${__url_time_range}" in asked
                    assert set(re.findall(r"var-([a-z]+)=", asked)) <= variables[uid], url
                for tag in re.findall(r"\$\{__(?:field\.labels|data\.fields)\.([a-z_]+)\}", url):
                    assert tag in offered, f"{panel['title']}: {url} needs {tag}"
    assert min(seen.values()) > 20


def _links(panel: Json) -> list[str]:
    config = panel["fieldConfig"]
    cells = [each for over in config["overrides"] for each in over["properties"] if each["id"] == "links"]
    return [link["url"] for link in [*config["defaults"]["links"], *(each for cell in cells for each in cell["value"])]]


def _grouped(panel: Json, variant: Variant) -> Iterator[str]:
    for target in panel["targets"]:
        if variant is Variant.METRICSQL:
            yield from re.findall(r" by \(([^)]*)\)", target["expr"])
        else:
            query = target["query"]
            yield query.split("GROUP BY")[-1] if "GROUP BY" in query else query.split(" FROM ")[0]


@BOTH
def test_every_dashboard_leads_to_all_others_and_to_the_console(variant: Variant) -> None:
    for board in boards(variant):
        others, console = board["links"]
        assert (others["type"], others["tags"]) == ("dashboards", [f"catchment-{variant}"])
        assert set(others["tags"]) <= set(board["tags"])
        assert others["includeVars"]
        assert others["keepTime"]
        assert console["url"] == "http://127.0.0.1:8470/"


@BOTH
def test_every_variable_is_used_and_every_one_that_is_used_is_there(variant: Variant) -> None:
    used_anywhere = set()
    for board in boards(variant):
        there = {each["name"] for each in board["templating"]["list"]}
        targets = [(target, panel) for panel in panels(board) for target in panel["targets"]]
        asked = [f"{target.get('query') or target['expr']}'{target['datasource']}" for target, _ in targets]
        asked += [panel["interval"] for _, panel in targets]
        used = {name for text in asked for name in re.findall(r"\$\{?([a-z]+)(?=[:}\"'])", text)} - {"timeFilter"}
        used |= {"window" for text in asked if "$window" in text}
        assert used <= there, board["title"]
        assert there - used <= {"region"} if board["title"].endswith("overview") else there == used, board["title"]
        used_anywhere |= used
    assert used_anywhere == {*Choice, "datasource"}


def test_a_name_is_in_the_word_of_its_data_source() -> None:
    """Both variants ask the data source that is chosen, of the type that understands them."""
    for variant, kind in ((Variant.INFLUXQL, "influxdb"), (Variant.METRICSQL, "prometheus")):
        for board in boards(variant):
            [source] = [each for each in board["templating"]["list"] if each["type"] == "datasource"]
            assert (source["query"], source["current"]["value"]) == (kind, f"catchment-{variant}")
            for panel in panels(board):
                wanted = {"type": kind, "uid": "${datasource}"}
                assert panel["datasource"] == wanted
                assert all(target["datasource"] == wanted for target in panel["targets"])


def test_grafana_finds_the_text_the_title_and_the_tags_of_an_event_in_the_columns_of_its_answer() -> None:
    """As its data source `influxdb` does: the title by its whole name, the others by a part of it, in this order."""
    seen = 0
    for board in boards(Variant.INFLUXQL):
        for note in (each for each in board["annotations"]["list"] if not each["builtIn"]):
            seen += 1
            told = note["target"]
            assert {key: told[key] for key in ("query", "titleColumn", "tagsColumn", "textColumn")} == {
                key: note[key] for key in ("query", "titleColumn", "tagsColumn", "textColumn")
            }
            assert told["fromAnnotations"] is True
            measurement = re.findall(r' FROM "([a-z]+)"', note["query"])[0]
            selected = re.findall(r'"([a-z_]+)"(?=,| FROM)', note["query"].split(" WHERE ")[0])
            found = [_meant(f"{measurement}.{column}", told) for column in selected]
            assert found == ["text", "title", *["tags"] * (len(selected) - 2)]
            assert len(found) > 3
    assert seen > 10


def _meant(column: str, told: Json) -> str:
    if column == told["titleColumn"]:
        return "title"
    if any(tag in column for tag in told["tagsColumn"].split(",")):
        return "tags"
    return "text" if told["textColumn"] in column else "nothing"


def test_an_event_has_the_same_tags_where_texts_are_not_stored() -> None:
    for influx, metrics in zip(boards(Variant.INFLUXQL), boards(Variant.METRICSQL), strict=True):
        for one, other in zip(influx["annotations"]["list"], metrics["annotations"]["list"], strict=True):
            if not one["builtIn"]:
                assert one["tagsColumn"] == other["tagKeys"]
                assert other["target"]["expr"] == other["expr"]
                assert other["titleFormat"] == "{{" + one["titleColumn"].split(".")[1] + "}}"
