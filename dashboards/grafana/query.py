"""What a panel, a variable, an annotation or a rule asks for, in no query language yet."""

from dataclasses import dataclass, replace
from enum import StrEnum

from anycast.series import MEASUREMENTS, Field, Measurement, Type

FRESH_FOR = 120
"""Seconds that a value may be old which is shown as the one of now: samples may be late, and nothing older is true."""
FRESH = f"{FRESH_FOR // 60}m"
MOST = 500
"""Rows of a table of events: more are read by nobody."""


class Fold(StrEnum):
    """How values become one: those of one series within a bucket of time, or those of several series."""

    LAST = "last"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    RATE = "rate"
    """Per second, of a count since the start; a restart is no negative rate."""


class Shape(StrEnum):
    """What comes back."""

    OVER_TIME = "over time"
    """A series for each group, a value for each bucket of Grafana's interval."""
    NOW = "now"
    """A value for each group: the last one, where it is fresh at the end of the range that is looked at."""
    TOTAL = "total"
    """A value for each group, of the whole range."""
    EVENTS = "events"
    """A row for each point, the newest first. Where texts are not stored, a row for each bucket that has points."""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on a tag."""

    tag: str
    values: tuple[str, ...] = ()
    """Any of these; of a negated one, none of these."""
    chosen: str = ""
    """Instead of values: what is chosen in this variable of the dashboard."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One field that is asked for."""

    field: str
    title: str
    """Its name in legends and tables."""
    fold: Fold = Fold.LAST


@dataclass(frozen=True, slots=True)
class Query:
    """Fields of one measurement, of the points that fulfil conditions, by tags."""

    measurement: str
    columns: tuple[Column, ...]
    by: tuple[str, ...] = ()
    """Tags that keep series apart: of events, those that are shown."""
    where: tuple[Where, ...] = ()
    shape: Shape = Shape.OVER_TIME
    across: Fold | None = None
    """How the series of one group become one, where that is another fold than within a series."""
    above: float | None = None
    """Only what is over this, after all folding; None for all of it."""
    legend: str = ""
    """Of a series: `{site}` stands for that tag, `{column}` for the column's title; empty for all of them."""

    @property
    def asked(self) -> Measurement:
        """The measurement in the contract. Raises KeyError where it is none of ours."""
        return MEASUREMENTS[self.measurement]

    def field(self, column: Column) -> Field:
        """A column's field in the contract. Raises KeyError where the measurement has no such field."""
        return self.asked.fields[column.field]

    @property
    def numeric(self) -> "Query | None":
        """The same without texts; None where nothing else is asked for."""
        kept = tuple(column for column in self.columns if self.field(column).type is not Type.TEXT)
        return replace(self, columns=kept) if kept else None

    @property
    def spoken(self) -> str:
        """The legend, with the usual one where none is given."""
        if self.legend:
            return self.legend
        tags = " ".join(f"{{{tag}}}" for tag in self.by)
        return tags if tags and len(self.columns) == 1 else f"{tags} {{column}}".strip()


def chosen(*tags: str) -> tuple[Where, ...]:
    """Conditions on tags by the variables of the same names."""
    return tuple(Where(tag, chosen=tag) for tag in tags)


def only(tag: str, *values: str) -> Where:
    """Any of these values."""
    return Where(tag, values)


def never(tag: str, *values: str) -> Where:
    """None of these values."""
    return Where(tag, values, negated=True)
