"""The Bernoulli CUSUM of one leg: two charts over the pooled outcomes of its flows.

    loss:    S = S + ln(p1 / p0)
    answer:  S = max(0, S + ln((1 - p1) / (1 - p0)))

p0 is 0.5 % for both. The fast chart looks for one loss in two (three losses in a row are enough), the grey one for one
in ten (a loss of 5 % within some 210 outcomes, of 20 % within 30). Both cross at 13.8, which a leg that truly loses
0.5 % reaches once in two million outcomes or less. Source: measuring-anycast.md 2.5.

The charts take outcomes for independent, and losses come in bursts: a route that moves loses everything for a third of
a second. So no more than two losses of any half second count, and crossing takes more than the sum: seven such losses,
of three flows, over two seconds, in four separate half seconds, where those that lose nearly everything in a row are
one.
"""

from datetime import datetime, timedelta
from math import log

from analyzers.probing.moments import moment, seconds
from anycast.plain import Plain

P0, P_FAST, P_GREY = 0.005, 0.5, 0.1
H = 13.8
CAP = 2 * H  # so that an hour of loss is over as soon as a minute of it
CALM = timedelta(seconds=3)
BURST = 0.5
"""Of outcomes up to the last loss: an episode that lost so many and has not crossed was a burst, once it is calm."""
LUCK = -log(1e-4)  # so improbable must it be that so many answers follow each other while the loss goes on
FAST_LOSS, FAST_ANSWER = log(P_FAST / P0), log((1 - P_FAST) / (1 - P0))
GREY_LOSS, GREY_ANSWER = log(P_GREY / P0), log((1 - P_GREY) / (1 - P0))
SLOT = 0.5  # seconds
IN_A_SLOT = 2  # losses that count
FULL = 0.6  # of the leg's flows lost something in it, and each is asked once
LOSSES, FLOWS, SPAN, SLOTS = 7, 3, timedelta(seconds=2), 4  # guards, beside the sum
COUNTED = 512  # outcomes of an episode; then both counts are halved, so that the rate is that of the last of them
MAJOR = 0.15  # the rate from which, with samples enough, 20 % cannot be excluded
MAJOR_SAMPLES = 64
MOST_FLOWS = 128


class Chart:
    """Both charts of one leg, and the episode of loss that they are in."""

    __slots__ = (
        "clean",
        "counted",
        "crossed",
        "fast",
        "flows",
        "grey",
        "in_slot",
        "last",
        "lost",
        "major",
        "members",
        "since",
        "slot",
        "slots",
        "until",
        "weighed",
    )

    def __init__(self) -> None:
        self.fast = self.grey = 0.0
        self.since: datetime | None = None
        """Since when the grey chart stands above zero: the first loss of the episode. The fast one falls faster, so it
        is at zero where the grey one is."""
        self.last: datetime | None = None
        """The last loss."""
        self.flows: set[int] = set()
        """Flows that lost something in this episode."""
        self.counted = self.lost = 0
        """Outcomes of this episode, and losses among them."""
        self.crossed: datetime | None = None
        """When one of the charts crossed; None again when nothing was lost for so long that it cannot be luck."""
        self.major = False
        self.clean = 0
        """Answers since the last loss,"""
        self.until = 0.0
        """and the part that was lost until it."""
        self.slot = self.in_slot = 0
        """The half second of the last loss, and how many it has."""
        self.slots = 0
        """Separate half seconds of this episode that lost something,"""
        self.weighed = 0
        """and its losses that count."""
        self.members = 1
        """Flows that take the leg."""

    @property
    def rate(self) -> float:
        """The part that is lost, over the episode."""
        return self.lost / self.counted if self.counted else 0.0

    def lose(self, at: datetime, flow: int) -> None:
        """Count a loss."""
        if self.grey <= 0.0 and self.crossed is None:
            self._begin(at)
        self._enter(int(at.timestamp() / SLOT))
        if self.in_slot <= IN_A_SLOT:
            self.weighed += 1
            self.fast = min(CAP, self.fast + FAST_LOSS)
            self.grey = min(CAP, self.grey + GREY_LOSS)
        self.last = at if self.last is None or at > self.last else self.last
        if len(self.flows) < MOST_FLOWS:
            self.flows.add(flow)
        self.lost += 1
        self._count()
        self.clean, self.until = 0, self.rate
        if self.crossed is None and (self.fast >= H or self.grey >= H) and self._steady():
            self.crossed = at
        if self.crossed is not None and self.counted >= MAJOR_SAMPLES and self.rate >= MAJOR:
            self.major = True

    def answer(self, at: datetime) -> bool:
        """Count an answer; needless while the grey chart is at zero and nothing has crossed.

        Returns whether an episode is over with it that was more than stray losses.
        """
        self.fast = max(0.0, self.fast + FAST_ANSWER)
        self.grey = max(0.0, self.grey + GREY_ANSWER)
        self._count()
        self.clean += 1
        over = self.last is not None and at - self.last >= CALM and (self._ended() if self.crossed else self._burst())
        if over:
            self.end()
        return over

    def _ended(self) -> bool:
        return self.clean * -log(1 - min(self.until, 0.99)) >= LUCK

    def _burst(self) -> bool:
        return self.lost > 1 and self.until >= BURST and self.slots < SLOTS

    def end(self) -> None:
        """The episode is over."""
        self.crossed, self.fast, self.grey, self.major = None, 0.0, 0.0, False

    def _steady(self) -> bool:
        """Whether its losses are many and spread out, as independent ones are, and not one burst or one flow's."""
        assert self.since is not None
        assert self.last is not None
        spread = self.last - self.since >= SPAN and self.slots >= SLOTS
        return spread and self.weighed >= LOSSES and len(self.flows) >= min(FLOWS, max(2, self.members))

    @property
    def hot(self) -> bool:
        """Whether answers must be counted."""
        return self.grey > 0.0 or self.crossed is not None

    def _enter(self, slot: int) -> None:
        if slot == self.slot:
            self.in_slot += 1
            return
        goes_on = slot == self.slot + 1 and self.in_slot >= FULL * self.members
        self.slots += not goes_on
        self.slot, self.in_slot = slot, 1

    def _begin(self, at: datetime) -> None:
        self.since, self.last, self.counted, self.lost, self.major = at, None, 0, 0, False
        self.slot = self.in_slot = self.slots = self.weighed = 0
        self.flows.clear()

    def _count(self) -> None:
        self.counted += 1
        if self.counted >= COUNTED:
            self.counted //= 2
            self.lost //= 2

    def plain(self) -> Plain:
        """Return what survives a restart."""
        times = [seconds(at) for at in (self.since, self.last, self.crossed)]
        counts = [self.counted, self.lost, self.major, self.slots, self.weighed, self.until]
        return [self.fast, self.grey, *times, sorted(self.flows), *counts]

    @classmethod
    def restored(cls, plain: Plain) -> "Chart":
        """Take it back."""
        chart = cls()
        chart.fast, chart.grey, since, last, crossed, flows, counted, lost, major, *more = plain
        chart.since, chart.last, chart.crossed = moment(since), moment(last), moment(crossed)
        chart.flows, chart.counted, chart.lost, chart.major = set(flows), counted, lost, major
        chart.slots, chart.weighed, chart.until = (*more, chart.rate)[:3]
        return chart
