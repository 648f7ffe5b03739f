"""The catchment of on-premises hosts, from what NVAs heard of each other's pings: of sites with no agent, too.

A reply says that a host is there and where its traffic lands; no reply says nothing, since nobody promised one.
Nothing survives a restart: a round of pings, a minute, tells it all again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

from analyzers.probing.account import Account
from analyzers.probing.hearing import Hearing
from anycast.catchment import HostCatchment
from anycast.intent import Intent
from anycast.prefix import Address
from anycast.probe import AgentReported, Outcome, Probe, ProbeResult, Proof

MOST = 16_384  # hosts times services: a thousand hosts, as a list may have, for sixteen
FRESH = timedelta(minutes=5)  # five rounds as NVAs make them unless they are told otherwise


class Hosts:
    """What NVAs heard, whichever of them had asked."""

    def __init__(self, intent: Intent) -> None:
        self.hearing: dict[str, Hearing] = {}
        """By NVA."""
        self.accounts: dict[str, Account] = {}
        self._seen: dict[tuple[str, str], HostCatchment] = {}
        """By service and target."""
        self.learn(intent)

    def learn(self, intent: Intent) -> None:
        """Take another intent, and keep what was seen of services and NVAs that it still names."""
        self._regions = {nva.name: region.name for region in intent.regions for nva in region.nvas}
        self._services = {service.name: service.prefixes for service in intent.services}
        self.hearing = {nva: heard for nva, heard in self.hearing.items() if nva in self._regions}
        kept = (
            (key, each) for key, each in self._seen.items() if key[0] in self._services and each.nva in self._regions
        )
        self._seen = dict(kept)

    def reports(self, name: str) -> bool:
        """Whether a name that batches come under is that of an NVA."""
        return name in self._regions

    def apply(self, report: AgentReported) -> None:
        """Fold one batch of an NVA in; it speaks for itself only, and what came late is history."""
        if not self.reports(report.site) or report.late:
            return
        if self.hearing.setdefault(report.site, Hearing()).take(report) is None:
            return  # it came before
        self.accounts.setdefault(report.site, Account()).take(report)
        for result in report.results:
            if _counts(result, report.site) and (service := self._service(result.seen)) is not None:
                self._take(service, report.site, result)

    def _service(self, address: str) -> str | None:
        try:
            asked: Address = ip_address(address)
        except ValueError:
            return None
        return next((name for name, holds in self._services.items() if any(asked in each for each in holds)), None)

    def _take(self, service: str, nva: str, result: ProbeResult) -> None:
        key = (service, result.target)
        last = self._seen.get(key)
        if last is not None and result.at < last.heard:
            return  # another NVA heard it since
        if last is None and len(self._seen) >= MOST:
            return
        site, _, host = result.target.rpartition("/")
        region, at = self._regions[nva], result.at
        if last is None:
            self._seen[key] = HostCatchment(site, host, service, region, nva, at, at, result.rtt)
        elif last.nva == nva:
            self._seen[key] = replace(last, heard=at, rtt=last.rtt if result.rtt is None else result.rtt)
        else:
            before = last.before if last.region == region else last.region
            self._seen[key] = replace(last, region=region, nva=nva, since=at, heard=at, rtt=result.rtt, before=before)

    def catchments(self, site: str | None = None, service: str | None = None) -> tuple[HostCatchment, ...]:
        """Return what is known of hosts, of one site or service only where one is named; old things too."""
        found = (
            each
            for _, each in sorted(self._seen.items())
            if site in (None, each.site) and service in (None, each.service)
        )
        return tuple(found)

    def landing(self, site: str, service: str, now: datetime) -> Mapping[str, int]:
        """Return how many hosts of a site land in each region now: those that were heard within `FRESH`."""
        return Counter(each.region for each in self.catchments(site, service) if now - each.heard <= FRESH)


def _counts(result: ProbeResult, nva: str) -> bool:
    """Whether a result says where a host lands, and is of the NVA itself."""
    ours = result.identity is not None and result.identity.nva == nva and result.proof is Proof.AUTHENTICATED
    return result.probe is Probe.REVERSE and result.outcome is Outcome.ANSWERED and ours and result.counts
