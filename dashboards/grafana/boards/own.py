"""Catchment's own health: a monitor that ails quietly is worse than none."""

from anycast.series import Unit
from dashboards.grafana.boards.usual import ANY, UNSEEN, UNSEEN_NOW
from dashboards.grafana.model import Board, Choice, Colour, Look, Panel, Row, Step
from dashboards.grafana.query import Column, Fold, Query, Shape, chosen


def _own(title: str, said: str, *columns: Column, steps: tuple[Step, ...] = (), unit: Unit | None = None) -> Panel:
    return Panel(title, Look.LINES, (Query("own", columns, ()),), said, UNSEEN, steps, unit, width=8)


_NOW = Panel(
    "Now",
    Look.TABLE,
    (
        Query(
            "own",
            (
                Column("uptime", "up for"),
                Column("memory", "memory"),
                Column("journal_bytes", "data folder"),
                Column("owed", "notifications owed"),
                Column("dead_letters", "given up"),
                Column("refused", "connections refused"),
                Column("sink_behind", "sink behind"),
                Column("sink_quarantined", "points refused"),
            ),
            (),
            shape=Shape.NOW,
        ),
    ),
    "The daemon now: what it holds, what it owes, and how far this database is behind it.",
    UNSEEN_NOW,
    width=24,
    height=4,
)

_FEEDS = Panel(
    "Feeds connected",
    Look.TIMELINE,
    (Query("feed", (Column("connected", "connected", Fold.MIN),), ("exporter",)),),
    "Each exporter's BMP connection: 1 while it is connected. While it is 0, its routes are unknown.",
    UNSEEN,
    (Step(0, Colour.WORST), Step(1, Colour.GOOD)),
)

_MESSAGES = Panel(
    "Messages and routes by feed",
    Look.LINES,
    (
        Query(
            "feed",
            (Column("messages", "messages", Fold.RATE), Column("routes", "routes", Fold.RATE)),
            ("exporter",),
        ),
    ),
    "What comes over each feed, per second. A feed that is connected and silent for long may be a router that ails.",
    UNSEEN,
    unit=Unit.PER_SECOND,
)

_MALFORMED = Panel(
    "Not taken as it stood",
    Look.LINES,
    (
        Query(
            "feed",
            (Column("malformed", "malformed", Fold.MAX), Column("unjudged", "unjudged", Fold.MAX)),
            ("exporter",),
        ),
    ),
    "Messages since the start that could not be taken as they stood, and watched routes that no Peer Up named.",
    UNSEEN,
)

_AGENTS = Panel(
    "Agents",
    Look.TIMELINE,
    (Query("agent", (Column("state", "agent", Fold.MIN),), ("site",), chosen("site")),),
    "Whether what each site's agent reports can be believed.",
    "No agent reported in this range",
)

_TAINTED = Panel(
    "Agents that lag",
    Look.LINES,
    (
        Query(
            "agent",
            (Column("tainted", "part of its time", Fold.MAX),),
            ("site",),
            chosen("site"),
        ),
    ),
    "The part of its last seconds in which an agent's loop lagged: what it measured then is its own host.",
    "No agent reported in this range",
    (Step(0.2, Colour.BAD),),
)

_RESULTS = Panel(
    "Results of agents",
    Look.LINES,
    (Query("agent", (Column("results", "results", Fold.RATE),), ("site",), chosen("site")),),
    "Results of probes taken, per second.",
    "No agent reported in this range",
    unit=Unit.PER_SECOND,
)

_DROPPED = Panel(
    "Results given up",
    Look.LINES,
    (Query("agent", (Column("dropped", "given up", Fold.MAX),), ("site",), chosen("site")),),
    "Results since the start that an agent gave up, for its spool was full: the centre was away too long.",
    "No agent reported in this range",
    ANY,
)

OWN = Board(
    "own",
    "Catchment: its own health",
    "Whether Catchment itself is well: its loop, its journal, what it owes, its feeds and agents, and this database.",
    (
        Row(
            "The daemon",
            (
                _NOW,
                _own(
                    "Loop",
                    "Longest delay of the event loop between two samples, and the time of the last round of judging.",
                    Column("loop_lag", "loop lag", Fold.MAX),
                    Column("judging", "judging", Fold.MAX),
                    steps=(Step(0.1, Colour.MIND), Step(1, Colour.WORST)),
                ),
                _own(
                    "Commit",
                    "Time that the journal's last commit took. A slow disk shows here first.",
                    Column("commit", "commit", Fold.MAX),
                    steps=(Step(1, Colour.MIND), Step(5, Colour.WORST)),
                ),
                _own(
                    "Not committed",
                    "Octets handed to the journal that are not yet on the disk: they would be lost in a crash.",
                    Column("journal_queue", "octets", Fold.MAX),
                ),
                _own(
                    "Memory",
                    "Resident memory. Whole tables take some hundreds of megabytes; a line that only rises is a leak.",
                    Column("memory", "memory", Fold.MAX),
                ),
                _own(
                    "Data folder",
                    "Octets of the data folder. Retention and quotas bound it; a line that only rises fills the disk.",
                    Column("journal_bytes", "data", Fold.MAX),
                ),
                _own(
                    "File descriptors",
                    "Open file descriptors. A line that only rises ends in connections that are not taken.",
                    Column("descriptors", "open", Fold.MAX),
                ),
                _own(
                    "Notifications",
                    "What is owed to receivers, and what was given up: the latter is a receiver that is misconfigured.",
                    Column("owed", "owed", Fold.MAX),
                    Column("dead_letters", "given up", Fold.MAX),
                    steps=(Step(100, Colour.BAD),),
                ),
                _own(
                    "Behind this database",
                    "Age of the oldest point that the sink has not delivered. It grows while this database is away.",
                    Column("sink_behind", "behind", Fold.MAX),
                    steps=(Step(60, Colour.MIND), Step(300, Colour.WORST)),
                ),
                _own(
                    "Points that are not here",
                    "Since the start: refused by the database, too old or in the future, taken by retention before "
                    "they were delivered, and written to an overflow series for there were too many.",
                    Column("sink_quarantined", "refused", Fold.MAX),
                    Column("sink_unfit", "too old or in the future", Fold.MAX),
                    Column("sink_forgotten", "taken by retention", Fold.MAX),
                    Column("overflowed", "overflowed", Fold.MAX),
                    steps=ANY,
                ),
                _own(
                    "Sinks that fail",
                    "Databases, of those that are configured, to which nothing is delivered now.",
                    Column("sink_failing", "failing", Fold.MAX),
                    steps=ANY,
                ),
                _own(
                    "Connections refused",
                    "BMP connections that were not taken since the start: only whom the intent names may connect.",
                    Column("refused", "refused", Fold.MAX),
                ),
                _own(
                    "Uptime",
                    "Time since the start: it falls to nothing at a restart, before which nobody watched.",
                    Column("uptime", "up for", Fold.MAX),
                ),
            ),
        ),
        Row("Feeds", (_FEEDS, _MESSAGES, _MALFORMED)),
        Row("Agents", (_AGENTS, _TAINTED, _RESULTS, _DROPPED)),
    ),
    (Choice.SITE,),
)
