"""What several dashboards share: links, thresholds, tables of steps, and the events drawn on the time axis."""

from anycast.finding import Severity
from dashboards.grafana.model import Annotation, Colour, Link, Look, Panel, Step, To
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, only

UNSEEN = "Nothing was written in this range: is `influx:` configured, and does catchment run?"
UNSEEN_NOW = "Nothing was written in the last two minutes: this is unknown, and not well"
NONE_OPEN = "None is open; or nothing is written, and it is unknown"
NO_AGENT = "No agent reported here: without one only routes are seen"

TO_SERVICE = Link("This service", To.BOARD, "service", (("service", "service"),))
TO_SITE = Link("This site", To.BOARD, "site", (("site", "site"), ("service", "service")))
TO_REGION = Link("This region", To.BOARD, "region", (("region", "region"),))
TO_PAIR = Link("In the console", To.CONSOLE, "/catchment/{site}/{service}", (("site", "site"), ("service", "service")))
TO_CONSOLE = Link("In the console", To.CONSOLE, "/")
RUNBOOK = Link("Runbook", To.CONSOLE, "/runbooks/{kind}", (("kind", "kind"),))


def cell(link: Link, column: str) -> Link:
    """The same link on the cells of a column."""
    return Link(link.title, link.to, link.target, link.given, column)


ANY = (Step(1, Colour.BAD),)
"""None is well, one is not."""
LOSS = (Step(0.01, Colour.MIND), Step(0.05, Colour.WORST))
"""One in a hundred is worth a look; at one in twenty, TCP crawls."""
SEVERITIES = (Step(1, Colour.PLAIN), Step(2, Colour.MIND), Step(3, Colour.BAD), Step(4, Colour.WORST))

FINDING_STEPS = Panel(
    "Findings, newest first",
    Look.TABLE,
    (
        Query(
            "finding",
            (
                Column("n", "steps", Fold.SUM),
                Column("summary", "what"),
                Column("duration", "lasted"),
                Column("id", "record"),
            ),
            by=("severity", "kind", "step", "service", "region", "site"),
            where=chosen("kind", "service", "region", "site"),
            shape=Shape.EVENTS,
        ),
    ),
    "Each step of a finding: opened, changed, cleared, and how long it was so. The kind leads to its runbook.",
    "No finding took a step in this range",
    width=24,
    links=(
        cell(RUNBOOK, "kind"),
        cell(TO_SERVICE, "service"),
        cell(TO_SITE, "site"),
        cell(TO_REGION, "region"),
        cell(TO_CONSOLE, "what"),
    ),
)

INCIDENT_STEPS = Panel(
    "Incidents, newest first",
    Look.TABLE,
    (
        Query(
            "incident",
            (
                Column("n", "steps", Fold.SUM),
                Column("said", "what"),
                Column("members", "findings"),
                Column("detection", "detected after"),
                Column("outage", "outage"),
                Column("id", "incident"),
            ),
            by=("severity", "cause", "step", "service", "region", "site"),
            where=chosen("service", "region", "site"),
            shape=Shape.EVENTS,
        ),
    ),
    "One fault and what follows from it, step by step: its first cause, how soon it was told, and how long it lasted.",
    "No incident took a step in this range",
    width=24,
    links=(
        Link("Runbook of the cause", To.CONSOLE, "/runbooks/{cause}", (("cause", "cause"),), "cause"),
        Link("The incident's findings", To.BOARD, "findings", (("kind", "cause"), ("service", "service")), "step"),
        cell(TO_SERVICE, "service"),
        cell(TO_SITE, "site"),
        cell(TO_REGION, "region"),
        cell(TO_CONSOLE, "what"),
    ),
)

CHANGES = Annotation(
    "Route changes",
    Query(
        "change",
        (Column("text", "text"), Column("n", "changes", Fold.SUM)),
        by=("action", "rung", "region", "site", "vantage"),
        where=chosen("service"),
        shape=Shape.EVENTS,
    ),
    "text",
    Colour.PLAIN,
)
OPENED = Annotation(
    "Findings",
    Query(
        "finding",
        (Column("summary", "text"), Column("n", "steps", Fold.SUM)),
        by=("step", "severity", "kind", "region", "site"),
        where=(*chosen("service"), only("severity", *(str(each) for each in (Severity.MAJOR, Severity.CRITICAL)))),
        shape=Shape.EVENTS,
    ),
    "text",
    Colour.WORST,
)
"""Those that are major or critical."""
INCIDENTS = Annotation(
    "Incidents",
    Query(
        "incident",
        (Column("said", "text"), Column("n", "steps", Fold.SUM)),
        by=("step", "severity", "cause", "region", "site"),
        where=chosen("service"),
        shape=Shape.EVENTS,
    ),
    "text",
    Colour.UNKNOWN,
)
