"""One service: who advertises it, who hears it, where it lands, and how it answers."""

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
from dashboards.grafana.boards.usual import CHANGES, INCIDENTS, NO_AGENT, OPENED, TO_PAIR, TO_SITE, UNSEEN, UNSEEN_NOW
from dashboards.grafana.model import Board, Choice, Colour, Look, Panel, Row, Step
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, never

_VANTAGE = ("rung", "region", "site", "vantage")
_HERE = chosen("service", "region", "site")

_PRESENCE = Panel(
    "Presence by rung",
    Look.HISTORY,
    (Query("presence", (Column("present", "presence", Fold.MIN),), _VANTAGE, _HERE),),
    "A row for each vantage, by rung: V1 what NVAs advertise, V2 what Route Server holds, V5 what sites hear, V6 what "
    "they chose. The first rung without the route is where it breaks. Each cell is the least of its stretch of time.",
    UNSEEN,
    width=24,
    height=12,
)

_ROUTES = Panel(
    "Routes now",
    Look.TABLE,
    (
        Query(
            "presence",
            (
                Column("present", "presence"),
                Column("meant", "meant"),
                Column("paths", "paths"),
                Column("as_path", "AS path"),
                Column("next_hop", "next hop"),
                Column("best_region", "best path's region"),
            ),
            ("service", "prefix", *_VANTAGE),
            _HERE,
            Shape.NOW,
        ),
    ),
    "What each vantage holds now, beside whether the intent wants a route there (1) or not (0).",
    UNSEEN_NOW,
    width=24,
    height=10,
)

_BY_SHARE = Panel(
    "Catchment by site",
    Look.TIMELINE,
    (
        Query(
            "share",
            (Column("value", "share"),),
            ("site", "service", "region"),
            (*chosen("site", "service", "region"), never("region", "-")),
        ),
    ),
    "A row for each site and region: the part of the site's traffic that the region answers.",
    NO_AGENT,
    (Step(0, Colour.FAINT), Step(0.01, Colour.PLAIN), Step(0.5, Colour.STRONG)),
    links=(TO_SITE, TO_PAIR),
    height=10,
)

_CATCHMENT = Panel(
    "Catchment by site",
    Look.TIMELINE,
    (Query("landing", (Column("observed", "lands in"),), ("site", "service"), chosen("site", "service")),),
    "The regions that answer each site, as its probes see it.",
    NO_AGENT,
    links=(TO_SITE, TO_PAIR),
    height=10,
    numeric=_BY_SHARE,
)

_LANDS = Panel(
    "Landing now",
    Look.TABLE,
    (
        Query(
            "landing",
            (
                Column("fit", "landing"),
                Column("loss", "loss"),
                Column("observed", "answers"),
                Column("by_bgp", "by BGP"),
                Column("meant", "meant"),
            ),
            ("site", "service"),
            chosen("site", "service"),
            Shape.NOW,
        ),
    ),
    "Each site now: who answers, where BGP leads, and the region it was meant to land in.",
    NO_AGENT,
    height=10,
)

SERVICE = Board(
    "service",
    "Catchment: service",
    "One service, from the NVAs that advertise it to the sites that use it. Route changes are marked on the time axis.",
    (
        Row("Routes", (_PRESENCE, _ROUTES)),
        Row("Catchment", (_CATCHMENT, _LANDS, SHARES, LOSS_OVER_TIME)),
        Row("Latency", (LATENCY, ROUND_TRIPS, PROBES)),
        Row("Legs", (LEG_LOSS, LEG_LATENCY, LEG_FLOWS)),
    ),
    (Choice.SERVICE, Choice.SITE, Choice.REGION, Choice.WINDOW),
    (CHANGES, OPENED, INCIDENTS),
)
