"""How sites came to rest after changes, the newest first."""

from collections.abc import Sequence
from datetime import timedelta

from anycast.convergence import Episode
from dashboards.console.markup import clock, tag, text
from dashboards.console.tables import table

SHOWN = 12
HEADS = ("began", "where", "first", "detected", "control plane", "outage", "remapped", "steps")


def episodes(found: Sequence[Episode]) -> str:
    """The newest as a table; a sentence where there are none."""
    if not found:
        return tag("p", "quiet", "Nothing had to converge since we began to listen.")
    return table(HEADS, [_cells(each) for each in found[:SHOWN]])


def _cells(each: Episode) -> tuple[str, ...]:
    region = f" <small>{text(each.region)}</small>" if each.region else ""
    went_on = "" if each.ended is not None else " " + tag("span", "state unknown", "goes on")
    lost = f" <small>{each.lost:,} lost</small>" if each.lost else ""
    return (
        tag("span", "number", f"{each.began:%Y-%m-%d} {clock(each.began)}") + went_on,
        f"{text(each.site)} {text(each.service)}{region}",
        text(each.first),
        _took(each.detection),
        _took(each.control_plane),
        _took(each.outage) + lost,
        _took(each.remap),
        str(each.steps),
    )


def _took(seconds: float | None) -> str:
    """A length of time; a dash where it was not seen."""
    if seconds is None:
        return "-"
    length = timedelta(seconds=seconds)
    shown = f"{seconds:.2f} s" if seconds < 60 else str(length).split(".")[0]
    return tag("span", "number", shown)
