"""Each panel has a fault that changes what it shows, and while nothing is wrong it shows the same."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from anycast.finding import Kind
from dashboards.grafana.model import Variant
from tests.dashboards.grafana.asked import Asked, of_panels
from tests.dashboards.grafana.filled_in import Range, influxql, promql
from tests.dashboards.grafana.simulated import AGAIN, FAULTS, NOTHING, Story, told
from tests.servers.influx import Influx, Series, Victoria, influx, victoria

pytestmark = pytest.mark.timeout(400)

BY_FAULT: Mapping[str, tuple[str, ...]] = {
    "an NVA swallows packets": (
        "overview / Open findings by severity",
        "overview / Open incidents by severity",
        "overview / Open incidents by cause",
        "overview / Open findings by kind",
        "overview / Incidents, newest first",
        "overview / Findings, newest first",
        "service / Loss",
        "service / Loss by leg",
        "service / Legs now",
        "service / Probes sent and lost",
        "site / Loss",
        "site / Loss by leg",
        "site / Legs now",
        "site / Probes sent and lost",
        "findings and incidents / Open by kind",
        "findings and incidents / Open over time",
        "findings and incidents / Opened and cleared",
        "findings and incidents / Findings, newest first",
        "findings and incidents / Incidents, newest first",
        "findings and incidents / Steps of incidents",
        "findings and incidents / Findings in incidents",
    ),
    "traffic moves": (
        "overview / Where sites land",
        "overview / Shares by region",
        "service / Catchment by site",
        "service / Landing now",
        "service / Shares over time",
        "site / Landing of each service",
        "site / Regions now",
        "site / Shares over time",
        "site / Shares, and how sure they are",
    ),
    "a region is withdrawn": (
        "overview / State of each service",
        "overview / State over time",
        "overview / Services",
        "service / Presence by rung",
        "service / Routes now",
        "site / Where BGP leads",
        "site / Routes at the edge",
        "site / Equal paths at the edge",
        "region and Route Server / Instance parity",
        "region and Route Server / Paths by instance",
        "region and Route Server / What NVAs advertise",
        "region and Route Server / Regions present, of those meant",
        "convergence and drills / Outage against objective",
        "convergence and drills / Longest outage by site",
        "convergence and drills / Probes lost",
        "convergence and drills / Distribution of outage",
        "convergence and drills / Distribution of detection",
        "convergence and drills / Distribution of control plane",
        "convergence and drills / Distribution of remap",
        "convergence and drills / Each drill and each failure",
        "convergence and drills / Parts of convergence",
        "convergence and drills / Path hunting",
        "convergence and drills / How soon incidents were told, and how long they lasted",
        "routing changes / Churn",
        "routing changes / Flaps",
        "routing changes / Changes by vantage",
        "routing changes / AS paths and communities, newest first",
        "findings and incidents / How long findings lasted",
    ),
    "a route changes its attributes": (
        "routing changes / Length of AS paths",
        "routing changes / Preference",
        "region and Route Server / What routers count",
    ),
    "a session ends": (
        "site / Sessions of the site's routers",
        "region and Route Server / Sessions",
        "region and Route Server / Timers",
        "region and Route Server / Routes against the limit",
    ),
    "a timer changes": ("region and Route Server / Hold time",),
    "a feed is cut": ("its own health / Feeds connected", "its own health / Messages and routes by feed"),
    "distances grow": (
        "service / Latency by region that answered",
        "service / Spread of round trips",
        "service / Latency by leg",
        "site / Latency by region that answered",
        "site / Spread of round trips",
        "site / Latency by leg",
    ),
    "an agent lags": ("site / The agent's clock and loop", "its own health / Agents that lag"),
    "an agent is lost": ("site / Agent", "its own health / Agents", "its own health / Results of agents"),
    "Catchment ails": (
        "its own health / Now",
        "its own health / Loop",
        "its own health / Commit",
        "its own health / Not committed",
        "its own health / Data folder",
        "its own health / Notifications",
        "its own health / Behind this database",
        "its own health / Points that are not here",
        "its own health / Sinks that fail",
        "its own health / Connections refused",
        "its own health / Uptime",
        "its own health / Not taken as it stood",
        "its own health / Results given up",
    ),
}
KINDS_BY_FAULT: Mapping[str, tuple[Kind, ...]] = {
    "an NVA swallows packets": (Kind.DEAD_LEG,),
    "traffic moves": (Kind.MISROUTED, Kind.CATCHMENT_SHIFT),
    "a region is withdrawn": (Kind.MISSING, Kind.REDUNDANCY_LOW, Kind.BACKUP_ACTIVE, Kind.HEALTHY_BUT_SILENT),
    "a route changes its attributes": (Kind.PREPEND_ADDED, Kind.ECMP_SHRUNK),
    "a session ends": (Kind.SESSION_DOWN,),
    "a feed is cut": (Kind.BLIND,),
    "distances grow": (Kind.LATENCY_SHIFT,),
    "an agent lags": (Kind.AGENT_TAINTED, Kind.CLOCK_WRONG),
    "an agent is lost": (Kind.AGENT_LOST,),
}
"""Of the panels of single kinds, which are all made alike, those that these faults bring about."""
UNMOVED = {
    "its own health / Memory": "of this very process",
    "its own health / File descriptors": "of this very process",
}
NEVER_STILL = {
    "site / Regions now": "more answers make shares surer",
    "site / Shares, and how sure they are": "more answers make shares surer",
}
ENOUGH = 0.4
"""A part by which a number must differ, to be another one and not chance."""
Values = Mapping[tuple[tuple[tuple[str, str], ...], str], list[object]]


@dataclass(frozen=True, slots=True)
class Shown:
    """The story in both databases."""

    story: Story
    old: Influx
    metrics: Victoria

    def influx(self, each: Asked, fault: str) -> Values:
        """What a panel shows while a fault lasts."""
        begin, end = self.story.when[fault]
        return _values(self.old.influxql("catchment", influxql(each.text, Range(begin, end, 2))))

    def victoria(self, each: Asked, fault: str) -> Values:
        """The same from the other database."""
        begin, end = self.story.when[fault]
        query = promql(each.text, Range(begin, end, 2), every=2)
        return _values(self.metrics.instant(query, end) if each.instant else self.metrics.over(query, begin, end, 2))


def _values(answer: list[Series]) -> Values:
    found = {}
    for series in answer:
        for place, column in enumerate(series.columns):
            values = [row[place] for row in series.rows if row[place] is not None]
            if column != "time" and values:
                found[tuple(sorted(series.tags.items())), column] = values
    return found


def differ(one: Values, other: Values) -> bool:
    """Whether two answers show something else: other series, other words, or numbers of another size."""
    if one.keys() != other.keys():
        return True
    return any(_apart(values, other[name]) for name, values in one.items())


def _apart(one: list[object], other: list[object]) -> bool:
    numbers = [[each for each in values if isinstance(each, int | float)] for values in (one, other)]
    if not all(numbers):
        return set(one) != set(other)
    pairs = ((fold(numbers[0]), fold(numbers[1])) for fold in (max, min))
    return any(abs(a - b) > max(1e-3, ENOUGH * max(abs(a), abs(b))) for a, b in pairs)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    story = told(int(time.time()) - 120)
    folder = tmp_path_factory.mktemp("faults")
    with influx(folder / "old") as old, victoria(folder / "metrics") as metrics:
        old.make("catchment")
        rows = story.lines.split(b"\n")
        for start in range(0, len(rows), 20_000):
            part = b"\n".join(rows[start : start + 20_000])
            assert old.write("catchment", part)[0] == metrics.write(part)[0] == 204
        yield Shown(story, old, metrics)


def panels(variant: Variant) -> dict[str, list[Asked]]:
    """The queries of each panel by dashboard and title."""
    found: dict[str, list[Asked]] = {}
    for each in of_panels(variant):
        place = each.place.removeprefix("Catchment: ").rsplit(" / ", 1)[0]
        found.setdefault(place, []).append(each)
    return found


def of_kinds() -> set[str]:
    return {f"findings and incidents / {kind}" for kind in Kind}


def test_every_panel_is_held_to_a_fault_or_has_a_reason_not_to_be() -> None:
    held = [place for places in BY_FAULT.values() for place in places]
    assert len(set(held)) == len(held)
    for variant in Variant:
        assert set(panels(variant)) - of_kinds() == set(held) | set(UNMOVED)
    assert {NOTHING, AGAIN, *BY_FAULT} == {fault.name for fault in FAULTS}


Ask = Callable[[Shown, Asked, str], Values]
BOTH = pytest.mark.parametrize(
    ("variant", "ask"),
    [(Variant.INFLUXQL, Shown.influx), (Variant.METRICSQL, Shown.victoria)],
    ids=["influxql", "metricsql"],
)


@BOTH
def test_each_panel_shows_its_fault(shown: Shown, variant: Variant, ask: Ask) -> None:
    asked = panels(variant)
    blind = [
        f"{place}: {fault}"
        for fault, places in BY_FAULT.items()
        for place in places
        if not any(differ(ask(shown, each, NOTHING), ask(shown, each, fault)) for each in asked[place])
    ]
    assert blind == []


@BOTH
def test_while_nothing_is_wrong_each_panel_shows_the_same(shown: Shown, variant: Variant, ask: Ask) -> None:
    asked = panels(variant)
    restless = {
        place
        for places in BY_FAULT.values()
        for place in places
        if any(differ(ask(shown, each, NOTHING), ask(shown, each, AGAIN)) for each in asked[place])
    }
    assert restless <= set(NEVER_STILL)


@BOTH
def test_a_panel_of_a_kind_shows_it_while_its_fault_lasts_and_not_before(
    shown: Shown, variant: Variant, ask: Ask
) -> None:
    asked = panels(variant)
    for fault, kinds in KINDS_BY_FAULT.items():
        for kind in kinds:
            [query] = asked[f"findings and incidents / {kind}"]
            [before] = ask(shown, query, NOTHING).values()
            [during] = ask(shown, query, fault).values()
            assert before == [0], kind
            assert isinstance(during[0], int | float), kind
            assert during[0] >= 1, kind
