"""What else is kept of a pair, a control and an agent: one class for each, handed the same results as the rest.

A *pair* is one service as one site sees it; a *control* is one NVA, application or gateway at its own address, as one
site sees it. `apply` gets what one batch holds of it, in the order of the batch, results that do not count included
(`ProbeResult.counts`). Memory is bounded whatever comes. Nothing happens by itself: what depends on time is asked with
`now`, so that the outcome does not depend on how often anybody asks.

`gap` says that the batches before and after it are not of one run, or lie more than `LOST_AFTER` apart: what counts
in a row begins anew, what was learnt stays. `plain` is what survives a restart of ours, as `json.dumps` takes it;
`restore` takes it back. Where nothing changed since, `plain` should return the very object that it returned before.
"""

from collections.abc import Iterator, Mapping, Sequence

from analyzers.probing.account import Account
from analyzers.probing.agents import AgentHealth
from analyzers.probing.applications import Answers, Holding, Speed
from analyzers.probing.canaries import Canaries
from analyzers.probing.distance import Distance
from analyzers.probing.latency import Latency, Series
from analyzers.probing.plane import Plane
from analyzers.probing.sizes import Ladder
from analyzers.probing.strangers import Strangers, unknown
from analyzers.probing.transfers import Transfers
from anycast.intent import Intent
from anycast.plain import Plain
from anycast.probe import LOST, AgentReported, Outcome, Probe, ProbeResult, Proof, Target

LATELY = 10.0  # seconds for which a region that answered is taken to answer still
BY_NAME = (Probe.HTTP, Probe.DNS)


class Application:
    """One region's application, as one site sees it through the service's address or its own."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.speed: dict[Probe, Speed] = {}
        """Of HTTP from the handshake to the first octet, of DNS the whole round trip."""
        self.connect = Speed()
        """Of HTTP: the handshake."""

    def take(self, at: float, result: ProbeResult) -> None:
        """Fold in an answer to HTTP or DNS."""
        self.answers.take(at, result)
        if result.outcome is not Outcome.ANSWERED:
            return
        took = result.first_byte if result.probe is Probe.HTTP else result.rtt
        if took is not None:
            if result.probe not in self.speed:
                self.speed[result.probe] = Speed()
            self.speed[result.probe].take(at, took)
        if result.connect is not None:
            self.connect.take(at, result.connect)

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self.answers.gap()
        self.connect.gap()
        for speed in self.speed.values():
            speed.gap()

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return {str(probe): speed.plain() for probe, speed in self.speed.items()} | {"connect": self.connect.plain()}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        for name, row in plain.items():
            speed = self.connect if name == "connect" else self.speed.setdefault(Probe(name), Speed())
            speed.restore(row)


class PairBeside:
    """What is kept of one service at one site, beside the flows and shares."""

    def __init__(self, intent: Intent, site: str, service: str) -> None:
        self.site, self.service = site, service
        self.learn(intent)
        self.latency = Latency()
        self.plane = Plane()
        self.canaries = Canaries()
        self.ladder = Ladder()
        self.transfers = Transfers()
        self.strangers = Strangers()
        self.applications: dict[str, Application] = {}
        """By region; empty for answers of which nobody knows the region."""
        self.holding: dict[tuple[str, str], Holding] = {}
        """By region and NVA."""
        self.answered: dict[str, float] = {}
        """When each region last proved itself."""

    def learn(self, intent: Intent) -> None:
        """Take another intent, which still names the site and the service."""
        self.intent = intent
        named = {(region.name, nva.name) for region in intent.regions for nva in region.nvas}
        self._known = frozenset(named | {(region.name, "") for region in intent.regions})

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        for result in results:
            probe = result.probe
            if probe is Probe.THROUGHPUT:
                self.transfers.take(result.at.timestamp(), result)
            elif result.tainted:
                continue
            elif result.outcome is Outcome.ANSWERED:
                self._answered(result.at.timestamp(), probe, result)
            elif not result.counts:
                continue
            elif probe is Probe.CANARY:
                self.canaries.take(result.at.timestamp(), result)
            elif probe is Probe.MTU:
                self.ladder.take(result.at.timestamp(), result)
            elif result.outcome is Outcome.INVALID:
                self.strangers.take(result.at.timestamp(), result)
            elif probe is Probe.UDP:
                if result.flow >= 0 and result.outcome in LOST:
                    self.plane.loss(result.at.timestamp(), result.flow)
            elif probe in BY_NAME:
                self._application(result.at.timestamp(), result)

    def _answered(self, at: float, probe: Probe, result: ProbeResult) -> None:
        if probe is Probe.CANARY:
            self.canaries.take(at, result)
            return
        if probe is Probe.MTU:
            self.ladder.take(at, result)
            return
        identity = result.identity
        if identity is None or result.proof is Proof.NONE or not identity.region:
            if probe in BY_NAME:
                self._application(at, result)
            return
        region, nva, rtt = identity.region, identity.nva, result.rtt
        if (region, nva) not in self._known:
            self.strangers.take(at, result, unknown(self.intent, identity, result.proof))
            return
        self.answered[region] = self.canaries.works = at
        if probe is Probe.UDP:
            if result.flow >= 0:
                self.plane.answer(at, result.flow, region, nva)
            held = result.held
            if held is not None:
                self._hold(region, nva).take(at, held)
            if rtt is not None:
                self.latency.take(at, "udp", region, nva, rtt - (held or 0.0), result.flow)
        elif probe in BY_NAME:
            way = result.connect if probe is Probe.HTTP else rtt
            if way is not None:
                self.latency.take(at, str(probe), region, nva, way, -1)
            self._application(at, result)

    def _hold(self, region: str, nva: str) -> Holding:
        found = self.holding.get((region, nva))
        if found is None:
            found = self.holding[region, nva] = Holding()
        return found

    def _application(self, at: float, result: ProbeResult) -> None:
        region = self._region(at, result)
        found = self.applications.get(region)
        if found is None:
            found = self.applications[region] = Application()
        found.take(at, result)

    def _region(self, at: float, result: ProbeResult) -> str:
        """Whose answer it is: an error may not say, and is the region's that alone answers at the time."""
        if result.identity is not None and result.identity.region in self.intent.by_region:
            return result.identity.region
        lately = [region for region, when in self.answered.items() if at - when <= LATELY]
        return lately[0] if len(lately) == 1 else ""

    def series(self) -> Iterator[Series]:
        """Yield every series of round trips."""
        return iter(self.latency.series.values())

    def gap(self) -> None:
        """What counts in a row begins anew."""
        for kept in (self.latency, self.plane, self.canaries, self.ladder):
            kept.gap()
        for application in self.applications.values():
            application.gap()
        for holding in self.holding.values():
            holding.gap()
        self.answered.clear()

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {
            "latency": self.latency.plain(),
            "transfers": self.transfers.plain(),
            "applications": {region: kept.plain() for region, kept in sorted(self.applications.items())},
        }

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self.latency.restore(plain["latency"])
        self.transfers.restore(plain["transfers"])
        for region, row in plain["applications"].items():
            self.applications[region] = Application()
            self.applications[region].restore(row)


WAYS = (Probe.ICMP, Probe.UDP, Probe.TCP, Probe.HTTP)
"""Ways of asking a control that show how far it is."""


class ControlBeside:
    """What is kept of one control at one site, beside whether it answers."""

    def __init__(self, site: str, target: Target) -> None:
        self.site, self.target = site, target
        self.application = Application()
        self.ladder = Ladder()
        self.transfers = Transfers()
        self.distance = Distance()

    def apply(self, results: Sequence[ProbeResult]) -> None:
        """Fold in what one batch holds of it."""
        for result in results:
            probe = result.probe
            if probe is Probe.THROUGHPUT:
                self.transfers.take(result.at.timestamp(), result)
                continue
            if not result.counts:
                continue
            at = result.at.timestamp()
            if probe is Probe.MTU:
                self.ladder.take(at, result)
            elif probe in BY_NAME:
                self.application.take(at, result)
            if probe in WAYS and result.outcome is Outcome.ANSWERED:
                way = result.connect if probe is Probe.HTTP else result.rtt
                if way is not None:
                    self.distance.take(at, way - (result.held or 0.0))

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self.application.gap()
        self.ladder.gap()

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {"application": self.application.plain(), "transfers": self.transfers.plain()}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self.application.restore(plain["application"])
        self.transfers.restore(plain["transfers"])


class AgentBeside:
    """What is kept of one site's agent, beside when it was heard."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.health = AgentHealth()
        self.account = Account()

    def apply(self, report: AgentReported) -> None:
        """Fold in one batch, whole; late ones and those of a second agent too."""
        self.health.take(report)
        self.account.take(report)

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart."""
        return {"health": self.health.plain()}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self.health.restore(plain["health"])
