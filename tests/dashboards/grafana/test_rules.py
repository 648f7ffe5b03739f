"""Each alert rule on a real server: it fires for what it is there for, with its labels, and is quiet otherwise."""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from anycast.series import MEASUREMENTS
from dashboards.grafana.model import Alert, Variant
from dashboards.grafana.rules import ALERTS
from tests.dashboards.grafana.filled_in import Range, influxql, promql
from tests.dashboards.grafana.points import series
from tests.dashboards.grafana.ruled import provisioned_rules
from tests.servers.influx import Influx, Victoria, influx, victoria

END = int(time.time()) // 60 * 60 - 60
APART = 600
"""Seconds between the rules' points in VictoriaMetrics, which has no databases: more than a rule looks back."""
JUDGED = [alert for alert in ALERTS if not alert.silence_fires]


def lines(alert: Alert, value: float, at: int) -> bytes:
    """Points of every series that a rule looks at, all of one value."""
    [column] = alert.query.columns
    written = []
    for tags in series(MEASUREMENTS[alert.query.measurement]):
        named = "".join(f",{tag}={text}".replace(" ", "\\ ") for tag, text in tags.items())
        written.append(f"{alert.query.measurement}{named} {column.field}={value} {at}")
    return "\n".join(written).encode()


def rule(alert: Alert, variant: Variant) -> Mapping[str, Any]:
    [found] = [each for each in provisioned_rules(variant) if each["uid"] == variant.uid(alert.name)]
    return found


def fires(found: Mapping[str, Any], answer: Iterator[tuple[Mapping[str, str], float]]) -> list[Mapping[str, str]]:
    """The labels of every instance that fires, judged as its file says: the last value against the threshold."""
    _, reduced, judged = found["data"]
    assert reduced["model"]["reducer"] == "last"
    [condition] = judged["model"]["conditions"]
    assert condition["evaluator"]["type"] == "gt"
    return [labels for labels, value in answer if value > condition["evaluator"]["params"][0]]


def told(found: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """The summary with its templates filled in."""
    text: str = re.sub(r"\{\{ \.Labels\.(\w+) \}\}", lambda tag: labels[tag[1]], found["annotations"]["summary"])
    return text


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influx(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with victoria(tmp_path_factory.mktemp("victoria")) as server:
        for place, alert in enumerate(JUDGED):
            server.write(lines(alert, alert.above, END - 2 * place * APART), "s")
            server.write(lines(alert, alert.above + 1, END - (2 * place + 1) * APART), "s")
        yield server


@pytest.mark.parametrize("alert", JUDGED, ids=lambda alert: alert.name)
def test_a_rule_fires_on_influxdb_above_its_value_and_not_at_it(old: Influx, alert: Alert) -> None:
    found = rule(alert, Variant.INFLUXQL)
    looked = found["data"][0]["relativeTimeRange"]
    query = influxql(found["data"][0]["model"]["query"], Range(END - looked["from"], END - looked["to"]))
    for value, expected in ((alert.above, False), (alert.above + 1, True)):
        name = f"{alert.name} {expected}"
        old.make(name)
        assert old.write(name, lines(alert, value, END), "s")[0] == 204
        answer = [(each.tags, each.rows[-1][1]) for each in old.influxql(name, query)]
        firing = fires(found, iter(answer))
        assert bool(firing) is expected
        assert answer
        assert all("{{" not in told(found, labels) for labels in firing)
        if expected:
            assert len(firing) == len(answer)


@pytest.mark.parametrize("alert", JUDGED, ids=lambda alert: alert.name)
def test_a_rule_fires_on_victoria_metrics_above_its_value_and_not_at_it(metrics: Victoria, alert: Alert) -> None:
    found, place = rule(alert, Variant.METRICSQL), JUDGED.index(alert)
    for at, expected in ((END - 2 * place * APART, False), (END - (2 * place + 1) * APART, True)):
        query = promql(found["data"][0]["model"]["expr"], Range(at - 120, at))
        answer = [(each.tags, each.rows[-1][1]) for each in metrics.instant(query, at)]
        firing = fires(found, iter(answer))
        assert answer
        assert bool(firing) is expected
        assert all("{{" not in told(found, labels) for labels in firing)


def test_the_rule_about_silence_has_data_while_catchment_writes_and_none_when_it_does_not(old: Influx) -> None:
    [silent] = [alert for alert in ALERTS if alert.silence_fires]
    found = rule(silent, Variant.INFLUXQL)
    assert found["noDataState"] == "Alerting"
    old.make("writes")
    old.write("writes", f"own uptime=12345678 {END}".encode(), "s")
    query = found["data"][0]["model"]["query"]
    heard = old.influxql("writes", influxql(query, Range(END - 120, END)))
    assert fires(found, ((each.tags, each.rows[-1][1]) for each in heard)) == []
    assert [each.rows[-1][1] for each in heard] == [12345678]
    assert old.influxql("writes", influxql(query, Range(END + 60, END + 180))) == []


@pytest.mark.parametrize("severity", ["critical", "major"])
def test_a_finding_of_another_severity_does_not_fire_the_rule_of_this_one(old: Influx, severity: str) -> None:
    [alert] = [alert for alert in ALERTS if alert.name == f"finding-{severity}"]
    found = rule(alert, Variant.INFLUXQL)
    name = f"others than {severity}"
    old.make(name)
    old.write(name, f"findings,kind=missing,severity=warning open=3i {END}".encode(), "s")
    query = influxql(found["data"][0]["model"]["query"], Range(END - 120, END))
    assert old.influxql(name, query) == []
    old.write(name, f"findings,kind=missing,severity={severity} open=3i {END}".encode(), "s")
    [labels] = fires(found, ((each.tags, each.rows[-1][1]) for each in old.influxql(name, query)))
    assert told(found, labels) == f"missing: at least one is open that is {severity}."
    assert labels["kind"] == "missing"
