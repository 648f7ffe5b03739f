"""Dashboards as Grafana's JSON: the same octets for the same model."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as sdk

from dashboards.grafana.annotations import annotated
from dashboards.grafana.fields import configured
from dashboards.grafana.looks import drawn
from dashboards.grafana.model import Board, Panel, Row, Variant
from dashboards.grafana.targets import in_variant, reference, targets, transformations
from dashboards.grafana.variables import source, variable

CONSOLE = "http://127.0.0.1:8470"
"""Where Catchment's own console is, unless another place is said."""
REFRESH = "30s"
_GRID = 24


@dataclass(frozen=True, slots=True)
class Setting:
    """For whom dashboards are rendered."""

    variant: Variant
    console: str = CONSOLE
    """Address of the console, without a path."""

    @property
    def tag(self) -> str:
        """The tag by which the dashboards of one variant know each other."""
        return f"catchment-{self.variant}"


def rendered(board: Board, setting: Setting) -> bytes:
    """A dashboard as JSON with sorted keys."""
    made = json.dumps(model(board, setting), cls=JSONEncoder, sort_keys=True, indent=2, ensure_ascii=False)
    return made.encode() + b"\n"


def model(board: Board, setting: Setting) -> sdk.Dashboard:
    """A dashboard in the words of grafana-foundation-sdk."""
    variables = [source(setting.variant), *(variable(choice, setting.variant) for choice in board.choices)]
    notes = [annotated(note, setting.variant) for note in board.annotations]
    return sdk.Dashboard(
        uid=setting.variant.uid(board.name),
        title=board.title,
        description=board.said,
        tags=["catchment", setting.tag],
        timezone="browser",
        editable=True,
        graph_tooltip=sdk.DashboardCursorSync.CROSSHAIR,
        time=sdk.DashboardDashboardTime(from_val=board.span, to="now"),
        refresh=REFRESH,
        panels=list(_laid(board, setting)),
        templating=sdk.DashboardDashboardTemplating(list_val=variables),
        annotations=sdk.AnnotationContainer(list_val=[_built_in(), *notes]),
        links=_links(setting),
    )


def panel_ids(board: Board) -> dict[str, int]:
    """The id of every panel, by its title; rows are numbered behind them."""
    return {panel.title: number for number, panel in enumerate(board.panels, start=1)}


def _links(setting: Setting) -> list[sdk.DashboardLink]:
    others = sdk.DashboardLink(
        title="Catchment",
        type_val=sdk.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="The other dashboards, with what is chosen here",
        tags=[setting.tag],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
    console = sdk.DashboardLink(
        title="Console",
        type_val=sdk.DashboardLinkType.LINK,
        icon="dashboard",
        tooltip="Catchment's own console: what is so now, with evidence and runbooks",
        url=setting.console.rstrip("/") + "/",
        target_blank=True,
    )
    return [others, console]


def _laid(board: Board, setting: Setting) -> Iterator[sdk.Panel | sdk.RowPanel]:
    """Rows and panels, each at its place in the grid."""
    ids, number, top = panel_ids(board), len(board.panels), 0
    for row in board.rows:
        number += 1
        placed = [_panel(panel, setting, ids[panel.title], at) for panel, at in _places(row, top + 1)]
        heading = sdk.RowPanel(
            title=row.title,
            collapsed=row.folded,
            id_val=number,
            grid_pos=sdk.GridPos(x=0, y=top, w=_GRID, h=1),
            panels=placed if row.folded else [],
        )
        yield heading
        if not row.folded:
            yield from placed
        top += 1 + (0 if row.folded else max(at.y + at.h for _, at in _places(row, 0)))


def _places(row: Row, top: int) -> Iterator[tuple[Panel, sdk.GridPos]]:
    across, tall = 0, 0
    for panel in row.panels:
        if across + panel.width > _GRID:
            across, top, tall = 0, top + tall, 0
        yield panel, sdk.GridPos(x=across, y=top, w=panel.width, h=panel.height)
        across, tall = across + panel.width, max(tall, panel.height)


def _panel(meant: Panel, setting: Setting, number: int, at: sdk.GridPos) -> sdk.Panel:
    panel = in_variant(meant, setting.variant)
    look = drawn(panel)
    return sdk.Panel(
        type_val=look.type,
        id_val=number,
        title=panel.title,
        description=panel.said,
        datasource=reference(setting.variant),
        grid_pos=at,
        interval=panel.interval,
        targets=targets(panel, setting.variant),
        transformations=transformations(panel, setting.variant) or None,
        options=look.options,
        field_config=configured(panel, setting.variant, setting.console, look.custom),
    )


def _built_in() -> sdk.AnnotationQuery:
    return sdk.AnnotationQuery(
        name="Annotations & Alerts",
        datasource=sdk.DataSourceRef(type_val="grafana", uid="-- Grafana --"),
        enable=True,
        hide=True,
        icon_color="blue",
        type_val="dashboard",
        built_in=1,
    )
