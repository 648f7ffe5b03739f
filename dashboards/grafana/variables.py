"""The variables of a dashboard: which service, site, region and kind, over which window, from which data source."""

from grafana_foundation_sdk.models import dashboard as sdk

from anycast.finding import Kind
from dashboards.grafana import influxql, metricsql
from dashboards.grafana.model import Choice, Variant
from dashboards.grafana.targets import reference

ASKED: dict[Choice, tuple[str, str, str]] = {
    Choice.SERVICE: ("service", "health", "service"),
    Choice.SITE: ("presence", "present", "site"),
    Choice.REGION: ("presence", "present", "region"),
}
"""Where the values of a variable come from: measurement, field, tag."""
WINDOWS = ("1m", "5m", "15m", "1h", "6h", "1d")
_USUAL = "5m"
_LABELS = {
    Choice.SERVICE: "Service",
    Choice.SITE: "Site",
    Choice.REGION: "Region",
    Choice.KIND: "Kind of finding",
    Choice.WINDOW: "Counted over",
}
_ALL = sdk.VariableOption(selected=True, text="All", value="$__all")
_EVERY = ".*"


def source(variant: Variant) -> sdk.VariableModel:
    """The data source; the one that we provision where it is there."""
    return sdk.VariableModel(
        type_val=sdk.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query=variant.source,
        current=sdk.VariableOption(selected=True, text="Catchment", value=variant.source_uid),
        refresh=sdk.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def variable(choice: Choice, variant: Variant) -> sdk.VariableModel:
    """One variable."""
    if choice is Choice.WINDOW:
        return _window()
    if choice is Choice.KIND:
        return _kinds()
    measurement, field, tag = ASKED[choice]
    influx = variant is Variant.INFLUXQL
    return sdk.VariableModel(
        type_val=sdk.VariableType.QUERY,
        name=choice,
        label=_LABELS[choice],
        datasource=reference(variant),
        query=influxql.tag_values(measurement, tag) if influx else metricsql.label_values(measurement, field, tag),
        regex="/^(?!-$).+/",  # what does not apply is written as `-`
        current=_ALL,
        multi=True,
        include_all=True,
        all_value=_EVERY,
        refresh=sdk.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=sdk.VariableSort.ALPHABETICAL_ASC,
    )


def _kinds() -> sdk.VariableModel:
    """Every kind there is, also those that were never found."""
    return sdk.VariableModel(
        type_val=sdk.VariableType.CUSTOM,
        name=Choice.KIND,
        label=_LABELS[Choice.KIND],
        query=",".join(Kind),
        options=[_ALL, *(sdk.VariableOption(selected=False, text=str(kind), value=str(kind)) for kind in Kind)],
        current=_ALL,
        multi=True,
        include_all=True,
        all_value=_EVERY,
    )


def _window() -> sdk.VariableModel:
    return sdk.VariableModel(
        type_val=sdk.VariableType.INTERVAL,
        name=Choice.WINDOW,
        label=_LABELS[Choice.WINDOW],
        query=",".join(WINDOWS),
        options=[sdk.VariableOption(selected=window == _USUAL, text=window, value=window) for window in WINDOWS],
        current=sdk.VariableOption(selected=True, text=_USUAL, value=_USUAL),
    )
