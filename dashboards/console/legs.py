"""The legs of one service at one site: what each loses now, and what it lost before."""

from anycast.catchment import Leg, SiteServiceCatchment
from anycast.charted import LegsChart
from dashboards.console.axes import Across
from dashboards.console.markup import millis, percent, tag, text
from dashboards.console.observed import span
from dashboards.console.strips import by_leg, last_seen, leg_strip
from dashboards.console.tables import table

HEADS = ("leg", "state", "flows", "loss now", "median", "loss before")


def legs(now: SiteServiceCatchment, before: LegsChart | None) -> str:
    """All legs as a table, also those that no flow takes any more; a sentence where there are none."""
    over_time = by_leg(before) if before is not None else {}
    across = Across(before.window) if before is not None else None
    rows = []
    for leg in now.legs:
        steps = over_time.pop((leg.kind, leg.name), [])
        rows.append((*_cells(leg), leg_strip(steps, across) if across is not None else ""))
    for (kind, name), steps in sorted(over_time.items()):
        assert across is not None
        until = tag("span", "quiet", f"no flow since {last_seen(steps):%H:%M} UTC")
        rows.append((_name(kind, name, name, steps[-1].region), until, "0", "-", "-", leg_strip(steps, across)))
    if not rows:
        return tag("p", "quiet", "No fixed flow was answered: legs are not known.")
    return table(HEADS, rows)


def _cells(leg: Leg) -> tuple[str, ...]:
    loss = f"{percent(leg.loss.value)} <small>({span(leg.loss)})</small>"
    state = tag("span", f"leg-state {leg.state}", text(leg.state))
    median = tag("span", "number", millis(leg.latency))
    return (_name(leg.kind, leg.name, leg.said, leg.region or ""), state, str(leg.flows), loss, median)


def _name(kind: str, name: str, said: str, region: str) -> str:
    also = f" <small>{text(name)}</small>" if said != name else ""
    where = f" <small>{text(region)}</small>" if region else ""
    return f"{tag('span', 'quiet', text(kind))} {tag('b', '', text(said))}{also}{where}"
