"""Round trips over time: the median as a line, the others as smoke around it, by region, and what was lost below."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from anycast.charted import Smoke, SmokeChart
from anycast.counted import counted
from anycast.probe import Proof
from dashboards.console.axes import Across, Up, box, drawing, gaps, marks, over
from dashboards.console.colours import colour
from dashboards.console.markup import join, millis, percent, tag, text

HEIGHT, BELOW = 230.0, 40.0
"""Of the round trips, and of the losses below them."""
BANDS: tuple[tuple[str, str, float], ...] = (("least", "p99", 0.16), ("least", "p90", 0.2), ("p25", "p75", 0.42))
"""From, to, and how dense the smoke is: the later ones lie on those before."""
LEAST_SHOWN = 0.12  # of the height of the losses' strip: one lost probe of thousands must be seen


def smoke(chart: SmokeChart, colours: Mapping[str, str], shifts: Sequence[datetime] = ()) -> str:
    """A chart as HTML; a plain sentence where nothing was asked."""
    if not chart.bins:
        return tag("p", "quiet", "No probe was sent in this time.")
    across = Across(chart.window)
    answered = [each for each in chart.bins if each.p50 is not None]
    up = Up.over(*_ends(answered), HEIGHT)
    regions = list(dict.fromkeys(each.region for each in answered))
    whole = HEIGHT + BELOW
    inner = join(
        (
            gaps(across, {each.at for each in chart.bins}, whole),
            up.lines(),
            across.lines(whole),
            join(_region(name, [e for e in answered if e.region == name], across, up, colours) for name in regions),
            _losses(chart.bins, across),
            marks(across, list(shifts), whole),
            join(over(across.x(at), across.step, whole, *said) for at, said in _told(chart.bins)),
        )
    )
    picture = drawing(inner, whole, f"round trips from {chart.site} to {chart.target}")
    lost = tag("span", "y", "lost", style=f"top:{(HEIGHT + BELOW / 2) / whole * 100:.1f}%")
    return tag("div", "chart smoke", picture + up.labels(whole) + lost + across.labels()) + _legend(chart, colours)


def _ends(answered: Sequence[Smoke]) -> tuple[float, float]:
    """The least round trip, and the largest 99th percentile: single stragglers do not flatten all the rest."""
    least = min((each.least for each in answered if each.least is not None), default=0.0)
    return least, max((each.p99 for each in answered if each.p99 is not None), default=0.001)


def _region(name: str, bins: Sequence[Smoke], across: Across, up: Up, colours: Mapping[str, str]) -> str:
    bands = join(
        f'<path class="band" style="opacity:{dense}" d="{_band(bins, low, high, across, up)}"/>'
        for low, high, dense in BANDS
    )
    line = f'<path class="median" d="{_median(bins, across, up)}"/>'
    return f'<g class="{colour(colours, name)}" data-region="{text(name)}">{bands}{line}</g>'


def _band(bins: Sequence[Smoke], low: str, high: str, across: Across, up: Up) -> str:
    parts = []
    for each in bins:
        bottom, top = getattr(each, low), getattr(each, high)
        if bottom is not None and top is not None:
            parts.append(box(across.x(each.at), up.y(top), across.step, max(0.6, up.y(bottom) - up.y(top))))
    return "".join(parts)


def _median(bins: Sequence[Smoke], across: Across, up: Up) -> str:
    """Steps, joined where they follow each other."""
    parts, before = [], None
    for each in bins:
        if each.p50 is None:
            continue
        left = across.x(each.at)
        y = up.y(each.p50)
        follows = before is not None and abs(left - before) < across.step * 0.5
        parts.append(f"V{y:.1f}H{left + across.step:.1f}" if follows else f"M{left:.1f} {y:.1f}h{across.step:.1f}")
        before = left + across.step
    return "".join(parts)


def _sums(bins: Sequence[Smoke]) -> Mapping[datetime, tuple[int, int]]:
    found: dict[datetime, tuple[int, int]] = {}
    for each in bins:
        sent, lost = found.get(each.at, (0, 0))
        found[each.at] = (sent + each.sent, lost + each.lost)
    return found


def _losses(bins: Sequence[Smoke], across: Across) -> str:
    d = ""
    for at, (sent, lost) in _sums(bins).items():
        if lost:
            high = BELOW * 0.9 * max(LEAST_SHOWN, lost / sent)
            d += box(across.x(at), HEIGHT + BELOW - high, across.step, high)
    return f'<path class="lost" d="{d}"/>' if d else ""


def _told(bins: Sequence[Smoke]) -> Sequence[tuple[datetime, list[str]]]:
    """What each step says when it is pointed at."""
    words: dict[datetime, list[str]] = {}
    for each in bins:
        if each.p50 is not None:
            times = f"median {millis(each.p50)}, {millis(each.least)} to {millis(each.most)}, 99 % {millis(each.p99)}"
            words.setdefault(each.at, []).append(f"{each.region or 'nobody that we know'}: {times}")
    sums = _sums(bins)
    return [
        (at, [f"{at:%H:%M:%S} UTC: {counted(sent, 'probe')}, {lost:,} lost", *words.get(at, [])])
        for at, (sent, lost) in sums.items()
    ]


def _legend(chart: SmokeChart, colours: Mapping[str, str]) -> str:
    regions = list(dict.fromkeys(each.region for each in chart.bins if each.p50 is not None))
    keys = [tag("span", f"key {colour(colours, name)}", text(name or "nobody that we know")) for name in regions]
    sent, lost = sum(each.sent for each in chart.bins), sum(each.lost for each in chart.bins)
    keys.append(tag("span", "key losses", text(f"lost {percent(lost / sent)} of {counted(sent, 'probe')}")))
    keys.append(tag("span", "key gaps", "nothing was asked"))
    proofs = {each.proof for each in chart.bins if each.region}
    if Proof.MATCHED in proofs:
        keys.append(tag("span", "proof matched", "matched, not authenticated"))
    elif Proof.AUTHENTICATED in proofs:
        keys.append(tag("span", "proof", "authenticated"))
    by = tag("span", "quiet", text(f"by {str(chart.probe).upper()}; median, half, 90 % and 99 % of the round trips"))
    return tag("div", "legend", join(keys) + by)
