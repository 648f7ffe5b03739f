"""One site: its agent, its routers' routes, and where each service lands."""

from dashboards.grafana.boards.probing import (
    LATENCY,
    LEG_FLOWS,
    LEG_LATENCY,
    LEG_LOSS,
    LOSS_OVER_TIME,
    PROBES,
    ROUND_TRIPS,
    SHARES,
)
from dashboards.grafana.boards.usual import CHANGES, INCIDENTS, NO_AGENT, OPENED, TO_PAIR, TO_SERVICE, UNSEEN, cell
from dashboards.grafana.model import Board, Choice, Look, Panel, Row
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, never, only

_PAIRS = ("site", "service")
_HERE = chosen("site", "service")
_FIT = Query("landing", (Column("fit", "landing", Fold.MAX),), _PAIRS, _HERE)

_LANDING = Panel(
    "Landing of each service",
    Look.TIMELINE,
    (_FIT,),
    "Whether each service lands where it was meant to: the worst within each stretch of time.",
    NO_AGENT,
    links=(TO_SERVICE, TO_PAIR),
)

_AGENT = Panel(
    "Agent",
    Look.TIMELINE,
    (Query("agent", (Column("state", "agent", Fold.MIN),), ("site",), chosen("site")),),
    "Whether what the site's agent reports can be believed. While it cannot, landing is unseen and not silent.",
    NO_AGENT,
)

_BY_BGP = Panel(
    "Where BGP leads",
    Look.TIMELINE,
    (Query("landing", (Column("by_bgp", "by BGP"),), _PAIRS, _HERE),),
    "The regions that the site's best paths lead to.",
    NO_AGENT,
    numeric=Panel(
        "Where BGP leads",
        Look.TIMELINE,
        (Query("share", (Column("by_bgp", "by BGP", Fold.MAX),), ("site", "service", "region"), _HERE),),
        "A row for each region: 1 while the site's best path leads there.",
        NO_AGENT,
    ),
)

_REGIONS = Panel(
    "Regions now",
    Look.TABLE,
    (
        Query(
            "share",
            (
                Column("value", "share"),
                Column("low", "at least"),
                Column("high", "at most"),
                Column("samples", "answers"),
                Column("meant", "meant"),
                Column("by_bgp", "by BGP"),
            ),
            ("site", "service", "region"),
            (*_HERE, *chosen("region")),
            Shape.NOW,
        ),
    ),
    "Shares with what they may be at 95 % confidence, and the answers that they rest on.",
    NO_AGENT,
    links=(cell(TO_SERVICE, "service"),),
)

_CERTAINTY = Panel(
    "Shares, and how sure they are",
    Look.LINES,
    (
        Query(
            "share",
            (
                Column("low", "at least", Fold.MIN),
                Column("high", "at most", Fold.MAX),
            ),
            ("site", "service", "region"),
            (*_HERE, *chosen("region"), never("region", "-")),
        ),
    ),
    "The least and the most that each share may be, with 95 % confidence.",
    NO_AGENT,
)

_ROUTES = Panel(
    "Routes at the edge",
    Look.HISTORY,
    (
        Query(
            "presence",
            (Column("present", "presence", Fold.MIN),),
            ("service", "rung", "vantage"),
            (*_HERE, only("rung", "V5", "V6")),
        ),
    ),
    "What the site's routers hear (V5) and what they chose (V6).",
    UNSEEN,
    height=10,
)

_PATHS = Panel(
    "Equal paths at the edge",
    Look.LINES,
    (
        Query(
            "presence",
            (Column("paths", "paths", Fold.MIN),),
            ("service", "rung", "vantage"),
            (*_HERE, only("rung", "V5", "V6")),
        ),
    ),
    "Paths held: fewer than before is capacity, or a leg, that is gone.",
    UNSEEN,
    height=10,
)

_SESSIONS = Panel(
    "Sessions of the site's routers",
    Look.TIMELINE,
    (Query("session", (Column("state", "session", Fold.MIN),), ("exporter", "vantage"), chosen("site")),),
    "Each BGP session as its router reports it: the least within each stretch of time.",
    UNSEEN,
    width=24,
)

_CLOCK = Panel(
    "The agent's clock and loop",
    Look.LINES,
    (
        Query(
            "agent",
            (
                Column("skew", "clock, ahead of ours", Fold.MEAN),
                Column("lag", "lag of its loop (99 %)", Fold.MAX),
            ),
            ("site",),
            chosen("site"),
        ),
    ),
    "A clock that is wrong spoils nothing that we measure; a loop that lags does, and taints the agent.",
    NO_AGENT,
)

SITE = Board(
    "site",
    "Catchment: site",
    "One site, as its routers and its agent see it.",
    (
        Row("Landing", (_LANDING, _AGENT, _BY_BGP, _REGIONS, SHARES, _CERTAINTY)),
        Row("Routes and sessions", (_ROUTES, _PATHS, _SESSIONS)),
        Row("Loss and latency", (LOSS_OVER_TIME, LATENCY, ROUND_TRIPS, _CLOCK, PROBES)),
        Row("Legs", (LEG_LOSS, LEG_LATENCY, LEG_FLOWS)),
    ),
    (Choice.SITE, Choice.SERVICE, Choice.REGION, Choice.WINDOW),
    (CHANGES, OPENED, INCIDENTS),
)
