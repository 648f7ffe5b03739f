"""Where sites land, as points: shares, fit, legs, agents, and how they came to rest. What is not believed is absent."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice

from anycast.agent import AgentStatus
from anycast.catchment import AgentState, Fit, SiteServiceCatchment
from anycast.convergence import Episode
from anycast.point import Point
from anycast.series import FIT as FITS
from anycast.series import NONE
from pipeline.landing_metrics import MOST_LEGS, NAME
from store.schema import nanoseconds

FIT: Mapping[Fit, int] = {Fit(word): code for code, word in FITS}
AGENT = {
    AgentState.HEARD: 2,
    AgentState.NEW: 1,
    AgentState.LOST: 0,
    AgentState.NEVER: -1,
    AgentState.TAINTED: -2,
}


def landing_points(found: Iterable[SiteServiceCatchment], at: int) -> Iterator[Point]:
    """Yield a site's landing for a service, its shares and its legs."""
    for each in found:
        yield _landing(each, at)
        yield from _shares(each, at)
        if each.agent is AgentState.HEARD:
            yield from _legs(each, at)


def _landing(each: SiteServiceCatchment, at: int) -> Point:
    heard = each.agent is AgentState.HEARD and each.loss.samples
    fields = {
        "fit": FIT[each.fit],
        "loss": round(each.loss.value, 9) if heard else None,
        "observed": ", ".join(each.answering),
        "by_bgp": ", ".join(each.by_bgp),
        "meant": ", ".join(each.intended[0]) if each.intended else "",
    }
    return Point("landing", (each.site, each.service), fields, at)


def _shares(each: SiteServiceCatchment, at: int) -> Iterator[Point]:
    for region in each.regions:
        share = region.share
        known = each.agent is AgentState.HEARD and share.samples > 0
        fields = {
            "value": round(share.value, 9) if known else None,
            "low": round(share.low, 9) if known else None,
            "high": round(share.high, 9) if known else None,
            "samples": share.samples if each.agent is AgentState.HEARD else 0,
            "meant": int(region.intended),
            "by_bgp": int(region.by_bgp),
        }
        yield Point("share", (each.site, each.service, region.region), fields, at)


def _legs(each: SiteServiceCatchment, at: int) -> Iterator[Point]:
    for leg in islice((leg for leg in each.legs if NAME.fullmatch(leg.name)), MOST_LEGS):
        fields = {
            "loss": round(leg.loss.value, 9) if leg.loss.samples else None,
            "latency": None if leg.latency is None else round(leg.latency, 9),
            "flows": leg.flows,
        }
        yield Point("leg", (each.site, each.service, str(leg.kind), leg.name), fields, at)


def agent_points(agents: Iterable[AgentStatus], results: Mapping[str, int], at: int) -> Iterator[Point]:
    """Yield the agents of sites; `results` were taken of each."""
    for agent in agents:
        if not agent.nva:
            here = agent.state not in (AgentState.LOST, AgentState.NEVER)
            fields = {
                "state": AGENT[agent.state],
                "tainted": round(agent.tainted, 9) if here else None,
                "lag": round(agent.lag, 9) if here else None,
                "skew": round(agent.skew, 9) if here and agent.skew is not None else None,
                "results": results.get(agent.name, 0),
                "dropped": agent.dropped,
            }
            yield Point("agent", (agent.name,), fields, at)


def convergence_point(episode: Episode, objective: timedelta | None) -> Point:
    """Return the point of an episode that is over, at the time of its end."""
    assert episode.ended is not None
    fields = {
        "detection": _seconds(episode.detection),
        "control_plane": _seconds(episode.control_plane),
        "outage": _seconds(episode.outage),
        "remap": _seconds(episode.remap),
        "objective": None if objective is None else objective.total_seconds(),
        "lost": episode.lost,
        "steps": episode.steps,
        "first": episode.first,
    }
    tags = (episode.site, episode.service, episode.region or NONE)
    return Point("convergence", tags, fields, nanoseconds(episode.ended))


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
