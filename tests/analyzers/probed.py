"""The network with agents at its sites: probes that are sent, lost and answered by a seeded world, batch by batch.

The world decides by what path a probe goes (region, NVA, circuit) and what becomes of it there. Answers are known a
round trip after they were sent, losses a second after; both leave with the agent's next batch, every 0.25 s at a phase
of its own. So what is measured here holds for agents: only their own host and the way to us are left out.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from random import Random

from alerts.ledger import Ledger
from anycast.finding import Finding, Kind, Record, State, Step, Transition
from anycast.intent import HoldDown, Intent, Site
from anycast.kinds import KINDS
from anycast.probe import (
    ROTATING,
    AgentReported,
    Identity,
    Outcome,
    Probe,
    ProbeResult,
    Proof,
    Target,
    TargetKind,
)
from tests.analyzers.network import NET, Network, Table, _edge, intent

ADDRESSES = {"web": "10.250.0.10", "dns": "10.250.0.53", "vdi": "10.250.8.1"}
CIRCUITS = {
    ("ams", "weu"): ("172.16.0.1", "172.16.0.5"),
    ("ams", "eus"): ("172.16.1.1", "172.16.1.5"),
    ("nyc", "weu"): ("172.17.0.1", "172.17.0.5"),
    ("nyc", "eus"): ("172.17.1.1", "172.17.1.5"),
}
RTT = {("ams", "weu"): 0.010, ("ams", "eus"): 0.080, ("nyc", "weu"): 0.080, ("nyc", "eus"): 0.012}
FLOWS = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """One probe on its way."""

    at: datetime
    site: str
    target: str
    kind: TargetKind
    probe: Probe
    flow: int
    region: str
    nva: str
    circuit: str


Fate = Callable[[Asked], Outcome | None]
"""What a fault makes of a probe; None where it does not touch it."""


@dataclass(slots=True)
class Beat:
    """Something that is sent again and again."""

    target: Target
    probe: Probe
    every: float
    flow: int = ROTATING


@dataclass
class Agent:
    """One site's agent."""

    site: str
    phase: float
    run: str
    sequence: int = 0
    alive: bool = True
    tainted: float = 0.0
    waiting: list[tuple[datetime, int, ProbeResult]] = field(default_factory=list)
    """Results by the time at which they are known."""


def probed_intent(agents: Iterable[str] = ("ams", "nyc"), **parts: object) -> Intent:
    """The network's intent, with an agent at some sites."""
    lp, ours = {"weu": 200, "eus": 100}, tuple(agents)
    sites = (
        Site("ams", (_edge("ams-ce1"),), (("weu",), ("eus",)), local_pref=lp, agent="ams" in ours),
        Site("nyc", (_edge("nyc-ce1"),), (("weu", "eus"),), agent="nyc" in ours),
    )
    return intent(**({"sites": sites} | parts))


class Probed(Network):
    """The network, its agents, and a ledger that is judged four times a second."""

    def __init__(
        self,
        seed: int = 1,
        services: Iterable[str] = ("web",),
        sites: Iterable[str] = ("ams", "nyc"),
        meant: Intent | None = None,
        table: Table | None = None,
        controls: bool = True,
        flows: int = FLOWS,
        settle: float = 8.0,
    ) -> None:
        super().__init__(meant or probed_intent(sites), table)
        self.random, self.began = Random(seed), self.now
        self.services, self.controls, self.flows = tuple(services), controls, flows
        self.faults: list[Fate] = []
        self.loss = 0.0
        self.lands: dict[tuple[str, str], tuple[str, ...]] = {
            (site, service): ("weu", "eus") if (site, service) in (("nyc", "web"), ("nyc", "vdi")) else ("weu",)
            for site in sites
            for service in ADDRESSES
        }
        """Regions that the routers spread a site's flows over."""
        self.nvas: dict[str, tuple[str, ...]] = {name: (f"{name}-nva1", f"{name}-nva2") for name in NET}
        self.hashes: dict[tuple[str, ...], int] = {}
        self.agents = [Agent(site, self.random.random() * 0.25, f"run-{site}-{seed}") for site in sites]
        self.beats: list[tuple[datetime, int, Agent, Beat]] = []
        self._number = 0
        hold_downs: dict[Kind, HoldDown] = {kind: about.hold_down for kind, about in KINDS.items()}
        self.ledger = Ledger(lambda kind: self.intent.hold_downs.get(kind) or hold_downs[kind])
        self.steps: list[Transition] = []
        self.judged = True
        for agent in self.agents:
            for beat in self._beats(agent.site):
                first = self.now + timedelta(seconds=self.random.random() * beat.every)
                self._push(first, agent, beat)
        self.run(settle)
        self.steps.clear()  # that agents had not reported before they were started

    # What is asked.

    def targets(self, site: str) -> Iterator[Target]:
        for service in self.services:
            yield Target(service, TargetKind.SERVICE, ip_address(ADDRESSES[service]))
        if not self.controls:
            return
        yield Target("gateway", TargetKind.GATEWAY, ip_address("192.0.2.1"))
        for name, net in NET.items():
            for n in (1, 2):
                nva = f"{name}-nva{n}"
                yield Target(nva, TargetKind.NVA, ip_address(f"10.{net}.1.{3 + n}"), name, nva)
                app = ip_address(f"10.{net}.2.{3 + n}")
                yield Target(f"{name}-app{n}", TargetKind.APPLICATION, app, name, nva)

    def _beats(self, site: str) -> Iterator[Beat]:
        for target in self.targets(site):
            match target.kind:
                case TargetKind.SERVICE:
                    yield from (Beat(target, Probe.UDP, 0.5, flow) for flow in range(self.flows))
                    yield Beat(target, Probe.UDP, 0.2)
                    yield Beat(target, Probe.ICMP, 0.5)
                    yield Beat(target, Probe.TCP, 1.0)
                    yield Beat(target, Probe.HTTP, 1.0)
                    yield from (Beat(target, Probe.TRACE, 30.0, flow) for flow in range(self.flows))
                case TargetKind.APPLICATION:
                    yield Beat(target, Probe.ICMP, 1.0)
                    yield Beat(target, Probe.HTTP, 1.0)
                case _:
                    yield Beat(target, Probe.ICMP, 1.0)

    def _push(self, at: datetime, agent: Agent, beat: Beat) -> None:
        self._number += 1
        heapq.heappush(self.beats, (at, self._number, agent, beat))

    # What becomes of it.

    def path(self, site: str, service: str, flow: int) -> tuple[str, str, str]:
        """Region, NVA and circuit of a flow; of a new port by chance."""
        regions = self.lands[site, service]
        region = regions[self._hash(len(regions), site, service, "region", str(flow))]
        nvas = self.nvas[region]
        nva = nvas[self._hash(len(nvas), site, service, region, "nva", str(flow))]
        circuits = CIRCUITS[site, region]
        return region, nva, circuits[self._hash(len(circuits), site, service, region, "circuit", str(flow))]

    def _hash(self, ways: int, *key: str) -> int:
        if key[-1] == str(ROTATING):
            return self.random.randrange(ways)
        if key not in self.hashes:
            self.hashes[key] = self.random.randrange(1 << 30)
        return self.hashes[key] % ways

    def _send(self, agent: Agent, beat: Beat, at: datetime) -> None:
        target, site = beat.target, agent.site
        if target.kind is TargetKind.SERVICE:
            region, nva, circuit = self.path(site, target.name, beat.flow)
        else:
            region, nva, circuit = target.region or "", target.nva or "", ""
        asked = Asked(at, site, target.name, target.kind, beat.probe, beat.flow, region, nva, circuit)
        fate = next((found for fault in self.faults if (found := fault(asked)) is not None), None)
        if fate is None:
            fate = Outcome.SILENT if self.random.random() < self.loss else Outcome.ANSWERED
        result = self._result(asked, fate, circuit)
        known = at + timedelta(seconds=1.0 if fate is Outcome.SILENT else result.rtt or 0.01)
        self._number += 1
        heapq.heappush(agent.waiting, (known, self._number, result))

    def _result(self, asked: Asked, outcome: Outcome, circuit: str) -> ProbeResult:
        rtt = RTT.get((asked.site, asked.region), 0.001) + abs(self.random.gauss(0, 0.002))
        answered = outcome is Outcome.ANSWERED
        if asked.probe is Probe.TRACE:
            hops = ("192.0.2.1", circuit, f"10.{NET[asked.region]}.1.{3 + int(asked.nva[-1])}")
            return ProbeResult(asked.at, Probe.TRACE, asked.target, Outcome.ANSWERED, asked.flow, hops=hops)
        names = answered and asked.probe in (Probe.UDP, Probe.HTTP)
        identity = Identity(asked.region, asked.nva, "one", "7") if names else None
        proof = Proof.NONE if not names else Proof.AUTHENTICATED if asked.probe is Probe.UDP else Proof.MATCHED
        udp = answered and asked.probe is Probe.UDP
        return ProbeResult(
            asked.at,
            asked.probe,
            asked.target,
            outcome,
            asked.flow,
            40000 + asked.flow,
            rtt if answered else None,
            identity,
            proof,
            rtt / 2 if udp else None,
            0.00002 if udp else None,
            ttl=60 if answered else 0,
            far_ttl=61 if udp else 0,
            status=200 if answered and asked.probe is Probe.HTTP else 0,
        )

    # Time.

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let time pass: batches come at each agent's phase, and every batch and every quarter second is judged."""
        end = self.now + timedelta(seconds=seconds)
        turns = sorted(self._turns(self.now, end), key=lambda turn: turn[0])
        for at, agent in turns:
            while self.beats and self.beats[0][0] <= at:
                due, _, whose, beat = heapq.heappop(self.beats)
                if whose.alive:
                    self._send(whose, beat, due)
                self._push(due + timedelta(seconds=beat.every), whose, beat)
            self.now = at
            if agent is not None and agent.alive:
                self.view.apply(self._batch(agent, at))
            if self.judged:
                self.judge()
                if until is not None and until():
                    return
        self.now = end
        self.judge()

    def _turns(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, Agent | None]]:
        quarter = timedelta(seconds=0.25)
        for agent in (*self.agents, None):
            at = self.began + timedelta(seconds=agent.phase if agent is not None else 0.0)
            at += (max(start - at, timedelta()) // quarter) * quarter
            while at <= end:
                if at > start:
                    yield at, agent
                at += quarter

    def _batch(self, agent: Agent, at: datetime) -> AgentReported:
        results = []
        while agent.waiting and agent.waiting[0][0] <= at:
            results.append(heapq.heappop(agent.waiting)[2])
        agent.sequence += 1
        targets = tuple(self.targets(agent.site)) if agent.sequence == 1 else ()
        if agent.tainted:
            results = [replace(result, tainted=True) for result in results]
        return AgentReported(
            at, agent.site, agent.run, agent.sequence, tuple(results), targets, tainted=agent.tainted, skew=0.0
        )

    def judge(self) -> tuple[Finding, ...]:
        """Judge now, and let the ledger take its steps."""
        self.changes += self.view.tick(self.now)
        found = self.findings()
        self.steps += self.ledger.judge(found, self.view.unknown(), self.now)
        return found

    def opened(self, kind: Kind) -> list[Record]:
        """Records of a kind that opened, in the order of opening."""
        return [step.record for step in self.steps if step.step is Step.OPENED and step.record.finding.kind is kind]

    def open_now(self) -> list[Finding]:
        """Findings that are open."""
        return [record.finding for record in self.ledger.records if record.state is State.OPEN]

    def wait_for(self, kind: Kind, seconds: float = 60) -> float | None:
        """Let time pass until a finding of a kind is open; return the seconds that it took, None where it never was."""
        start, before = self.now, len(self.opened(kind))
        self.run(seconds, lambda: len(self.opened(kind)) > before)
        return (self.now - start).total_seconds() if len(self.opened(kind)) > before else None


def at_nva(*names: str, kinds: Iterable[TargetKind] = (TargetKind.SERVICE,), part: float = 1.0, seed: int = 7) -> Fate:
    """Packets that go through some NVAs are lost, all or a part at random."""
    random, touched = Random(seed), tuple(kinds)

    def fate(asked: Asked) -> Outcome | None:
        hit = asked.nva in names and asked.kind in touched and asked.probe is not Probe.TRACE
        return Outcome.SILENT if hit and random.random() < part else None

    return fate


def at_circuit(*names: str, part: float = 1.0, seed: int = 7) -> Fate:
    """Packets that go over some circuits are lost, all or a part at random."""
    random = Random(seed)

    def fate(asked: Asked) -> Outcome | None:
        hit = asked.circuit in names and asked.probe is not Probe.TRACE
        return Outcome.SILENT if hit and random.random() < part else None

    return fate


def everything(site: str) -> Fate:
    """A site is cut off."""
    return lambda asked: Outcome.SILENT if asked.site == site and asked.probe is not Probe.TRACE else None
