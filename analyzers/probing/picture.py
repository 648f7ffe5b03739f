"""Where each site's traffic lands: as it is meant, by BGP, and as probes see it, out of the view and the intent.

Shares are of probes that never use a source port twice, over the last two minutes, or since traffic last moved. While
an agent is not heard, everything is as it was seen last.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from analyzers.catchments import explanation, moved, words
from analyzers.grounds import Ground
from analyzers.legs import dead, holed
from analyzers.picture import Picture, pictures
from analyzers.probing.account import state
from analyzers.probing.flows import UNHEARD, Flow, Label
from analyzers.probing.pairs import Pair
from analyzers.probing.probing import SiteSeen
from analyzers.probing.shares import Shares, wilson
from analyzers.view import View
from anycast.catchment import (
    Interval,
    Leg,
    LegKind,
    LegState,
    Quantiles,
    RegionShare,
    Shift,
    SiteServiceCatchment,
)
from anycast.intent import Intent, Site
from anycast.probe import Probe, Proof

LATELY = timedelta(minutes=2)
JUST = timedelta(seconds=3)  # who answered a flow within it answers it now: each is asked twice a second
SHOWN = timedelta(minutes=10)  # a shift is shown for so long
SILENT = 4  # losses in a row of every flow of a leg
NOTHING = Interval(0.0, 0.0, 1.0, 0)


def catchments(view: View, intent: Intent, now: datetime) -> tuple[SiteServiceCatchment, ...]:
    """Return every service at every site, in the order of the intent."""
    drawn: dict[str, list[Picture]] = {}
    for picture in pictures(view, intent):
        drawn.setdefault(picture.service.name, []).append(picture)
    return tuple(_catchment(view, intent, now, site, drawn[s.name]) for site in intent.sites for s in intent.services)


def _catchment(view: View, intent: Intent, now: datetime, site: Site, drawn: Sequence[Picture]) -> SiteServiceCatchment:
    seen = view.probing.sites.get(site.name)
    pair = seen.pairs.get(drawn[0].service.name) if seen is not None else None
    picture = next((p for p in drawn if pair is not None and p.prefix == pair.prefix), drawn[0])
    ground = Ground(view, intent, now, seen, pair) if seen is not None and pair is not None else None
    by_bgp = _lands(picture, site.name)
    tiers = picture.sites[site.name].tiers
    asked = _Asked(pair, seen, now) if seen is not None and pair is not None else None
    return SiteServiceCatchment(
        site.name,
        picture.service.name,
        str(picture.prefix),
        state(seen.hearing if seen is not None else None, now),
        seen.hearing.at if seen is not None else None,
        tiers,
        by_bgp,
        tuple(_regions(intent, tiers, by_bgp, asked)),
        tuple(_legs(intent, pair, now)) if pair is not None else (),
        asked.loss if asked is not None else NOTHING,
        asked.seconds if asked is not None else 0.0,
        asked.probe if asked is not None else None,
        _shift(ground, now) if ground is not None else None,
    )


def _lands(picture: Picture, site: str) -> tuple[str, ...]:
    """Regions of the chosen routes, with those of the same tier that the site hears; none when any is unknown."""
    facts = picture.sites[site]
    chosen = [held.region for sighting in facts.chosen if sighting.present for held in sighting.routes]
    if not chosen or any(region is None for region in chosen):
        return ()
    tiers = [tier for tier in facts.tiers if set(chosen) & set(tier)]
    equals = {region for tier in tiers for region in tier if region in facts.regions}
    return tuple(sorted({region for region in chosen if region is not None} | equals))


class _Asked:
    """What identity probes say of one service at one site, over one time."""

    def __init__(self, pair: Pair, seen: SiteSeen, now: datetime) -> None:
        self.at = now if seen.hearing.known(now) else min(now, max(pair.at, pair.flows.at))
        """Until when it was seen."""
        by_udp = any(slot.regions for slot in pair.shares.slots) or any(f.region for f in pair.flows.active())
        self.pair, self._by_udp = pair, by_udp
        shares: Shares = pair.shares if by_udp else pair.named.shares
        self.probe = (Probe.UDP if by_udp else pair.named.probe) or None
        shift = moved(pair)
        settled = shift.at if shift is not None else self.at - LATELY
        _, _, self.answers, self.seconds = shares.since(max(self.at - LATELY, settled))
        sent, lost, _, _ = shares.since(self.at - LATELY)
        self.loss = wilson(lost, sent)
        self.whole = sum(self.answers.values())
        recent = (f for f in pair.flows.active() if f.region and self.at - f.ok_at <= JUST)
        self.flows: dict[str, int] = {}
        for flow in recent:
            self.flows[flow.region] = self.flows.get(flow.region, 0) + 1

    def proof(self, region: str) -> Proof:
        """What the region's answers rest on."""
        if region not in self.answers and region not in self.flows:
            return Proof.NONE
        return Proof.AUTHENTICATED if self._by_udp else self.pair.named.proofs.get(region, Proof.NONE)

    def latency(self, region: str) -> Quantiles | None:
        """Round trips of its last answers."""
        return quantiles((self.pair.trips if self._by_udp else self.pair.named.trips).get(region, ()))


def quantiles(trips: Sequence[float] | Iterator[float]) -> Quantiles | None:
    """Return the quantiles of some round trips, each one that was measured; None of none."""
    ordered = sorted(trips)
    if not ordered:
        return None
    last = len(ordered) - 1
    p50, p90, p99 = (ordered[round(last * part)] for part in (0.5, 0.9, 0.99))
    return Quantiles(len(ordered), ordered[0], p50, p90, p99, ordered[-1])


def _regions(
    intent: Intent, tiers: tuple[tuple[str, ...], ...], by_bgp: tuple[str, ...], asked: _Asked | None
) -> Iterator[RegionShare]:
    meant = {region for tier in tiers for region in tier}
    answers: Mapping[str, int] = asked.answers if asked is not None else {}
    flows: Mapping[str, int] = asked.flows if asked is not None else {}
    for region in (each.name for each in intent.regions):
        if region in meant or region in by_bgp or answers.get(region) or flows.get(region):
            share = wilson(answers.get(region, 0), asked.whole) if asked is not None else NOTHING
            latency = asked.latency(region) if asked is not None else None
            proof = asked.proof(region) if asked is not None else Proof.NONE
            given = (flows.get(region, 0), region in meant, region in by_bgp, latency, proof)
            yield RegionShare(region, share, *given)


def _legs(intent: Intent, pair: Pair, now: datetime) -> Iterator[Leg]:
    flows = list(pair.flows.active())
    gone = {label for label, _, _ in dead(pair, now)}
    holes = holed(flows)
    names = {str(router.address): router.name for site in intent.sites for router in site.routers}
    for label, members in sorted(pair.flows.legs().items(), key=lambda item: (item[0][0] != "nva", item[0])):
        regions = {flow.region for flow in members if flow.region}
        trips = sorted(flow.rtt for flow in members if flow.rtt is not None)
        lost, sent = map(sum, zip(*(flow.seen() for flow in members), strict=True))
        yield Leg(
            LegKind(label[0]),
            label[1],
            names.get(label[1], label[1]),
            regions.pop() if len(regions) == 1 else None,
            len(members),
            wilson(lost, sent),
            trips[len(trips) // 2] if trips else None,
            _leg_state(pair, label, members, label in gone, holes),
        )


def _leg_state(pair: Pair, label: Label, members: list[Flow], gone: bool, holes: list[Flow]) -> LegState:
    if gone or all(flow.lost >= SILENT and flow.said in UNHEARD for flow in members):
        return LegState.DEAD
    chart = pair.flows.charts.get(label)
    loses = chart is not None and chart.crossed is not None
    return LegState.LOSSY if loses or any(flow in holes for flow in members) else LegState.FINE


def _shift(ground: Ground, now: datetime) -> Shift | None:
    shift = moved(ground.pair)
    if shift is None or now - shift.at > SHOWN:
        return None
    event = explanation(ground, shift)
    before, after = (tuple(sorted(counts.items())) for counts in (shift.before, shift.after))
    return Shift(shift.at, before, after, words(ground, event) if event is not None else None)
