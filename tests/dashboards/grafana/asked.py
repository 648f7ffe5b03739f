"""Everything that a rendered dashboard asks its data source: taken from Grafana's JSON, not from the model."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Variant
from dashboards.grafana.render import Setting, rendered

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One query."""

    place: str
    """The dashboard and the panel, variable or annotation."""
    text: str
    legend: str = ""
    instant: bool = False
    interval: str = "10s"
    """Least length of a bucket, as the panel says."""

    def __str__(self) -> str:
        return self.place


@cache
def boards(variant: Variant) -> list[Json]:
    """Every dashboard as JSON; to look at, and not to change."""
    return [json.loads(rendered(board, Setting(variant))) for board in BOARDS]


def panels(board: Json) -> Iterator[Json]:
    """Every panel of a dashboard, those in folded rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def of_panels(variant: Variant) -> list[Asked]:
    """Every query of every panel."""
    return [
        Asked(
            f"{board['title']} / {panel['title']} / {target['refId']}",
            target["query"] if variant is Variant.INFLUXQL else target["expr"],
            target.get("alias") or target.get("legendFormat") or "",
            target.get("instant", False),
            panel["interval"],
        )
        for board in boards(variant)
        for panel in panels(board)
        for target in panel["targets"]
    ]


def of_annotations(variant: Variant) -> list[Asked]:
    """Every query of every annotation of ours."""
    key = "query" if variant is Variant.INFLUXQL else "expr"
    return [
        Asked(f"{board['title']} / annotation {note['name']}", note[key], note.get("textFormat", ""))
        for board in boards(variant)
        for note in board["annotations"]["list"]
        if not note["builtIn"]
    ]


def of_variables(variant: Variant) -> list[Asked]:
    """Every query of every variable."""
    return [
        Asked(f"{board['title']} / variable {each['name']}", each["query"])
        for board in boards(variant)
        for each in board["templating"]["list"]
        if each["type"] == "query"
    ]
