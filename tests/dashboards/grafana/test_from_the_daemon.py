"""From what a router says to what Grafana shows: a daemon writes into both databases, and panels follow a withdrawal.

No lab: routers are spoken for on loopback, and no agent stands anywhere, so panels over what agents see stay empty.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from dashboards.grafana.model import Variant
from tests.dashboards.grafana import reading_influxql, reading_promql
from tests.dashboards.grafana.asked import Asked, of_panels
from tests.dashboards.grafana.filled_in import Range, influxql, length, promql
from tests.dashboards.grafana.names import Names
from tests.pipeline.watched import WEB, Watched
from tests.servers.influx import Influx, Series, Victoria, influx, victoria

MISSING = f"missing|service=web|prefix={WEB}|region=weu"
SERVERS = """\
influx:
- {{name: old, url: {old}, kind: influxdb-1, bucket: catchment, every: 1s}}
- {{name: metrics, url: {metrics}, kind: victoria-metrics}}
"""
STEPS = 6.0
"""Seconds that each state lasts: enough samples of it, at one a second."""
NOT_HERE = {"probe", "share", "leg", "agent"}
"""Measurements that need an agent."""
SELDOM = {
    ("bmp_stats", "value"): "needs a router that reports statistics",
    ("convergence", "objective"): "needs an intent with one",
    ("convergence", "outage"): "needs an agent",
    ("convergence", "detection"): "needs an agent",
    ("convergence", "remap"): "needs an agent",
    ("convergence", "control_plane"): "needs a site that hears routes",
    ("landing", "loss"): "needs an agent",
    ("change", "local_pref"): "needs a route that has one",
    ("change", "med"): "needs a route that has one",
}
"""Fields that this daemon does not have."""


@dataclass(frozen=True, slots=True)
class Story:
    """When what was so, in seconds since the epoch, and where it was written."""

    old: Influx
    metrics: Victoria
    well: int
    gone: int
    back: int

    @property
    def whole(self) -> Range:
        """All of it."""
        return Range(self.well - 60, self.back, 1)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("told")
    with influx(folder / "old") as old, victoria(folder / "metrics") as metrics:
        old.make("catchment")
        watched = Watched(folder)
        watched.intent.write_text(watched.intent.read_text() + SERVERS.format(old=old.url, metrics=metrics.url))
        try:
            watched.start()
            watched.healthy()
            watched.wait(lambda: watched.presence("weu") == watched.presence("eus") == "present", what="both there")
            well = _later(old)
            watched.withdraw("weu")
            watched.wait(lambda: MISSING in watched.findings("open"), what="missing open")
            gone = _later(old)
            watched.advertise("weu")
            watched.wait(lambda: MISSING not in watched.findings("open"), what="missing cleared")
            back = _later(old)
            watched.stop()
        finally:
            watched.close()
        metrics.flush()
        yield Story(old, metrics, well, gone, back)


def _later(old: Influx) -> int:
    """Some samples later: when the last of them was, and it has arrived."""
    until = int(time.time() + STEPS)
    while not old.influxql("catchment", f"SELECT last(uptime) FROM own WHERE time >= {until}s"):
        time.sleep(0.2)
    return until


def shown(story: Story, each: Asked, looked: Range) -> list[Series]:
    over = Range(looked.start, looked.end, max(looked.step, length(each.interval) if "$window" in each.interval else 1))
    return story.old.influxql("catchment", influxql(each.text, over))


def has_rows(answer: list[Series]) -> bool:
    return any(value is not None for series in answer for row in series.rows for value in row[1:])


def here(names: Names) -> bool:
    """Whether this daemon writes something that a query asks for."""
    return names.measurement not in NOT_HERE and any((names.measurement, each) not in SELDOM for each in names.fields)


@pytest.mark.parametrize(
    "each", [each for each in of_panels(Variant.INFLUXQL) if here(reading_influxql.names(each.text))], ids=str
)
def test_each_panel_that_needs_no_agent_shows_what_the_daemon_wrote(story: Story, each: Asked) -> None:
    assert has_rows(shown(story, each, story.whole))


@pytest.mark.parametrize(
    "each", [each for each in of_panels(Variant.METRICSQL) if here(reading_promql.names(each.text))], ids=str
)
def test_each_panel_without_texts_does_so_too(story: Story, each: Asked) -> None:
    step = length(each.interval) if "$window" in each.interval else 1
    over = Range(story.whole.start, story.whole.end + step, step)  # the last window, too, which Grafana waits for
    query = promql(each.text, over)
    if each.instant:
        assert story.metrics.instant(query, story.whole.end) != []
    else:
        assert story.metrics.over(query, over.start, over.end, over.step) != []


def test_most_panels_need_no_agent() -> None:
    asked = of_panels(Variant.INFLUXQL)
    assert len([each for each in asked if here(reading_influxql.names(each.text))]) > 0.6 * len(asked)


def the(place: str) -> Asked:
    """The query of a panel."""
    [found] = [each for each in of_panels(Variant.INFLUXQL) if each.place.startswith(f"Catchment: {place} / ")]
    return found


def at(story: Story, place: str, when: int, **tags: str) -> list[float]:
    """The first values of the series of a panel that have these tags, as they stood then."""
    answer = shown(story, the(place), Range(when - 30, when))
    return [series.rows[-1][1] for series in answer if tags.items() <= dict(series.tags).items()]


@pytest.mark.parametrize(
    ("place", "tags", "well", "gone", "back"),
    [
        ("overview / State of each service", {"service": "web"}, 0, 1, 0),
        ("overview / Services", {"service": "web"}, 0, 1, 0),
        ("overview / Open incidents by severity", {"severity": "major"}, 0, 1, None),
        ("findings and incidents / missing", {}, 0, 1, 0),
        ("findings and incidents / instance-skew", {}, 0, 0, 0),
    ],
)
def test_a_withdrawal_shows_while_it_lasts(
    story: Story, place: str, tags: Mapping[str, str], well: int, gone: int, back: int | None
) -> None:
    assert at(story, place, story.well, **tags) == [well]
    assert at(story, place, story.gone, **tags) == [gone]
    assert back is None or at(story, place, story.back, **tags) == [back]


@pytest.mark.parametrize(
    ("place", "tags"),
    [
        ("service / Presence by rung", {"region": "weu", "rung": "V1"}),
        ("service / Presence by rung", {"region": "weu", "rung": "V2"}),
        ("region and Route Server / Instance parity", {"region": "weu"}),
        ("region and Route Server / What NVAs advertise", {"region": "weu"}),
    ],
)
def test_the_route_is_absent_exactly_while_it_is_withdrawn_and_only_there(
    story: Story, place: str, tags: Mapping[str, str]
) -> None:
    answer = shown(story, the(place), story.whole)
    here = [series for series in answer if tags.items() <= dict(series.tags).items()]
    there = [series for series in answer if series.tags["region"] == "eus"]
    assert here
    assert there
    for series in here:
        when = {row[0] // 10**9: row[1] for row in series.rows if row[1] is not None}
        assert when[story.well - 1] == 1
        assert when[story.gone - 1] == 0
        assert when[story.back - 1] == 1
    for series in there:
        seen = {row[1] for row in series.rows if row[1] is not None and row[0] // 10**9 >= story.well}
        assert seen == {1}


def test_changes_are_counted_and_told_and_marked(story: Story) -> None:
    counted = shown(story, the("routing changes / Churn"), story.whole)
    gone = [row[1] for series in counted if series.tags["action"] == "withdrawn" for row in series.rows if row[1]]
    assert sum(gone) == 3  # the NVA and both instances of weu
    [told] = shown(story, the("routing changes / AS paths and communities, newest first"), story.whole)
    place = {name: told.columns.index(name) for name in ("action", "region", "what changed", "AS path")}
    withdrawn = [row for row in told.rows if row[place["action"]] == "withdrawn"]
    assert {row[place["region"]] for row in withdrawn} == {"weu"}
    assert all(row[place["what changed"]] for row in told.rows)
    assert any("65010" in str(row[place["AS path"]]) for row in told.rows)


def test_the_finding_leads_to_its_runbook_and_says_how_long_it_lasted(story: Story) -> None:
    [steps] = shown(story, the("findings and incidents / Findings, newest first"), story.whole)
    place = {name: steps.columns.index(name) for name in ("kind", "step", "lasted", "region")}
    missing = [row for row in steps.rows if row[place["kind"]] == "missing" and row[place["region"]] == "weu"]
    assert [row[place["step"]] for row in missing[:1]] == ["cleared"]
    [lasted] = [row[place["lasted"]] for row in missing if row[place["step"]] == "cleared"]
    assert story.gone - story.well - 3 < lasted < story.back - story.well + 3
