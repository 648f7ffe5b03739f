"""Findings and incidents: a panel for every kind, with what it means, what to do, and its runbook."""

from collections.abc import Mapping

from anycast.about import About
from anycast.finding import Kind
from anycast.kinds import KINDS
from anycast.kinds_probed import PROBED
from anycast.kinds_routed import ROUTED
from dashboards.grafana.boards.usual import ANY, FINDING_STEPS, INCIDENT_STEPS, NONE_OPEN, RUNBOOK, UNSEEN
from dashboards.grafana.model import Board, Choice, Link, Look, Panel, Row, To
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, only


def _kind(kind: Kind) -> Panel:
    about = KINDS[kind]
    return Panel(
        str(kind),
        Look.STAT,
        (Query("findings", (Column("open", "open"),), (), (only("kind", kind),), Shape.NOW, across=Fold.SUM),),
        f"{about.meaning}\n\nFirst: {about.action}",
        "unknown: nothing is written",
        ANY,
        width=4,
        height=4,
        links=(Link("Runbook", To.CONSOLE, f"/runbooks/{kind}"),),
    )


def _kinds(title: str, kinds: Mapping[Kind, About]) -> Row:
    return Row(title, tuple(_kind(kind) for kind in kinds), folded=True)


_OPEN = Panel(
    "Open by kind",
    Look.GAUGE,
    (Query("findings", (Column("open", "open"),), ("kind",), chosen("kind"), Shape.NOW, across=Fold.SUM, above=0),),
    "Findings that are open now, by kind.",
    NONE_OPEN,
    ANY,
    links=(RUNBOOK,),
)

_OVER_TIME = Panel(
    "Open over time",
    Look.LINES,
    (Query("findings", (Column("open", "open", Fold.MAX),), ("severity",), chosen("kind"), across=Fold.SUM),),
    "Findings that were open, by severity: the most within each stretch of time.",
    UNSEEN,
    stacked=True,
)

_STEPS = Panel(
    "Opened and cleared",
    Look.BARS,
    (
        Query(
            "finding", (Column("n", "steps", Fold.SUM),), ("kind", "step"), chosen("kind", "service", "region", "site")
        ),
    ),
    "Steps of findings in each window.",
    "No finding took a step in this range",
    interval="$window",
    stacked=True,
    links=(RUNBOOK,),
)

_LASTED = Panel(
    "How long findings lasted",
    Look.POINTS,
    (
        Query(
            "finding",
            (Column("duration", "lasted", Fold.MAX),),
            ("kind", "service"),
            chosen("kind", "service", "region", "site"),
        ),
    ),
    "Each finding that cleared, at the time when it did.",
    "No finding cleared in this range",
    links=(RUNBOOK,),
)

_MEMBERS = Panel(
    "Findings in incidents",
    Look.POINTS,
    (Query("incident", (Column("members", "findings", Fold.MAX),), ("cause",), chosen("service", "region", "site")),),
    "How many findings one cause explained, step by step.",
    "No incident took a step in this range",
)

_INCIDENTS = Panel(
    "Steps of incidents",
    Look.BARS,
    (
        Query(
            "incident",
            (Column("n", "steps", Fold.SUM),),
            ("cause", "step"),
            chosen("service", "region", "site"),
        ),
    ),
    "Incidents that opened, worsened, recovered, came again or closed, in each window.",
    "No incident took a step in this range",
    interval="$window",
    stacked=True,
)

_OTHERS = {kind: about for kind, about in KINDS.items() if kind not in ROUTED and kind not in PROBED}

FINDINGS = Board(
    "findings",
    "Catchment: findings and incidents",
    "What is wrong and what was: filter by kind; every kind has a panel below, and its runbook.",
    (
        Row("Now and over time", (_OPEN, _OVER_TIME, _STEPS, _LASTED)),
        Row("Findings", (FINDING_STEPS,)),
        Row("Incidents", (INCIDENT_STEPS, _INCIDENTS, _MEMBERS)),
        _kinds("Kinds that rest on routes", ROUTED),
        _kinds("Kinds that rest on probes", PROBED),
        _kinds("Kinds about Catchment itself", _OTHERS),
    ),
    (Choice.KIND, Choice.SERVICE, Choice.SITE, Choice.REGION, Choice.WINDOW),
)
