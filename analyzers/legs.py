"""`dead-leg` and `lossy-leg`: which way through the groups of equal paths loses, and how.

The flows that lose are laid against every way in which flows can be told apart: by the NVA that answers, by each router
at which their paths part, by region, and not at all. The best explanation makes what was seen most likely: it holds
most of the losses, at the highest rate of loss. What a whole region explains best that is silent is no leg's.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import log

from analyzers.blackhole import withdrawn
from analyzers.evidence import Line
from analyzers.grounds import Ground, grounds
from analyzers.ladder import said
from analyzers.probing.flows import IN_A_ROW, Flow, Label, counted
from analyzers.probing.pairs import Pair
from analyzers.probing.track import NEVER
from analyzers.silences import Silence, last_heard, of_everybody, of_flows
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.plain import stamp
from anycast.probe import TargetKind

ORDER = ("nva", "circuit", "region", "site")
"""Of explanations that are as good the first: the circuit of a dead NVA is dead with it."""
MOST = 4  # legs of one service at one site
SOME = 3  # flows; fewer are a leg only if they are nearly all that is dead
NEARLY = 0.8
BACKGROUND = 0.002  # loss on legs that are well
SPLIT = 6.0  # natural logarithm: of some ways to split flows in two one always fits better than none does, by chance
DOUBT = 4.0  # natural logarithm of the ratio: the next best explanation must be fifty times less likely,
LONG = timedelta(seconds=10)  # until the loss has been known for so long
TRACED = 0.5  # of flows
SLACK = timedelta(seconds=0.5)  # losses are heard of in another order than they were sent in
MENDS = timedelta(seconds=2)
LATELY = 8  # outcomes of each flow by which the two sorts of loss are told apart
LIKELIER = 10.0  # natural logarithm of the likelihood ratio from which loss counts as per flow
MOSTLY_WELL = 0.1
DEAD_FLOW, LIVE_FLOW = 0.98, 0.002
MAJOR = 0.15  # a rate measured so may well be 20 %
BANDS = ((0.03, "about 1 %"), (0.075, "about 5 %"), (0.15, "about 10 %"), (0.35, "about 20 %"), (0.7, "about half"))


def dead_leg(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield legs that swallow every flow hashed to them while others work."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.losing):
        for label, flows, silence in dead(ground.pair, now):
            if last_heard(ground.seen) >= silence.since and not _settles(ground, flows) and not _mends(ground, flows):
                yield _dead(ground, label, flows, silence)


def dead(pair: Pair, now: datetime) -> Iterator[tuple[Label, list[Flow], Silence]]:
    """Yield the legs that are dead, the one that explains most first."""
    if not pair.flows.losing or of_everybody(pair, now) is not None:
        return
    legs = pair.flows.legs()
    concerned = {label for flow in pair.flows.losing.values() for label in flow.labels} & legs.keys()
    silent = {label: silence for label in concerned if (silence := of_flows(legs[label], NEVER, now)) is not None}
    numbers = {label: frozenset(flow.number for flow in legs[label]) for label in silent}
    gone = _of_dead_regions(pair, now)
    left = frozenset().union(*numbers.values()) - gone
    for _ in range(MOST):
        ranked = sorted(numbers, key=lambda label: (-len(numbers[label] & left), ORDER.index(label[0]), label))
        if not ranked or not numbers[ranked[0]] & left:
            return
        best = ranked[0]
        if len(numbers[best]) >= SOME or len(numbers[best] & left) >= NEARLY * len(left):
            yield best, legs[best], silent[best]
        left -= numbers.pop(best)


def _of_dead_regions(pair: Pair, now: datetime) -> frozenset[int]:
    """Flows of regions of which nothing answers: that is a blackhole's to say."""
    regions: dict[str, list[Flow]] = {}
    for flow in pair.flows.active():
        regions.setdefault(flow.region, []).append(flow)
    silent = (flows for region, flows in regions.items() if of_flows(flows, pair.alive.get(region, NEVER), now))
    return frozenset(flow.number for flows in silent for flow in flows)


def _settles(ground: Ground, flows: Sequence[Flow]) -> bool:
    """Whether routes to these flows' regions were withdrawn so lately that traffic may still move."""
    start = ground.now - ground.intent.thresholds.hold_margin
    return any(withdrawn(ground, region, start) for region in {flow.region for flow in flows} if region)


def _mends(ground: Ground, flows: Sequence[Flow]) -> bool:
    """Whether the rest of these flows' regions was as silent, and most of it has only just come back: so will these."""
    regions, own = {flow.region for flow in flows}, {flow.number for flow in flows}
    rest = [flow for flow in ground.pair.flows.active() if flow.region in regions and flow.number not in own]
    return sum(ground.now - flow.mended <= MENDS for flow in rest) > len(rest) / 2


def _dead(ground: Ground, label: Label, flows: Sequence[Flow], silence: Silence) -> Finding:
    site, others = ground.seen.site, [flow for flow in ground.pair.flows.active() if label not in flow.labels]
    answered = sorted({flow.nva or flow.region for flow in others if flow.ok_at >= silence.since})
    return Finding(
        Kind.DEAD_LEG,
        _subject(ground, label, flows),
        Severity.CRITICAL,
        silence.since,
        f"{ground.name}: {site} loses every flow that is led through {_words(ground, label)}, others work",
        (
            ("leg", f"{_words(ground, label)}: none of its {len(flows)} flows is answered"),
            ("since", stamp(silence.since)),
            ("others", f"{len(others)} flows, {', '.join(answered) or 'nobody'} answers"),
            *_unicast(ground, label, silence.since),
        ),
        None,
        frozenset({ground.seen.name}),
    )


def _unicast(ground: Ground, label: Label, since: datetime) -> Iterator[Line]:
    """What the NVA that is named says at its own address."""
    for name, control in sorted(ground.seen.controls.items()):
        if label[0] == "nva" and control.target.kind is TargetKind.NVA and control.target.nva == label[1]:
            yield (f"{name} at its own address", said(control, since))


def _subject(ground: Ground, label: Label, flows: Sequence[Flow]) -> Subject:
    nva = label[1] if label[0] == "nva" else None
    region = None if label[0] == "site" else _region(flows)
    return ground.subject(region, nva, f"circuit {label[1]}" if label[0] == "circuit" else None)


def _region(flows: Sequence[Flow]) -> str | None:
    """Where nearly all flows land: one that left a circuit stays on it until it is traced again."""
    counts = Counter(flow.region for flow in flows)
    return next((region for region, count in counts.items() if region and count >= NEARLY * len(flows)), None)


def _words(ground: Ground, label: Label) -> str:
    kind, name = label
    match kind:
        case "circuit":
            known = router_name(ground.intent, name)
            return f"circuit {name}" + (f" ({known})" if known else "")
        case "region":
            return f"any leg to {name}"
        case "site":
            return "any leg"
    return name


def router_name(intent: Intent, address: str) -> str | None:
    """Return the name that the intent has for a router on the way, by its address."""
    vantages = (v.name for v in intent.vantages if v.peer is not None and str(v.peer) == address)
    edges = (router.name for site in intent.sites for router in site.routers if str(router.address) == address)
    return next(vantages, None) or next(edges, None)


def lossy_leg(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield legs that lose a part of their packets, of all flows at random or of some flows whole."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.hot or pair.flows.losing):
        flows = ground.pair.flows
        if any(flows.charts[label].crossed is not None for label in flows.hot) or any(
            flow.lost >= IN_A_ROW for flow in flows.losing.values()
        ):
            yield from _lossy(ground)


def _lossy(ground: Ground) -> Iterator[Finding]:
    pair, now = ground.pair, ground.now
    if of_everybody(pair, now) is not None:
        return
    gone = {flow.number for _, flows, _ in dead(pair, now) for flow in flows} | _of_dead_regions(pair, now)
    flows = [flow for flow in pair.flows.active() if flow.number not in gone]
    for _ in range(MOST):
        holes = holed(flows)
        found = _explained(ground, flows, holes)
        if found is None:
            return
        label, members = found
        finding = _judged(ground, label, members, [flow for flow in members if flow in holes])
        if finding is not None:
            yield finding
        flows = [flow for flow in flows if flow not in members]


def holed(flows: Sequence[Flow]) -> list[Flow]:
    """Return the flows that let nothing through, where that explains the losses far better than chance does.

    Either every flow loses at one rate, or some lose everything and the others nothing: the likelihoods of both, over
    the last outcomes of each flow (measuring-anycast.md 2.5).
    """
    recent = [(flow, *_lately(flow)) for flow in flows if max(flow.count, flow.lost) >= IN_A_ROW]
    lost, sent = sum(x for _, x, _ in recent), sum(n for _, _, n in recent)
    suspects = [flow for flow, _, _ in recent if flow.lost >= IN_A_ROW]
    if not suspects or lost in (0, sent):  # what is refused, or answered by a stranger, is no loss
        return []
    rate, part = lost / sent, len(suspects) / len(recent)
    even = sum(x * log(rate) + (n - x) * log(1 - rate) for _, x, n in recent)
    apart = sum(
        log(part * DEAD_FLOW**x * (1 - DEAD_FLOW) ** (n - x) + (1 - part) * LIVE_FLOW**x * (1 - LIVE_FLOW) ** (n - x))
        for _, x, n in recent
    )
    return suspects if apart - even >= LIKELIER else []


def _lately(flow: Flow) -> tuple[int, int]:
    """Losses among the last outcomes, and how many they are; of a flow that lets nothing through, since it does not."""
    if flow.lost >= IN_A_ROW:
        return min(flow.lost, LATELY), min(flow.lost, LATELY)
    sent = min(flow.count, LATELY)
    return (flow.bits & ((1 << sent) - 1)).bit_count(), sent


def _explained(ground: Ground, flows: list[Flow], holes: list[Flow]) -> tuple[Label, list[Flow]] | None:
    """Return the way to tell flows apart that explains the losses best, and the flows of it.

    None while another explanation is nearly as likely, for the first ten seconds. Other services of the site that lose
    too are asked with it: their flows are hashed otherwise, so that what looks alike in one differs in the other.
    """
    members, since = _members(ground, flows), _since(ground.pair)
    likely = _likelihoods({label: _counts(some, holes, since) for label, some in members.items()}, ground, bool(holes))
    for other in () if holes else _losing_beside(ground):
        beside, begun = _members(ground, list(other.flows.active())), _since(other)
        counts = {label: counted(some, begun) for label, some in beside.items()}
        more = _likelihoods({label: counts.get(label, (0, 0)) for label in (*likely, *counts)}, ground)
        likely = {label: value + more.get(label, 0.0) for label, value in likely.items()}
    if not likely:
        return None
    if not holes:
        likely = {label: value - SPLIT * (label[0] != "site") for label, value in likely.items()}
    best = max(likely.values())
    alike = [label for label, value in likely.items() if best - value < DOUBT]
    label = max(alike, key=lambda label: (likely[label], -ORDER.index(label[0]), label))
    same = [other for other in alike if members[other] == members[label]]
    if len(same) < len(alike) and not _long_known(ground, members[label], holes):
        return None
    label = min(same, key=lambda label: ORDER.index(label[0]))
    return label, [flow for flow in flows if flow in members[label] or label in flow.labels]


def _since(pair: Pair) -> datetime:
    """When the loss began that is to be explained: what was lost before had another cause."""
    charts = (pair.flows.charts[label] for label in pair.flows.hot)
    begun = [chart.since for chart in charts if chart.crossed is not None and chart.since is not None]
    return min(begun) - SLACK if begun else NEVER


def _members(ground: Ground, flows: list[Flow]) -> dict[Label, list[Flow]]:
    """Flows by every way to tell them apart. Where a circuit is known of most of them, those of which it is."""
    traced = [flow for flow in flows if any(kind == "circuit" for kind, _ in flow.labels)]
    members: dict[Label, list[Flow]] = {}
    for flow in traced if len(traced) >= TRACED * len(flows) else flows:
        for label in (*flow.labels, ("region", flow.region), ("site", ground.seen.site)):
            members.setdefault(label, []).append(flow)
    return members


def _losing_beside(ground: Ground) -> Iterator[Pair]:
    """Other services of the site of which some leg loses."""
    for pair in ground.seen.pairs.values():
        if pair is not ground.pair and any(pair.flows.charts[label].crossed is not None for label in pair.flows.hot):
            yield pair


def _likelihoods(counts: Mapping[Label, tuple[int, int]], ground: Ground, alone: bool = False) -> dict[Label, float]:
    """How likely what was seen is if a leg loses at a rate of its own, for each leg; its logarithm.

    With `alone` the others lose hardly anything; else whatever they lost, for another leg may lose as well.
    """
    whole = counts.get(("site", ground.seen.site), (0, 0))
    return {label: _likelihood(part, whole, alone) for label, part in counts.items()} if whole[0] else {}


def _likelihood(part: tuple[int, int], whole: tuple[int, int], alone: bool) -> float:
    lost, sent = whole[0] - part[0], whole[1] - part[1]
    if alone:
        return _one_rate(*part) + lost * log(BACKGROUND) + (sent - lost) * log(1 - BACKGROUND)
    if part[0] * sent <= lost * part[1]:  # then it is the others that lose
        return _one_rate(*whole)
    return _one_rate(*part) + _one_rate(lost, sent)


def _one_rate(lost: int, sent: int) -> float:
    if not sent:
        return 0.0
    rate = min(max(lost / sent, BACKGROUND), 1 - BACKGROUND)
    return lost * log(rate) + (sent - lost) * log(1 - rate)


def _long_known(ground: Ground, flows: Sequence[Flow], holes: Sequence[Flow]) -> bool:
    """Whether the loss has been known for so long that the best explanation must do."""
    charts = {id(chart): chart for flow in flows for chart in flow.charts}.values()
    known = [chart.crossed for chart in charts if chart.crossed is not None] + [flow.lost_since for flow in holes]
    return bool(known) and ground.now - min(known) >= LONG


def _counts(flows: Sequence[Flow], holes: list[Flow], since: datetime) -> tuple[int, int]:
    """Flows without any way through, and flows; where there are none, losses and outcomes since a time."""
    return (sum(flow in holes for flow in flows), len(flows)) if holes else counted(flows, since)


def _judged(ground: Ground, label: Label, flows: list[Flow], holes: list[Flow]) -> Finding | None:
    if holes:
        others = [_lately(flow) for flow in flows if flow not in holes]
        if sum(x for x, _ in others) > MOSTLY_WELL * sum(n for _, n in others):
            return None
        if any(ground.now - flow.mended <= MENDS for flow in flows):
            return None  # a leg that was dead, some of whose flows have not been asked since
        part, since = len(holes) / len(flows), min(flow.lost_since for flow in holes)
        return _loses(ground, label, flows, len(holes), part, part >= MAJOR, since)
    charts = ground.pair.flows.charts
    own = [charts[label]] if label in charts else [charts[each] for flow in flows for each in flow.labels]
    crossed = [chart for chart in own if chart.crossed is not None]
    lost, sent = counted(flows, _since(ground.pair))
    times = [chart.since for chart in crossed if chart.since is not None]
    if not times:
        return None
    part = crossed[0].rate if label in charts else lost / sent
    return _loses(ground, label, flows, 0, part, part >= MAJOR or any(chart.major for chart in crossed), min(times))


def _loses(
    ground: Ground, label: Label, flows: list[Flow], holes: int, part: float, major: bool, since: datetime
) -> Finding:
    others = [flow for flow in ground.pair.flows.active() if flow not in flows]
    how = "every packet of some flows and none of the others" if holes else "packets of all its flows at random"
    band = next((words for limit, words in BANDS if part < limit), "nearly all")
    return Finding(
        Kind.LOSSY_LEG,
        _subject(ground, label, flows),
        Severity.MAJOR if major else Severity.WARNING,
        since,
        f"{ground.name}: {ground.seen.site} loses {how} through {_words(ground, label)}",
        (
            ("sort of loss", "per flow" if holes else "random"),
            ("how much", f"{band} of its {'flows' if holes else 'packets'}"),
            ("leg", f"{_words(ground, label)}: {len(flows)} flows"),
            ("others", f"{len(others)} flows" if others else "no flow takes another leg"),
            *_unicast(ground, label, since),
        ),
        None,
        frozenset({ground.seen.name}),
    )
