"""How sites come to rest after changes: the distribution against the objective, and each drill by itself."""

from dashboards.grafana.boards.usual import CHANGES, INCIDENTS, OPENED, TO_PAIR, TO_SITE, cell
from dashboards.grafana.model import Board, Choice, Look, Panel, Row
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen

_NONE = "No change came to rest in this range: try a longer one, or drill a failover"
_PAIR = ("site", "service")
_HERE = chosen("site", "service", "region")


def _episodes(title: str, field: str, said: str) -> Panel:
    """The distribution of one part of convergence."""
    return Panel(
        f"Distribution of {title}",
        Look.HISTOGRAM,
        (Query("convergence", (Column(field, title, Fold.MAX),), (), _HERE),),
        said,
        _NONE,
        width=6,
    )


_OBJECTIVE = Panel(
    "Outage against objective",
    Look.POINTS,
    (
        Query(
            "convergence",
            (Column("outage", "outage", Fold.MAX), Column("objective", "objective", Fold.MIN)),
            _PAIR,
            _HERE,
        ),
    ),
    "Each episode: how long probes were lost, beside what the intent allows. An outage above its objective is too "
    "long.",
    _NONE,
    width=24,
    links=(TO_SITE, TO_PAIR),
)

_LONGEST = Panel(
    "Longest outage by site",
    Look.GAUGE,
    (Query("convergence", (Column("outage", "outage", Fold.MAX),), _PAIR, _HERE, Shape.TOTAL),),
    "The longest outage of each site and service in the whole range.",
    _NONE,
)

_PARTS = Panel(
    "Parts of convergence",
    Look.POINTS,
    (
        Query(
            "convergence",
            (
                Column("detection", "detection", Fold.MAX),
                Column("control_plane", "control plane", Fold.MAX),
                Column("remap", "remap", Fold.MAX),
            ),
            _PAIR,
            _HERE,
        ),
    ),
    "Where time goes: until the network noticed, until its last update, until the last flow had moved.",
    _NONE,
)

_HUNTING = Panel(
    "Path hunting",
    Look.POINTS,
    (Query("convergence", (Column("steps", "steps", Fold.MAX),), _PAIR, _HERE),),
    "Changes at the busiest vantage of each episode: more than one is path hunting.",
    _NONE,
)

_LOST = Panel(
    "Probes lost",
    Look.BARS,
    (Query("convergence", (Column("lost", "lost", Fold.SUM),), _PAIR, _HERE),),
    "Probes that were lost while sites converged.",
    _NONE,
    interval="$window",
)

_DRILLS = Panel(
    "Each drill and each failure",
    Look.TABLE,
    (
        Query(
            "convergence",
            (
                Column("outage", "outage"),
                Column("objective", "objective"),
                Column("detection", "detection"),
                Column("control_plane", "control plane"),
                Column("remap", "remap"),
                Column("lost", "lost"),
                Column("steps", "steps"),
                Column("first", "what came first"),
            ),
            (*_PAIR, "region"),
            _HERE,
            Shape.EVENTS,
        ),
    ),
    "A row for each episode that is over, with the region that it began with.",
    _NONE,
    width=24,
    height=12,
    links=(cell(TO_SITE, "site"), cell(TO_PAIR, "service")),
)

_INCIDENTS = Panel(
    "How soon incidents were told, and how long they lasted",
    Look.POINTS,
    (
        Query(
            "incident",
            (Column("detection", "detected after", Fold.MAX), Column("outage", "outage", Fold.MAX)),
            ("cause",),
            chosen("service", "region", "site"),
        ),
    ),
    "From the first sign to the opening, and to the end of the last condition.",
    "No incident took a step in this range",
    width=24,
)

CONVERGENCE = Board(
    "convergence",
    "Catchment: convergence and drills",
    "How long sites were without an answer after a change, against what the intent allows.",
    (
        Row("Against the objective", (_OBJECTIVE, _LONGEST, _LOST)),
        Row(
            "Distribution",
            (
                _episodes("outage", "outage", "How long probes were lost."),
                _episodes("detection", "detection", "How long the network did not notice."),
                _episodes("control plane", "control_plane", "Until the last update at the site's own vantages."),
                _episodes("remap", "remap", "Until the last flow was seen to have moved."),
            ),
        ),
        Row("Each drill", (_DRILLS, _PARTS, _HUNTING, _INCIDENTS)),
    ),
    (Choice.SITE, Choice.SERVICE, Choice.REGION, Choice.WINDOW),
    (CHANGES, OPENED, INCIDENTS),
    "now-7d",
)
