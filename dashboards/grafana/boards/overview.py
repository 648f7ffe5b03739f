"""Every service at a glance."""

from dashboards.grafana.boards.usual import (
    ANY,
    FINDING_STEPS,
    INCIDENT_STEPS,
    INCIDENTS,
    NO_AGENT,
    NONE_OPEN,
    OPENED,
    RUNBOOK,
    TO_PAIR,
    TO_SERVICE,
    TO_SITE,
    UNSEEN,
    UNSEEN_NOW,
    cell,
)
from dashboards.grafana.model import Board, Choice, Colour, Look, Panel, Row, Step
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, never

_STATE = Panel(
    "State of each service",
    Look.STAT,
    (Query("service", (Column("health", "state"),), ("service", "prefix"), chosen("service"), Shape.NOW),),
    "The state of each service prefix now. Unknown means that nobody could see it, and is not ok.",
    UNSEEN_NOW,
    width=24,
    height=5,
    links=(TO_SERVICE,),
)

_STATES = Panel(
    "State over time",
    Look.TIMELINE,
    (Query("service", (Column("health", "state", Fold.MAX),), ("service", "prefix"), chosen("service")),),
    "The worst state within each stretch of time, so that a short outage does not vanish in a long range.",
    UNSEEN,
    links=(TO_SERVICE,),
)

_SERVICES = Panel(
    "Services",
    Look.TABLE,
    (
        Query(
            "service",
            (
                Column("health", "state"),
                Column("severity", "worst finding"),
                Column("findings", "findings"),
                Column("regions_present", "regions present"),
                Column("regions_meant", "regions meant"),
            ),
            ("service", "prefix"),
            chosen("service"),
            Shape.NOW,
        ),
    ),
    "Each service prefix now: in how many regions Route Server holds the route, of how many that are meant to have it.",
    UNSEEN_NOW,
    links=(cell(TO_SERVICE, "service"),),
)

_LANDING = Panel(
    "Where sites land",
    Look.TIMELINE,
    (Query("landing", (Column("fit", "landing", Fold.MAX),), ("site", "service"), chosen("site", "service")),),
    "Whether each site lands where it was meant to, by what probes see: the worst within each stretch of time.",
    NO_AGENT,
    links=(TO_SITE, TO_PAIR),
)

_SHARES = Panel(
    "Shares by region",
    Look.GAUGE,
    (
        Query(
            "share",
            (Column("value", "share"),),
            ("site", "service", "region"),
            (*chosen("site", "service", "region"), never("region", "-")),
            Shape.NOW,
        ),
    ),
    "The part of a site's traffic that each region answers now.",
    NO_AGENT,
    links=(TO_SITE, TO_PAIR),
)

_OPEN = Panel(
    "Open findings by severity",
    Look.STAT,
    (Query("findings", (Column("open", "open"),), ("severity",), chosen("kind"), Shape.NOW, across=Fold.SUM),),
    "Findings that are open now.",
    UNSEEN_NOW,
    ANY,
    width=8,
    height=6,
)

_OPEN_INCIDENTS = Panel(
    "Open incidents by severity",
    Look.STAT,
    (Query("incidents", (Column("open", "open"),), ("severity",), shape=Shape.NOW, across=Fold.SUM),),
    "Incidents that are not closed now.",
    UNSEEN_NOW,
    (Step(1, Colour.WORST),),
    width=8,
    height=6,
)

_CAUSES = Panel(
    "Open incidents by cause",
    Look.BARS,
    (Query("incidents", (Column("open", "open", Fold.MAX),), ("cause", "severity"), above=0),),
    "Incidents that were not closed, by their first cause.",
    NONE_OPEN,
    width=8,
    height=6,
)

_BY_KIND = Panel(
    "Open findings by kind",
    Look.BARS,
    (Query("findings", (Column("open", "open", Fold.MAX),), ("kind", "severity"), chosen("kind"), above=0),),
    "Findings that were open, by kind: the most within each stretch of time.",
    NONE_OPEN,
    width=24,
    links=(RUNBOOK,),
    stacked=True,
)

OVERVIEW = Board(
    "overview",
    "Catchment: overview",
    "Every service: its state, the regions that advertise it, where sites land, and what is wrong.",
    (
        Row("Services", (_STATE, _STATES, _SERVICES)),
        Row("Sites", (_LANDING, _SHARES)),
        Row("What is wrong", (_OPEN, _OPEN_INCIDENTS, _CAUSES, _BY_KIND, INCIDENT_STEPS, FINDING_STEPS)),
    ),
    (Choice.SERVICE, Choice.SITE, Choice.REGION, Choice.KIND),
    (OPENED, INCIDENTS),
)
