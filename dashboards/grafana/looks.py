"""How each look of a panel is said to Grafana: the panel's type, its options, and the drawing of its fields."""

from dataclasses import dataclass

from grafana_foundation_sdk.models import (
    bargauge,
    common,
    heatmap,
    histogram,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)

from anycast.series import Unit
from dashboards.grafana.model import Look, Panel

_WARMEST = 0.25
"""Of ratios, which are losses: more than this is as bad as can be, and a few in a hundred can be told from none."""
_LAST = common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False)
_LEGEND = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True, calcs=[]
)
_FIGURES = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.TABLE,
    placement=common.LegendPlacement.BOTTOM,
    show_legend=True,
    calcs=["lastNotNull", "max"],
)
_ALL = common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)
_ONE = common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What Grafana is told."""

    type: str
    options: object
    custom: object | None = None


def drawn(panel: Panel) -> Drawn:
    """Return how a panel is drawn."""
    match panel.look:
        case Look.STAT:
            return Drawn("stat", _stat())
        case Look.GAUGE:
            return Drawn("bargauge", _gauge())
        case Look.LINES | Look.BARS | Look.POINTS:
            return Drawn("timeseries", timeseries.Options(legend=_FIGURES, tooltip=_ALL), _graph(panel))
        case Look.TIMELINE:
            return Drawn("state-timeline", _timeline(), statetimeline.FieldConfig(fill_opacity=80, line_width=0))
        case Look.HISTORY:
            return Drawn("status-history", _history(), statushistory.FieldConfig(fill_opacity=80, line_width=1))
        case Look.HEATMAP:
            return Drawn("heatmap", _heat(panel))
        case Look.TABLE:
            return Drawn("table", table.Options(cell_height=common.TableCellHeight.SM))
        case Look.HISTOGRAM:
            return Drawn("histogram", histogram.Options(legend=_LEGEND, tooltip=_ALL, combine=False))


def _stat() -> stat.Options:
    return stat.Options(
        color_mode=common.BigValueColorMode.BACKGROUND_SOLID,
        graph_mode=common.BigValueGraphMode.NONE,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME,
        reduce_options=_LAST,
    )


def _gauge() -> bargauge.Options:
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=_LAST,
        show_unfilled=True,
    )


def _graph(panel: Panel) -> common.GraphFieldConfig:
    styles = {
        Look.LINES: common.GraphDrawStyle.LINE,
        Look.BARS: common.GraphDrawStyle.BARS,
        Look.POINTS: common.GraphDrawStyle.POINTS,
    }
    bars = panel.look is Look.BARS
    stacking = common.StackingMode.NORMAL if panel.stacked else common.StackingMode.NONE
    return common.GraphFieldConfig(
        draw_style=styles[panel.look],
        line_width=1,
        fill_opacity=70 if bars else 20 if panel.stacked else 0,
        show_points=common.VisibilityMode.AUTO,
        point_size=6 if panel.look is Look.POINTS else 4,
        span_nulls=False,
        axis_soft_min=0,
        stacking=common.StackingConfig(mode=stacking, group="A"),
        thresholds_style=common.GraphThresholdsStyleConfig(
            mode=common.GraphThresholdsStyleMode.DASHED if panel.steps else common.GraphThresholdsStyleMode.OFF
        ),
    )


def _timeline() -> statetimeline.Options:
    return statetimeline.Options(
        show_value=common.VisibilityMode.AUTO, row_height=0.85, legend=_LEGEND, tooltip=_ONE, merge_values=True
    )


def _history() -> statushistory.Options:
    return statushistory.Options(show_value=common.VisibilityMode.AUTO, row_height=0.85, legend=_LEGEND, tooltip=_ONE)


def _heat(panel: Panel) -> heatmap.Options:
    """A row for each series. The scheme is one that Grafana turns round on dark, and cells carry their number.

    A cell of nothing lost is drawn: left out are only those that nobody knows.
    """
    unit = unit_of(panel)
    return heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME,
            scheme="Oranges",
            fill="dark-orange",
            exponent=0.5,
            steps=32,
            min_val=0,
            max_val=_WARMEST if unit == Unit.RATIO else None,
        ),
        filter_values=heatmap.FilterValueRange(le=-1),
        show_value=common.VisibilityMode.AUTO,
        cell_gap=1,
        cell_values=heatmap.CellValues(unit=unit),
        rows_frame=heatmap.RowsHeatmapOptions(value=panel.queries[0].columns[0].title),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE, show_color_scale=True, y_histogram=False),
        exemplars=heatmap.ExemplarConfig(color="orange"),
        y_axis=heatmap.YAxisConfig(axis_placement=common.AxisPlacement.LEFT),
    )


def unit_of(panel: Panel) -> str:
    """The unit of a panel's values in Grafana's words."""
    if panel.unit is not None:
        return panel.unit
    query = panel.queries[0]
    return query.field(query.columns[0]).unit
