"""Every kind of finding has a filter, a panel, a runbook, and a rule that tells of it."""

import pytest

from anycast.finding import Kind, Severity
from anycast.kinds import KINDS
from dashboards.grafana.model import Variant
from tests.dashboards.grafana.asked import boards, panels
from tests.dashboards.grafana.ruled import provisioned_rules
from tests.needs import ROOT

BOTH = pytest.mark.parametrize("variant", Variant)


@BOTH
@pytest.mark.parametrize("kind", Kind)
def test_a_kind_has_a_filter_a_panel_and_a_runbook(variant: Variant, kind: Kind) -> None:
    [board] = [each for each in boards(variant) if each["uid"] == variant.uid("findings")]
    [choice] = [each for each in board["templating"]["list"] if each["name"] == "kind"]
    assert str(kind) in choice["query"].split(",")
    assert str(kind) in {option["value"] for option in choice["options"]}
    [panel] = [each for each in panels(board) if each["title"] == str(kind)]
    [target] = panel["targets"]
    condition = f"\"kind\" = '{kind}'" if variant is Variant.INFLUXQL else f'kind="{kind}"'
    assert condition in (target.get("query") or target["expr"])
    assert KINDS[kind].meaning in panel["description"]
    assert KINDS[kind].action in panel["description"]
    [runbook] = panel["fieldConfig"]["defaults"]["links"]
    assert runbook["url"].endswith(f"/runbooks/{kind}")
    assert (ROOT / "docs" / "runbooks" / f"{kind}.md").is_file()


@BOTH
def test_there_is_no_panel_of_a_kind_that_is_none(variant: Variant) -> None:
    [board] = [each for each in boards(variant) if each["uid"] == variant.uid("findings")]
    folded = [each["title"] for row in board["panels"] if row.get("collapsed") for each in row["panels"]]
    assert sorted(folded) == sorted(Kind)


@BOTH
def test_the_filter_narrows_what_is_shown(variant: Variant) -> None:
    [board] = [each for each in boards(variant) if each["uid"] == variant.uid("findings")]
    filtered = [
        panel["title"]
        for panel in panels(board)
        for target in panel["targets"]
        if "kind" in str(target) and "$" in str(target.get("query") or target["expr"])
    ]
    assert {"Findings, newest first", "Open by kind", "Open over time", "Opened and cleared"} <= set(filtered)


@BOTH
def test_a_rule_tells_of_every_kind_that_is_critical_or_major_with_its_runbook(variant: Variant) -> None:
    rules = {rule["title"].split(" (")[0]: rule for rule in provisioned_rules(variant)}
    for severity in (Severity.CRITICAL, Severity.MAJOR):
        rule = rules[f"A {severity} finding is open"]
        assert rule["annotations"]["runbook_url"].endswith("/runbooks/{{ .Labels.kind }}")
        model = rule["data"][0]["model"]
        asked = model.get("query") or model["expr"]
        assert "kind" in asked
        assert str(severity) in asked
