"""The list of dashboards, panels and rules for docs/dashboards.md, made from the model."""

from collections.abc import Iterator

from anycast.kinds import KINDS
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Board, Panel, Variant
from dashboards.grafana.query import Query
from dashboards.grafana.rules import ALERTS
from dashboards.grafana.targets import in_variant

BEGIN = "<!-- made from the model: python -m tests.dashboards.grafana.written -->"
END = "<!-- to here -->"


def document(text: str) -> str:
    """The text of the document with the list in it put anew. Raises ValueError where its marks are missing."""
    before, rest = text.split(f"{BEGIN}\n", 1)
    _, after = rest.split(f"{END}\n", 1)
    return f"{before}{BEGIN}\n{listing()}{END}\n{after}"


def listing() -> str:
    """Every dashboard with its panels, and every rule."""
    return "\n".join(line for board in BOARDS for line in _board(board)) + "\n" + "\n".join(_rules()) + "\n"


def _board(board: Board) -> Iterator[str]:
    title = board.title.removeprefix("Catchment: ")
    yield f"### {title[0].upper()}{title[1:]}"
    yield ""
    influxql, metricsql = (variant.uid(board.name) for variant in (Variant.INFLUXQL, Variant.METRICSQL))
    yield f"`{influxql}`, for VictoriaMetrics `{metricsql}`. {board.said}"
    chosen = ", ".join(board.choices)
    if chosen:
        yield f"To choose from: {chosen}."
    if board.annotations:
        yield f"Marked on the time axis: {', '.join(note.title.lower() for note in board.annotations)}."
    yield ""
    yield "| row | panel | shown as | series |"
    yield "|---|---|---|---|"
    for row in board.rows:
        if row.folded:
            yield f"| {row.title} | one for each of {len(row.panels)} kinds | {row.panels[0].look} | `findings` |"
            continue
        for panel in row.panels:
            yield f"| {row.title} | {panel.title} | {_look(panel)} | {_series(panel)} |"
    yield ""


def _look(panel: Panel) -> str:
    return str(panel.look)


def _series(panel: Panel) -> str:
    """Measurements with their fields; texts in italics, for one of the variants has none of them."""
    said = "; ".join(map(_asked, panel.queries))
    instead = in_variant(panel, Variant.METRICSQL)
    return said if instead is panel else f"{said} (without texts: {'; '.join(map(_asked, instead.queries))})"


def _asked(query: Query) -> str:
    numeric = query.numeric
    numbers = {column.field for column in numeric.columns} if numeric else set()
    names = (column.field if column.field in numbers else f"*{column.field}*" for column in query.columns)
    return f"`{query.measurement}`: {', '.join(names)}"


def _rules() -> Iterator[str]:
    yield "### Alert rules"
    yield ""
    yield f"Two of them tell of all {len(KINDS)} kinds of findings, each instance with the runbook of its kind."
    yield ""
    yield "| rule | fires when | for | severity |"
    yield "|---|---|---|---|"
    for alert in ALERTS:
        [column] = alert.query.columns
        over = "has no data" if alert.silence_fires else f"is above {alert.above:g}"
        severity = "the series' own" if "severity" in alert.query.by else alert.severity
        yield f"| {alert.title} | `{alert.query.measurement}` {column.field} {over} | {alert.lasting} | {severity} |"
