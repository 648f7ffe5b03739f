"""Every InfluxQL query of every panel, variable, annotation and rule runs on a real InfluxDB, and brings rows."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.grafana.model import Variant
from tests.dashboards.grafana.asked import Asked, of_annotations, of_panels, of_variables
from tests.dashboards.grafana.filled_in import Range, Selected, influxql, length
from tests.dashboards.grafana.points import EVERY, LASTS, lines
from tests.dashboards.grafana.ruled import of_rules
from tests.servers.influx import Influx, Series, influx

END = int(time.time()) // 60 * 60 - 60
PANELS = of_panels(Variant.INFLUXQL)
OTHERS = [*of_annotations(Variant.INFLUXQL), *of_rules(Variant.INFLUXQL)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with influx(tmp_path_factory.mktemp("influx")) as running:
        running.make("full")
        running.make("empty")
        status, said = running.write("full", lines(END))
        assert status == 204, said
        yield running


def over(each: Asked) -> Range:
    return Range(END - LASTS, END, max(EVERY, length(each.interval)))


def rows(answer: list[Series]) -> int:
    """Rows in which there is a value."""
    return sum(any(value is not None for value in row[1:]) for series in answer for row in series.rows)


@pytest.mark.parametrize("each", [*PANELS, *OTHERS], ids=str)
def test_each_query_brings_rows_and_none_of_an_empty_database(server: Influx, each: Asked) -> None:
    query = influxql(each.text, over(each))
    assert rows(server.influxql("full", query)) > 0, query
    assert rows(server.influxql("empty", query)) == 0, query


@pytest.mark.parametrize("each", of_variables(Variant.INFLUXQL), ids=str)
def test_each_variable_has_values_and_none_of_an_empty_database(server: Influx, each: Asked) -> None:
    assert rows(server.influxql("full", each.text)) > 0
    assert rows(server.influxql("empty", each.text)) == 0


def test_what_is_chosen_is_all_that_is_shown(server: Influx) -> None:
    """Each variable in turn: a value leaves its own series, and one that nobody has leaves none."""
    held = 0
    for each in PANELS:
        for name, value in (("service", "web"), ("site", "ams"), ("region", "weu"), ("kind", "blind")):
            if f"${{{name}:regex}}" not in each.text:
                continue
            held += 1
            answer = server.influxql("full", influxql(each.text, over(each), Selected({name: (value,)})))
            assert rows(answer) > 0, each
            assert {series.tags[name] for series in answer if name in series.tags} <= {value}, each
            nobody = influxql(each.text, over(each), Selected({name: ("nobody",)}))
            assert rows(server.influxql("full", nobody)) == 0, each
    assert held > 100


def test_what_is_older_than_two_minutes_is_not_shown_as_now(server: Influx) -> None:
    now = [each for each in PANELS if "${__to}" in each.text]
    assert len(now) > 50
    for each in now:
        later = Range(END - LASTS, END + 300)
        assert rows(server.influxql("full", influxql(each.text, later))) == 0, each


def test_open_findings_are_summed_over_kinds_and_not_over_time(server: Influx) -> None:
    [query] = [each for each in PANELS if "Open findings by severity" in each.place]
    answer = server.influxql("full", influxql(query.text, over(query)))
    per_kind = server.influxql(
        "full", f'SELECT last("open") FROM "findings" WHERE time <= {END}s GROUP BY "kind", "severity"'
    )
    expected: dict[str, int] = {}
    for series in per_kind:
        expected[series.tags["severity"]] = expected.get(series.tags["severity"], 0) + series.rows[0][1]
    assert {series.tags["severity"]: series.rows[0][1] for series in answer} == expected


def test_a_wrong_name_brings_nothing_so_rows_do_prove_names(server: Influx, tmp_path: Path) -> None:
    brought = [
        each
        for each in PANELS
        if rows(server.influxql("full", influxql(each.text.replace('FROM "', 'FROM "wrong_', 1), over(each))))
    ]
    assert brought == []


def test_a_kind_of_which_none_is_open_any_more_is_not_listed(server: Influx) -> None:
    server.make("closed")
    points = (("missing", 2, 60), ("missing", 0, 0), ("blind", 1, 0), ("flapping", 0, 0))
    text = "\n".join(f"findings,kind={kind},severity=major open={n}i {END - ago}" for kind, n, ago in points)
    assert server.write("closed", text.encode(), "s")[0] == 204
    [listed] = [each for each in PANELS if "/ Open by kind /" in each.place]
    answer = server.influxql("closed", influxql(listed.text, over(listed)))
    assert [(series.tags["kind"], series.rows[0][1]) for series in answer] == [("blind", 1)]
    [drawn] = [each for each in PANELS if "/ Open findings by kind /" in each.place]
    shown = {series.tags["kind"] for series in server.influxql("closed", influxql(drawn.text, over(drawn)))}
    assert shown == {"missing", "blind"}
