"""Metrics of where sites land: they parse, agree with what is shown, and leave out what cannot be believed."""

from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from anycast.catchment import AgentState, LegKind, LegState
from pipeline.landing_metrics import MOST_LEGS, LandingCollector
from tests.dashboards.landing import Lands, agent, catchment, moved
from tests.dashboards.scene import HOSTILE

ORDER = ("site", "service", "region", "kind", "leg", "fit", "quantile")
Samples = dict[str, dict[tuple[str, ...], float]]


def scraped(lands: Lands) -> Samples:
    """Samples by name and the values of their labels."""
    registry = CollectorRegistry()
    registry.register(LandingCollector(lands))
    found: Samples = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        assert family.documentation
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in ORDER if name in sample.labels)
            assert len(labels) == len(sample.labels)
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_shares_loss_round_trips_and_legs_are_those_that_are_shown() -> None:
    found = scraped(Lands(catchments=(catchment(), moved("nyc", "dns"))))
    assert found["catchment_site_share_ratio"] == {
        ("ams", "web", "weu"): 1.0, ("ams", "web", "eus"): 0.0,
        ("nyc", "dns", "weu"): 0.12, ("nyc", "dns", "eus"): 0.88,
    }  # fmt: skip
    assert found["catchment_site_share_low_ratio"]["nyc", "dns", "eus"] == 0.82
    assert found["catchment_site_share_high_ratio"]["nyc", "dns", "eus"] == 0.92
    assert found["catchment_site_loss_ratio"]["ams", "web"] == 0.0017
    trips = found["catchment_site_round_trip_seconds"]
    assert [trips["ams", "web", "weu", q] for q in ("0", "0.5", "0.9", "0.99", "1")] == [
        0.0098, 0.0104, 0.0131, 0.019, 0.044,
    ]  # fmt: skip
    assert ("ams", "web", "eus", "0.5") not in trips
    assert found["catchment_leg_loss_ratio"]["ams", "web", "nva", "weu-nva2"] == 0.21
    assert found["catchment_leg_flows"]["ams", "web", "circuit", "172.16.0.1"] == 16
    assert found["catchment_site_fit"] == {("ams", "web", "as-meant"): 1.0, ("nyc", "dns", "against-bgp"): 1.0}


def test_what_an_agent_that_is_not_heard_saw_last_is_no_metric_of_now() -> None:
    for state in set(AgentState) - {AgentState.HEARD}:
        lands = Lands(catchments=(catchment(agent=state),), of_agents=(agent(state=state),))
        found = scraped(lands)
        assert "catchment_site_share_ratio" not in found
        assert "catchment_leg_loss_ratio" not in found
        assert found["catchment_site_fit"] == {("ams", "web", "unseen"): 1.0}
        here = state in (AgentState.NEW, AgentState.TAINTED)
        assert found["catchment_agent_up"] == {("ams",): float(here)}
        assert ("catchment_agent_loop_lag_seconds" in found) is here
        assert found["catchment_agent_heard_age_seconds"]["ams",] > 0
        never = replace(lands, of_agents=(agent(state=state, heard=None),))
        assert "catchment_agent_heard_age_seconds" not in scraped(never)


def test_agents_say_how_they_are() -> None:
    tainted = agent("nyc", state=AgentState.TAINTED, tainted=0.31, skew=None)
    found = scraped(Lands(of_agents=(agent(), tainted, agent("weu-nva1", nva=True))))
    assert found["catchment_agent_up"] == {("ams",): 1.0, ("nyc",): 1.0}
    assert found["catchment_agent_tainted_ratio"]["nyc",] == 0.31
    assert found["catchment_agent_clock_skew_seconds"] == {("ams",): 0.0034}


def test_names_that_an_agent_makes_up_make_no_series() -> None:
    [leg, *_] = catchment().legs
    made_up = [replace(leg, name=f"{HOSTILE}{n}") for n in range(100)] + [replace(leg, name="x" * 64)]
    many = [replace(leg, name=f"nva{n}", kind=LegKind.NVA, state=LegState.FINE) for n in range(100)]
    found = scraped(Lands(catchments=(catchment(legs=(*made_up, *many)),)))
    assert len(found["catchment_leg_loss_ratio"]) == MOST_LEGS
    assert {labels[3][:3] for labels in found["catchment_leg_loss_ratio"]} == {"nva"}
