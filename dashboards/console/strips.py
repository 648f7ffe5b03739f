"""Strips over time: which region answered, and what each leg lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import sqrt

from anycast.catchment import LegKind
from anycast.charted import LegsChart, LegStep, SharesChart, ShareStep
from anycast.probe import Proof
from dashboards.console.axes import OVERLAP, Across, box, drawing, gaps, marks, over
from dashboards.console.colours import colour
from dashboards.console.markup import join, percent, tag, text
from dashboards.console.observed import span

HEIGHT = 100.0
THICK = 16.0  # of a leg's strip
LEAST_LOST = 0.03  # of the height
LEAST_SEEN = 0.35  # how dense the least loss of a leg is drawn


def shares(chart: SharesChart, colours: Mapping[str, str]) -> str:
    """Which region answered, as HTML: the parts stand on each other, and what was lost hangs from above."""
    if not chart.steps:
        return tag("p", "quiet", "No probe with a source port of its own was sent in this time.")
    across = Across(chart.window)
    regions = sorted(
        {part.region for step in chart.steps for part in step.regions}, key=lambda r: (colour(colours, r), r)
    )
    inner = join(
        (
            gaps(across, {step.at for step in chart.steps}, HEIGHT),
            join(_parts(chart.steps, regions, name, across, colours) for name in regions),
            _lost(chart.steps, across),
            across.lines(HEIGHT),
            marks(across, [shift.at for shift in chart.shifts], HEIGHT),
            join(over(across.x(step.at), across.step, HEIGHT, *_told(step)) for step in chart.steps),
        )
    )
    ends = tag("span", "y", "100 %", style="top:2%") + tag("span", "y", "0 %", style="top:97%")
    picture = drawing(inner, HEIGHT, f"regions that answered {chart.site} for {chart.service}")
    keys = [tag("span", f"key {colour(colours, name)}", text(name)) for name in regions]
    keys += [tag("span", "key losses", "lost"), tag("span", "key gaps", "nothing was asked")]
    if any(part.proof is Proof.MATCHED for step in chart.steps for part in step.regions):
        keys.append(tag("span", "proof matched", "matched, not authenticated"))
    return tag("div", "chart strip", picture + ends + across.labels()) + tag("div", "legend", join(keys))


def _parts(
    steps: Sequence[ShareStep], order: Sequence[str], name: str, across: Across, colours: Mapping[str, str]
) -> str:
    below, d = order[: order.index(name)], ""
    for step in steps:
        values = {part.region: part.share.value for part in step.regions}
        mine = values.get(name, 0.0)
        if mine:
            bottom = HEIGHT * (1 - sum(values.get(region, 0.0) for region in below))
            d += box(across.x(step.at), bottom - HEIGHT * mine, across.step, HEIGHT * mine)
    return f'<path class="band {colour(colours, name)}" data-region="{text(name)}" d="{d}"/>'


def _lost(steps: Sequence[ShareStep], across: Across) -> str:
    d = "".join(
        box(across.x(step.at), 0, across.step, HEIGHT * max(LEAST_LOST, step.loss.value)) for step in steps if step.lost
    )
    return f'<path class="lost" d="{d}"/>' if d else ""


def _told(step: ShareStep) -> list[str]:
    parts = [
        f"{part.region}: {percent(part.share.value)} ({span(part.share)}), {part.answers} answers, {part.proof}"
        for part in step.regions
    ]
    return [f"{step.at:%H:%M:%S} UTC: {step.sent} probes, {step.lost} lost", *parts]


def leg_strip(steps: Sequence[LegStep], across: Across) -> str:
    """What one leg lost over time: a box a step, denser the more was lost."""
    well = "".join(box(across.x(step.at), 0, across.step, THICK) for step in steps if not step.loss.value)
    boxes = join(
        f'<path class="lost" style="opacity:{max(LEAST_SEEN, sqrt(step.loss.value)):.2f}" '
        f'd="{box(across.x(step.at), 0, across.step - OVERLAP, THICK)}"/>'
        for step in steps
        if step.loss.value
    )
    titles = join(over(across.x(step.at), across.step, THICK, _lost_told(step)) for step in steps if step.loss.value)
    view = f'viewBox="0 0 1000 {THICK:g}" preserveAspectRatio="none" role="img" aria-label="loss over time"'
    return f'<svg class="leg-strip" {view}><path class="well" d="{well}"/>{boxes}{titles}</svg>'


def _lost_told(step: LegStep) -> str:
    return f"{step.at:%H:%M:%S} UTC: lost {percent(step.loss.value)} of {step.loss.samples} probes"


def by_leg(chart: LegsChart) -> dict[tuple[LegKind, str], list[LegStep]]:
    """The steps of each leg."""
    found: dict[tuple[LegKind, str], list[LegStep]] = {}
    for step in chart.steps:
        found.setdefault((step.kind, step.name), []).append(step)
    return found


def last_seen(steps: Sequence[LegStep]) -> datetime:
    """When the last step of a leg begins."""
    return max(step.at for step in steps)
