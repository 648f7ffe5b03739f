"""Sites by services: where each lands."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from anycast.catchment import SiteServiceCatchment
from dashboards.console.colours import palette
from dashboards.console.frame import pair_path
from dashboards.console.markup import join, tag, text
from dashboards.console.observed import agent_chip, as_of, lands, verdict

Hosts = Callable[[str, str], Mapping[str, int]]
LEGEND = tag(
    "p",
    "note",
    "Shares are of probes that use each source port once; the lighter part is where the share may lie (95 %). "
    "Only an answer with a valid identity counts, and an answer without one is never proof of health. "
    "“matched” is an identity that anybody could say: it is not authenticated.",
)


def matrix(found: Sequence[SiteServiceCatchment], hosts: Hosts, now: datetime) -> str:
    """All sites as HTML, or what to do when there are none."""
    if not found:
        said = "No site or no service is written down yet; <code>sites</code> in the intent file names them."
        return tag("p", "quiet", said)
    colours = palette(region.region for each in found for region in each.regions)
    sites: dict[str, list[SiteServiceCatchment]] = {}
    for each in found:
        sites.setdefault(each.site, []).append(each)
    rows = join(_site(site, row, colours, hosts, now) for site, row in sites.items())
    return rows + LEGEND


def _site(
    site: str, row: Sequence[SiteServiceCatchment], colours: Mapping[str, str], hosts: Hosts, now: datetime
) -> str:
    head = tag("h2", "", text(site)) + agent_chip(row[0].agent)
    blocks = join(_block(each, colours, hosts(each.site, each.service), now) for each in row)
    return tag(
        "section", "service", tag("header", "", head) + tag("div", "blocks", blocks), id=f"site-{site}", data_site=site
    )


def _block(each: SiteServiceCatchment, colours: Mapping[str, str], hosts: Mapping[str, int], now: datetime) -> str:
    how, word = verdict(each)
    link = tag("a", "", text(each.service), href=pair_path(each.site, each.service))
    head = tag("h3", "", link) + tag("span", f"state {how}", text(word))
    stale = "" if how != "unknown" else " stale"
    body = lands(each, colours, hosts) + as_of(each, now)
    return tag("div", f"block site{stale}", tag("header", "", head) + body, data_service=each.service, data_verdict=how)
