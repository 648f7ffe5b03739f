"""What a filter can ask of an element. Something that an element does not have is never what was asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Final, TypeAlias

from anycast.observation import Rib
from anycast.prefix import Prefix, inside, parse_prefix
from anycast.route import WELL_KNOWN, parse_community
from collector.stream.expression import PathExpression
from collector.wire.element import Element, ElementType


class FilterError(ValueError):
    """A filter that cannot be taken: a sentence that says what is wrong and what would be right."""


class How(StrEnum):
    """How a prefix lies to the one asked for; equal prefixes always match, as in bgpreader."""

    EXACT = "exact"
    MORE = "more"
    LESS = "less"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class HasPrefix:
    """The prefix is the one asked for, or lies inside it (more), or covers it (less), or either (any)."""

    how: How
    prefix: Prefix

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        seen, asked = element.prefix, self.prefix
        if seen is None:
            return False
        match self.how:
            case How.EXACT:
                return seen == asked
            case How.MORE:
                return inside(seen, asked)
            case How.LESS:
                return inside(asked, seen)
            case How.ANY:
                return inside(seen, asked) or inside(asked, seen)


@dataclass(frozen=True, slots=True)
class HasFamily:
    """The prefix is of IPv4 or IPv6; without a prefix (End-of-RIB, routes kept as they are), the family is."""

    version: int

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        if element.prefix is not None:
            return element.prefix.version == self.version
        return element.family.startswith((f"ipv{self.version}", f"vpnv{self.version}"))


@dataclass(frozen=True, slots=True)
class HasType:
    """The element is of one of these types."""

    types: frozenset[ElementType]

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.type in self.types


@dataclass(frozen=True, slots=True)
class InTime:
    """The time is known, and not before `start`, and not after `end`."""

    start: datetime | None
    end: datetime | None

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        at = element.time
        return at is not None and (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


@dataclass(frozen=True, slots=True)
class FromPeerAsn:
    """The peer has this AS number."""

    asn: int

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.peer_asn == self.asn


@dataclass(frozen=True, slots=True)
class FromPeer:
    """The peer has an address of this network; an address alone is a network of one."""

    network: Prefix

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.peer is not None and element.peer in self.network


@dataclass(frozen=True, slots=True)
class FromRouter:
    """The router has this name, or (in MRT files) this address."""

    name: str

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.router == self.name


@dataclass(frozen=True, slots=True)
class InRib:
    """The route was seen in this table of the router."""

    rib: str

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.rib == self.rib


@dataclass(frozen=True, slots=True)
class OriginatedBy:
    """The last AS of the path; a path that ends in a set of several has none."""

    asn: int

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.attributes is not None and element.attributes.as_path.origin == self.asn


@dataclass(frozen=True, slots=True)
class OnPath:
    """The AS path has what the expression finds. A withdrawal has no path; a local route has an empty one."""

    expression: PathExpression

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.attributes is not None and self.expression.search(str(element.attributes.as_path))


@dataclass(frozen=True, slots=True)
class OffPath:
    """There is an AS path, and the expression finds nothing in it: `path !EXPRESSION`."""

    expression: PathExpression

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        return element.attributes is not None and not self.expression.search(str(element.attributes.as_path))


@dataclass(frozen=True, slots=True)
class HasCommunity:
    """One of the communities (two numbers) or large communities (three) is this one; None stands for any number."""

    numbers: tuple[int | None, ...]

    def matches(self, element: Element) -> bool:
        """Whether an element is what was asked for."""
        if element.attributes is None:
            return False
        if len(self.numbers) == 3:
            return any(self._is(large) for large in element.attributes.large_communities)
        return any(self._is((each >> 16, each & 0xFFFF)) for each in element.attributes.communities)

    def spelled(self, text: str) -> bool:
        """Whether a community is what was asked for, given as `community_text` spells it, or `1:2:3` of a large one."""
        if len(self.numbers) == 3:
            return self._is(tuple(map(int, text.split(":"))))
        value = parse_community(text)
        return self._is((value >> 16, value & 0xFFFF))

    def _is(self, numbers: tuple[int, ...]) -> bool:
        return all(asked in (None, number) for asked, number in zip(self.numbers, numbers, strict=True))


Term: TypeAlias = (
    HasPrefix | HasFamily | HasType | InTime | FromPeerAsn | FromPeer | FromRouter | InRib
    | OriginatedBy | OnPath | OffPath | HasCommunity
)  # fmt: skip

OF_A_SESSION: Final = (FromPeerAsn, FromPeer, FromRouter, InRib)
"""Terms that are the same for every route of a session and table."""

OF_ATTRIBUTES: Final = (OriginatedBy, OnPath, OffPath, HasCommunity)
"""Terms that are the same for every route with the same attributes."""


# Values as people write them.

TYPES: Final[dict[str, frozenset[ElementType]]] = {
    "announcements": frozenset({ElementType.ANNOUNCEMENT}),
    "withdrawals": frozenset({ElementType.WITHDRAWAL}),
    "ribs": frozenset({ElementType.RIB}),
    "peerstates": frozenset({ElementType.STATE}),
    "end-of-rib": frozenset({ElementType.END_OF_RIB}),
    "opaque": frozenset({ElementType.OPAQUE}),
    "statistics": frozenset({ElementType.STATISTICS}),
    "feeds": frozenset({ElementType.FEED}),
    "malformed": frozenset({ElementType.MALFORMED}),
    "notes": frozenset({ElementType.NOTE}),
}
"""Element types by bgpreader's words, and ours for the others; their letters are taken, too."""

RECORDS: Final[dict[str, frozenset[ElementType]]] = {
    "ribs": TYPES["ribs"],
    "updates": frozenset(ElementType) - TYPES["ribs"],
}
"""Record types by bgpreader's words."""

_LARGEST_ASN: Final = 0xFFFFFFFF


def prefix_term(how: str, text: str) -> Term:
    """`more` and `10.0.0.0/8`."""
    try:
        return HasPrefix(How(how), parse_prefix(text))
    except ValueError as error:
        raise FilterError(f"prefix: {error}") from error


def peer_term(text: str) -> Term:
    """`65010`, `10.0.0.1`, `10.0.0.0/24`."""
    if text.upper().removeprefix("AS").isdigit():
        return FromPeerAsn(asn(text, "peer"))
    try:
        return FromPeer(ip_network(text))
    except ValueError as error:
        raise FilterError(
            f"peer: {text!r} is neither an AS number such as 65010 nor an address such as 10.0.0.1 or fd00::1"
        ) from error


def origin_term(text: str) -> Term:
    """`65010`."""
    return OriginatedBy(asn(text, "origin"))


def asn(text: str, term: str) -> int:
    """Read an AS number: `65010`, `AS65010`, or `1.10` (RFC 5396, asdot)."""
    digits = text[2:] if text[:2].upper() == "AS" else text
    high, dot, low = digits.partition(".")
    halves = [int(half) for half in ((high, low) if dot else (digits,)) if half.isascii() and half.isdigit()]
    value = (halves[0] << 16 | halves[1]) if len(halves) == 2 else halves[0] if len(halves) == 1 and not dot else -1
    if not 0 <= value <= _LARGEST_ASN or (dot and max(halves) > 0xFFFF):
        raise FilterError(f"{term}: {text!r} is not an AS number such as 65010, from 0 to {_LARGEST_ASN}")
    return value


def path_term(text: str) -> Term:
    """`_65010_`, or `!_65010_` for paths that it is not found in."""
    if text.startswith("!"):
        return OffPath(PathExpression(text[1:]))
    return OnPath(PathExpression(text))


def community_term(text: str) -> Term:
    """`65010:100`, `65010:*`, `*:100`, `65010:1:*`, `no-export`."""
    named = {name: value for value, name in WELL_KNOWN.items()}
    if text in named:
        return HasCommunity((named[text] >> 16, named[text] & 0xFFFF))
    parts = text.split(":")
    limit = {2: 0xFFFF, 3: 0xFFFFFFFF}.get(len(parts), -1)
    if limit < 0 or not all(
        part == "*" or (part.isascii() and part.isdigit() and int(part) <= limit) for part in parts
    ):
        raise FilterError(
            f"community: {text!r} is none; right are 65010:100, 65010:*, *:100, the large 65010:1:*, and the names "
            + ", ".join(sorted(named))
        )
    return HasCommunity(tuple(None if part == "*" else int(part) for part in parts))


def type_term(text: str) -> Term:
    """`announcements`, or `A`."""
    if text in set(ElementType):
        return HasType(frozenset({ElementType(text)}))
    return HasType(_named(text, TYPES, "elemtype", f"; or their letters {', '.join(ElementType)}"))


def record_term(text: str) -> Term:
    """`updates`."""
    return HasType(_named(text, RECORDS, "type", ""))


def _named(text: str, known: dict[str, frozenset[ElementType]], term: str, more: str) -> frozenset[ElementType]:
    if text not in known:
        raise FilterError(f"{term}: {text!r} is none of {', '.join(known)}{more}")
    return known[text]


def family_term(text: str) -> Term:
    """`4` or `6`."""
    if text not in ("4", "6"):
        raise FilterError(f"ipversion: {text!r} is neither 4 nor 6")
    return HasFamily(int(text))


def rib_term(text: str) -> Term:
    """`loc`."""
    if text not in set(Rib):
        raise FilterError(f"rib: {text!r} is none of {', '.join(Rib)}")
    return InRib(text)


def router_term(text: str) -> Term:
    """`ams-ce1`."""
    return FromRouter(text)


def moment(text: str | float | datetime, what: str) -> datetime:
    """Read a time: RFC 3339 (UTC where it names no zone), with a space or a T, or seconds since 1970."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    plain = str(text).removesuffix(" UTC").strip()
    try:
        if plain.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(plain), UTC)
        at = datetime.fromisoformat(plain)
    except (ValueError, OverflowError, OSError) as error:
        raise FilterError(
            f"{what}: {text!r} is not a time such as 2026-01-31T08:00:00Z, or seconds since 1970"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
