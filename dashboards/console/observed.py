"""Where one service lands at one site, in a block: as meant, by BGP, and as probes see it."""

from collections.abc import Mapping
from datetime import datetime

from anycast.catchment import AgentState, Fit, Interval, RegionShare, SiteServiceCatchment
from anycast.counted import counted
from anycast.probe import Probe, Proof
from dashboards.console.colours import colour
from dashboards.console.markup import join, millis, percent, since, tag, text

MATCHED = "matched, not authenticated"
_AGENT = {AgentState.HEARD: "present", AgentState.NEW: "unknown", AgentState.TAINTED: "unknown"}
FITS = {
    Fit.AS_MEANT: ("as-meant", "as meant"),
    Fit.NOT_AS_MEANT: ("not-meant", "not as meant"),
    Fit.AGAINST_BGP: ("against", "not where BGP leads"),
    Fit.SILENT: ("against", "nobody answers"),
    Fit.NOT_PROBED: ("unknown", "not probed"),
}
"""In a class and a few words."""
BY_NAME = {Probe.HTTP: "HTTP", Probe.DNS: "DNS"}


def verdict(each: SiteServiceCatchment) -> tuple[str, str]:
    """In a class and a few words, whether a site lands where it was meant to, as far as probes tell."""
    if each.fit is Fit.UNSEEN:
        return "unknown", "no agent" if each.agent is AgentState.NEVER else f"agent {each.agent}"
    return FITS[each.fit]


def agent_chip(state: AgentState) -> str:
    """The state of a site's agent."""
    if state is AgentState.NEVER:
        return tag("span", "state role", "no agent yet")
    return tag("span", f"state {_AGENT.get(state, 'absent')}", f"agent {text(state)}")


def lands(each: SiteServiceCatchment, colours: Mapping[str, str], hosts: Mapping[str, int]) -> str:
    """The three answers below each other, and what they rest on."""
    meant = " then ".join("+".join(tier) for tier in each.intended) or "anywhere"
    rows = [
        ("meant", text(meant)),
        ("by BGP", text("+".join(each.by_bgp) or "unknown")),
        ("seen", _seen(each, colours)),
    ]
    if each.loss.samples:
        rows.append(("loss", _between(each.loss) + _matched(each)))
    if hosts:
        rows.append(("hosts", text(", ".join(f"{region} {count}" for region, count in hosts.items()))))
    return tag("dl", "lands", join(tag("dt", "", text(name)) + tag("dd", "", told) for name, told in rows))


def _seen(each: SiteServiceCatchment, colours: Mapping[str, str]) -> str:
    shown = [region for region in each.regions if region.share.value > 0 or region.flows]
    if not shown:
        return tag("span", "quiet", "nobody answers" if each.loss.samples else "not probed")
    return join(share(region, colours) for region in shown)


def share(region: RegionShare, colours: Mapping[str, str]) -> str:
    """One region's part as a bar: what was counted, and lighter what it may be with 95 % confidence."""
    of, low = region.share, region.share.low
    bar = f'<i style="width:{of.value * 100:.1f}%"></i>'
    bar += f'<u style="left:{low * 100:.1f}%;width:{(of.high - low) * 100:.1f}%"></u>'
    sure = f"{span(of)}, {counted(region.flows, 'flow')}, {_took(region)}"
    parts = (
        tag("b", "", text(region.region)),
        tag("span", "whole", bar, title=f"{counted(of.samples, 'answer')}; 95 % confidence"),
        tag("span", "much", text(percent(of.value))),
        tag("span", "sure", text(sure)),
    )
    return tag("div", f"share {colour(colours, region.region)}", join(parts), data_region=region.region)


def span(of: Interval) -> str:
    """Where a part lies with 95 % confidence: `82 to 92 %`."""
    return f"{percent(of.low).removesuffix(' %')} to {percent(of.high)}"


def _took(region: RegionShare) -> str:
    if region.latency is None:
        return "no round trip yet"
    return f"p50 {millis(region.latency.p50)}, p99 {millis(region.latency.p99)}"


def _between(loss: Interval) -> str:
    how = f"{percent(loss.value)} ({span(loss)})"
    return tag("span", "severity major" if loss.low > 0.01 else "", text(how)) + " "


def _matched(each: SiteServiceCatchment) -> str:
    """What the regions' names rest on: those that anybody could say are marked."""
    proofs = {region.proof for region in each.regions if region.proof is not Proof.NONE}
    if Proof.MATCHED in proofs:
        way = BY_NAME.get(each.probe, "") if each.probe is not None else ""
        return tag("span", "proof matched", text(f"{MATCHED}{f' ({way})' if way else ''}"))
    return tag("span", "proof", "authenticated") if proofs else ""


def as_of(each: SiteServiceCatchment, now: datetime) -> str:
    """Of what time it is, where that is not now."""
    if each.agent is AgentState.HEARD:
        return ""
    if each.heard is None:
        return tag("p", "note", "No agent has reported: nothing is known of who answers.")
    return tag("p", "note", f"As it was seen last, {since(each.heard, now)} ago. It proves nothing of now.")
