"""Agents: whether each can be believed, and what it says of itself."""

from collections.abc import Sequence
from datetime import datetime

from anycast.agent import AgentStatus
from anycast.counted import counted
from dashboards.console.markup import join, millis, percent, since, tag, text
from dashboards.console.observed import agent_chip
from dashboards.console.tables import table

HEADS = ("agent", "state", "last batch", "host and run", "its loop", "its clock", "given up")


def agents(found: Sequence[AgentStatus], now: datetime) -> str:
    """All of them as a table; a sentence where there are none."""
    if not found:
        said = "No agent is written down; <code>agent</code> of a site in the intent file lets one in."
        return tag("p", "quiet", said)
    rows = [tuple(_cells(each, now)) for each in found]
    lacking = join(
        tag("p", "note", f"{text(each.name)} cannot do everything: {text('; '.join(each.lacking))}")
        for each in found
        if each.lacking
    )
    return table(HEADS, rows) + lacking


def _cells(each: AgentStatus, now: datetime) -> tuple[str, ...]:
    name = text(each.name) + (" <small>NVA, finds hosts</small>" if each.nva else "")
    if each.heard is None and not each.run:
        return (name, agent_chip(each.state), "-", "-", "-", "-", "-")
    skew = "not known" if each.skew is None else _skew(each.skew)
    given_up = ((each.dropped, "result"), (each.unsent, "unsent probe"))
    lost = ", ".join(counted(count, what) for count, what in given_up if count)
    return (
        name,
        agent_chip(each.state),
        f"{since(each.heard, now)} ago" if each.heard is not None else "-",
        f"{text(each.host)} <small>{text(each.run[:12])} #{each.batch}</small>",
        f"lags {millis(each.lag)}, tainted {percent(each.tainted)}",
        skew,
        text(lost or "nothing"),
    )


def _skew(seconds: float) -> str:
    """How far a clock is off ours; so much that charts of it would mislead is marked."""
    if abs(seconds) < 1:
        return tag("span", "number", f"{seconds * 1000:+.0f} ms")
    return tag("span", "state unknown", f"{seconds:+.1f} s")
