"""mrtparse (PyPI) as another decoder: the routes that it finds in an MRT file, as rows to compare."""

import signal
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple

from mrtparse import Reader

from collector.wire.element import Element, ElementType

signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # mrtparse makes it deadly: any socket that is closed would end the tests


class Row(NamedTuple):
    """One route, as far as both decoders say it in words."""

    kind: str
    second: int
    peer: str
    peer_asn: str
    prefix: str
    path_id: int | None
    origin: str = ""
    as_path: str = ""
    next_hop: str = ""
    med: int | None = None
    local_pref: int | None = None
    communities: tuple[str, ...] = ()
    large: tuple[str, ...] = ()


_UNICAST: Final = {"1", "2"}
_KIND: Final = {"TABLE_DUMP": "R", "TABLE_DUMP_V2": "R"}
_BRACKETS: Final = {"AS_SEQUENCE": "", "AS_SET": "{}", "AS_CONFED_SEQUENCE": "()", "AS_CONFED_SET": "[]"}
_WELL_KNOWN: Final = {  # ours name them
    "NO_EXPORT": 0xFFFFFF01,
    "NO_ADVERTISE": 0xFFFFFF02,
    "NO_EXPORT_SCONFED": 0xFFFFFF03,
    "NO_EXPORT_SUBCONFED": 0xFFFFFF03,
    "NO_PEER": 0xFFFFFF04,
    "PLANNED_SHUT": 0xFFFF0000,
    "ACCEPT_OWN": 0xFFFF0001,
}


def rows_of(path: Path) -> Iterator[Row]:
    """Yield the unicast routes that mrtparse finds, in its order."""
    peers: list[dict[str, Any]] = []
    for record in Reader(str(path)):
        data = record.data
        second, kind, subtype = int(_key(data["timestamp"])), _name(data["type"]), _name(data["subtype"])
        if subtype == "PEER_INDEX_TABLE":
            peers = data["peer_entries"]
        elif kind == "TABLE_DUMP_V2":
            for entry in data.get("rib_entries", ()):  # it reads neither RIB_GENERIC nor, of IPv6, path ids
                peer = peers[entry["peer_index"]]
                prefix = f"{data['prefix']}/{data['length']}"
                head = Row("R", second, peer["peer_ip"], peer["peer_as"], prefix, entry.get("path_id"))
                yield _with(head, entry["path_attributes"])
        elif kind == "TABLE_DUMP":
            prefix = f"{data['prefix']}/{data['length']}"
            yield _with(Row("R", second, data["peer_ip"], data["peer_as"], prefix, None), data["path_attributes"])
        elif _name(data.get("bgp_message", {}).get("type", {"": ""})) == "UPDATE":
            yield from _update(data, second)


def _update(data: dict[str, Any], second: int) -> Iterator[Row]:
    message, head = data["bgp_message"], Row("W", second, data["peer_ip"], data["peer_as"], "", None)
    attributes = message["path_attributes"]
    for gone in message["withdrawn_routes"]:
        yield _named(head, gone)
    several = {_name(one["type"]): one["value"] for one in attributes}
    if _unicast(several.get("MP_UNREACH_NLRI")):
        yield from (_named(head, gone) for gone in several["MP_UNREACH_NLRI"]["withdrawn_routes"])
    here = head._replace(kind="A")
    for added in message["nlri"]:
        yield _with(_named(here, added), attributes)
    if _unicast(several.get("MP_REACH_NLRI")):
        yield from (_with(_named(here, added), attributes, reach=True) for added in several["MP_REACH_NLRI"]["nlri"])


def _unicast(value: dict[str, Any] | None) -> bool:
    return value is not None and _key(value["afi"]) in _UNICAST and _key(value["safi"]) == "1"


def _named(head: Row, nlri: dict[str, Any]) -> Row:
    return head._replace(prefix=f"{nlri['prefix']}/{nlri['length']}", path_id=nlri.get("path_id"))


def _with(head: Row, attributes: list[dict[str, Any]], reach: bool = False) -> Row:
    found = {_name(one["type"]): one["value"] for one in attributes}
    mp = found.get("MP_REACH_NLRI")
    in_reach = mp is not None and (reach or ":" in head.prefix)
    hop = (mp or {}).get("next_hop", [""]) if in_reach else found.get("NEXT_HOP", "")
    path = "?" if "AS4_PATH" in found else _path(found.get("AS_PATH", []))
    return head._replace(
        origin=_name(found["ORIGIN"]).lower() if "ORIGIN" in found else "",
        as_path=path,
        next_hop=_address(hop[0] if isinstance(hop, list) else hop),
        med=found.get("MULTI_EXIT_DISC"),
        local_pref=found.get("LOCAL_PREF"),
        communities=tuple(map(_community, found.get("COMMUNITY", ()))),
        large=tuple(found.get("LARGE_COMMUNITY", ())),
    )


def _path(segments: list[dict[str, Any]]) -> str:
    said = []
    for segment in segments:
        marks = _BRACKETS[_name(segment["type"])]
        text = (" " if marks in ("", "()") else ",").join(segment["value"])
        said.append(marks[:1] + text + marks[1:])
    return " ".join(said)


def _address(text: str) -> str:
    """The same way of writing IPv4 inside IPv6."""
    return str(ip_address(text)) if text else ""


def _community(text: str) -> str:
    number = _WELL_KNOWN.get(text)
    return text if number is None else f"{number >> 16}:{number & 0xFFFF}"


def _key(pair: dict[Any, Any]) -> str:
    return str(next(iter(pair)))


def _name(pair: dict[Any, Any]) -> str:
    return str(next(iter(pair.values())))


def as_row(element: Element, merged: frozenset[tuple[str, str]] = frozenset()) -> Row | None:
    """Return our element as such a row; None where it is no unicast route."""
    kinds = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB)
    if element.type not in kinds or "unicast" not in element.family or element.time is None:
        return None
    if "labeled" in element.family:
        return None
    head = Row(
        str(element.type),
        int(element.time.timestamp()),
        str(element.peer),
        str(element.peer_asn),
        str(element.prefix),
        element.path_id,
    )
    found = element.attributes
    if found is None:
        return head
    return head._replace(
        origin="" if found.origin is None else found.origin.name.lower(),
        as_path=str(found.as_path),
        next_hop=str(found.next_hop or ""),
        med=found.med,
        local_pref=found.local_pref,
        communities=tuple(f"{one >> 16}:{one & 0xFFFF}" for one in found.communities),
        large=tuple(":".join(map(str, one)) for one in found.large_communities),
    )
