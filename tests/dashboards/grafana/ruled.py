"""The queries of alert rules, from the provisioned file."""

from functools import cache
from typing import Any

from ruamel.yaml import YAML

from dashboards.grafana.model import Variant
from dashboards.grafana.provision import Place, files
from dashboards.grafana.render import Setting
from tests.dashboards.grafana.asked import Asked


def of_rules(variant: Variant) -> list[Asked]:
    """The query of every rule."""
    return [
        Asked(f"rule {rule['title']}", model.get("query") or model["expr"], instant=True)
        for rule in provisioned_rules(variant)
        for model in (rule["data"][0]["model"],)
    ]


@cache
def provisioned_rules(variant: Variant) -> list[dict[str, Any]]:
    """Every rule as Grafana reads it."""
    text = files(Setting(variant), Place())["alerting/catchment-rules.yaml"]
    [group] = YAML(typ="safe").load(text)["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found
