"""One cause for each kind that applications, ways, transfers, canaries and agents make, done to a healthy network."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from anycast.finding import Kind
from anycast.probe import Identity, Outcome, Probe, ProbeResult, Target, TargetKind
from tests.analyzers.network import WEB, Network, nva_source, rs_source
from tests.analyzers.probing.agent import Agent, Probed

Cause = Callable[[Network], None]


def _agent(bend: Callable[[Agent], None], seconds: float) -> Cause:
    """An agent reports for long enough to be learnt from; then something changes, and time passes."""

    def cause(network: Network) -> None:
        site = Probed(Agent("ams"), network=network).wait(80)
        bend(site.agent)
        site.wait(seconds)

    return cause


def _set(**parts: object) -> Callable[[Agent], None]:
    def bend(agent: Agent) -> None:
        for name, value in parts.items():
            setattr(agent, name, value)

    return bend


def _nearer(network: Network) -> None:
    meant = network.intent
    network.intent = replace(meant, sites=tuple(replace(site, tiers=()) for site in meant.sites))
    network.view.reconfigure(network.intent)
    agent = Agent("ams", rtt=0.06)
    agent.targets += (Target("eus-nva1", TargetKind.NVA, None, "eus", "eus-nva1"),)
    site = Probed(agent, network=network)
    for _ in range(320):
        agent.extra.append(ProbeResult(site.now, Probe.ICMP, "eus-nva1", Outcome.ANSWERED, rtt=0.01))
        site.wait(0.25)


def _stands_still(network: Network) -> None:
    for n in (1, 2):
        network.withdraw(nva_source(f"weu-nva{n}"), WEB)
        network.withdraw(rs_source(f"weu-rs{n - 1}"), WEB)
    network.wait(76)


def _lost(network: Network) -> None:
    network.intent = replace(
        network.intent, sites=tuple(replace(site, agent=site.name == "ams") for site in network.intent.sites)
    )
    network.view.reconfigure(network.intent)
    Probed(Agent("ams"), network=network).wait(5)
    network.wait(11)


def _two(network: Network) -> None:
    Probed(Agent("ams"), Agent("ams", run="second"), network=network).wait(8)


def _sizes(network: Network) -> None:
    site = Probed(Agent("ams"), network=network).wait(5)
    for n in range(3):
        for size in (1400, 1500):
            outcome = Outcome.SILENT if n and size == 1500 else Outcome.ANSWERED
            site.agent.extra.append(ProbeResult(site.now, Probe.MTU, "web", outcome, value=float(size)))
            site.wait(1)


def _transfers(network: Network) -> None:
    site = Probed(Agent("ams"), network=network).wait(5)
    for speed in (1e7, 1e7, 1e7, 1e6):
        at = site.now - timedelta(seconds=1)
        site.agent.extra.append(ProbeResult(at, Probe.THROUGHPUT, "web", Outcome.ANSWERED, rtt=1.0, value=speed))
        site.wait(1)


def _forged(network: Network) -> None:
    site = Probed(Agent("ams"), network=network).wait(5)
    forged = Identity("weu", "weu-nva1")
    site.agent.extra.append(ProbeResult(site.now, Probe.UDP, "web", Outcome.INVALID, 1, identity=forged))
    site.wait(0.25)


def _reset(network: Network) -> None:
    site = Probed(Agent("ams", canaries=4), network=network).wait(5)
    for canary in (0, 1):
        site.agent.extra.append(ProbeResult(site.now, Probe.CANARY, "web", Outcome.RESET, canary, value=5.0))
    site.wait(0.25)


CAUSES: dict[Kind, Cause] = {
    Kind.LATENCY_SHIFT: _agent(_set(more=lambda flow, at: 0.02), 5),
    Kind.SUBOPTIMAL_REGION: _nearer,
    Kind.JITTER: _agent(_set(jitter=lambda random: abs(random.gauss(0.03, 0.015))), 10),
    Kind.THROUGHPUT_DROP: _transfers,
    Kind.MTU_BLACKHOLE: _sizes,
    Kind.SLOW_CONVERGENCE: _stands_still,
    Kind.TCP_BREAK: _reset,
    Kind.APP_SLOW: _agent(_set(first_byte=0.8), 6),
    Kind.APP_ERRORS: _agent(_set(broken=1.0), 6),
    Kind.IDENTITY_INVALID: _forged,
    Kind.AGENT_LOST: _lost,
    Kind.AGENT_TAINTED: _agent(_set(tainted=0.3), 12),
    Kind.AGENT_DUPLICATE: _two,
    Kind.CLOCK_WRONG: _agent(_set(skew=90.0), 1),
    Kind.RESPONDER_SLOW: _agent(_set(held=0.08), 5),
}
