"""`agent-lost`, `agent-tainted`, `agent-duplicate`, `clock-wrong`: the health of the probes, and not of the network."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from analyzers.evidence import Line
from analyzers.lately import milliseconds, moment
from analyzers.probing.agents import Clock
from analyzers.probing.probing import SiteSeen
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.plain import stamp


def agent_lost(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites whose agent is meant to report, and has not for ten seconds, or never came within `settle`."""
    for site in intent.sites:
        if not site.agent:
            continue
        seen = view.probing.sites.get(site.name)
        last = seen.hearing.at if seen is not None else None
        if seen is not None and last is not None:
            if seen.hearing.lost(now):
                yield _lost(site.name, last, ("last heard", stamp(last)))
            continue
        awaited = view.probing.awaited.get(site.name) or view.started
        if awaited is not None and now - awaited >= intent.thresholds.settle:
            yield _lost(site.name, awaited, ("last heard", f"never since {stamp(awaited)}"))


def _lost(site: str, since: datetime, line: Line) -> Finding:
    return Finding(
        Kind.AGENT_LOST,
        Subject(site=site),
        Severity.WARNING,
        since,
        f"{site}: its agent does not report",
        (line, ("unknown meanwhile", f"whatever is judged from agent/{site}")),
        None,
        frozenset(),
    )


def _heard(view: View, now: datetime) -> Iterator[SiteSeen]:
    return (seen for _, seen in sorted(view.probing.sites.items()) if not seen.hearing.lost(now))


def agent_tainted(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield agents whose loop lags for more than a twentieth of the time."""
    for seen in _heard(view, now):
        lag = seen.beside.health.lag(now.timestamp())
        if lag is not None:
            yield Finding(
                Kind.AGENT_TAINTED,
                Subject(site=seen.site),
                Severity.WARNING,
                moment(lag.since),
                f"{seen.site}: its agent is too slow to measure",
                (
                    ("its loop lagged", f"for {lag.part:.0%} of ten seconds when this was found"),
                    ("by as much as", f"{milliseconds(lag.worst)} (99th percentile of the worst batch)"),
                ),
                None,
                frozenset({seen.name}),
            )


def agent_duplicate(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites for which two agents report by turns."""
    for seen in _heard(view, now):
        two = seen.beside.health.two(now.timestamp())
        if two is not None:
            yield Finding(
                Kind.AGENT_DUPLICATE,
                Subject(site=seen.site),
                Severity.WARNING,
                moment(two.since),
                f"{seen.site}: two agents report for it",
                (("hosts", ", ".join(two.hosts)),),
                None,
                frozenset({seen.name}),
            )


def clock_wrong(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield agents whose wall clock is off, or stepped."""
    for seen in _heard(view, now):
        clock = seen.beside.health.clock(now.timestamp())
        if clock is not None:
            yield Finding(
                Kind.CLOCK_WRONG,
                Subject(site=seen.site),
                Severity.WARNING,
                moment(clock.since),
                f"{seen.site}: the clock of its agent's host {'is wrong' if clock.off is not None else 'stepped'}",
                (_off(clock), ("its results", "are dated by its monotonic clock, and are right")),
                None,
                frozenset({seen.name}),
            )


def _off(clock: Clock) -> Line:
    if clock.off is not None:
        side = "ahead of" if clock.off > 0 else "behind"
        return "its clock", f"{_span(abs(clock.off))} {side} ours when this was found"
    step = clock.step or 0.0
    return "its clock", f"stepped by {_span(abs(step))} {'forward' if step > 0 else 'back'}"


def _span(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds))) if seconds >= 60 else f"{seconds:.1f} s"
