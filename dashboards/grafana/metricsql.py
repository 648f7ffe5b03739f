"""Queries in PromQL over VictoriaMetrics' names of line protocol: `{measurement}_{field}`, with the tags as labels.

Nothing is used that only MetricsQL has, so that any server of the Prometheus API which holds the same names will do.
Texts are not stored there, so no column of text is ever asked for. Each column is a query of its own.
"""

import json
from collections.abc import Iterator

from dashboards.grafana.query import FRESH, Column, Fold, Query, Shape, Where

_WITHIN = {
    Fold.LAST: "last_over_time",
    Fold.MAX: "max_over_time",
    Fold.MIN: "min_over_time",
    Fold.MEAN: "avg_over_time",
    Fold.SUM: "sum_over_time",
    Fold.COUNT: "count_over_time",
    Fold.RATE: "rate",
}
_ACROSS = {
    Fold.LAST: "max",
    Fold.MAX: "max",
    Fold.MIN: "min",
    Fold.MEAN: "avg",
    Fold.SUM: "sum",
    Fold.COUNT: "sum",
    Fold.RATE: "sum",
}
_WINDOW = {Shape.OVER_TIME: "$__interval", Shape.EVENTS: "$__interval", Shape.NOW: FRESH, Shape.TOTAL: "$__range"}


def written(query: Query, column: Column, *, ruled: bool = False) -> str:
    """One column of a query in PromQL. `ruled`: for an alert rule, which has no range of its own."""
    window = "$__rate_interval" if column.fold is Fold.RATE else _WINDOW[query.shape]
    if ruled:
        window = FRESH
    each = f"{_WITHIN[column.fold]}({metric(query, column)}{_braced(query.where)}[{window}])"
    fold = _ACROSS[query.across or column.fold]
    folded = f"{fold} by ({', '.join(query.by)}) ({each})" if query.by else f"{fold}({each})"
    return folded if query.above is None else f"{folded} > {query.above:g}"


def metric(query: Query, column: Column) -> str:
    """The name of a field's series."""
    return f"{query.measurement}_{column.field}"


def label_values(measurement: str, field: str, tag: str) -> str:
    """Every value of a label, in the words of Grafana's data source."""
    return f"label_values({measurement}_{field}, {tag})"


def legend(query: Query, column: Column) -> str:
    """The legend, in the words of the data source."""
    placed = query.spoken.replace("{column}", column.title)
    for tag in query.asked.tags:
        placed = placed.replace(f"{{{tag}}}", f"{{{{{tag}}}}}")
    return placed


def _braced(conditions: tuple[Where, ...]) -> str:
    inside = ", ".join(_conditions(conditions))
    return f"{{{inside}}}" if inside else ""


def _conditions(conditions: tuple[Where, ...]) -> Iterator[str]:
    for where in conditions:
        if where.chosen:
            yield f'{where.tag}{"!~" if where.negated else "=~"}"${where.chosen}"'
        elif len(where.values) == 1:
            yield f"{where.tag}{'!=' if where.negated else '='}{_text(where.values[0])}"
        elif where.negated:
            yield from (f"{where.tag}!={_text(value)}" for value in where.values)
        else:
            yield f"{where.tag}=~{_text('|'.join(where.values))}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
