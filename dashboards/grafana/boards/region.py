"""One region and its Route Server: sessions, whether both instances hold the same, limits and timers."""

from dashboards.grafana.boards.usual import CHANGES, INCIDENTS, OPENED, TO_SERVICE, UNSEEN, UNSEEN_NOW
from dashboards.grafana.model import Board, Choice, Colour, Look, Panel, Row, Step
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, only

LIMIT = 4000
"""Routes that one peer may advertise to Route Server; it tears the session down beyond them."""
_NEAR = (Step(LIMIT / 2, Colour.MIND), Step(LIMIT * 0.8, Colour.BAD), Step(LIMIT, Colour.WORST))
"""Over half of it, a refresh of the whole table counts twice and tears the session down."""
_SESSION = ("exporter", "rung", "vantage")
_HERE = chosen("region")
_INSTANCES = (*chosen("region", "service"), only("rung", "V2"))

_SESSIONS = Panel(
    "Sessions",
    Look.TIMELINE,
    (Query("session", (Column("state", "session", Fold.MIN),), _SESSION, _HERE),),
    "Each BGP session of the region: the least within each stretch of time. Loading means that its table is not whole.",
    UNSEEN,
    width=24,
    height=10,
)

_PARITY = Panel(
    "Instance parity",
    Look.HISTORY,
    (Query("presence", (Column("present", "presence", Fold.MIN),), ("service", "region", "vantage"), _INSTANCES),),
    "A row for each service and Route Server instance. Two instances of a region that differ are skewed: traffic that "
    "enters by one of them is lost.",
    UNSEEN,
    height=10,
    links=(TO_SERVICE,),
)

_HELD = Panel(
    "Paths by instance",
    Look.LINES,
    (Query("presence", (Column("paths", "paths", Fold.MIN),), ("service", "region", "vantage"), _INSTANCES),),
    "Paths that each instance holds for each service. The lines of one region should lie on each other.",
    UNSEEN,
    height=10,
)

_MEANT = Panel(
    "Regions present, of those meant",
    Look.LINES,
    (
        Query(
            "service",
            (
                Column("regions_present", "present", Fold.MIN),
                Column("regions_meant", "meant", Fold.MAX),
            ),
            ("service",),
            chosen("service"),
        ),
    ),
    "In how many regions Route Server holds each service, and in how many it is meant to.",
    UNSEEN,
)

_ADVERTISED = Panel(
    "What NVAs advertise",
    Look.HISTORY,
    (
        Query(
            "presence",
            (Column("present", "presence", Fold.MIN),),
            ("service", "region", "vantage"),
            (*chosen("region", "service"), only("rung", "V1")),
        ),
    ),
    "A row for each service and NVA. Absent here and at the instances: look at the NVA; absent there alone: at Azure.",
    UNSEEN,
    links=(TO_SERVICE,),
)

_LIMITS = Panel(
    "Routes against the limit",
    Look.LINES,
    (Query("session", (Column("routes", "routes", Fold.MAX),), _SESSION, _HERE),),
    f"Routes that each session holds. Route Server takes {LIMIT} of one peer, counts those that it holds and those "
    "that arrive together, and tears the session down beyond that: from half of it on, a refresh is a risk.",
    UNSEEN,
    _NEAR,
)

_STATISTICS = Panel(
    "What routers count",
    Look.LINES,
    (
        Query(
            "bmp_stats",
            (Column("value", "value", Fold.MAX),),
            ("exporter", "vantage", "statistic"),
        ),
    ),
    "Statistics that routers report of their peers: routes in a table, updates and prefixes rejected, and so on.",
    "No router reported statistics in this range",
)

_TIMERS = Panel(
    "Timers",
    Look.TABLE,
    (
        Query(
            "session",
            (
                Column("state", "session"),
                Column("hold_time", "hold time"),
                Column("age", "since"),
                Column("routes", "routes"),
            ),
            _SESSION,
            _HERE,
            Shape.NOW,
        ),
    ),
    "Each session now. Azure's timers are 60 and 180 seconds: a peer that dies without a word is noticed after them.",
    UNSEEN_NOW,
)

_HOLD = Panel(
    "Hold time",
    Look.LINES,
    (Query("session", (Column("hold_time", "hold time", Fold.MAX),), _SESSION, _HERE),),
    "What both ends agreed on. A change is a change of configuration.",
    UNSEEN,
)

REGION = Board(
    "region",
    "Catchment: region and Route Server",
    "One region: sessions, whether both instances of its Route Server hold the same, routes against limits, timers.",
    (
        Row("Sessions", (_SESSIONS, _TIMERS, _HOLD)),
        Row("Instances", (_PARITY, _HELD, _ADVERTISED, _MEANT)),
        Row("Limits", (_LIMITS, _STATISTICS)),
    ),
    (Choice.REGION, Choice.SERVICE),
    (CHANGES, OPENED, INCIDENTS),
)
