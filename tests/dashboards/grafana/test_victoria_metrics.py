"""Every PromQL query of every panel, variable, annotation and rule runs on a real VictoriaMetrics, and brings rows."""

import re
import time
from collections.abc import Iterator

import pytest

from dashboards.grafana.model import Variant
from tests.dashboards.grafana.asked import Asked, of_annotations, of_panels, of_variables
from tests.dashboards.grafana.filled_in import Range, Selected, length, promql
from tests.dashboards.grafana.points import EVERY, LASTS, lines
from tests.dashboards.grafana.ruled import of_rules
from tests.servers.influx import Series, Victoria, victoria

END = int(time.time()) // 60 * 60 - 60
PANELS = of_panels(Variant.METRICSQL)
OTHERS = [*of_annotations(Variant.METRICSQL), *of_rules(Variant.METRICSQL)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with victoria(tmp_path_factory.mktemp("full")) as running:
        status, said = running.write(lines(END))
        assert status == 204, said
        yield running


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with victoria(tmp_path_factory.mktemp("empty")) as running:
        yield running


def over(each: Asked) -> Range:
    return Range(END - LASTS, END, max(EVERY, length(each.interval)))


def asked(server: Victoria, each: Asked, looked: Range, chosen: Selected | None = None) -> list[Series]:
    query = promql(each.text, looked, chosen)
    if each.instant:
        return server.instant(query, looked.end)
    return server.over(query, looked.start, looked.end, looked.step)


@pytest.mark.parametrize("each", [*PANELS, *OTHERS], ids=str)
def test_each_query_brings_rows_and_none_of_an_empty_database(server: Victoria, empty: Victoria, each: Asked) -> None:
    assert asked(server, each, over(each)) != []
    assert asked(empty, each, over(each)) == []


@pytest.mark.parametrize("each", of_variables(Variant.METRICSQL), ids=str)
def test_each_variable_has_values_and_none_of_an_empty_database(server: Victoria, empty: Victoria, each: Asked) -> None:
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", each.text)
    assert found is not None
    assert server.values(found[2], found[1], END - LASTS, END) != []
    assert empty.values(found[2], found[1], END - LASTS, END) == []


def test_what_is_chosen_is_all_that_is_shown(server: Victoria) -> None:
    """Each variable in turn: a value leaves its own series, and one that nobody has leaves none."""
    held = 0
    for each in PANELS:
        for name, value in (("service", "web"), ("site", "ams"), ("region", "weu"), ("kind", "blind")):
            if f'"${name}"' not in each.text:
                continue
            held += 1
            answer = asked(server, each, over(each), Selected({name: (value,)}))
            assert answer != [], each
            assert {series.tags[name] for series in answer if name in series.tags} <= {value}, each
            assert asked(server, each, over(each), Selected({name: ("nobody",)})) == [], each
    assert held > 100


def test_what_is_older_than_two_minutes_is_not_shown_as_now(server: Victoria) -> None:
    now = [each for each in PANELS if each.instant and "$__range" not in each.text]
    assert len(now) > 50
    for each in now:
        assert asked(server, each, Range(END - LASTS, END + 300)) == [], each


def test_a_wrong_name_brings_nothing_so_rows_do_prove_names(server: Victoria) -> None:
    for each in PANELS:
        wrong = Asked(each.place, re.sub(r"(over_time|rate)\(", r"\1(wrong_", each.text), "", each.instant)
        assert asked(server, wrong, over(each)) == [], each


def test_a_kind_of_which_none_is_open_any_more_is_not_listed(empty: Victoria) -> None:
    at = END - 86400
    points = (("missing", 2, 60), ("missing", 0, 0), ("blind", 1, 0), ("flapping", 0, 0))
    text = "\n".join(f"findings,kind={kind},severity=major open={n} {at - ago}" for kind, n, ago in points)
    empty.write(text.encode(), "s")
    [listed] = [each for each in PANELS if "/ Open by kind /" in each.place]
    assert [series.tags["kind"] for series in asked(empty, listed, Range(at - LASTS, at))] == ["blind"]
    [drawn] = [each for each in PANELS if "/ Open findings by kind /" in each.place]
    shown = {series.tags["kind"] for series in asked(empty, drawn, Range(at - LASTS, at))}
    assert shown == {"missing", "blind"}
