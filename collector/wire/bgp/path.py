"""All path attributes of one route, with the error handling of RFC 7606."""

from dataclasses import dataclass, field
from functools import lru_cache

from anycast.prefix import Family
from anycast.route import Aggregator, AsPath, Attributes, UnknownAttribute
from collector.wire.bgp.as_path import decode_as_path, merge
from collector.wire.bgp.attributes import (
    AIGP_SIZE,
    FLAGS,
    INTERNAL,
    OPTIONAL_TRANSITIVE,
    RULES,
    Code,
    Value,
    name_of,
)
from collector.wire.bgp.families import DECODED, Afi
from collector.wire.bgp.open import AS_TRANS
from collector.wire.bgp.problems import WITHDRAWING, Problem, Remedy
from collector.wire.bgp.raw import RawAttribute, raw_attributes
from collector.wire.bgp.reach import Reach, decode_cut_reach, decode_next_hop, decode_reach, decode_unreach
from collector.wire.errors import Malformed


@dataclass
class Reading:
    """What one pass over a list of path attributes found."""

    two_octet: bool
    """Whether AS numbers were read with 2 octets; it may differ from what the session says."""
    values: dict[str, Value] = field(default_factory=dict)
    unknown: list[UnknownAttribute] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    """Codes of all attributes that were sent, in order."""
    reach: Reach | None = None
    unreach: Reach | None = None
    kept: list[bytes] = field(default_factory=list)
    """Canonical form of the attributes that stand."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def blob(self) -> bytes:
        """Canonical form of what stands."""
        return b"".join(self.kept)

    def attributes(self, family: Family | Afi | None = None) -> Attributes:
        """Return the attributes of the routes of `family`; a `Family` stands for its unicast routes.

        An UPDATE may have a NEXT_HOP for its plain IPv4 prefixes and another next hop in its MP_REACH_NLRI; without a
        family the latter is meant.
        """
        values = dict(self.values)
        as4_path, as4_aggregator = values.pop("as4_path", None), values.pop("as4_aggregator", None)
        if self.two_octet:
            _merge_four_octet(values, as4_path, as4_aggregator)
        reach = self.reach
        if reach is not None and reach.family in DECODED and family in (None, reach.family, reach.family.family):
            values["next_hop"], values["link_local"] = decode_next_hop(reach.family, reach.next_hop)
        return Attributes(unknown=tuple(self.unknown), **values)


def read(data: bytes, two_octet: bool, cut: bool = False, external: bool = False) -> Reading:
    """Read a list of path attributes; never raises: what is wrong stands in the `problems`.

    `two_octet` is what the session says of AS numbers; where it says 4 and the AS_PATH only reads with 2, 2 are taken.
    `cut` reads a list in canonical form; `external` is what `UpdateContext` says of it.
    """
    sent, problems = _sent(data)
    reading = Reading(_width(sent, two_octet, problems) == 2, problems=problems)
    for attribute in sent:
        if attribute.code in reading.codes:
            problems.append(_duplicate(attribute))
            continue
        reading.codes.append(attribute.code)
        if not cut and (wrong := _wrong_flags(attribute)):
            problems.append(wrong)
            if wrong.remedy is Remedy.ATTRIBUTE_DISCARD:
                continue
        try:
            _take(reading, attribute, cut)
        except Malformed as error:
            reason = f"{name_of(attribute.code)} is malformed: {error}"
            problems.append(Problem(_remedy(attribute.code, external), reason, attribute.raw))
    return reading


def attributes_of(blob: bytes, two_octet: bool, family: Family | Afi | None = None) -> Attributes:
    """Return the attributes that a blob in canonical form stands for (see `collector.wire.bgp.raw`).

    `family` is that of the route: it chooses the next hop where an UPDATE had two. Attributes that RFC 7606 discards
    are left out; raises Malformed when it would treat the routes as withdrawn.
    """
    reading = read(blob, two_octet, cut=True)
    for problem in reading.problems:
        if problem.remedy in WITHDRAWING:
            raise Malformed(problem.reason, 0, blob)
    return reading.attributes(family)


def _sent(data: bytes) -> tuple[list[RawAttribute], list[Problem]]:
    """The attributes up to the first that does not fit; from there on nothing can be told apart (RFC 7606, 4)."""
    sent: list[RawAttribute] = []
    try:
        sent.extend(raw_attributes(data))
    except Malformed as error:
        return sent, [Problem(Remedy.TREAT_AS_WITHDRAW, error.reason, data)]
    return sent, []


def _width(sent: list[RawAttribute], two_octet: bool, problems: list[Problem]) -> int:
    """Octets of an AS number: 2 by the A flag or the OPENs, else 4, else 2 where only that reads."""
    if two_octet:
        return 2
    narrow = narrow_path(sent)
    if narrow is None:
        return 4
    reason = "AS_PATH reads with 2-octet AS numbers only; the session has 4-octet ones"
    problems.append(Problem(Remedy.READ_AS_TWO_OCTET, reason, narrow.raw))
    return 2


def narrow_path(sent: list[RawAttribute]) -> RawAttribute | None:
    """Return the AS_PATH, the first one, where it reads with 2-octet AS numbers and not with 4-octet ones."""
    path = next((attribute for attribute in sent if attribute.code == Code.AS_PATH), None)
    if path is None or _reads(path.value, 4) or not _reads(path.value, 2):
        return None
    return path


@lru_cache(1 << 12)
def _reads(as_path: bytes, width: int) -> bool:
    try:
        decode_as_path(as_path, width)
    except Malformed:
        return False
    return True


def _take(reading: Reading, attribute: RawAttribute, cut: bool) -> None:
    """Read one attribute into `reading`; raises Malformed, with nothing taken."""
    width = 2 if reading.two_octet else 4
    match attribute.code:
        case Code.MP_REACH_NLRI:
            # The routes come first: whatever else is wrong, they must be found to be withdrawn.
            reading.reach = decode_cut_reach(attribute.value) if cut else decode_reach(attribute.value)
        case Code.MP_UNREACH_NLRI:
            reading.unreach = decode_unreach(attribute.value)
        case code if code in RULES:
            rule = RULES[code]
            if cut and code == Code.AGGREGATOR and len(attribute.value) == 8:
                width = 4  # OpenBGPD's old table dumps hold it beside 2-octet paths; on the wire that is an error
            value = rule.read(attribute.value, width)
            if rule.field is not None:
                reading.values[rule.field] = value
            if rule.field is None or (code == Code.AIGP and len(attribute.value) != AIGP_SIZE):
                reading.unknown.append(UnknownAttribute(attribute.flags, code, attribute.value))
        case code:
            reading.unknown.append(UnknownAttribute(attribute.flags, code, attribute.value))
    reading.kept.append(attribute.raw if cut else attribute.canonical)


def _wrong_flags(attribute: RawAttribute) -> Problem | None:
    """Optional and Transitive bits in conflict with the attribute's definition (RFC 7606, 3 c; RFC 7311, 3.2)."""
    found, right = attribute.flags & OPTIONAL_TRANSITIVE, FLAGS.get(attribute.code)
    if right is None or found == right:
        return None
    reason = f"{name_of(attribute.code)} has flags 0x{found:02x}, its definition says 0x{right:02x}"
    remedy = Remedy.ATTRIBUTE_DISCARD if attribute.code == Code.AIGP else Remedy.TREAT_AS_WITHDRAW
    return Problem(remedy, reason, attribute.raw)


def _remedy(code: int, external: bool) -> Remedy:
    if code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI):
        return Remedy.MESSAGE_SKIPPED
    return Remedy.ATTRIBUTE_DISCARD if external and code in INTERNAL else RULES[code].remedy


def _duplicate(attribute: RawAttribute) -> Problem:
    """The first of several stands, except where they carry routes (RFC 7606, 3 g)."""
    routes = attribute.code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI)
    remedy = Remedy.MESSAGE_SKIPPED if routes else Remedy.ATTRIBUTE_DISCARD
    return Problem(remedy, f"{name_of(attribute.code)} was sent more than once", attribute.raw)


def _merge_four_octet(values: dict[str, Value], as4_path: AsPath | None, as4_aggregator: Aggregator | None) -> None:
    """What a 2-octet speaker passed on of the 4-octet world (RFC 6793, 4.2.3)."""
    aggregator: Aggregator | None = values.get("aggregator")
    if aggregator is not None and as4_aggregator is not None:
        if aggregator.asn != AS_TRANS:
            return  # an old speaker aggregated after the new one: what the new one said is history
        values["aggregator"] = as4_aggregator
    if as4_path is not None and "as_path" in values:
        values["as_path"] = merge(values["as_path"], as4_path)
