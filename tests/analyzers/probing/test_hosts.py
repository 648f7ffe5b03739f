"""Where hosts land, from what NVAs hear of each other's pings."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from analyzers.probing import hosts as module
from analyzers.probing.hosts import Hosts
from analyzers.probing.probing import Probing
from anycast.probe import ROTATING, AgentReported, Identity, Outcome, Probe, ProbeResult, Proof
from tests.analyzers.network import START, intent

SECOND = timedelta(seconds=1)


def heard(
    nva: str, at: int, *, target: str = "cph/10.60.1.20", seen: str = "10.250.0.53", rtt: float | None = None
) -> ProbeResult:
    """What an NVA says that it heard."""
    return ProbeResult(
        START + at * SECOND, Probe.REVERSE, target, Outcome.ANSWERED, ROTATING, rtt=rtt,
        identity=Identity(nva[:3], nva), proof=Proof.AUTHENTICATED, seen=seen, detail="weu-nva1",
    )  # fmt: skip


def batch(nva: str, sequence: int, *results: ProbeResult, at: int = 0, late: bool = False) -> AgentReported:
    return AgentReported(START + at * SECOND, nva, f"run-{nva}", sequence, results, late=late)


def folded(*reports: AgentReported) -> Hosts:
    hosts = Hosts(intent())
    for report in reports:
        hosts.apply(report)
    return hosts


def test_a_host_of_a_site_without_an_agent_lands_where_its_reply_is_heard() -> None:
    hosts = folded(batch("weu-nva1", 1, heard("weu-nva1", 0, rtt=0.02)))
    [found] = hosts.catchments()
    assert (found.site, found.host, found.service) == ("cph", "10.60.1.20", "dns")
    assert (found.region, found.nva, found.rtt, found.before) == ("weu", "weu-nva1", 0.02, None)
    assert hosts.landing("cph", "dns", START) == {"weu": 1}


def test_a_host_that_moves_is_told_with_when_and_from_where() -> None:
    hosts = folded(
        batch("weu-nva1", 1, heard("weu-nva1", 0), heard("weu-nva1", 60)),
        batch("eus-nva1", 1, heard("eus-nva1", 120), heard("eus-nva1", 180)),
    )
    [found] = hosts.catchments("cph", "dns")
    assert (found.region, found.before) == ("eus", "weu")
    assert (found.since, found.heard) == (START + 120 * SECOND, START + 180 * SECOND)
    assert hosts.landing("cph", "dns", START + 180 * SECOND) == {"eus": 1}


def test_another_nva_of_the_region_is_no_other_region() -> None:
    hosts = folded(batch("weu-nva1", 1, heard("weu-nva1", 0)), batch("weu-nva2", 1, heard("weu-nva2", 60)))
    [found] = hosts.catchments()
    assert (found.nva, found.region, found.before) == ("weu-nva2", "weu", None)


def test_the_order_in_which_nvas_report_changes_nothing() -> None:
    reports = (
        batch("weu-nva1", 1, heard("weu-nva1", 0)),
        batch("eus-nva1", 1, heard("eus-nva1", 10)),
        batch("weu-nva2", 1, heard("weu-nva2", 20)),
    )
    found = {(each.nva, each.heard) for order in permutations(reports) for each in folded(*order).catchments()}
    assert found == {("weu-nva2", START + 20 * SECOND)}


def test_a_reply_that_is_old_says_nothing_of_now() -> None:
    hosts = folded(batch("weu-nva1", 1, heard("weu-nva1", 0)))
    assert hosts.landing("cph", "dns", START + timedelta(minutes=5)) == {"weu": 1}
    assert hosts.landing("cph", "dns", START + timedelta(minutes=6)) == {}
    assert len(hosts.catchments()) == 1


@pytest.mark.parametrize(
    "result",
    [
        heard("eus-nva1", 0),
        replace(heard("weu-nva1", 0), proof=Proof.MATCHED),
        replace(heard("weu-nva1", 0), outcome=Outcome.SILENT),
        replace(heard("weu-nva1", 0), tainted=True),
        replace(heard("weu-nva1", 0), probe=Probe.ICMP),
        heard("weu-nva1", 0, seen="10.99.0.1"),
        heard("weu-nva1", 0, seen="nowhere"),
    ],
)
def test_an_nva_speaks_for_itself_of_what_it_heard_at_a_service_and_of_nothing_else(result: ProbeResult) -> None:
    assert folded(batch("weu-nva1", 1, result)).catchments() == ()


def test_what_came_late_twice_or_from_a_stranger_is_nothing() -> None:
    once = batch("weu-nva1", 1, heard("weu-nva1", 0))
    hosts = folded(
        once,
        replace(once, results=(heard("weu-nva1", 0, target="ams/10.20.0.5"),)),
        batch("eus-nva1", 1, heard("eus-nva1", 60), late=True),
        batch("xyz-nva9", 1, heard("xyz-nva9", 60)),
    )
    assert [(each.host, each.nva) for each in hosts.catchments()] == [("10.60.1.20", "weu-nva1")]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    results = (heard("weu-nva1", 0, target=f"ams/10.20.0.{number}") for number in range(5))
    hosts = folded(batch("weu-nva1", 1, *results), batch("eus-nva1", 1, heard("eus-nva1", 9, target="ams/10.20.0.0")))
    assert [(each.host, each.nva) for each in hosts.catchments()] == [
        ("10.20.0.0", "eus-nva1"),
        ("10.20.0.1", "weu-nva1"),
    ]


def test_a_later_intent_keeps_what_it_still_names() -> None:
    hosts = folded(batch("weu-nva1", 1, heard("weu-nva1", 0), heard("weu-nva1", 0, seen="10.250.0.10")))
    now = intent()
    hosts.learn(replace(now, services=tuple(service for service in now.services if service.name == "web")))
    assert [each.service for each in hosts.catchments()] == ["web"]
    hosts.learn(replace(now, regions=tuple(region for region in now.regions if region.name == "eus")))
    assert hosts.catchments() == ()


def test_the_fold_over_what_agents_report_takes_nvas_beside_sites() -> None:
    probing = Probing(intent())
    probing.apply(batch("weu-nva1", 1, heard("weu-nva1", 0)))
    assert [each.nva for each in probing.hosts.catchments()] == ["weu-nva1"]
    assert probing.sites == {}
