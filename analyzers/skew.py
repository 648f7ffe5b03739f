"""`instance-skew`: the two instances of a Route Server must hold the same routes (azure.md 0.3, checks A04 and A05)."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Line, route
from analyzers.picture import RegionFacts, picture
from analyzers.reading import seen_since
from analyzers.state import Held, Sight, Table
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Region, Rung
from anycast.plain import stamp
from anycast.prefix import Prefix
from anycast.route import Asn

Choice = tuple[tuple[Asn, ...], frozenset[int]]
"""AS path after the Route Server's own AS, and communities."""


def instance_skew(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield prefixes that a region's two instances hold differently, both of them known."""
    for region in intent.regions:
        tables = [t for v in view.named if v.rung is Rung.V2 and v.region == region.name if (t := view.table(v.name))]
        if len(tables) == 2 and all(view.sight(table) is Sight.KNOWN for table in tables):
            yield from _compare(view, intent, region, tables[0], tables[1])


def _compare(view: View, intent: Intent, region: Region, one: Table, other: Table) -> Iterator[Finding]:
    strange: list[Prefix] = []
    for prefix in _differing(view, region, one, other):
        service = view.recogniser.relevance(prefix).service
        if service is None:
            strange.append(prefix)
            continue
        facts = picture(view, intent, service, prefix).regions[region.name]
        yield _service(view, facts, region, one, other, service.name, prefix)
    if strange:
        token = (one.version, other.version, view.epoch)
        kept = view.remembered(("skew of others", region.name), token)
        found = kept if isinstance(kept, Finding) else _others(region, one, other, strange)
        yield view.remember(("skew of others", region.name), token, found)


def _differing(view: View, region: Region, one: Table, other: Table) -> tuple[Prefix, ...]:
    """Prefixes that the two tables hold differently; worked out again only when one of them changed."""
    token = (one.version, other.version, view.epoch)
    kept = view.remembered(("skew", region.name), token)
    if isinstance(kept, tuple):
        return kept
    mine, theirs = _choices(one, region), _choices(other, region)
    different = (p for p in mine.keys() | theirs.keys() if mine.get(p) != theirs.get(p))
    differing = tuple(sorted((p for p in different if _told(view, one, p) and _told(view, other, p)), key=str))
    return view.remember(("skew", region.name), token, differing)


def _told(view: View, table: Table, prefix: Prefix) -> bool:
    """Whether a complete table says what it holds of a prefix; one that is seen from its middle on does for some."""
    if not table.peering.midway or any(held == prefix for held, _ in table.routes):
        return True
    return prefix in view.intent.watched and prefix not in table.unfilled


def _choices(table: Table, region: Region) -> dict[Prefix, frozenset[Choice]]:
    found: dict[Prefix, set[Choice]] = {}
    for held in table.routes.values():
        found.setdefault(held.prefix, set()).add(_choice(held, region))
    return {prefix: frozenset(choices) for prefix, choices in found.items()}


def _choice(held: Held, region: Region) -> Choice:
    path = held.attributes.as_path.asns
    after = path[1:] if path[:1] == (region.route_server_asn,) else path
    return after, frozenset(held.attributes.communities)


def _service(
    view: View, facts: RegionFacts, region: Region, one: Table, other: Table, service: str, prefix: Prefix
) -> Finding:
    mine, theirs = view.fresh(one, prefix), view.fresh(other, prefix)
    if not mine or not theirs:
        holder, lacking = (one, other) if mine else (other, one)
        absent = seen_since(lacking, prefix, ())
        present = seen_since(holder, prefix, mine or theirs)
        when = max(absent, present, key=lambda absence: absence.since)
        severity, since, not_before = Severity.MAJOR, when.since, when.not_before
        what = f"{_name(holder)} holds it, {_name(lacking)} does not"
    else:
        latest = max((*mine, *theirs), key=lambda held: held.changed)
        chosen = _merely_chosen(facts, region, mine, theirs)
        severity = Severity.INFO if chosen else Severity.WARNING
        since, not_before = latest.changed, latest.not_before
        what = "the instances chose different equal paths" if chosen else "path or communities differ between instances"
    return Finding(
        Kind.INSTANCE_SKEW,
        Subject(service, str(prefix), region.name),
        severity,
        since,
        f"{service} {prefix}: {region.name}: {what}",
        (("expected", "the same routes at both instances"), _line(one, mine), _line(other, theirs)),
        not_before,
        frozenset({one.key, other.key}),
    )


def _merely_chosen(facts: RegionFacts, region: Region, mine: tuple[Held, ...], theirs: tuple[Held, ...]) -> bool:
    """Whether each instance shows what some NVA of the region advertises, all with paths of one length.

    Azure adds communities of its own to what an NVA sent: the same must have been added at both.
    """
    if len({held.attributes.as_path.length for held in (*mine, *theirs)}) != 1:
        return False
    offered = [_choice(held, region) for sighting in facts.nvas for held in sighting.routes]
    added = [
        {marks - sent for path, sent in offered if path == shown and sent <= marks}
        for shown, marks in (_choice(held, region) for held in (*mine, *theirs))
    ]
    return bool(set.intersection(*added))


def _others(region: Region, one: Table, other: Table, prefixes: list[Prefix]) -> Finding:
    differing = set(prefixes)
    latest = max(h.changed for t in (one, other) for h in t.routes.values() if h.prefix in differing)
    mine, theirs = ({held.prefix for held in table.routes.values()} for table in (one, other))
    return Finding(
        Kind.INSTANCE_SKEW,
        Subject(region=region.name, detail="other prefixes"),
        Severity.WARNING,
        latest,
        f"{region.name}: its instances hold prefixes that are no service's differently",
        (
            ("expected", "the same routes at both instances"),
            (f"V2 {one.key} only", _some([p for p in prefixes if p not in theirs])),
            (f"V2 {other.key} only", _some([p for p in prefixes if p not in mine])),
            ("differ", _some([p for p in prefixes if p in mine and p in theirs])),
        ),
        None,
        frozenset({one.key, other.key}),
    )


def _some(prefixes: list[Prefix]) -> str:
    text = ", ".join(map(str, prefixes[:10]))
    return (text or "none") + (f" and {len(prefixes) - 10} more" if len(prefixes) > 10 else "")


def _name(table: Table) -> str:
    return (table.vantage.instance if table.vantage else None) or table.key


def _line(table: Table, routes: tuple[Held, ...]) -> Line:
    text = "; ".join(f"since {stamp(held.changed)}: {route(held)}" for held in routes)
    return f"V2 {table.key}", text or "absent"
