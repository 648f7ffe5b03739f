"""Panels over what agents see, that services and sites share."""

from dashboards.grafana.boards.usual import LOSS, NO_AGENT, TO_PAIR
from dashboards.grafana.model import Look, Panel
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen, never

_ASKED = ("site", "service", "region", "kind")
_ANSWERED = (*chosen("site", "service", "region"), never("region", "-"))
_LEG = ("site", "service", "kind", "leg")

SHARES = Panel(
    "Shares over time",
    Look.LINES,
    (
        Query(
            "share",
            (Column("value", "share", Fold.MEAN),),
            ("site", "service", "region"),
            (*chosen("site", "service", "region"), never("region", "-")),
        ),
    ),
    "The part of each site's traffic that each region answers. A shift is a line that falls while another one rises.",
    NO_AGENT,
    links=(TO_PAIR,),
)

LOSS_OVER_TIME = Panel(
    "Loss",
    Look.LINES,
    (Query("landing", (Column("loss", "loss", Fold.MAX),), ("site", "service"), chosen("site", "service")),),
    "The part of the probes of two minutes that nobody answered: the most within each stretch of time.",
    NO_AGENT,
    LOSS,
    links=(TO_PAIR,),
)

LATENCY = Panel(
    "Latency by region that answered",
    Look.LINES,
    (Query("probe", (Column("median", "median", Fold.MEAN),), _ASKED, _ANSWERED),),
    "Median round trips, by the region that answered and the way of asking.",
    NO_AGENT,
    links=(TO_PAIR,),
)

ROUND_TRIPS = Panel(
    "Spread of round trips",
    Look.LINES,
    (
        Query(
            "probe",
            (
                Column("min", "least", Fold.MIN),
                Column("p90", "90 %", Fold.MAX),
                Column("p99", "99 %", Fold.MAX),
                Column("max", "longest", Fold.MAX),
            ),
            ("site", "service", "region"),
            _ANSWERED,
        ),
    ),
    "The least, the 90th and 99th percentile and the longest round trip. A wide spread with a steady least is a queue.",
    NO_AGENT,
)

PROBES = Panel(
    "Probes sent and lost",
    Look.BARS,
    (
        Query(
            "probe",
            (Column("n", "sent", Fold.SUM), Column("lost", "lost", Fold.SUM)),
            ("site", "service"),
            chosen("site", "service"),
        ),
    ),
    "Probes of each window. Few of them make shares and loss uncertain.",
    NO_AGENT,
    width=24,
    interval="$window",
)

LEG_LOSS = Panel(
    "Loss by leg",
    Look.HEATMAP,
    (Query("leg", (Column("loss", "loss", Fold.MAX),), _LEG, chosen("site", "service")),),
    "A row for each way through the groups of equal paths: an NVA or a circuit. One row that stands out is a dead or "
    "lossy leg, while the service as a whole still answers.",
    NO_AGENT,
)

LEG_LATENCY = Panel(
    "Latency by leg",
    Look.HEATMAP,
    (Query("leg", (Column("latency", "latency", Fold.MEAN),), _LEG, chosen("site", "service")),),
    "Median round trips of each leg's flows.",
    NO_AGENT,
)

LEG_FLOWS = Panel(
    "Legs now",
    Look.TABLE,
    (
        Query(
            "leg",
            (Column("flows", "flows"), Column("loss", "loss"), Column("latency", "latency")),
            _LEG,
            chosen("site", "service"),
            Shape.NOW,
        ),
    ),
    "How many fixed flows take each leg now. All of them on one leg is a polarised hash.",
    NO_AGENT,
    width=24,
)
