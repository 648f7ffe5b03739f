"""Elements of one UPDATE, the same for BMP and MRT."""

from collections.abc import Iterator
from dataclasses import replace

from anycast.prefix import family
from anycast.route import Attributes
from collector.wire.bgp.evpn import EvpnRoute
from collector.wire.bgp.families import UNICAST, Afi
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.prefixed import PrefixedRoute
from collector.wire.bgp.update import Opaque, Update
from collector.wire.element import Element, ElementType

_NAMES = {of: str(number) for number, of in UNICAST.items()}


def update_elements(update: Update, seen: Element, add_path: frozenset[Afi]) -> Iterator[Element]:
    """Yield what an UPDATE says: what is wrong with it, withdrawals, announcements, other families, End-of-RIB.

    `seen` says where and when; its type is replaced. Path ids are shown for the families in `add_path`.
    """
    add_path = frozenset[Afi]() if update.bare else add_path
    for problem in update.problems:
        yield replace(
            seen, type=ElementType.MALFORMED, action=str(problem.remedy), detail=problem.reason, raw=problem.raw
        )
    for nlri in update.withdrawn:
        yield _route(seen, ElementType.WITHDRAWAL, nlri, None, add_path)
    attributes = {of: update.attributes_for(of) for of in {family(nlri.prefix) for nlri in update.announced}}
    for nlri in sorted(update.announced, key=_version):  # IPv4 first, as bgpdump prints them, whatever came first
        yield _route(seen, ElementType.ANNOUNCEMENT, nlri, attributes[family(nlri.prefix)], add_path)
    for part in update.opaque:
        yield from other_elements(seen, part, update.attributes_for(part.family) if part.announced else None, add_path)
    if update.end_of_rib is not None:
        yield replace(seen, type=ElementType.END_OF_RIB, family=str(update.end_of_rib))


def _version(nlri: Nlri) -> int:
    return nlri.prefix.version


def _route(
    seen: Element, kind: ElementType, nlri: Nlri, attributes: Attributes | None, add_path: frozenset[Afi]
) -> Element:
    of = family(nlri.prefix)
    path_id = nlri.path_id if any(number.family is of for number in add_path) else None
    return replace(seen, type=kind, family=_NAMES[of], prefix=nlri.prefix, path_id=path_id, attributes=attributes)


def other_elements(
    seen: Element, part: Opaque, attributes: Attributes | None, add_path: frozenset[Afi]
) -> Iterator[Element]:
    """The routes of another family: prefixes like any other, EVPN routes one by one, and the rest in one piece."""
    what = "announced" if part.announced else "withdrawn"
    if not part.negotiated:
        what += ", though the session never negotiated the family"
    of = replace(seen, type=ElementType.OPAQUE, family=str(part.family), detail=what, attributes=attributes)
    if not part.routes:
        yield replace(of, raw=part.nlri)
    kind = ElementType.ANNOUNCEMENT if part.announced else ElementType.WITHDRAWAL
    for route in part.routes:
        told = replace(
            of,
            prefix=route.prefix,
            path_id=route.path_id if part.family in add_path else None,
            route_distinguisher=str(route.distinguisher or ""),
        )
        match route:
            case PrefixedRoute():
                yield replace(told, type=kind, detail=seen.detail, labels=route.labels)
            case EvpnRoute():
                yield replace(told, route_type=route.name, raw=route.octets)
