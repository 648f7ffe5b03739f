"""What is said of a panel's fields: units, words for codes, thresholds, and where a click leads."""

from collections.abc import Iterable
from urllib.parse import quote

from grafana_foundation_sdk.models import dashboard as sdk

from anycast.series import Field, Unit
from dashboards.grafana.looks import unit_of
from dashboards.grafana.model import Colour, Link, Look, Panel, Step, To, Variant

WORDS: dict[str, Colour] = {
    "ok": Colour.GOOD,
    "present": Colour.GOOD,
    "up": Colour.GOOD,
    "heard": Colour.GOOD,
    "as-meant": Colour.GOOD,
    "none": Colour.GOOD,
    "info": Colour.PLAIN,
    "loading": Colour.MIND,
    "new": Colour.MIND,
    "warning": Colour.MIND,
    "degraded": Colour.BAD,
    "not-as-meant": Colour.BAD,
    "tainted": Colour.BAD,
    "major": Colour.BAD,
    "absent": Colour.WORST,
    "down": Colour.WORST,
    "lost": Colour.WORST,
    "silent": Colour.WORST,
    "against-bgp": Colour.WORST,
    "critical": Colour.WORST,
    "unknown": Colour.UNKNOWN,
    "unseen": Colour.UNKNOWN,
    "never": Colour.UNKNOWN,
    "not-probed": Colour.UNKNOWN,
}
"""The colour of every word that a code stands for. The word is always shown with it."""
_BY_STEPS = (Look.STAT, Look.GAUGE, Look.TIMELINE, Look.HISTORY, Look.TABLE)
"""Looks whose values take the colour of their threshold; in graphs the series are told apart by colour."""


def configured(panel: Panel, variant: Variant, console: str, custom: object | None) -> sdk.FieldConfigSource:
    """All that is said of a panel's fields."""
    first = panel.queries[0]
    field = first.field(first.columns[0])
    by_steps = panel.look in _BY_STEPS
    plain = panel.look is Look.TABLE
    defaults = sdk.FieldConfig(
        unit=None if plain else unit_named(unit_of(panel)),
        min_val=0 if panel.look in (Look.GAUGE, Look.BARS) else None,
        max_val=1 if panel.look is Look.GAUGE and unit_of(panel) == Unit.RATIO else None,
        mappings=[] if plain else mappings(field),
        thresholds=thresholds(panel.steps),
        color=sdk.FieldColor(
            mode=sdk.FieldColorModeId.THRESHOLDS if by_steps else sdk.FieldColorModeId.PALETTE_CLASSIC
        ),
        links=[linked(link, variant, console) for link in panel.links if not link.column],
        no_value=panel.nothing,
        custom=custom,
    )
    return sdk.FieldConfigSource(defaults=defaults, overrides=_overrides(panel, variant, console))


def unit_named(unit: str) -> str | None:
    """Grafana's unit; a code has none, for its words are shown."""
    return None if unit == Unit.STATE else unit


def mappings(field: Field) -> list[sdk.ValueMapping]:
    """The words of a code's values, each with its colour."""
    if not field.codes:
        return []
    results = {
        str(code): sdk.ValueMappingResult(text=word, color=WORDS[word], index=place)
        for place, (code, word) in enumerate(field.codes)
    }
    return [sdk.ValueMap(options=results)]


def thresholds(steps: Iterable[Step]) -> sdk.ThresholdsConfig:
    """Thresholds; where there is none, values are plain."""
    marks = [sdk.Threshold(value=step.at, color=step.colour) for step in steps]
    base = sdk.Threshold(value=None, color=Colour.GOOD if marks else Colour.PLAIN)
    return sdk.ThresholdsConfig(mode=sdk.ThresholdsMode.ABSOLUTE, steps=[base, *marks])


def linked(link: Link, variant: Variant, console: str) -> sdk.DashboardLink:
    """A link of values or cells."""
    return sdk.DashboardLink(title=link.title, url=address(link, variant, console), target_blank=link.to is To.CONSOLE)


def address(link: Link, variant: Variant, console: str) -> str:
    """The address a link leads to, with what Grafana puts into it."""
    values = {name: _value(tag, bool(link.column)) for name, tag in link.given}
    if link.to is To.CONSOLE:
        path = link.target
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", value)
        return console.rstrip("/") + path
    given = "".join(f"&var-{quote(name)}={value}" for name, value in values.items())
    return f"/d/{variant.uid(link.target)}?${{__url_time_range}}&var-datasource=${{datasource}}{given}"


def _value(tag: str, cell: bool) -> str:
    return f"${{__data.fields.{tag}}}" if cell else f"${{__field.labels.{tag}}}"


def _overrides(panel: Panel, variant: Variant, console: str) -> list[sdk.DashboardFieldConfigSourceOverrides]:
    if panel.look is not Look.TABLE:
        return []
    named: dict[str, list[sdk.DynamicConfigValue]] = {}
    for query in panel.queries:
        for column in query.columns:
            named[column.title] = _cells(query.field(column))
    for link in panel.links:
        if link.column:
            shown = named.setdefault(link.column, [])
            links = next((each for each in shown if each.id_val == "links"), None)
            if links is None:
                shown.append(links := sdk.DynamicConfigValue(id_val="links", value=[]))
            assert isinstance(links.value, list)
            links.value.append(linked(link, variant, console))
    return [
        sdk.DashboardFieldConfigSourceOverrides(
            matcher=sdk.MatcherConfig(id_val="byName", options=name), properties=properties
        )
        for name, properties in named.items()
    ]


def _cells(field: Field) -> list[sdk.DynamicConfigValue]:
    said = [sdk.DynamicConfigValue(id_val="description", value=field.said)]
    unit = unit_named(field.unit)
    if unit is not None:
        said.append(sdk.DynamicConfigValue(id_val="unit", value=unit))
    if field.codes:
        said.append(sdk.DynamicConfigValue(id_val="mappings", value=mappings(field)))
        cell = {"type": "color-background", "mode": "basic"}
        said.append(sdk.DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    said.append(sdk.DynamicConfigValue(id_val="noValue", value="-"))
    return said
