"""UPDATE (RFC 4271, 4.3; RFC 4760; RFC 7911), with the error handling of RFC 7606."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from anycast.prefix import Family, family
from anycast.route import Attributes
from collector.wire.bgp.attributes import Code
from collector.wire.bgp.context import DEFAULT, UpdateContext
from collector.wire.bgp.doubt import may_hold_path_ids, sent_so
from collector.wire.bgp.evpn import decode_evpn
from collector.wire.bgp.families import EVPN, IPV4_UNICAST, PREFIXED, Afi
from collector.wire.bgp.nlri import Nlri, decode_nlri
from collector.wire.bgp.path import Reading, attributes_of, read
from collector.wire.bgp.prefixed import FamilyRoute, PrefixedRoute, decode_prefixed
from collector.wire.bgp.problems import Problem, Remedy
from collector.wire.bgp.reach import Reach
from collector.wire.errors import Malformed


@dataclass(frozen=True, slots=True)
class Opaque:
    """Routes of a family that is not IPv4 or IPv6 unicast, as sent and, where we can, told apart."""

    family: Afi
    announced: bool
    next_hop: bytes
    nlri: bytes
    routes: tuple[FamilyRoute, ...] = ()
    """Empty for a family that we do not read, and for one that the session never negotiated."""
    negotiated: bool = True
    """Whether the session's OPENs speak of the family; true also where there are none to ask."""


@dataclass(frozen=True, slots=True)
class Update:
    """What one UPDATE says. Withdrawals come before announcements: a prefix in both is announced (RFC 4271, 4.3)."""

    withdrawn: tuple[Nlri, ...] = ()
    announced: tuple[Nlri, ...] = ()
    attributes: bytes = b""
    """Canonical blob of the announced routes (see `collector.wire.bgp.raw`); empty where none is announced."""
    two_octet: bool = False
    """Whether the blob holds 2-octet AS numbers; it may differ from what the session says (see `problems`)."""
    families: tuple[Afi, ...] = ()
    """Families that the message speaks of."""
    end_of_rib: Afi | None = None
    """The family whose table is complete (RFC 4724, 2)."""
    opaque: tuple[Opaque, ...] = ()
    problems: tuple[Problem, ...] = ()
    bare: bool = False
    """The path ids that the session agreed on are not there (see `UpdateContext.bare`)."""

    def attributes_for(self, of: Family | Afi | None = None) -> Attributes:
        """Return the announced routes' attributes; `of` chooses the next hop where the message has two."""
        return attributes_of(self.attributes, self.two_octet, of)


def decode_update(body: bytes, context: UpdateContext = DEFAULT) -> Update:
    """Decode the body of an UPDATE, without the 19-octet header. Never raises: see `problems` for what is wrong.

    With TREAT_AS_WITHDRAW among the problems the announced routes stand in `withdrawn`; with MESSAGE_SKIPPED nothing
    but the problems is returned.
    """
    try:
        withdrawn, attributes, announced = _fields(body)
        reading = read(attributes, context.two_octet, external=context.external)
        reading.problems.extend(_missing(reading, bool(announced), context))
        routes = _told(reading, withdrawn, announced, context)
    except Malformed as error:
        return Update(problems=(Problem(Remedy.MESSAGE_SKIPPED, error.reason, body),))
    remedies = {problem.remedy for problem in routes.problems}
    if Remedy.MESSAGE_SKIPPED in remedies:
        return Update(problems=routes.problems)
    return _treated_as_withdraw(routes) if Remedy.TREAT_AS_WITHDRAW in remedies else routes


def _told(reading: Reading, withdrawn: bytes, announced: bytes, context: UpdateContext) -> Update:
    """Everything as sent, without the agreed path ids where the router may leave them out and has done so.

    It has where the lists read only so, or where path ids would make something unlikely of a single prefix.
    """
    bare = replace(context, add_path=frozenset())
    try:
        found = _routes(reading, withdrawn, announced, context)
        if not context.bare or all(nlri.path_id < 1 << 24 for nlri in found.withdrawn + found.announced):
            return found
        plain = _read_bare(reading, withdrawn, announced, bare)
        if (
            plain is None
            or len(plain.withdrawn + plain.announced) != 1
            or _likely(found, reading, withdrawn + announced)
        ):
            return found
    except Malformed:
        plain = _read_bare(reading, withdrawn, announced, bare) if context.bare and context.add_path else None
        if plain is None:
            raise
    reason = "the session agreed on path ids, and the routes read only without: the router left them out"
    return replace(plain, problems=(*plain.problems, Problem(Remedy.TAKEN_AS_IS, reason, b"")), bare=True)


def _likely(found: Update, reading: Reading, classic: bytes) -> bool:
    """Whether one prefix is none without its path id: 11.64.0.0/25 reads as a default route, 2a00:41c::/64 as ::/28."""
    prefixes = [nlri.prefix for nlri in found.withdrawn + found.announced]
    if any(prefix.prefixlen <= (0 if prefix.version == 4 else 16) for prefix in prefixes):
        return False
    of = family(prefixes[0])
    parts = [part.nlri for part in (reading.reach, reading.unreach) if part is not None and part.family.family is of]
    nlri = classic or b"".join(parts)
    return sent_so(nlri, of, add_path=True) or not sent_so(nlri, of, add_path=False)


def _read_bare(reading: Reading, withdrawn: bytes, announced: bytes, context: UpdateContext) -> Update | None:
    try:
        return _routes(reading, withdrawn, announced, context)
    except Malformed:
        return None


def _fields(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Withdrawn routes, path attributes, announced routes; lengths that do not fit end it (RFC 7606, 3 b)."""
    withdrawn = int.from_bytes(body[:2], "big")
    at = 2 + withdrawn
    attributes = int.from_bytes(body[at : at + 2], "big")
    if len(body) < at + 2 + attributes:
        raise Malformed(
            f"an UPDATE body of {len(body)} octets cannot hold {withdrawn} of withdrawn routes "
            f"and {attributes} of path attributes",
            0,
            body,
        )
    return body[2:at], body[at + 2 : at + 2 + attributes], body[at + 2 + attributes :]


def _routes(reading: Reading, withdrawn: bytes, announced: bytes, context: UpdateContext) -> Update:
    """Everything as sent; raises Malformed where a list of prefixes cannot be read (RFC 7606, 5.3)."""
    plain = Reach(IPV4_UNICAST, b"", withdrawn), Reach(IPV4_UNICAST, b"", announced)
    gone = [part for part in (plain[0], reading.unreach) if part is not None and part.nlri]
    here = [part for part in (reading.reach, plain[1]) if part is not None and part.nlri]
    return Update(
        withdrawn=_prefixes(gone, context),
        announced=_prefixes(here, context),
        attributes=reading.blob if here else b"",
        two_octet=reading.two_octet,
        families=tuple(dict.fromkeys(part.family for part in (*gone, *here))),
        end_of_rib=_end_of_rib(reading, withdrawn + announced),
        opaque=tuple(_opaque(gone, False, context)) + tuple(_opaque(here, True, context)),
        problems=tuple(reading.problems),
    )


def _prefixes(parts: list[Reach], context: UpdateContext) -> tuple[Nlri, ...]:
    return tuple(
        nlri
        for part in parts
        if part.family.family is not None
        for nlri in _listed(part.nlri, part.family.family, part.family in context.add_path, context)
    )


def _listed(nlri: bytes, of: Family, add_path: bool, context: UpdateContext) -> tuple[Nlri, ...]:
    """One list; where no OPEN is known it may be one that nobody can read."""
    if context.families is None and not add_path and may_hold_path_ids(nlri, of):
        raise Malformed(
            f"the list of {of} prefixes may hold path ids: routers send such only with them, and no OPEN was recorded",
            0,
            nlri,
        )
    return decode_nlri(nlri, of, add_path)


def _opaque(parts: list[Reach], announced: bool, context: UpdateContext) -> Iterator[Opaque]:
    for part in parts:
        if part.family.family is None:
            # Huawei VRP sends labelled routes with path ids in sessions that agreed on neither: nothing says how to
            # read what was never negotiated.
            negotiated = context.families is None or part.family in context.families
            routes = (
                told_apart(part.family, part.nlri, announced, part.family in context.add_path) if negotiated else ()
            )
            yield Opaque(part.family, announced, part.next_hop, part.nlri, routes, negotiated)


def told_apart(family: Afi, nlri: bytes, announced: bool, add_path: bool) -> tuple[FamilyRoute, ...]:
    """Return the routes of a family in `DECODED` that is not unicast; none of any other.

    Raises Malformed (RFC 7606, 5.3).
    """
    if family in PREFIXED:
        return decode_prefixed(nlri, family, add_path, announced)
    return decode_evpn(nlri, add_path) if family == EVPN else ()


def _end_of_rib(reading: Reading, routes: bytes) -> Afi | None:
    """An empty UPDATE for IPv4, an MP_UNREACH_NLRI alone and without prefixes for any family (RFC 4724, 2)."""
    if routes or reading.problems:
        return None
    if not reading.codes:
        return IPV4_UNICAST
    if reading.unreach is not None and not reading.unreach.nlri and len(reading.codes) == 1:
        return reading.unreach.family
    return None


def _missing(reading: Reading, plain: bool, context: UpdateContext) -> Iterator[Problem]:
    """Attributes without which a route is no route (RFC 7606, 3 d)."""
    if not plain and (reading.reach is None or not reading.reach.nlri):
        return
    for code in _MANDATORY if plain else _MANDATORY[:2]:
        if code not in reading.codes:
            kept = context.rebuilt and code is not Code.ORIGIN
            remedy = Remedy.TAKEN_AS_IS if kept else Remedy.TREAT_AS_WITHDRAW
            yield Problem(remedy, f"{code.name} is missing, and the UPDATE announces routes", b"")


_MANDATORY: Final = (Code.ORIGIN, Code.AS_PATH, Code.NEXT_HOP)


def _treated_as_withdraw(routes: Update) -> Update:
    """The announced routes as withdrawn. Without any, the broken part may have held them: RFC 7606, 5.2 resets."""
    if not routes.attributes:
        nothing = Problem(
            Remedy.MESSAGE_SKIPPED, "the broken path attributes leave no route to treat as withdrawn", b""
        )
        return Update(problems=(*routes.problems, nothing))
    return replace(
        routes,
        withdrawn=routes.withdrawn + routes.announced,
        announced=(),
        attributes=b"",
        opaque=tuple(map(_withdrawn, routes.opaque)),
    )


def _withdrawn(part: Opaque) -> Opaque:
    """The same routes as withdrawn ones, whose labels say nothing."""
    routes = tuple(replace(route, labels=()) if isinstance(route, PrefixedRoute) else route for route in part.routes)
    return replace(part, announced=False, routes=routes)
