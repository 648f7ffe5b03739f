"""The queries of a panel as Grafana's targets, in either variant, and what becomes of the answers in tables."""

from collections.abc import Iterator
from string import ascii_uppercase

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as sdk
from grafana_foundation_sdk.models import prometheus

from dashboards.grafana import influxql, metricsql
from dashboards.grafana.model import Look, Panel, Variant
from dashboards.grafana.query import Column, Query, Shape


def in_variant(panel: Panel, variant: Variant) -> Panel:
    """The panel that stands there: where texts are not stored, one without them."""
    if variant is Variant.METRICSQL and panel.numeric is not None:
        return panel.numeric
    return panel


def targets(panel: Panel, variant: Variant) -> list[Dataquery]:
    """Every query of a panel that is of this variant."""
    source = reference(variant)
    if variant is Variant.INFLUXQL:
        return [_influx(query, ref, panel, source) for ref, query in zip(ascii_uppercase, panel.queries, strict=False)]
    asked = zip(ascii_uppercase, columns(panel), strict=False)
    return [_prometheus(query, column, ref, panel, source) for ref, (query, column) in asked]


def columns(panel: Panel) -> tuple[tuple[Query, Column], ...]:
    """Every column that is a number."""
    numeric = (query.numeric for query in panel.queries)
    return tuple((query, column) for query in numeric if query is not None for column in query.columns)


def reference(variant: Variant) -> sdk.DataSourceRef:
    """The data source that is chosen in the dashboard."""
    return sdk.DataSourceRef(type_val=variant.source, uid="${datasource}")


def transformations(panel: Panel, variant: Variant) -> list[sdk.DataTransformerConfig]:
    """How the answers become one table; nothing for other looks."""
    if panel.look is not Look.TABLE:
        return []
    return list(_tabled(panel, variant))


def _tabled(panel: Panel, variant: Variant) -> Iterator[sdk.DataTransformerConfig]:
    events = any(query.shape is Shape.EVENTS for query in panel.queries)
    renamed = {}
    if variant is Variant.METRICSQL:
        yield sdk.DataTransformerConfig(id_val="merge", options={})
        asked = columns(panel)
        renamed = {f"Value #{ref}": column.title for ref, (_, column) in zip(ascii_uppercase, asked, strict=False)}
        if len(asked) == 1:
            renamed["Value"] = asked[0][1].title
    elif len(panel.queries) > 1:
        yield sdk.DataTransformerConfig(id_val="merge", options={})
    hidden = {} if events else {"Time": True, "time": True}
    yield sdk.DataTransformerConfig(
        id_val="organize", options={"excludeByName": hidden, "indexByName": _order(panel), "renameByName": renamed}
    )


def _order(panel: Panel) -> dict[str, int]:
    """Time, then tags, then values in the order of the model."""
    tags = [tag for query in panel.queries for tag in query.by]
    titles = [column.title for query in panel.queries for column in query.columns]
    return {name: place for place, name in enumerate(dict.fromkeys(["Time", *tags, *titles]))}


def _influx(query: Query, ref: str, panel: Panel, source: sdk.DataSourceRef) -> Dataquery:
    table = panel.look is Look.TABLE
    return influxql.Target(ref, influxql.written(query), influxql.alias(query), table, source)


def _prometheus(query: Query, column: Column, ref: str, panel: Panel, source: sdk.DataSourceRef) -> Dataquery:
    instant = query.shape in (Shape.NOW, Shape.TOTAL)
    table = panel.look is Look.TABLE
    return prometheus.Dataquery(
        expr=metricsql.written(query, column),
        instant=instant,
        range_val=not instant,
        format_val=prometheus.PromQueryFormat.TABLE if table else prometheus.PromQueryFormat.TIME_SERIES,
        legend_format=metricsql.legend(query, column),
        editor_mode=prometheus.QueryEditorMode.CODE,
        ref_id=ref,
        datasource=source,
        interval=None if instant else panel.interval,
    )
