"""Scales of charts: time from left to right over 1000 units, and labels that are HTML, so that they keep their shape.

The drawing is stretched to whatever width the page has; lines keep their own width (`non-scaling-stroke`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor, log10

from anycast.charted import Window
from dashboards.console.markup import join, tag, text

WIDTH = 1000.0
LABELS = 7
EDGE = 0.07  # of the width: a label nearer to an end stands beside its line, and not below it
OVERLAP = 0.9  # units by which a box reaches into the next, so that no seam is seen between them
SPANS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)  # seconds between labels


@dataclass(frozen=True, slots=True)
class Across:
    """Time from left to right."""

    window: Window

    @property
    def step(self) -> float:
        """The width of one step."""
        return WIDTH * self.window.step / (self.window.end - self.window.start).total_seconds()

    def x(self, at: datetime) -> float:
        """Where a time stands, 0 to 1000."""
        whole = (self.window.end - self.window.start).total_seconds()
        return WIDTH * (at - self.window.start).total_seconds() / whole

    def steps(self) -> Iterator[datetime]:
        """When each step begins."""
        at, step = self.window.start, timedelta(seconds=self.window.step)
        while at < self.window.end:
            yield at
            at += step

    def ticks(self) -> list[datetime]:
        """Round times, a handful of them."""
        whole = (self.window.end - self.window.start).total_seconds()
        every = next((span for span in SPANS if whole / span <= LABELS), SPANS[-1])
        first = -(-self.window.start.timestamp() // every) * every
        found = []
        while first <= self.window.end.timestamp():
            found.append(datetime.fromtimestamp(first, UTC))
            first += every
        return found

    def labels(self) -> str:
        """The times below a chart."""
        return join(_time(at, self.x(at) / WIDTH, n) for n, at in enumerate(self.ticks()))

    def lines(self, height: float) -> str:
        """A line at each label."""
        d = "".join(f"M{self.x(at):.1f} 0V{height:g}" for at in self.ticks())
        return f'<path class="grid" d="{d}"/>'


def _time(at: datetime, part: float, number: int) -> str:
    place = " first" if part < EDGE else " last" if part > 1 - EDGE else ""
    odd = " odd" if number % 2 else ""
    return tag("span", f"x{place}{odd}", f"{at:%H:%M}", style=f"left:{part * 100:.2f}%")


@dataclass(frozen=True, slots=True)
class Up:
    """Seconds from bottom to top."""

    low: float
    high: float
    height: float

    @classmethod
    def over(cls, least: float, most: float, height: float) -> "Up":
        """Return a scale over all values; from zero, unless they all lie far above it."""
        top = most * 1.06 if most > 0 else 0.001
        low = 0.0 if least < 0.5 * most else least - (top - least) * 0.35
        return cls(max(0.0, low), top, height)

    def y(self, seconds: float) -> float:
        """Where a value stands; what lies beyond is put at the edge."""
        part = (min(max(seconds, self.low), self.high) - self.low) / (self.high - self.low)
        return self.height * (1 - part)

    def ticks(self) -> list[float]:
        """Round values, a handful of them."""
        raw = (self.high - self.low) / 4
        unit = 10.0 ** floor(log10(raw))
        every = next(unit * n for n in (1, 2, 5, 10) if unit * n >= raw)
        first = -(-self.low // every) * every
        return [first + n * every for n in range(8) if first + n * every <= self.high]

    def labels(self, whole: float) -> str:
        """The values beside a chart that is `whole` units high."""
        return join(
            tag("span", "y", text(_millis(value)), style=f"top:{self.y(value) / whole * 100:.2f}%")
            for value in self.ticks()
        )

    def lines(self) -> str:
        """A line at each label."""
        d = "".join(f"M0 {self.y(value):.1f}H{WIDTH:g}" for value in self.ticks())
        return f'<path class="grid" d="{d}"/>'


def _millis(seconds: float) -> str:
    return f"{seconds * 1000:.6g} ms"


def box(left: float, top: float, width: float, height: float) -> str:
    """One rectangle of a path."""
    wide = width + OVERLAP
    return f"M{left:.2f} {top:.1f}h{wide:.2f}v{height:.1f}h{-wide:.2f}z"


def over(left: float, width: float, height: float, *said: str) -> str:
    """A part of a chart that says some lines when it is pointed at; they are escaped here."""
    rect = f'<rect class="over" x="{left:.1f}" y="0" width="{width:.1f}" height="{height:g}">'
    return f"{rect}<title>{'&#10;'.join(map(text, said))}</title></rect>"


def drawing(inner: str, height: float, said: str) -> str:
    """A chart's drawing; `said` is what it shows, for those who do not see it."""
    box_of = f'viewBox="0 0 {WIDTH:g} {height:g}" preserveAspectRatio="none" role="img" aria-label="{text(said)}"'
    return f"<svg {box_of}>{inner}</svg>"


def gaps(across: Across, known: set[datetime], height: float) -> str:
    """Where nothing was asked: that is not loss, and not health."""
    d = "".join(box(across.x(at), 0, across.step, height) for at in across.steps() if at not in known)
    return f'<path class="gap" d="{d}"/>' if d else ""


def marks(across: Across, times: list[datetime], height: float) -> str:
    """A dashed line at each of some times."""
    inside = (at for at in times if across.window.start <= at < across.window.end)
    d = "".join(f"M{across.x(at):.1f} 0V{height:g}" for at in inside)
    return f'<path class="mark" d="{d}"/>' if d else ""
