"""The fold over what agents report. One `Probing` belongs to each view; only it writes what is below it.

Each site is folded by itself, in the order of its agent's batches, so that the order in which sites arrive changes
nothing; what needs several sites is asked of all of them when it is judged. Nothing happens as time passes: `tick` only
says what time it is.
"""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from analyzers.probing.beside import AgentBeside
from analyzers.probing.controls import Control
from analyzers.probing.hearing import Hearing
from analyzers.probing.hosts import Hosts
from analyzers.probing.pairs import Pair
from analyzers.probing.plane import Plane
from anycast.intent import Intent
from anycast.plain import Plain
from anycast.prefix import Prefix
from anycast.probe import AgentReported, ProbeResult, Target, TargetKind

MOST_TARGETS = 512  # of one agent: whoever names more is not ours, or is broken


class SiteSeen:
    """What one site's agent reports."""

    def __init__(self, intent: Intent, site: str) -> None:
        self.intent, self.site = intent, site
        self.hearing = Hearing()
        self.targets: dict[str, Target] = {}
        self.pairs: dict[str, Pair] = {}
        """By service."""
        self.controls: dict[str, Control] = {}
        """By the target's name: NVAs, applications and gateways."""
        self.beside = AgentBeside(site)

    @property
    def name(self) -> str:
        """What findings that were judged from here rest on."""
        return f"agent/{self.site}"

    def learn(self, intent: Intent) -> None:
        """Take another intent, which still names the site."""
        self.intent = intent
        services = {service.name for service in intent.services}
        self.pairs = {service: pair for service, pair in self.pairs.items() if service in services}
        for pair in self.pairs.values():
            pair.learn(intent)

    def apply(self, report: AgentReported) -> None:
        """Fold one batch in; one that came late is history, and is not judged."""
        gap = None if report.late else self.hearing.take(report)
        if gap is None and not report.late:
            return  # it came before
        self.beside.apply(report)
        if report.late:
            return
        if report.targets:
            self.meet(report.targets)
        if gap:
            for pair in self.pairs.values():
                pair.gap()
            for control in self.controls.values():
                control.gap()
        grouped: dict[str, list[ProbeResult]] = {}
        for result in report.results:
            if (group := grouped.get(result.target)) is None:
                grouped[result.target] = [result]
            else:
                group.append(result)
        for target, results in grouped.items():
            if (seen := self._whose(target)) is not None:
                seen.apply(results)

    def meet(self, targets: tuple[Target, ...]) -> None:
        """Take the agent's list of targets: what is not in it any more is forgotten."""
        self.targets = {target.name: target for target in targets[:MOST_TARGETS]}
        self.pairs = {name: pair for name, pair in self.pairs.items() if name in self.targets}
        kept = {name: control for name, control in self.controls.items() if self.targets.get(name) == control.target}
        self.controls = kept
        for pair in self.pairs.values():
            pair.meet(self.intent, self.targets[pair.service.name])

    def _whose(self, name: str) -> "Pair | Control | None":
        """Return what keeps the statistics of a target; None for one that nobody knows."""
        found = self.pairs.get(name) or self.controls.get(name)
        if found is not None:
            return found
        target = self.targets.get(name)
        if target is None or target.kind is TargetKind.SERVICE:
            service = next((service for service in self.intent.services if service.name == name), None)
            if service is not None:
                return self.pairs.setdefault(name, Pair(self.intent, self.site, service, target))
        elif target.kind is not TargetKind.HOST:
            return self.controls.setdefault(name, Control(self.site, target))
        return None

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return {
            "runs": self.hearing.plain(),
            "targets": [_target(target) for _, target in sorted(self.targets.items())],
            "pairs": {service: pair.plain() for service, pair in sorted(self.pairs.items())},
            "controls": {name: control.plain() for name, control in sorted(self.controls.items())},
            "beside": self.beside.plain(),
        }

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        self.hearing.restore(plain["runs"])
        self.targets = {row[0]: _read_target(row) for row in plain["targets"]}
        for name, row in (*plain["pairs"].items(), *plain["controls"].items()):
            if (seen := self._whose(name)) is not None:
                seen.restore(row)
        self.beside.restore(plain["beside"])


class Probing:
    """All that agents reported, by site."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.sites: dict[str, SiteSeen] = {}
        """Sites that were ever heard of, as far as the intent names them."""
        self.hosts = Hosts(intent)
        """What NVAs hear of hosts that they ping."""
        self.version = 0
        """Grows with every batch."""
        self.now: datetime | None = None
        self.awaited: dict[str, datetime] = {}
        """Since when the agent of a site is awaited that a later intent names."""

    def learn(self, intent: Intent) -> None:
        """Take another intent and keep what was seen of sites and services that it still names."""
        before = {site.name for site in self.intent.sites if site.agent}
        added = {site.name for site in intent.sites if site.agent and site.name not in before}
        self.awaited |= dict.fromkeys(added, self.now) if self.now is not None else {}
        self.intent = intent
        self.sites = {site: seen for site, seen in self.sites.items() if site in intent.by_site}
        for seen in self.sites.values():
            seen.learn(intent)
        self.hosts.learn(intent)

    def apply(self, report: AgentReported) -> None:
        """Fold one batch in; one that is neither of a site nor of an NVA of ours is nothing."""
        self.version += 1
        if report.site in self.intent.by_site:
            if report.site not in self.sites:
                self.sites[report.site] = SiteSeen(self.intent, report.site)
            self.sites[report.site].apply(report)
        else:
            self.hosts.apply(report)

    def tick(self, now: datetime) -> None:
        """Hear what time it is."""
        self.now = now

    def flows(self, site: str, service: str) -> tuple[Plane, Prefix] | None:
        """Return what a service's fixed flows did at a site, and the prefix they go to; None where nobody probes it."""
        seen = self.sites.get(site)
        pair = seen.pairs.get(service) if seen is not None else None
        return None if pair is None else (pair.beside.plane, pair.prefix)

    def known(self, site: str, now: datetime) -> bool:
        """Whether a site's agent is heard now, and has been for long enough for silence to mean something."""
        seen = self.sites.get(site)
        return seen is not None and seen.hearing.known(now)

    def unknown(self) -> frozenset[str]:
        """Return `agent/SITE` of every site whose agent is meant to report, or did, and cannot be judged from now."""
        meant = {site.name for site in self.intent.sites if site.agent} | self.sites.keys()
        return frozenset(f"agent/{site}" for site in meant if self.now is None or not self.known(site, self.now))

    def plain(self) -> Mapping[str, Plain]:
        """Return what survives a restart, as `json.dumps` takes it."""
        return {site: seen.plain() for site, seen in sorted(self.sites.items())}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take back what was seen of sites that the intent names; each is unknown until its agent is heard again."""
        for site, row in plain.items():
            if site in self.intent.by_site:
                self.sites[site] = SiteSeen(self.intent, site)
                self.sites[site].restore(row)


def _target(target: Target) -> Plain:
    address = str(target.address) if target.address is not None else None
    return [target.name, str(target.kind), address, target.region, target.nva, target.circuit, target.service]


def _read_target(row: Plain) -> Target:
    name, kind, address, *rest = row
    return Target(name, TargetKind(kind), None if address is None else ip_address(address), *rest)
