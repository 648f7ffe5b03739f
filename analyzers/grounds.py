"""What a verdict about one service at one site rests on: probes, and what BGP says there. Asked for, not stored.

A site whose agent is lost, lags, or has just begun to report gives no grounds at all: nothing is judged from silence
that nobody heard.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeVar, cast

from analyzers.picture import Picture, RegionFacts, SiteFacts, picture
from analyzers.probing.pairs import Pair
from analyzers.probing.probing import SiteSeen
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Subject
from anycast.intent import Intent

T = TypeVar("T")


@dataclass
class Ground:
    """One service as one site's agent sees it now."""

    view: View
    intent: Intent
    now: datetime
    seen: SiteSeen
    pair: Pair

    @cached_property
    def picture(self) -> Picture:
        """What BGP says of the prefix that is probed."""
        return picture(self.view, self.intent, self.pair.service, self.pair.prefix)

    @cached_property
    def site(self) -> SiteFacts:
        """What BGP says of it at this site."""
        return self.picture.sites[self.seen.site]

    @property
    def name(self) -> str:
        """The service and its prefix, as summaries begin."""
        return f"{self.pair.service.name} {self.pair.prefix}"

    def subject(self, region: str | None = None, nva: str | None = None, detail: str | None = None) -> Subject:
        """Return the subject of a finding at this site."""
        service, prefix = self.pair.service.name, str(self.pair.prefix)
        return Subject(service, prefix, region, nva, site=self.seen.site, detail=detail)

    def facts(self, region: str) -> RegionFacts:
        """What BGP says of a region."""
        return self.picture.regions[region]

    def kept(self, name: str, make: "Callable[[Ground], T]") -> T:
        """Return what was worked out of what BGP says at this site, or work it out."""
        found = self.site.kept.get(name)
        if found is None:
            found = self.site.kept[name] = (make(self),)
        return cast(tuple[T], found)[0]

    @property
    def lands(self) -> frozenset[str] | None:
        """Regions that the site lands on by BGP, with intended equals that it hears; None where that is not known."""
        return self.kept("lands", Ground._lands)

    def _lands(self) -> frozenset[str] | None:
        if self.site.chosen:
            regions = {held.region for s in self.site.chosen for held in s.routes if held.region is not None}
            unknown = any(s.presence is Presence.UNKNOWN for s in self.site.chosen)
            strange = any(held.region is None for s in self.site.chosen for held in s.routes)
            if unknown or strange:
                return None
            equals = {r for tier in self.site.tiers if regions.intersection(tier) for r in tier if self._hears(r)}
            return frozenset(regions | equals)
        return None

    def _hears(self, region: str) -> bool:
        if not self.site.heard:
            return self.facts(region).presence is Presence.PRESENT
        return self.site.hears(region) is Presence.PRESENT

    def leads_to(self, region: str) -> Presence:
        """Whether the site's route leads to a region: by its best path, else what it hears, else what there is."""
        if self.lands is not None:
            return Presence.PRESENT if region in self.lands else Presence.ABSENT
        if self.site.chosen or self.site.heard:
            return self.site.hears(region)
        return self.facts(region).presence

    def rests_on(self, *regions: str) -> frozenset[str]:
        """Names of the agent and of the vantages behind `leads_to`."""
        names = {self.seen.name, *(sighting.key for sighting in self.site.chosen)}
        if not self.site.chosen:
            names |= self.site.v5_names
        if not self.site.chosen and not self.site.heard:
            names |= {name for region in regions for name in self.facts(region).rests_on}
        return frozenset(names)


def grounds(view: View, intent: Intent, now: datetime, wanted: Callable[[Pair], object]) -> Iterator[Ground]:
    """Yield the grounds at every site that is heard, of services of which there is anything to ask."""
    return (ground for ground in _every(view, intent, now) if wanted(ground.pair))


def _every(view: View, intent: Intent, now: datetime) -> list[Ground]:
    """All grounds, made once for all judgements of one moment."""
    token = (now, view.probing.version, view.epoch, view.touches, id(intent))
    kept = view.remembered("grounds", token)
    if isinstance(kept, list):
        return kept
    sites = (seen for _, seen in sorted(view.probing.sites.items()) if seen.hearing.known(now))
    return view.remember(
        "grounds", token, [Ground(view, intent, now, seen, pair) for seen in sites for pair in seen.pairs.values()]
    )
