"""Services by regions and sites, in the three states."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from anycast.catchment import AgentState, SiteServiceCatchment
from anycast.change import Presence
from anycast.counted import counted
from anycast.intent import Rung
from anycast.probe import Proof
from anycast.situation import Cell, RegionStatus, ServiceStatus, SiteStatus, Situation
from dashboards.console.frame import pair_path
from dashboards.console.markup import join, percent, since, tag, text
from dashboards.console.observed import verdict

GLYPH = {Presence.PRESENT: "●", Presence.ABSENT: "○", Presence.UNKNOWN: "?"}
_RUNG_TITLES = {
    Rung.V1: "NVAs",
    Rung.V2: "Route Server",
    Rung.V5: "hears",
    Rung.V6: "chose",
}


def services(situation: Situation, seen: Sequence[SiteServiceCatchment] = ()) -> str:
    """All services as HTML, with what probes have `seen` of each at each site; or what to do when there are none."""
    if not situation.services:
        return tag("p", "quiet", "No service is written down yet; <code>catchment learn</code> writes a first intent.")
    found = {(each.site, each.service, each.prefix): each for each in seen}
    return join(_service(service, situation.at, found) for service in situation.services)


Seen = Mapping[tuple[str, str, str], SiteServiceCatchment]
"""By site, service and prefix."""


def _service(service: ServiceStatus, now: datetime, seen: Seen) -> str:
    owner = tag("span", "quiet", text(service.owner)) if service.owner else ""
    head = join(
        (
            tag("span", f"health {service.health}", text(service.health)),
            tag("h2", "", text(service.service)),
            tag("code", "", text(service.prefix)),
            tag("span", f"severity {service.worst}", text(service.worst)) if service.worst else "",
            owner,
        )
    )
    blocks = join(
        (
            *(_region(region, now) for region in service.regions),
            *(_site(service, site, now, seen) for site in service.sites),
        )
    )
    return tag("section", "service", tag("header", "", head) + tag("div", "blocks", blocks), id=_anchor(service))


def _anchor(service: ServiceStatus) -> str:
    return f"service-{service.service}-{service.prefix.replace('/', '-')}"


def _region(region: RegionStatus, now: datetime) -> str:
    present = "?" if region.presence is Presence.UNKNOWN and not region.nvas_present else region.nvas_present
    of_all = f"{present} of {counted(region.nvas_expected, 'NVA')}"
    head = join(
        (
            tag("h3", "", text(region.region)),
            tag("span", "role", text(region.role)),
            tag("span", f"state {region.presence}", f"{GLYPH[region.presence]} {text(region.presence)}"),
            tag("span", "quiet", text(of_all)),
        )
    )
    return tag("div", "block region", tag("header", "", head) + _rungs(region.cells, (Rung.V2, Rung.V1), now))


def _site(service: ServiceStatus, site: SiteStatus, now: datetime, seen: Seen) -> str:
    intended = " then ".join("+".join(tier) for tier in site.intended) or "anywhere"
    fit, landed = _landing(site)
    head = join(
        (
            tag("h3", "", tag("a", "", text(site.site), href=pair_path(site.site, service.service))),
            tag("span", f"state {fit}", f"→ {text(landed)}"),
            tag("span", "quiet", f"meant: {text(intended)}"),
        )
    )
    each = seen.get((site.site, service.service, service.prefix))
    observed = _observed(each) if each is not None else ""
    return tag("div", "block site", tag("header", "", head) + observed + _rungs(site.cells, (Rung.V6, Rung.V5), now))


def _observed(each: SiteServiceCatchment) -> str:
    """Who answers probes, beside what BGP says; nothing where nobody probes."""
    how, word = verdict(each)
    shown = [region for region in each.regions if region.share.value > 0 or region.flows]
    if each.agent is AgentState.NEVER:
        return ""
    parts = ", ".join(f"{region.region} {percent(region.share.value)}" for region in shown)
    said = parts if parts and each.agent is AgentState.HEARD else word
    marked = {region.proof for region in shown}
    matched = " " + tag("span", "proof matched", "matched") if Proof.MATCHED in marked else ""
    return tag(
        "div", "rung", tag("span", "rung-name", "V7 answers") + tag("span", f"state {how}", text(said)) + matched
    )


def _landing(site: SiteStatus) -> tuple[str, str]:
    """Where a site lands, as a class and a word: a chosen route that is no region's is worse than an unknown one."""
    if site.landed is not None:
        first = site.intended[0] if site.intended else ()
        return ("present" if site.landed in first or not first else "moved"), "+".join(site.lands_on)
    chosen = [cell for cell in site.cells if cell.rung is Rung.V6]
    if any(cell.presence is Presence.PRESENT for cell in chosen):
        return "absent", "no region of ours"
    if chosen and all(cell.presence is Presence.ABSENT for cell in chosen):
        return "absent", "nowhere"
    return "unknown", "unknown"


def _rungs(cells: Sequence[Cell], rungs: Sequence[Rung], now: datetime) -> str:
    return join(
        tag("div", "rung", tag("span", "rung-name", f"{rung} {_RUNG_TITLES[rung]}") + join(_cell(c, now) for c in here))
        for rung in rungs
        if (here := [cell for cell in cells if cell.rung is rung and (cell.expected or _there(cell))])
    )


def _there(cell: Cell) -> bool:
    """A session that carries nothing that is known, and was not meant to, is not worth a place."""
    return cell.presence is Presence.PRESENT


def _foreign(cell: Cell) -> bool:
    """A route on premises that is no region's is nobody's that we know."""
    return cell.rung in (Rung.V5, Rung.V6) and cell.presence is Presence.PRESENT and cell.best_region is None


def _cell(cell: Cell, now: datetime) -> str:
    name = cell.nva or cell.instance or cell.vantage.replace("/*/", " ")
    extra = f" {cell.best_region}" if cell.best_region else ""
    wanted = "" if cell.expected and not _foreign(cell) else " unplanned"
    return tag(
        "span",
        f"cell {cell.presence}{wanted}",
        f"{GLYPH[cell.presence]} {text(name)}{text(extra)} <small>{since(cell.since, now)}</small>",
        title=_told(cell),
        data_vantage=cell.vantage,
        data_presence=str(cell.presence),
    )


def _told(cell: Cell) -> str:
    if cell.presence is not Presence.PRESENT:
        return f"{cell.vantage}: {cell.presence}"
    path = cell.as_path or "local"
    return f"{cell.vantage}: {counted(cell.paths, 'path')}, AS path {path}, next hop {cell.next_hop}"
