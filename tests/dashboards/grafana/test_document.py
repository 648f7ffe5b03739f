"""docs/dashboards.md says what the model has, and its commands are ones that there are."""

import re

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.document import document
from dashboards.grafana.rules import ALERTS
from tests.dashboards.grafana.written import DOCUMENT
from tests.pipeline.terminal import catchment


def test_the_list_is_what_the_model_makes() -> None:
    text = DOCUMENT.read_text()
    assert text == document(text), "python -m tests.dashboards.grafana.written writes what is right"


def test_every_dashboard_panel_and_rule_is_in_it() -> None:
    text = DOCUMENT.read_text()
    for board in BOARDS:
        assert f"`catchment-{board.name}`" in text
        for row in board.rows:
            assert row.title in text
            assert all(f"| {panel.title} |" in text for panel in row.panels if not row.folded)
    assert all(f"| {alert.title} |" in text for alert in ALERTS)


def test_its_commands_and_options_are_ones_that_there_are() -> None:
    commands = re.findall(r"catchment dashboards (build|push)((?: +(?:\\\n +)?[^\s`|]+)*)", DOCUMENT.read_text())
    assert {name for name, _ in commands} == {"build", "push"}
    for name, rest in commands:
        offered = catchment("dashboards", name, "--help").out
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in offered, f"{name} {option}"
