"""What routers said, as points: true differences of watched routes, and statistics of peers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from anycast.change import Change
from anycast.extended import extended_text
from anycast.intent import Intent, Vantage
from anycast.observation import Session, Source, StatsReported
from anycast.point import Point, Value
from anycast.prefix import Prefix
from anycast.route import Attributes, community_text
from anycast.series import NONE
from collector.wire.bgp.families import Afi
from collector.wire.bmp.statistics import name_of
from store.schema import nanoseconds

MOST_ALIKE = 50
"""Changes of one series at once that have a point each."""
MOST_STATISTICS = 200
"""Of one report: RFC 7854 and its successors name some forty, some of them by family."""


def change_points(
    changes: Sequence[Change],
    say: Callable[[Change], str],
    whose: Callable[[Prefix], tuple[str, str] | None],
    intent: Intent,
) -> Iterator[Point]:
    """Yield the points of changes that came at once.

    `say` says one in a sentence, `whose` names the service and its prefix that a prefix is, or touches. Of a session
    with its whole table, many are of one series: then one point stands for them, and counts them.
    """
    series: dict[tuple[str, ...], list[Change]] = {}
    where: dict[Source, tuple[str, ...]] = {}
    for change in changes:
        if change.source not in where:
            where[change.source] = _where(change.source, intent)
        tags = (*(whose(change.prefix) or (NONE, NONE)), *where[change.source], str(change.kind))
        series.setdefault(tags, []).append(change)
    for tags, alike in series.items():
        if len(alike) <= MOST_ALIKE:
            yield from (_point(change, tags, say(change)) for change in alike)
        else:
            first = _point(alike[0], tags, f"{len(alike)} routes alike: {say(alike[0])}, and others")
            yield replace(first, fields={**first.fields, "n": len(alike)})


def _where(source: Source, intent: Intent) -> tuple[str, ...]:
    vantage = intent.vantage(source)
    if vantage is None:
        return (NONE,) * 4
    return str(vantage.rung), vantage.region or NONE, vantage.site or NONE, _named(vantage, source.session)


def _named(vantage: Vantage, session: Session) -> str:
    """A vantage that stands for every peer of a router is told apart by the peer, as the view does."""
    return vantage.name if vantage.peer is not None else str(session)


def _point(change: Change, tags: tuple[str, ...], text: str) -> Point:
    after = change.after
    fields: dict[str, Value | None] = {
        "n": 1,
        "path_length": after.as_path.length if after else 0,
        "prepends": sum(one == other for one, other in pairwise(after.as_path.asns)) if after else 0,
        "local_pref": after.local_pref if after else None,
        "med": after.med if after else None,
        "as_path": str(after.as_path) if after else "",
        "next_hop": str(after.next_hop or "") if after else "",
        "communities": _communities(after) if after else "",
        "text": text,
    }
    return Point("change", tags, fields, nanoseconds(change.at))


def _communities(attributes: Attributes) -> str:
    large = (":".join(map(str, each)) for each in attributes.large_communities)
    return " ".join(
        (*map(community_text, attributes.communities), *large, *map(extended_text, attributes.extended_communities))
    )


def statistic_points(report: StatsReported, intent: Intent) -> Iterator[Point]:
    """Yield a point for each statistic of a peer that means something to the intent; by family with that one's name."""
    vantage = intent.vantage_of(report.session)
    if vantage is None:
        return
    for code, afi, safi, value in report.counts[:MOST_STATISTICS]:
        name = f"{name_of(code)}:{Afi(afi, safi)}" if afi else name_of(code)
        tags = (report.session.router, _named(vantage, report.session), name)
        yield Point("bmp_stats", tags, {"value": float(value)}, nanoseconds(report.at))
