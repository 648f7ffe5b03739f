"""Dashboards and anycast/series.py: nothing is asked for that nobody writes, nothing written that nobody asks for."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anycast.series import MEASUREMENTS, Type
from dashboards.grafana.boards import BOARDS
from dashboards.grafana.model import Variant
from dashboards.grafana.targets import in_variant
from tests.dashboards.grafana import reading_influxql, reading_promql
from tests.dashboards.grafana.asked import Asked, of_annotations, of_panels, of_variables
from tests.dashboards.grafana.filled_in import Range, promql
from tests.dashboards.grafana.names import Names, Unknown, Unread, hold, numeric_fields
from tests.dashboards.grafana.ruled import of_rules
from tests.needs import tool

READERS: dict[Variant, Callable[[str], Names]] = {
    Variant.INFLUXQL: reading_influxql.names,
    Variant.METRICSQL: reading_promql.names,
}
NEVER_ASKED: dict[tuple[str, str], str] = {}
"""Numeric fields that no panel and no rule asks for, each with the reason."""


def everything(variant: Variant) -> list[Asked]:
    return [*of_panels(variant), *of_annotations(variant), *of_variables(variant), *of_rules(variant)]


def named(variant: Variant, asked: list[Asked]) -> Iterator[Names]:
    """The names of each query, held against the contract."""
    for each in asked:
        try:
            found = READERS[variant](each.text)
            hold(found)
        except (Unknown, Unread) as error:
            raise AssertionError(f"{each.place}: {error}\n{each.text}") from error
        yield found


@pytest.mark.parametrize("variant", Variant)
def test_every_name_in_every_query_is_one_that_we_write(variant: Variant) -> None:
    asked = everything(variant)
    assert len(asked) > 180
    assert len(list(named(variant, asked))) == len(asked)


@pytest.mark.parametrize("variant", Variant)
def test_every_numeric_field_is_asked_for_by_a_panel_or_a_rule(variant: Variant) -> None:
    asked = [*of_panels(variant), *of_rules(variant)]
    reached = {(found.measurement, field) for found in named(variant, asked) for field in found.fields}
    assert numeric_fields() - reached == set(NEVER_ASKED)


def test_every_text_is_asked_for_where_texts_are_stored_and_nowhere_else() -> None:
    texts = {
        (measurement.name, name)
        for measurement in MEASUREMENTS.values()
        for name, field in measurement.fields.items()
        if field.type is Type.TEXT
    }
    influx = [*of_panels(Variant.INFLUXQL), *of_annotations(Variant.INFLUXQL)]
    reached = {(found.measurement, field) for found in named(Variant.INFLUXQL, influx) for field in found.fields}
    assert texts <= reached
    metrics = everything(Variant.METRICSQL)
    assert not texts & {(each.measurement, name) for each in named(Variant.METRICSQL, metrics) for name in each.fields}


@pytest.mark.parametrize("variant", Variant)
def test_legends_name_only_tags_by_which_their_query_groups(variant: Variant) -> None:
    placeholder = re.compile(r"\$tag_([a-z_]+)" if variant is Variant.INFLUXQL else r"\{\{([a-z_]+)\}\}")
    legends = 0
    for each in [*of_panels(variant), *of_annotations(variant)]:
        for tag in placeholder.findall(each.legend):
            legends += 1
            grouped = each.text.split("GROUP BY")[-1] if variant is Variant.INFLUXQL else each.text
            assert re.search(rf"\b{tag}\b", grouped), f"{each.place}: {tag} is in the legend {each.legend!r} alone"
    assert legends > 100


def test_one_name_that_is_wrong_in_one_query_is_found() -> None:
    """Every name of every query in turn: a reader that lets one pass would hold nothing."""
    changed = 0
    for variant in Variant:
        for each in everything(variant):
            for wrong in _mistaken(each.text, variant):
                changed += 1
                with pytest.raises((Unknown, Unread)):
                    hold(READERS[variant](wrong))
    assert changed > 1500


def _mistaken(query: str, variant: Variant) -> Iterator[str]:
    """The query with one name wrong, once for each name in it that the contract must have."""
    if variant is Variant.METRICSQL:
        yield from _at_each(query, re.compile(r"[a-z_0-9]+(?=[{\[])|(?<=label_values\()[a-z_0-9]+"))  # metrics
        yield from _at_each(query, re.compile(r'[a-z_]+(?=(?:=~|!~|!=|=)")|(?<=by \()[a-z_]+'))  # labels
        return
    aliases = set(re.findall(r'AS ("[^"]*")', query))
    for found in re.finditer(r'"[^"]*"', query):
        before = query[: found.start()].rstrip()
        if not before.endswith("AS") and found[0] not in aliases:
            yield query[: found.start()] + '"wrong_' + query[found.start() + 1 :]


def _at_each(query: str, name: re.Pattern[str]) -> Iterator[str]:
    for found in name.finditer(query):
        yield query[: found.start()] + "wrong_" + query[found.start() :]


@pytest.mark.parametrize(
    "query",
    [
        'SELECT last("health") AS "state" FROM "service" WHERE $timeFilter; DROP SERIES FROM "service"',
        'SELECT last(health) AS "state" FROM "service" WHERE $timeFilter',
        'SELECT * FROM "service" WHERE $timeFilter',
        'SELECT last("health") AS "state" FROM "service"',
        'SELECT last("health") AS "state" FROM "service" WHERE $timeFilter SLIMIT 3',
        "",
    ],
)
def test_what_the_reader_does_not_understand_it_refuses(query: str) -> None:
    with pytest.raises(Unread):
        reading_influxql.names(query)


@pytest.mark.parametrize("query", ["service_health", "max(last_over_time(service_health[5m])) or vector(0)", ""])
def test_promql_that_the_reader_does_not_understand_it_refuses(query: str) -> None:
    with pytest.raises(Unread):
        reading_promql.names(query)


def test_values_that_are_folded_are_told_apart_by_all_their_tags_where_the_last_one_counts() -> None:
    """Of several series in one group the last value is anybody's: a fold across them must be said."""
    for board in BOARDS:
        for panel in (in_variant(each, variant) for each in board.panels for variant in Variant):
            for query in panel.queries:
                fixed = {where.tag for where in query.where if len(where.values) == 1 and not where.negated}
                if any(column.fold in ("last", "rate") for column in query.columns) and query.shape != "events":
                    apart = set(query.by) | fixed
                    assert query.across or apart >= set(query.asked.tags) - _FOLLOWING.get(query.measurement, set()), (
                        f"{board.name} / {panel.title}: {set(query.asked.tags) - apart} are folded by chance"
                    )


_FOLLOWING = {"session": {"region", "site", "rung"}}
"""Tags that have one value for each value of the others: a vantage is of one rung, of one region or site."""


def test_what_is_called_promql_is_promql_by_prometheus_own_word(tmp_path: Path) -> None:
    """VictoriaMetrics forgives more than PromQL allows; who else has these names does not."""
    promtool = tool("promtool", "prometheus")
    over = Range(0, 3600)
    asked = [*of_panels(Variant.METRICSQL), *of_annotations(Variant.METRICSQL), *of_rules(Variant.METRICSQL)]
    rules = [{"record": f"asked:{number}", "expr": promql(each.text, over)} for number, each in enumerate(asked)]
    assert _checked(promtool, tmp_path, rules) == (0, f"SUCCESS: {len(asked)} rules found")
    wrong = [{"record": "asked:wrong", "expr": "max by (service) (last_over_time(service_health[2m])) default 0"}]
    assert _checked(promtool, tmp_path, wrong)[0] != 0


def _checked(promtool: str, folder: Path, rules: list[dict[str, str]]) -> tuple[int, str]:
    file = folder / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip().splitlines()[-1].strip() if done.stdout.strip() else ""
