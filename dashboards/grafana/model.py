"""A dashboard as frozen values: what is shown, in which words, and where it leads."""

from dataclasses import dataclass
from enum import StrEnum

from anycast.series import Unit
from dashboards.grafana.query import Query

SAMPLED_EVERY = "10s"
"""The least interval of a panel: sampled series have no more than this (`influx.every`)."""


class Variant(StrEnum):
    """In which language dashboards ask."""

    INFLUXQL = "influxql"
    METRICSQL = "metricsql"

    @property
    def source(self) -> str:
        """Type of its data source in Grafana."""
        return "influxdb" if self is Variant.INFLUXQL else "prometheus"

    @property
    def source_uid(self) -> str:
        """Uid of the data source that is provisioned, and that alert rules ask."""
        return f"catchment-{self}"

    def uid(self, name: str) -> str:
        """Uid of a dashboard by its name: both variants may stand in one Grafana."""
        return f"catchment-{name}" if self is Variant.INFLUXQL else f"catchment-{name}-{self}"


class Look(StrEnum):
    """How a panel shows what it asks for."""

    STAT = "stat"
    LINES = "lines"
    BARS = "bars"
    POINTS = "points"
    TIMELINE = "state timeline"
    HISTORY = "status history"
    HEATMAP = "heat map"
    TABLE = "table"
    GAUGE = "bar gauge"
    HISTOGRAM = "histogram"


class Colour(StrEnum):
    """Grafana's own names, which it draws differently on light and on dark. What they mean stands in words, too."""

    GOOD = "green"
    MIND = "yellow"
    BAD = "orange"
    WORST = "red"
    UNKNOWN = "purple"
    PLAIN = "blue"
    FAINT = "super-light-blue"
    STRONG = "dark-blue"


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on, this colour."""

    at: float
    colour: Colour


class To(StrEnum):
    """Where a link leads."""

    BOARD = "board"
    """Another dashboard, by name; the time that is looked at is kept."""
    CONSOLE = "console"
    """A path of Catchment's own console."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a panel, or of a column's cells."""

    title: str
    to: To
    target: str
    """Name of a dashboard, or path of the console."""
    given: tuple[tuple[str, str], ...] = ()
    """Variables of the other dashboard and the tags of the series or row that they are set from."""
    column: str = ""
    """The column whose cells carry the link; empty for the whole panel's values."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel."""

    title: str
    look: Look
    queries: tuple[Query, ...]
    said: str
    """What it shows and how to read it."""
    nothing: str
    """What stands there when no data came, and what that means."""
    steps: tuple[Step, ...] = ()
    """Thresholds, by ascending value; before the first of them all is well."""
    unit: Unit | None = None
    """None for the unit of the first column's field."""
    width: int = 12
    height: int = 8
    interval: str = SAMPLED_EVERY
    """Least length of a bucket; `$window` for counts of events in windows."""
    links: tuple[Link, ...] = ()
    stacked: bool = False
    numeric: "Panel | None" = None
    """What stands in its place where texts are not stored; None for the same without its columns of text."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False
    """Shown, and asked for, when somebody opens it."""


class Choice(StrEnum):
    """A variable; its word is its name."""

    SERVICE = "service"
    SITE = "site"
    REGION = "region"
    KIND = "kind"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Events drawn into every panel that has a time axis."""

    title: str
    query: Query
    text: str
    """Title of the column that is its text; where texts are not stored, the tags are."""
    colour: Colour
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    name: str
    """Its uid without our prefix, and its name in links."""
    title: str
    said: str
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    span: str = "now-6h"
    """The range that it opens with, until now."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel in order."""
        return tuple(panel for row in self.rows for panel in row.panels)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that Grafana judges by itself."""

    name: str
    """Its uid without our prefix."""
    title: str
    query: Query
    """Of shape NOW, with one column."""
    above: float
    """It fires over this value."""
    lasting: str
    severity: str
    """Its label, unless series are told apart by one of that name."""
    summary: str
    """What is told; `{site}` stands for that tag."""
    board: str
    """Name of the dashboard that shows it."""
    panel: str
    """Title of the panel there."""
    runbook: str
    """A page of the console that says what to do; `{kind}` stands for that tag."""
    silence_fires: bool = False
    """Whether no data at all is what it is there for."""
