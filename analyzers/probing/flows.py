"""The fixed flows of one site for one service: where each lands, what it loses, and when it moved.

A fixed flow keeps its five-tuple, so every router's hash keeps it on one leg: that it lands elsewhere is an event, and
which flows lose tells which leg does. Each flow is on the leg of its last answer, known by the identity in it, and on
the circuits of its last traceroute; a flow that answers from elsewhere moves at once, and leaves its circuits behind
until it is traced again.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from analyzers.probing.cusum import Chart
from analyzers.probing.moments import moment, seconds
from analyzers.probing.oneway import OneWay
from analyzers.probing.track import NEVER, Track
from anycast.plain import Plain
from anycast.probe import HEARD, Outcome, ProbeResult, Proof

MOST = 256  # flows of one target
MOST_LEGS = 64
WINDOW = 64  # outcomes that each flow remembers
MASK = (1 << WINDOW) - 1
ACTIVE = timedelta(seconds=30)  # a flow of which nothing was heard for longer is not asked any more
TOGETHER = timedelta(seconds=5)  # flows that move within it move together (measuring-anycast.md 2.7)
PART_SHIFT = 0.3
FLAPS = 3  # changes of region within
FLAP_WINDOW = timedelta(minutes=10)
IN_A_ROW = 4  # losses of a flow that lets nothing through
RUN = 2  # losses in a row that random loss explains: those after them say that a flow lets nothing through, and no more
UNHEARD = (Outcome.SILENT.value, Outcome.UNREACHABLE.value)
PARTINGS = 3  # places on the way at which flows part, nearest first

Label = tuple[str, str]
"""A leg: `nva` or `circuit`, and its name."""


class Flow(Track):
    """One fixed flow."""

    __slots__ = (
        "begun",
        "bits",
        "changes",
        "charts",
        "far",
        "hops",
        "labels",
        "landed",
        "mended",
        "number",
        "nva",
        "region",
        "rtt",
        "sure",
        "total",
        "ttl",
        "ttl_at",
        "was",
    )

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.region = self.nva = ""
        """Who answered last; empty while nobody did."""
        self.landed = NEVER
        """Since when it lands there."""
        self.sure = False
        """It was answered since the last gap of our sight: a change of its region is an event."""
        self.bits = self.total = 0
        """The last outcomes on this leg, 1 for a loss, without what a run of losses has beyond `RUN`; and how many
        there were, also of those that are not remembered any more,"""
        self.begun = NEVER
        """since the first of them."""
        self.mended = NEVER
        """When it was first answered after a longer run: losses before it that are heard of later belong to the run."""
        self.rtt: float | None = None
        self.ttl = self.far = 0
        """TTLs with which the last answer and its request arrived."""
        self.was: tuple[int, int] | None = None
        """TTLs before they changed, while the flow stayed on its leg,"""
        self.ttl_at = NEVER
        """and when they did."""
        self.changes: deque[datetime] = deque(maxlen=FLAPS)
        self.hops: tuple[str, ...] = ()
        self.labels: tuple[Label, ...] = ()
        self.charts: tuple[Chart, ...] = ()

    @property
    def count(self) -> int:
        """Outcomes that are remembered."""
        return min(self.total, WINDOW)

    def counted(self, since: datetime = NEVER) -> tuple[int, int]:
        """Return losses and outcomes that are remembered, of probes sent since a time."""
        sent = self.count
        if since > self.begun and self.total > 1:
            period = (self.at - self.begun) / (self.total - 1)
            sent = max(0, min(sent, ceil((self.at - since) / period))) if period else sent
        return (self.bits & ((1 << sent) - 1)).bit_count(), sent

    def seen(self) -> tuple[int, int]:
        """Return losses and outcomes as people count them: with all of the run that the flow is in."""
        run = min(max(0, self.lost - RUN), WINDOW) if self.said in UNHEARD else 0
        sent = min(self.count, WINDOW - run)
        return (self.bits & ((1 << sent) - 1)).bit_count() + run, sent + run

    def note(self, at: datetime, lost: bool) -> None:
        """Remember an outcome."""
        if not self.total:
            self.begun = at
        self.bits = (self.bits << 1 | lost) & MASK
        self.total += 1

    def forget(self) -> None:
        """Remember nothing of before."""
        self.bits = self.total = 0

    def flaps(self, now: datetime) -> bool:
        """Whether its region changed three times within ten minutes that are not over."""
        return len(self.changes) == FLAPS and now - self.changes[0] <= FLAP_WINDOW


@dataclass(slots=True)
class Shift:
    """Flows that moved to other regions together."""

    at: datetime
    last: datetime
    moved: dict[int, tuple[str, str]]
    """Flow to the regions that it left and came to."""


class Flows:
    """All fixed flows of one target."""

    def __init__(self) -> None:
        self.by_number: dict[int, Flow] = {}
        self.charts: dict[Label, Chart] = {}
        self.ways: dict[str, OneWay] = {}
        """By NVA."""
        self.losing: dict[int, Flow] = {}
        """Flows whose last probes were lost, in the order in which they began to lose."""
        self.hot: set[Label] = set()
        """Legs whose charts must count answers."""
        self.shift: Shift | None = None
        self.moves: deque[tuple[datetime, int, str, str]] = deque(maxlen=MOST)
        self.restless: set[int] = set()
        """Flows that changed their region often enough to be looked at."""
        self.at = NEVER
        """The last time that a probe was sent."""
        self.landed: frozenset[str] = frozenset()
        """Regions that flows land in,"""
        self.taken: dict[str, frozenset[str]] = {}
        """and, of each, the NVAs and the routers on the way that they take."""
        self.turned: set[int] = set()
        """Flows whose TTLs changed although they stayed where they are."""
        self.left: dict[Label, datetime] = {}
        """Legs that flows left, and when the last of them was answered there."""
        self.heard_at = NEVER
        """When the last probe was sent that somebody answered, though not as it should be."""
        self.version = 0
        """Grows whenever a flow lands elsewhere, or is traced another way."""
        self.regions: frozenset[str] = frozenset()
        """Regions that there are: whoever says to be of another one proves nothing."""
        self.ignored: frozenset[str] = frozenset()
        """Addresses on the way that are no circuit: NVAs and the service itself."""

    # What results do.

    def apply(self, result: ProbeResult) -> None:
        """Fold in one result of a fixed flow over UDP, which counts."""
        at, number = result.at, result.flow
        flow = self.by_number.get(number)
        if flow is None:
            if len(self.by_number) >= MOST:
                return
            flow = self.by_number[number] = Flow(number)
        if at > self.at:
            self.at = at
        identity = result.identity
        proven = result.outcome is Outcome.ANSWERED and result.proof is not Proof.NONE and identity is not None
        if identity is not None and proven:
            region, nva = identity.region, identity.nva
            if nva != flow.nva or region != flow.region or not flow.sure:
                if at < flow.ok_at:
                    return  # an answer that was overtaken by the one that told of the move
                proven = region in self.regions
                if proven:
                    self._land(flow, at, region, nva)
        if proven:
            if flow.lost:
                run = flow.lost > RUN
                flow.good(at)
                if not flow.lost:
                    self.losing.pop(number, None)
                    if run:
                        flow.forget()
                        flow.mended = at
            elif at > flow.ok_at:
                flow.ok_at = at
            flow.note(at, False)
            flow.rtt = rtt = result.rtt
            if result.ttl != flow.ttl or result.far_ttl != flow.far:
                self._turn(flow, at, result.ttl, result.far_ttl)
            if flow.charts and self.hot:
                self._cool(flow, at)
            forward = result.forward
            if forward is not None and rtt is not None:
                way = self.ways.get(flow.nva)
                if way is not None:
                    way.add(at, forward, rtt - forward - (result.held or 0.0))
            return
        outcome = result.outcome
        last = flow.bad(at, outcome.value)
        if last:
            self.losing[number] = flow
        if outcome is Outcome.SILENT or outcome is Outcome.UNREACHABLE:
            if flow.lost <= RUN if last else at > flow.mended:
                flow.note(at, True)
                for label, chart in zip(flow.labels, flow.charts, strict=True):
                    chart.lose(at, number)
                    self.hot.add(label)
        else:
            flow.note(at, False)
            if outcome in HEARD and at > self.heard_at:
                self.heard_at = at

    def _cool(self, flow: Flow, at: datetime) -> None:
        for label, chart in zip(flow.labels, flow.charts, strict=True):
            if label in self.hot:
                over = chart.answer(at)
                if not chart.hot:
                    self.hot.discard(label)
                if over:
                    self._forget(label)

    def _forget(self, label: Label) -> None:
        """An episode of loss is over: what was lost in it is not held against a leg again.

        Other legs that its flows take lost with it. Where nothing else is left of their loss, it is over as well.
        """
        for flow in self.by_number.values():
            if label in flow.labels:
                flow.forget()
        left = {each for flow in self.by_number.values() if flow.bits for each in flow.labels}
        for each in self.hot - left:
            if self.charts[each].crossed is not None:
                self.charts[each].end()
        self.hot = {each for each in self.hot if self.charts[each].hot}

    def _land(self, flow: Flow, at: datetime, region: str, nva: str) -> None:
        """A flow is answered by somebody else than before, or for the first time since a gap."""
        elsewhere = (region, nva) != (flow.region, flow.nva)
        before, sure, flow.sure = flow.region, flow.sure, True
        if not elsewhere:
            return
        self.version += 1
        self._leave(flow.labels, flow.ok_at)
        flow.region, flow.nva, flow.landed = region, nva, at
        flow.forget()
        flow.was, flow.ttl = None, 0
        self.turned.discard(flow.number)
        if sure:
            flow.hops = ()
        if nva not in self.ways and len(self.ways) < MOST_LEGS:
            self.ways[nva] = OneWay()
        if sure and before != region:
            flow.changes.append(at)
            if len(flow.changes) == FLAPS:
                self.restless.add(flow.number)
            self._moved(at, flow.number, before, region)
        self._relabel()

    def _leave(self, labels: Iterable[Label], at: datetime) -> None:
        for label in labels:
            if at > NEVER and (label in self.left or len(self.left) < MOST_LEGS):
                self.left[label] = max(at, self.left.get(label, NEVER))

    def _moved(self, at: datetime, number: int, before: str, after: str) -> None:
        self.moves.append((at, number, before, after))
        recent = [move for move in self.moves if abs(at - move[0]) <= TOGETHER]
        shift = self.shift
        if shift is not None and abs(at - shift.last) <= TOGETHER:
            shift.moved[number] = (shift.moved.get(number, (before, ""))[0], after)
            shift.at, shift.last = min(shift.at, at), max(shift.last, at)
            return
        landed = sum(1 for flow in self.active() if flow.region)
        if len({move[1] for move in recent}) >= max(2.0, PART_SHIFT * landed):
            moved: dict[int, tuple[str, str]] = {}
            for _, each, left, came in sorted(recent):
                moved[each] = (moved.get(each, (left, ""))[0], came)
            self.shift = Shift(min(move[0] for move in recent), max(move[0] for move in recent), moved)

    def _turn(self, flow: Flow, at: datetime, ttl: int, far: int) -> None:
        """The TTLs of a flow changed although it stays where it is."""
        if flow.ttl and ttl and (flow.was is None or (ttl, far) == flow.was):
            flow.was = (flow.ttl, flow.far) if flow.was is None else None
            flow.ttl_at = at
            (self.turned.discard if flow.was is None else self.turned.add)(flow.number)
        flow.ttl, flow.far = ttl, far

    def traced(self, number: int, hops: tuple[str, ...], at: datetime) -> None:
        """Take a traceroute of a flow; where a hop was silent the one that was seen there before stays."""
        flow = self.by_number.get(number)
        if flow is None:
            return
        known = flow.hops + ("*",) * (len(hops) - len(flow.hops))
        merged = tuple(new if new != "*" else old for new, old in zip(hops, known, strict=False))
        merged += known[len(hops) :]
        if merged != flow.hops:
            self._leave([label for label in flow.labels if label[0] == "circuit" and label[1] not in merged], at)
            flow.hops = merged
            self.version += 1
            self._relabel()

    def gap(self) -> None:
        """Losses in a row begin anew, and a flow that lands elsewhere moved we know not when."""
        for flow in self.by_number.values():
            flow.gap()
            flow.sure = False
        self.losing.clear()

    # Legs.

    def active(self) -> Iterator[Flow]:
        """Yield the flows that are asked."""
        return (flow for flow in self.by_number.values() if self.at - flow.at <= ACTIVE)

    def legs(self) -> dict[Label, list[Flow]]:
        """Return the flows of every leg that has any."""
        found: dict[Label, list[Flow]] = {}
        for flow in self.active():
            for label in flow.labels:
                found.setdefault(label, []).append(flow)
        return found

    def _relabel(self) -> None:
        """Give every flow its legs and their charts; a leg that no flow takes any more is forgotten."""
        partings = self._partings()
        charts: dict[Label, Chart] = {}
        for flow in self.by_number.values():
            labels = [("nva", flow.nva)] if flow.nva else []
            labels += [("circuit", flow.hops[i]) for i in partings if i < len(flow.hops) and self._circuit(flow, i)]
            flow.labels = tuple(dict.fromkeys(labels))
            for label in flow.labels:
                if label not in charts and len(charts) < MOST_LEGS:
                    charts[label] = self.charts.get(label) or Chart()
                    charts[label].members = 0
                if label in charts:
                    charts[label].members += 1
            flow.labels = tuple(label for label in flow.labels if label in charts)
            flow.charts = tuple(charts[label] for label in flow.labels)
        self.charts = charts
        self.hot &= charts.keys()
        taken: dict[str, set[str]] = {}
        for flow in self.by_number.values():
            if flow.region:
                taken.setdefault(flow.region, set()).update((flow.nva, *flow.hops))
        self.taken = {region: frozenset(names) for region, names in taken.items()}
        self.landed = frozenset(taken)

    def _circuit(self, flow: Flow, index: int) -> bool:
        return flow.hops[index] != "*" and flow.hops[index] not in self.ignored

    def _partings(self) -> list[int]:
        """Places on the way at which flows part, the nearest first; one that parts them as another does is left out."""
        longest = max((len(flow.hops) for flow in self.by_number.values()), default=0)
        found: list[int] = []
        for index in range(longest):
            here = {flow.hops[index] for flow in self.by_number.values() if self._known(flow, index)}
            if len(here) > 1 and not any(self._alike(before, index) for before in found):
                found.append(index)
        return found[:PARTINGS]

    def _known(self, flow: Flow, index: int) -> bool:
        return index < len(flow.hops) and self._circuit(flow, index)

    def _alike(self, one: int, other: int) -> bool:
        """Whether two places part the flows alike, as far as both are known of a flow."""
        both = [flow.hops for flow in self.by_number.values() if self._known(flow, one) and self._known(flow, other)]
        pairs = {(hops[one], hops[other]) for hops in both}
        return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})

    # What survives a restart.

    def plain(self) -> Plain:
        """Return the map, the charts, what moved and the delays; losses in a row are not in it."""
        return {
            "flows": [_flow(flow) for _, flow in sorted(self.by_number.items())],
            "charts": [[*label, chart.plain()] for label, chart in sorted(self.charts.items()) if chart.hot],
            "ways": {nva: way.plain() for nva, way in sorted(self.ways.items())},
            "moves": [[at.timestamp(), *rest] for at, *rest in self.moves],
            "shift": self._shift(),
            "left": [[*label, at.timestamp()] for label, at in sorted(self.left.items())],
            "at": self.at.timestamp(),
        }

    def _shift(self) -> Plain:
        shift = self.shift
        if shift is None:
            return None
        return [shift.at.timestamp(), shift.last.timestamp(), [[n, *pair] for n, pair in sorted(shift.moved.items())]]

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back; every flow must be seen again before a change of it is an event."""
        for row in plain["flows"]:
            flow = _read_flow(row)
            self.by_number[flow.number] = flow
            if len(flow.changes) == FLAPS:
                self.restless.add(flow.number)
            if flow.was is not None:
                self.turned.add(flow.number)
        for kind, name, chart in plain["charts"]:
            self.charts[kind, name] = Chart.restored(chart)
            self.hot.add((kind, name))
        for nva, spans in plain["ways"].items():
            self.ways[nva] = OneWay()
            self.ways[nva].restore(spans)
        self.moves.extend((_at(at), number, before, after) for at, number, before, after in plain["moves"])
        if plain["shift"] is not None:
            at, last, moved = plain["shift"]
            self.shift = Shift(_at(at), _at(last), {number: (before, after) for number, before, after in moved})
        self.left = {(kind, name): _at(at) for kind, name, at in plain["left"]}
        self.at = _at(plain["at"])
        self._relabel()


def _at(plain: float) -> datetime:
    return moment(plain) or NEVER


def _flow(flow: Flow) -> Plain:
    return [
        flow.number,
        flow.region,
        flow.nva,
        seconds(flow.landed),
        list(flow.hops),
        [seconds(at) for at in flow.changes],
        [flow.ttl, flow.far, list(flow.was) if flow.was else None, seconds(flow.ttl_at)],
    ]


def _read_flow(row: Plain) -> Flow:
    number, region, nva, landed, hops, changes, (ttl, far, was, ttl_at) = row
    flow = Flow(number)
    flow.region, flow.nva, flow.landed, flow.hops = region, nva, _at(landed), tuple(hops)
    flow.changes.extend(_at(at) for at in changes)
    flow.ttl, flow.far, flow.was, flow.ttl_at = ttl, far, (was[0], was[1]) if was else None, _at(ttl_at)
    return flow


def counted(flows: Iterable[Flow], since: datetime = NEVER) -> tuple[int, int]:
    """Return losses and outcomes that some flows remember, of probes sent since a time."""
    lost = sent = 0
    for flow in flows:
        its_lost, its_sent = flow.counted(since)
        lost, sent = lost + its_lost, sent + its_sent
    return lost, sent
