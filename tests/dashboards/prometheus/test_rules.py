"""Alert rules: each fires and each can be silent, by promtool; and they ask for nothing that is not written."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from anycast.finding import Severity
from pipeline.metrics_document import PATH, document, families, names
from tests import needs

FOLDER = needs.ROOT / "dashboards" / "prometheus"
ITS_OWN = {"up", "process_start_time_seconds"}
"""What Prometheus says of each target, and its client of each process."""
METRIC = re.compile(r"\b((?:catchment|process)_[a-z_]+|up)\b(?=[{\[ )]|$)")


def _read(name: str) -> Any:
    return YAML(typ="safe").load((FOLDER / name).read_text())


def _rules() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in _read("catchment.rules.yml")["groups"] for rule in group["rules"]}


def _asked(expression: str) -> set[str]:
    return set(METRIC.findall(expression))


def _promtool(*words: str, folder: Path = FOLDER) -> "subprocess.CompletedProcess[str]":
    argv = [needs.tool("promtool", "prometheus"), *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=100)


def test_promtool_takes_the_rules_and_every_test_of_them_holds() -> None:
    checked = _promtool("check", "rules", "catchment.rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = _promtool("test", "rules", "catchment.rules.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_never_fires_fails_its_test(tmp_path: Path) -> None:
    rules = (FOLDER / "catchment.rules.yml").read_text()
    (tmp_path / "catchment.rules.yml").write_text(rules.replace("catchment_ready == 0", "catchment_ready == 7"))
    (tmp_path / "tests.yml").write_text((FOLDER / "catchment.rules.test.yml").read_text())
    tested = _promtool("test", "rules", "tests.yml", folder=tmp_path)
    assert tested.returncode != 0
    assert "CatchmentNotReady" in tested.stdout + tested.stderr


@pytest.mark.parametrize("alert", _rules())
def test_every_rule_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(alert: str) -> None:
    tried = [each for test in _read("catchment.rules.test.yml")["tests"] for each in test["alert_rule_test"]]
    fires = [bool(each["exp_alerts"]) for each in tried if each["alertname"] == alert]
    assert sorted(fires) == [False, True]


@pytest.mark.parametrize("alert", _rules())
def test_every_metric_that_a_rule_names_is_written_with_the_labels_that_it_names(alert: str) -> None:
    expression = _rules()[alert]["expr"]
    asked = _asked(expression)
    assert asked
    assert asked <= names() | ITS_OWN
    labels = {label for _, _, each in families() for label in each} | {"le", "job"}
    assert set(re.findall(r"[{,]\s*([a-z_]+)=", expression)) <= labels


def test_what_is_not_written_is_told() -> None:
    assert not _asked("catchment_route_lost == 0") <= names() | ITS_OWN
    assert _asked('rate(catchment_ready[5m]) > 1 or up{job="x"} == 0') == {"catchment_ready", "up"}


@pytest.mark.parametrize("alert", _rules())
def test_every_rule_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    rule = _rules()[alert]
    assert alert.startswith("Catchment")
    assert rule["labels"]["severity"] in {str(each) for each in Severity}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert all(each[0].isupper() or each[0] in "{`" for each in rule["annotations"].values())
    for runbook in re.findall(r"docs/runbooks/([a-z-]+)\.md", str(rule["annotations"])):
        assert (needs.ROOT / "docs" / "runbooks" / f"{runbook}.md").is_file()


def test_the_page_of_metrics_is_what_the_collectors_write() -> None:
    assert PATH.read_text() == document()
    assert all(f"`{name}`" in document() for name in ("catchment_ready", "catchment_feed_messages_total"))


def test_every_metric_has_one_name_one_sentence_and_one_set_of_labels() -> None:
    found = list(families())
    assert len({family.name for _, family, _ in found}) == len(found) > 60
    assert all(family.documentation.endswith(".") for _, family, _ in found)
    assert all(family.name.startswith("catchment_") for _, family, _ in found)
