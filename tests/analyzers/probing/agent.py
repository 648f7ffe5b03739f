"""An agent at a site of the network, in miniature: what it sends and what becomes of it, by a model that tests bend."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from random import Random

from analyzers.memory import restore, snapshot
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent
from anycast.probe import AgentReported, Identity, Outcome, Probe, ProbeResult, Proof, Target, TargetKind
from tests.analyzers.network import Network, intent

INTERVAL = 0.25
TIMEOUT = 1.0
Place = tuple[str, str]
WEU1, WEU2, EUS1 = ("weu", "weu-nva1"), ("weu", "weu-nva2"), ("eus", "eus-nva1")


def gaussian(random: Random) -> float:
    """Two milliseconds around four."""
    return abs(random.gauss(0.004, 0.002))


def gamma(random: Random) -> float:
    """Two milliseconds and a long tail."""
    return random.gammavariate(1.0, 0.002)


@dataclass
class Agent:
    """One agent that probes `web`: fixed flows, HTTP, canaries and what a test adds."""

    site: str
    seed: int = 1
    flows: int = 16
    every: float = 0.5
    rtt: float = 0.02
    jitter: Callable[[Random], float] = gaussian
    loss: float = 0.0
    more: Callable[[int, float], float] = lambda flow, at: 0.0
    """Seconds that a flow's answer takes longer."""
    lands: Callable[[int], Place | None] = lambda flow: WEU1
    """Where a flow lands; None for nowhere."""
    held: float = 0.0001
    first_byte: float = 0.03
    broken: float = 0.0
    """The part of HTTP answers that are errors."""
    http: float = 1.0
    """Seconds between requests; 0 for none."""
    connect: float = 0.0
    canaries: int = 0
    run: str = "first"
    host: str = "probe1"
    skew: float | None = 0.0
    tainted: float = 0.0
    targets: tuple[Target, ...] = (Target("web", TargetKind.SERVICE, ip_address("10.250.0.10")),)
    extra: list[ProbeResult] = field(default_factory=list)
    """Results of the next batch that no model makes."""
    sequence: int = 0
    waiting: list[tuple[datetime, ProbeResult]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def batch(self, at: datetime, **said: object) -> AgentReported:
        """Everything that is known by `at`, of what was sent before."""
        for result in self._sent(at - timedelta(seconds=INTERVAL)):
            took = timedelta(seconds=TIMEOUT if result.outcome is Outcome.SILENT else result.rtt or 0.0)
            self.waiting.append((result.at + took, result))
        known = [result for when, result in self.waiting if when <= at] + self.extra
        self.waiting, self.extra = [row for row in self.waiting if row[0] > at], []
        self.sequence += 1
        parts: dict[str, object] = {"host": self.host, "skew": self.skew, "tainted": self.tainted} | said
        targets = self.targets if self.sequence == 1 else ()
        return AgentReported(at, self.site, self.run, self.sequence, tuple(known), targets, **parts)  # type: ignore[arg-type]

    def _sent(self, start: datetime) -> Iterator[ProbeResult]:
        base = start.timestamp()
        for flow in range(self.flows):
            phase = flow * self.every / max(1, self.flows)
            if _due(base, self.every, phase):
                yield self._echo(start + timedelta(seconds=(phase - base) % self.every), flow)
        if self.http and _due(base, self.http, 0.0):
            yield self._page(start)
        for canary in range(self.canaries):
            if _due(base, 1.0, 0.0):
                yield ProbeResult(start, Probe.CANARY, "web", Outcome.ANSWERED, canary, rtt=self.rtt)

    def _echo(self, at: datetime, flow: int) -> ProbeResult:
        place = self.lands(flow)
        if place is None or self.random.random() < self.loss:
            return ProbeResult(at, Probe.UDP, "web", Outcome.SILENT, flow)
        rtt = self.rtt + self.jitter(self.random) + self.more(flow, at.timestamp()) + self.held
        return ProbeResult(
            at, Probe.UDP, "web", Outcome.ANSWERED, flow, rtt=rtt, identity=Identity(*place),
            proof=Proof.AUTHENTICATED, held=self.held,
        )  # fmt: skip

    def _page(self, at: datetime) -> ProbeResult:
        place = self.lands(0)
        if place is None:
            return ProbeResult(at, Probe.HTTP, "web", Outcome.SILENT)
        connect = self.rtt + self.jitter(self.random) + self.connect
        first = self.first_byte + self.jitter(self.random)
        wrong = self.random.random() < self.broken
        return ProbeResult(
            at, Probe.HTTP, "web", Outcome.BROKEN if wrong else Outcome.ANSWERED, rtt=connect + first,
            identity=None if wrong else Identity(*place), proof=Proof.NONE if wrong else Proof.MATCHED,
            connect=connect, first_byte=first, status=503 if wrong else 200,
        )  # fmt: skip


def _due(base: float, every: float, phase: float) -> bool:
    return (phase - base) % every < INTERVAL - 1e-6


def with_agents(*sites: str) -> Intent:
    """The network's intent, with an agent at each of these sites (or at all)."""
    meant = intent()
    return replace(meant, sites=tuple(replace(s, agent=not sites or s.name in sites) for s in meant.sites))


class Probed:
    """The network with agents, and a clock that moves in batches."""

    def __init__(self, *agents: Agent, network: Network | None = None) -> None:
        self.agents = list(agents) or [Agent("ams"), Agent("nyc", seed=2)]
        self.network = network or Network(with_agents(*(agent.site for agent in self.agents)))

    @property
    def agent(self) -> Agent:
        """The first agent."""
        return self.agents[0]

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.network.now

    def wait(self, seconds: float) -> "Probed":
        """Let the agents report for so long."""
        for _ in range(round(seconds / INTERVAL)):
            self.network.wait(INTERVAL)
            for agent in self.agents:
                self.network.see(agent.batch(self.network.now))
        return self

    def found(self, kind: Kind) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.network.findings() if finding.kind is kind]

    def after(self, kind: Kind, limit: float) -> float | None:
        """Return how long it takes until the kind is found; None when it is not within `limit` seconds."""
        for step in range(round(limit / INTERVAL)):
            self.wait(INTERVAL)
            if self.found(kind):
                return (step + 1) * INTERVAL
        return None

    def restarted(self) -> "Probed":
        """Take a snapshot, and go on from it."""
        kept = snapshot(self.network.view)
        self.network.view = restore(self.network.intent, kept, self.network.now)
        return self

    def alarms(self) -> set[Kind]:
        """Return the kinds that are found as a warning or worse."""
        return {finding.kind for finding in self.network.findings() if finding.severity.rank >= Severity.WARNING.rank}
