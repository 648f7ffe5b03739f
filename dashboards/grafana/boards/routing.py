"""What routes did: churn, flaps, AS paths, communities."""

from dashboards.grafana.boards.usual import INCIDENTS, OPENED, TO_SERVICE, cell
from dashboards.grafana.model import Board, Choice, Colour, Look, Panel, Row, Step
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen

_NONE = "No watched route changed in this range"
_HERE = chosen("service", "region", "site")
_VANTAGE = ("service", "rung", "vantage")

_CHURN = Panel(
    "Churn",
    Look.BARS,
    (Query("change", (Column("n", "changes", Fold.SUM),), ("service", "action"), _HERE),),
    "True differences of watched routes in each window, by what became of the route.",
    _NONE,
    width=24,
    interval="$window",
    stacked=True,
    links=(TO_SERVICE,),
)

_FLAPS = Panel(
    "Flaps",
    Look.HEATMAP,
    (Query("change", (Column("n", "changes", Fold.SUM),), _VANTAGE, _HERE),),
    "Changes in each window, a row for each vantage. A row that stays warm flaps; a column that is warm is one event "
    "that everybody saw.",
    _NONE,
    interval="$window",
)

_MOST = Panel(
    "Changes by vantage",
    Look.GAUGE,
    (Query("change", (Column("n", "changes", Fold.SUM),), _VANTAGE, _HERE, Shape.TOTAL),),
    "How often each vantage's route changed in the whole range.",
    _NONE,
    (Step(10, Colour.MIND), Step(100, Colour.BAD)),
)

_LENGTH = Panel(
    "Length of AS paths",
    Look.POINTS,
    (
        Query(
            "change",
            (Column("path_length", "AS numbers", Fold.MAX), Column("prepends", "of these repeated", Fold.MAX)),
            _VANTAGE,
            _HERE,
        ),
    ),
    "AS numbers in the path, prepends counted, whenever it changed; 0 is a withdrawal. Longer and longer is hunting.",
    _NONE,
)

_PREFERENCE = Panel(
    "Preference",
    Look.POINTS,
    (
        Query(
            "change",
            (Column("local_pref", "LOCAL_PREF", Fold.MAX), Column("med", "MED", Fold.MAX)),
            _VANTAGE,
            _HERE,
        ),
    ),
    "LOCAL_PREF and MED whenever they changed, where there are any.",
    _NONE,
)

_PATHS = Panel(
    "AS paths and communities, newest first",
    Look.TABLE,
    (
        Query(
            "change",
            (
                Column("n", "changes", Fold.SUM),
                Column("as_path", "AS path"),
                Column("communities", "communities"),
                Column("next_hop", "next hop"),
                Column("path_length", "length", Fold.MAX),
                Column("prepends", "prepends", Fold.MAX),
                Column("local_pref", "LOCAL_PREF", Fold.MAX),
                Column("med", "MED", Fold.MAX),
                Column("text", "what changed"),
            ),
            ("service", "action", "rung", "region", "site", "vantage"),
            _HERE,
            Shape.EVENTS,
        ),
    ),
    "Each change as it was seen, with all that the route carried.",
    _NONE,
    width=24,
    height=14,
    links=(cell(TO_SERVICE, "service"),),
)

ROUTING = Board(
    "routing",
    "Catchment: routing changes",
    "What watched routes did: how often they changed, where they flap, and which paths and communities they had.",
    (
        Row("How often", (_CHURN, _FLAPS, _MOST)),
        Row("Paths", (_LENGTH, _PREFERENCE, _PATHS)),
    ),
    (Choice.SERVICE, Choice.REGION, Choice.SITE, Choice.WINDOW),
    (OPENED, INCIDENTS),
)
