"""Events on the time axis. The SDK's annotation lacks what either data source asks for; it is added here."""

from collections.abc import Mapping

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
    tags = ",".join(note.query.by)
    if variant is Variant.INFLUXQL:
        asked = {"query": influxql.written(note.query), "textColumn": note.text, "tagsColumn": tags, "rawQuery": True}
        return Noted(note, variant, asked)
    numeric = note.query.numeric
    assert numeric is not None, f"{note.title} rests on texts alone"
    words = " ".join(f"{{{{{tag}}}}}" for tag in note.query.by)
    expr = metricsql.written(numeric, numeric.columns[0])
    asked = {"expr": expr, "step": SAMPLED_EVERY, "titleFormat": note.title, "textFormat": words, "tagKeys": tags}
    return Noted(note, variant, asked)
