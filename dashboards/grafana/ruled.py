"""Alert rules as Grafana reads them from a file.

In such a file Grafana puts the environment in place of `$NAME` in titles and labels, and of `${NAME}` in annotations;
the model of a query it leaves alone. So no title, label or annotation here has a dollar: templates say `.Labels`.
"""

from dashboards.grafana import influxql, metricsql
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Alert, Variant
from dashboards.grafana.query import FRESH_FOR
from dashboards.grafana.render import Setting, panel_ids
from dashboards.grafana.rules import ALERTS

FOLDER = "Catchment"
RECEIVER = "catchment"
_EVERY = "30s"
Json = dict[str, object]


def rules(setting: Setting) -> Json:
    """Every rule, in one group."""
    group = {
        "orgId": 1,
        "name": f"catchment-{setting.variant}",
        "folder": FOLDER,
        "interval": _EVERY,
        "rules": [_rule(alert, setting) for alert in ALERTS],
    }
    return {"apiVersion": 1, "groups": [group]}


def _rule(alert: Alert, setting: Setting) -> Json:
    board, panel = shown_by(alert, setting.variant)
    return {
        "uid": setting.variant.uid(alert.name),
        "title": alert.title if setting.variant is Variant.INFLUXQL else f"{alert.title} ({setting.variant})",
        "condition": "C",
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": {"from": FRESH_FOR, "to": 0},
                "datasourceUid": setting.variant.source_uid,
                "model": _asked(alert, setting.variant),
            },
            _expression("B", {"type": "reduce", "expression": "A", "reducer": "last"}),
            _expression("C", {"type": "threshold", "expression": "B", "conditions": [_over(alert.above)]}),
        ],
        "noDataState": "Alerting" if alert.silence_fires else "OK",
        "execErrState": "Error",
        "for": alert.lasting,
        "annotations": {
            "summary": _templated(alert.summary),
            "runbook_url": setting.console.rstrip("/") + _templated(alert.runbook),
            "__dashboardUid__": board,
            "__panelId__": str(panel),
        },
        "labels": _labels(alert),
        "dashboardUid": board,
        "panelId": panel,
        "notification_settings": {"receiver": RECEIVER},
        "isPaused": False,
    }


def _asked(alert: Alert, variant: Variant) -> Json:
    """The model of a query: for Grafana's own judging, so without a variable of any dashboard."""
    source = {"type": variant.source, "uid": variant.source_uid}
    if variant is Variant.INFLUXQL:
        query = influxql.written(alert.query, ruled=True)
        shown: Json = {"query": query, "rawQuery": True, "resultFormat": "time_series"}
    else:
        [column] = alert.query.columns
        expr = metricsql.written(alert.query, column, ruled=True)
        shown = {"expr": expr, "instant": True, "range": False, "editorMode": "code"}
    return {"refId": "A", "datasource": source, "intervalMs": 10000, "maxDataPoints": 43200, **shown}


def _expression(ref: str, model: Json) -> Json:
    source = {"type": "__expr__", "uid": "__expr__"}
    return {"refId": ref, "datasourceUid": "__expr__", "model": {"refId": ref, "datasource": source, **model}}


def _over(value: float) -> Json:
    return {"evaluator": {"type": "gt", "params": [value]}}


def _templated(text: str) -> str:
    """`{site}` in Grafana's templates."""
    return text.replace("{", "{{ .Labels.").replace("}", " }}")


def shown_by(alert: Alert, variant: Variant) -> tuple[str, int]:
    """Uid of the dashboard and id of the panel that show what a rule judges."""
    board = next(board for board in BOARDS if board.name == alert.board)
    return variant.uid(board.name), panel_ids(board)[alert.panel]


def _labels(alert: Alert) -> dict[str, str]:
    own = {} if "severity" in alert.query.by else {"severity": alert.severity}
    return {"source": "catchment", **own}
