"""Values as JSON can carry them, and back where something must be read again (attributes, findings).

Keys are the field names, `None` and empty values are left out, times are RFC 3339 in UTC, communities are spelled as
people write them. `to_plain` takes any value of this package.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from anycast.extended import extended_text, parse_extended
from anycast.finding import Finding, Kind, Record, Severity, State, Subject
from anycast.route import (
    Aggregator,
    Asn,
    AsPath,
    Attributes,
    Origin,
    Segment,
    SegmentKind,
    UnknownAttribute,
    community_text,
    parse_community,
)

Plain = Any  # what json.dumps takes


def to_plain(value: object) -> Plain:
    """Turn a value of the vocabulary into what `json.dumps` takes."""
    match value:
        case None | bool() | str() | float():
            return str(value) if isinstance(value, Enum) else value
        case Enum():
            return value.name.lower().replace("_", "-")
        case int():
            return value
        case datetime():
            return stamp(value)
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case IPv4Address() | IPv6Address() | IPv4Network() | IPv6Network():
            return str(value)
        case Attributes():
            return _attributes_to_plain(value)
        case AsPath():
            return str(value)
        case Mapping():
            return {str(key): to_plain(item) for key, item in value.items()}
        case tuple() | list():
            return [to_plain(item) for item in value]
        case set() | frozenset():
            return sorted(to_plain(item) for item in value)
    if is_dataclass(value):
        pairs = ((part.name, getattr(value, part.name)) for part in fields(value))
        return {name: to_plain(item) for name, item in pairs if item is not None}
    raise TypeError(f"{type(value).__name__} is no value of the vocabulary")


def stamp(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_stamp(text: str) -> datetime:
    """Read an RFC 3339 time; raises ValueError when it has no zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no zone; write {text}Z for UTC")
    return at.astimezone(UTC)


def _attributes_to_plain(value: Attributes) -> dict[str, Plain]:
    shown: dict[str, Plain] = {
        "origin": None if value.origin is None else value.origin.name.lower(),
        "as_path": str(value.as_path),
        "segments": None
        if all(segment.kind is SegmentKind.SEQUENCE for segment in value.as_path.segments)
        else [[int(segment.kind), list(segment.asns)] for segment in value.as_path.segments],
        "next_hop": to_plain(value.next_hop),
        "link_local": to_plain(value.link_local),
        "med": value.med,
        "local_pref": value.local_pref,
        "atomic_aggregate": value.atomic_aggregate or None,
        "aggregator": value.aggregator and [value.aggregator.asn, str(value.aggregator.address)],
        "communities": [community_text(community) for community in value.communities] or None,
        "large_communities": [":".join(map(str, large)) for large in value.large_communities] or None,
        "extended_communities": list(map(extended_text, value.extended_communities)) or None,
        "ipv6_extended_communities": list(map(extended_text, value.ipv6_extended_communities)) or None,
        "originator_id": to_plain(value.originator_id),
        "cluster_list": [str(cluster) for cluster in value.cluster_list] or None,
        "aigp": value.aigp,
        "otc": value.otc,
        "unknown": [[item.flags, item.code, item.value.hex()] for item in value.unknown] or None,
    }
    return {key: item for key, item in shown.items() if item is not None}


def attributes_from_plain(shown: Mapping[str, Plain]) -> Attributes:
    """Read what `to_plain` wrote of `Attributes`; raises KeyError or ValueError on anything else."""
    sequence = [int(asn) for asn in shown.get("as_path", "").split()] if "segments" not in shown else []
    segments = tuple(
        Segment(SegmentKind(kind), tuple(Asn(asn) for asn in asns)) for kind, asns in shown.get("segments", ())
    )
    aggregator = shown.get("aggregator")
    return Attributes(
        origin=Origin[shown["origin"].upper()] if "origin" in shown else None,
        as_path=AsPath(segments) if segments else AsPath.of(*sequence),
        next_hop=ip_address(shown["next_hop"]) if "next_hop" in shown else None,
        link_local=ip_address(shown["link_local"]) if "link_local" in shown else None,
        med=shown.get("med"),
        local_pref=shown.get("local_pref"),
        atomic_aggregate=bool(shown.get("atomic_aggregate")),
        aggregator=Aggregator(Asn(aggregator[0]), ip_address(aggregator[1])) if aggregator else None,
        communities=tuple(parse_community(text) for text in shown.get("communities", ())),
        large_communities=tuple(_large(text) for text in shown.get("large_communities", ())),
        extended_communities=tuple(parse_extended(text) for text in shown.get("extended_communities", ())),
        ipv6_extended_communities=tuple(parse_extended(text) for text in shown.get("ipv6_extended_communities", ())),
        originator_id=ip_address(shown["originator_id"]) if "originator_id" in shown else None,
        cluster_list=tuple(ip_address(text) for text in shown.get("cluster_list", ())),
        aigp=shown.get("aigp"),
        otc=Asn(shown["otc"]) if "otc" in shown else None,
        unknown=tuple(UnknownAttribute(f, code, bytes.fromhex(raw)) for f, code, raw in shown.get("unknown", ())),
    )


def finding_from_plain(shown: Mapping[str, Plain]) -> Finding:
    """Read what `to_plain` wrote of a `Finding`."""
    return Finding(
        kind=Kind(shown["kind"]),
        subject=Subject(**shown["subject"]),
        severity=Severity(shown["severity"]),
        since=parse_stamp(shown["since"]),
        summary=shown["summary"],
        evidence=tuple((label, text) for label, text in shown.get("evidence", ())),
        not_before=parse_stamp(shown["not_before"]) if "not_before" in shown else None,
        rests_on=frozenset(shown.get("rests_on", ())),
    )


def record_from_plain(shown: Mapping[str, Plain]) -> Record:
    """Read what `to_plain` wrote of a `Record`."""
    opened, cleared = shown.get("opened_at"), shown.get("cleared_at")
    return Record(
        id=shown["id"],
        finding=finding_from_plain(shown["finding"]),
        state=State(shown["state"]),
        pending_at=parse_stamp(shown["pending_at"]),
        opened_at=None if opened is None else parse_stamp(opened),
        cleared_at=None if cleared is None else parse_stamp(cleared),
        muted_by=shown.get("muted_by"),
    )


def _large(text: str) -> tuple[int, int, int]:
    one, two, three = (int(part) for part in text.split(":"))
    return one, two, three
