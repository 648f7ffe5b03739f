"""How sites come to rest: what is measured of it, and when it is told as too slow."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from analyzers.memory import restore, snapshot
from analyzers.probing.plane import Plane
from anycast.convergence import Episode
from anycast.finding import Finding, Kind, Severity
from anycast.observation import DownReason
from anycast.probe import Outcome, Probe, ProbeResult, Target, TargetKind
from tests.analyzers.network import MSEES, WEB, Network, best_route, best_source, msee_source, nva_source, rs_source
from tests.analyzers.probing.agent import EUS1, WEU1, WEU2, Agent, Probed, with_agents


def site(*agents: Agent, **thresholds: timedelta) -> Probed:
    meant = with_agents("ams")
    limits = replace(meant.thresholds, **thresholds)  # type: ignore[arg-type]
    return Probed(*(agents or (Agent("ams"),)), network=Network(replace(meant, thresholds=limits)))


DIRECT = {"converge_expressroute": timedelta(seconds=3)}
"""As where no gateway lies between: the network of the tests shows ExpressRoute's AS at its sites."""


def episodes(probed: Probed, where: str = "ams") -> list[Episode]:
    return [e for e in probed.network.view.convergence.episodes if e.site == where and e.prefix == str(WEB)]


def slow(probed: Probed) -> list[Finding]:
    return [finding for finding in probed.found(Kind.SLOW_CONVERGENCE) if finding.subject.site == "ams"]


def after(probed: Probed, limit: float) -> float | None:
    """Return how long it takes until the site is told as slow."""
    for step in range(int(limit * 4)):
        if slow(probed.wait(0.25)):
            return (step + 1) / 4
    return None


def gone_beside(network: Network, region: str) -> None:
    for n in (1, 2):
        network.withdraw(nva_source(f"{region}-nva{n}"), WEB)
    for n in (0, 1):
        network.withdraw(rs_source(f"{region}-rs{n}"), WEB)


def gone_at(network: Network, where: str, region: str) -> None:
    for msee in MSEES:
        if msee.startswith(region):
            network.withdraw(msee_source(where, msee), WEB)
    network.announce(best_source(where), WEB, best_route(where, "eus"))


def seconds(value: float | None) -> float:
    assert value is not None
    return value


def test_a_withdrawal_that_is_followed_at_once_is_measured_and_not_told() -> None:
    probed = site().wait(10)
    began = probed.now
    gone_beside(probed.network, "weu")
    probed.wait(0.5)
    gone_at(probed.network, "ams", "weu")
    probed.agent.lands = lambda flow: EUS1
    for _ in range(60):
        probed.wait(0.25)
        assert slow(probed) == []
    (episode,) = episodes(probed)
    assert (episode.first, episode.region) == ("withdrawn at weu-nva1 (V1)", "weu")
    assert episode.began == began
    assert (episode.detection, episode.outage, episode.lost) == (None, 0.0, 0)
    assert seconds(episode.control_plane) == pytest.approx(0.5, abs=0.1)
    assert seconds(episode.remap) == pytest.approx(1.0, abs=0.3)


def test_an_nva_that_dies_in_silence_is_measured_from_the_first_lost_probe() -> None:
    probed = site().wait(10)
    probed.agent.lands = lambda flow: None
    began = probed.now
    probed.wait(6.5)
    probed.network.down(nva_source("weu-nva1"), DownReason.LOCAL_NOTIFICATION, "hold timer expired")
    gone_beside(probed.network, "weu")
    gone_at(probed.network, "ams", "weu")
    probed.agent.lands = lambda flow: EUS1
    probed.wait(12)
    (episode,) = episodes(probed)
    assert episode.first == "probes were lost"
    assert abs(episode.began - began) < timedelta(seconds=0.3)
    assert seconds(episode.detection) == pytest.approx(6.5, abs=0.3)
    assert seconds(episode.outage) == pytest.approx(6.5, abs=0.6)
    assert seconds(episode.remap) == pytest.approx(7.0, abs=0.5)
    assert episode.lost == pytest.approx(6.5 * 32, abs=8)
    assert slow(probed) == []


def with_control(alive: bool, **thresholds: timedelta) -> Probed:
    """A site whose flows go to weu-nva1, which is asked at its own address too."""
    agent = Agent("ams", lands=lambda flow: (WEU1, WEU2)[flow % 2])
    agent.targets += (Target("weu-nva1", TargetKind.NVA, None, "weu", "weu-nva1"),)
    probed = site(agent, **thresholds)
    asked(probed, 20, True)
    agent.lands = lambda flow: (None, WEU2)[flow % 2]
    return probed


def asked(probed: Probed, length: float, alive: bool) -> list[float]:
    """Let time pass, with the control alive or dead; return after how long it was told as slow."""
    told = []
    for n in range(int(length * 4)):
        outcome = Outcome.ANSWERED if alive else Outcome.SILENT
        at = probed.now - timedelta(seconds=0 if alive else 1)
        probed.agent.extra.append(ProbeResult(at, Probe.ICMP, "weu-nva1", outcome, rtt=0.02 if alive else None))
        probed.wait(0.25)
        told += [(n + 1) / 4] if slow(probed) else []
    return told


def test_a_hold_time_that_takes_longer_than_meant_is_told_when_the_one_meant_is_over() -> None:
    probed = with_control(alive=False, **DIRECT)
    told = asked(probed, 20, alive=False)
    assert told[0] == pytest.approx(9 + 3 + 1, abs=0.75)  # hold time, slack, and the time limit of a probe
    (found,) = slow(probed)
    assert (found.subject.region, found.subject.site, found.severity) == ("weu", "ams", Severity.MAJOR)
    assert ("objective", "12 s: a hold time of 9 s must run out") in found.evidence
    probed.agent.lands = lambda flow: WEU2
    asked(probed, 10, alive=False)
    assert slow(probed) == []


def test_loss_behind_an_nva_that_lives_is_no_matter_of_convergence() -> None:
    probed = with_control(alive=True, **DIRECT)
    assert asked(probed, 30, alive=True) == []


def test_loss_before_a_withdrawal_that_ends_it_is_not_counted_as_convergence() -> None:
    probed = with_control(alive=True, **DIRECT)
    assert asked(probed, 30, alive=True) == []
    gone_beside(probed.network, "weu")
    gone_at(probed.network, "ams", "weu")
    probed.agent.lands = lambda flow: EUS1
    assert asked(probed, 15, alive=True) == []


def test_flows_that_do_not_follow_a_withdrawal_are_told() -> None:
    probed = site(Agent("ams", lands=lambda flow: (WEU1, EUS1)[flow % 2]), **DIRECT).wait(10)
    gone_beside(probed.network, "weu")
    gone_at(probed.network, "ams", "weu")
    probed.agent.lands = lambda flow: (None, EUS1)[flow % 2]
    assert after(probed, 8) == pytest.approx(4.5, abs=0.75)


def test_a_route_that_outlives_its_region_is_told_when_the_gateways_time_is_over() -> None:
    probed = site().wait(10)
    began = probed.now
    gone_beside(probed.network, "weu")
    assert after(probed, 80) == pytest.approx(75.25, abs=0.3)
    (found,) = slow(probed)
    assert found.since == began
    gone_at(probed.network, "ams", "weu")
    probed.wait(1)
    assert slow(probed) == []
    probed.wait(10)
    (episode,) = episodes(probed)  # the withdrawal at the site belongs to the one a minute before
    assert episode.began == began
    assert seconds(episode.control_plane) == pytest.approx(75.25, abs=1)


def test_bfd_leaves_no_time_for_a_hold_time() -> None:
    probed = site(Agent("ams", lands=lambda flow: (WEU1, EUS1)[flow % 2]), **DIRECT).wait(10)
    probed.network.down(nva_source("weu-nva1"), DownReason.REMOTE_NOTIFICATION, "Cease/BFD Down")
    gone_beside(probed.network, "weu")
    assert after(probed, 5) == pytest.approx(1.25, abs=0.3)
    assert any("1 s: BFD watches the session" in text for _, text in slow(probed)[0].evidence)


def test_a_site_that_is_cut_off_converges_to_nothing_and_nobody_is_blamed() -> None:
    agent = Agent("ams", canaries=4)
    agent.targets += (Target("way out", TargetKind.GATEWAY),)
    probed = site(agent, **DIRECT)
    for n in range(160):
        out = n >= 80
        agent.lands = lambda flow, out=out: None if out else WEU1  # type: ignore[misc]
        outcome = Outcome.SILENT if out else Outcome.ANSWERED
        agent.extra.append(ProbeResult(probed.now, Probe.ICMP, "way out", outcome, rtt=None if out else 0.001))
        probed.wait(0.25)
        assert slow(probed) == []


def test_three_tenths_of_a_second_of_total_loss_are_measured_and_told_to_nobody() -> None:
    probed = site().wait(80)
    probed.agent.lands = lambda flow: None
    probed.wait(0.25)
    probed.agent.lands = lambda flow: WEU1
    for _ in range(60):
        probed.wait(0.25)
        assert probed.alarms() == set()
    (episode,) = episodes(probed)
    assert (episode.detection, episode.control_plane) == (None, None)
    assert seconds(episode.outage) < 0.3


def test_rare_loss_is_no_event() -> None:
    plane, random = Plane(), Random(3)
    for n in range(64 * 3600):
        if random.random() < 0.001:
            plane.loss(n / 64, n % 32)
        else:
            plane.answer(n / 64, n % 32, "weu", "weu-nva1")
    assert len(plane.bursts) <= 2  # three of a thousand within one second, now and then
    assert all(burst.lost <= 4 for burst in plane.bursts)
    assert not plane.moves


@pytest.mark.parametrize("part", [0.02, 0.05])
def test_loss_that_is_always_there_is_no_burst(part: float) -> None:
    plane, random = Plane(), Random(4)
    for n in range(64 * 600):
        (plane.loss if random.random() < part else lambda at, flow: plane.answer(at, flow, "weu", ""))(n / 64, n % 32)
    assert max((burst.last - burst.first for burst in plane.bursts), default=0.0) < 5


def test_a_plane_is_bounded() -> None:
    plane = Plane()
    for n in range(20_000):
        plane.answer(float(n), n, f"region{n % 7}", "nva")
        plane.answer(float(n), n % 16, f"region{n % 7}", "nva")
        for m in range(4):
            plane.loss(n + m / 8, m)
    assert len(plane.bursts) <= 64
    assert len(plane.moves) <= 64
    assert len(plane._places) <= 256
    assert len(plane._losses) <= 256


def test_episodes_survive_a_restart_and_are_bounded() -> None:
    probed = site().wait(5)
    for _ in range(3):
        gone_beside(probed.network, "weu")
        gone_at(probed.network, "ams", "weu")
        probed.wait(20)
        probed.network.heal()
        probed.wait(20)
    kept = probed.network.view.convergence
    assert len(episodes(probed)) == 6
    again = restore(probed.network.intent, snapshot(probed.network.view), probed.now).convergence
    assert again.plain() == kept.plain()
    assert sorted(again.episodes, key=str) == sorted(kept.episodes, key=str)
    assert kept.episodes.maxlen == 256


def test_what_differs_after_a_gap_has_no_time_and_is_no_episode() -> None:
    probed = site().wait(5)
    probed.network.cut("gobgp")
    probed.network.table = {key: value for key, value in probed.network.table.items() if key[1] != WEB}
    probed.wait(30)
    probed.network.reconnect("gobgp")
    probed.wait(20)
    assert [episode for episode in episodes(probed) if "withdrawn" in episode.first] == []
    assert slow(probed) == []


def test_how_often_time_is_told_changes_nothing() -> None:
    kept = []
    for step in (0.25, 0.05):
        network = Network()
        gone_beside(network, "weu")
        for n in range(int(40 / step)):
            if n == int(20 / step):
                gone_at(network, "ams", "weu")
            network.wait(step)
        network.wait(1)
        kept.append([e for e in snapshot(network.view)["episodes"] if e["site"] == "ams"])
    assert len(kept[0]) == len(kept[1]) == 1
    assert [e["control_plane"] for e in kept[0]] == pytest.approx([e["control_plane"] for e in kept[1]], abs=0.3)
