"""Events on the time axis. The SDK's annotation lacks what either data source asks for; it is added here.

Both say it twice: under `target`, where Grafana looks since 9, and beside it, where older ones do.
"""

from collections.abc import Mapping
from dataclasses import replace

from grafana_foundation_sdk.models import dashboard as sdk

from dashboards.grafana import influxql, metricsql
from dashboards.grafana.model import SAMPLED_EVERY, Annotation, Variant
from dashboards.grafana.targets import reference


class Noted(sdk.AnnotationQuery):
    """An annotation with the keys of its data source."""

    def __init__(self, note: Annotation, variant: Variant, more: Mapping[str, object]) -> None:
        super().__init__(
            name=note.title,
            datasource=reference(variant),
            enable=note.shown,
            icon_color=note.colour,
        )
        self._more = dict(more)

    def to_json(self) -> dict[str, object]:
        """Grafana's JSON of it."""
        return super().to_json() | self._more


def annotated(note: Annotation, variant: Variant) -> sdk.AnnotationQuery:
    """An annotation in one of the variants."""
    return Noted(note, variant, _influx(note) if variant is Variant.INFLUXQL else _prometheus(note))


def _influx(note: Annotation) -> dict[str, object]:
    """The data source finds columns by parts of their names, and calls them `measurement.column`."""
    text = tuple(column for column in note.query.columns if column.title == note.text)
    title, *tags = note.query.by
    asked = {
        "query": influxql.written(replace(note.query, columns=text)),
        "titleColumn": f"{note.query.measurement}.{title}",
        "tagsColumn": ",".join(tags),
        "textColumn": note.text,
        "timeEndColumn": "",
    }
    target = {**asked, "refId": "Anno", "queryType": "tags", "fromAnnotations": True, "name": note.title}
    return {**asked, "target": target}


def _prometheus(note: Annotation) -> dict[str, object]:
    numeric = note.query.numeric
    assert numeric is not None, f"{note.title} rests on texts alone"
    title, *tags = note.query.by
    expr = metricsql.written(numeric, numeric.columns[0])
    shown = {
        "titleFormat": f"{{{{{title}}}}}",
        "textFormat": " ".join(f"{{{{{tag}}}}}" for tag in tags),
        "tagKeys": ",".join(tags),
    }
    target = {"expr": expr, "interval": SAMPLED_EVERY, "refId": "Anno"}
    return {**shown, "expr": expr, "step": SAMPLED_EVERY, "target": target}
