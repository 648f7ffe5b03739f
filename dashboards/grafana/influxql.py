"""Queries in InfluxQL, and the target that grafana-foundation-sdk has none for.

Only what InfluxDB 1.6, 1.8, 2 and 3 all take is written: no INTO, no SLIMIT, no time zone, no cast (`::tag`), nothing
selected by a regular expression; `SHOW TAG VALUES` without a condition. Every name is in double quotes.
"""

from collections.abc import Iterator

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from anycast.series import When
from dashboards.grafana.query import FRESH, MOST, Column, Fold, Query, Shape, Where

_IN_RANGE = "$timeFilter"
_INNER = "v"
_FRESH = f"time >= ${{__to}}ms - {FRESH} AND time <= ${{__to}}ms"


class Target(Dataquery):
    """A raw InfluxQL query as Grafana's `influxdb` data source takes it."""

    def __init__(self, ref_id: str, query: str, alias: str, table: bool, datasource: DataSourceRef) -> None:
        self.ref_id, self.query, self.alias, self.table, self.datasource = ref_id, query, alias, table, datasource

    def to_json(self) -> dict[str, object]:
        """Grafana's JSON of it."""
        shown: dict[str, object] = {} if self.table else {"alias": self.alias}
        return shown | {
            "datasource": self.datasource,
            "query": self.query,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": "table" if self.table else "time_series",
        }


class Ready(Builder[Dataquery]):
    """A target that is built already."""

    def __init__(self, target: Dataquery) -> None:
        self._target = target

    def build(self) -> Dataquery:
        """Return it."""
        return self._target


def written(query: Query, *, ruled: bool = False) -> str:
    """A query in InfluxQL. `ruled`: for an alert rule, whose range is that which is fresh."""
    if query.shape is Shape.EVENTS:
        return _events(query)
    time = _FRESH if query.shape is Shape.NOW and not ruled else _IN_RANGE
    if query.above is None:
        return _all(query, time, None)
    [column] = query.columns
    by = f" GROUP BY {', '.join(map(_name, query.by))}" if query.by else ""
    over = f'"{_INNER}" > {query.above:g}'
    return f'SELECT "{_INNER}" AS {_name(column.title)} FROM ({_all(query, time, _INNER)}) WHERE {over} AND {time}{by}'


def tag_values(measurement: str, tag: str) -> str:
    """Every value of a tag."""
    return f"SHOW TAG VALUES FROM {_name(measurement)} WITH KEY = {_name(tag)}"


def alias(query: Query) -> str:
    """The legend, in the words of the data source."""
    placed = query.spoken.replace("{column}", "$col")
    for tag in query.asked.tags:
        placed = placed.replace(f"{{{tag}}}", f"$tag_{tag}")
    return placed


def _all(query: Query, time: str, title: str | None) -> str:
    """A query without its last condition; its one column has `title`, or with None each its own."""
    columns = ", ".join(f"{_call(column)} AS {_name(title or column.title)}" for column in query.columns)
    if query.across is None:
        return f"SELECT {columns} {_source(query, time)}{_grouped(query, query.by, _fill(query))}"
    [column] = query.columns
    inner = f'SELECT {_call(column)} AS "{_INNER}" {_source(query, time)}{_grouped(query, query.asked.tags, "none")}'
    outer = f'SELECT {query.across}("{_INNER}") AS {_name(title or column.title)} FROM ({inner}) WHERE {time}'
    return outer + _grouped(query, query.by, _fill(query))


def _events(query: Query) -> str:
    fields = (f"{_name(column.field)} AS {_name(column.title)}" for column in query.columns)
    selected = ", ".join((*fields, *map(_name, query.by)))
    return f"SELECT {selected} {_source(query, _IN_RANGE)} ORDER BY time DESC LIMIT {MOST}"


def _call(column: Column) -> str:
    if column.fold is Fold.RATE:
        return f"non_negative_derivative(last({_name(column.field)}), 1s)"
    return f"{column.fold}({_name(column.field)})"


def _source(query: Query, time: str) -> str:
    return f"FROM {_name(query.measurement)} WHERE {' AND '.join((*_conditions(query.where), time))}"


def _grouped(query: Query, tags: tuple[str, ...], fill: str) -> str:
    bucket = ("time($__interval)",) if query.shape is Shape.OVER_TIME else ()
    by = ", ".join((*bucket, *map(_name, tags)))
    return (f" GROUP BY {by}" if by else "") + (f" fill({fill})" if bucket else "")


def _fill(query: Query) -> str:
    """A gap in what is sampled is a gap on the screen; between events there is none."""
    return "null" if query.asked.when is When.SAMPLED else "none"


def _conditions(conditions: tuple[Where, ...]) -> Iterator[str]:
    for where in conditions:
        if where.chosen:
            operator = "!~" if where.negated else "=~"
            yield f"{_name(where.tag)} {operator} /^${{{where.chosen}:regex}}$/"
        elif where.negated:
            yield " AND ".join(f"{_name(where.tag)} != {_text(value)}" for value in where.values)
        elif len(where.values) == 1:
            yield f"{_name(where.tag)} = {_text(where.values[0])}"
        else:
            yield "(" + " OR ".join(f"{_name(where.tag)} = {_text(value)}" for value in where.values) + ")"


def _name(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
