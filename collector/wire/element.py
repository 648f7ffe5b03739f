"""One line of `catchment decode`: an element, which is the smallest thing that a BMP or MRT file says."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from anycast.plain import stamp, to_plain
from anycast.prefix import Address, Prefix
from anycast.route import Asn, Attributes
from collector.wire.bgp.capabilities import plain_open
from collector.wire.bgp.families import Afi
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Open
from collector.wire.bmp.fsm import fsm_event_name
from collector.wire.bmp.statistics import name_of


class ElementType(StrEnum):
    """What an element says. The letters of pybgpstream where it has one."""

    ANNOUNCEMENT = "A"
    WITHDRAWAL = "W"
    RIB = "R"
    """A route in a table dump."""
    END_OF_RIB = "E"
    STATE = "S"
    """A session came up, went down, or changed its state."""
    OPAQUE = "O"
    """Routes that are no prefixes (EVPN, flow specifications, ...), and routes of a family that the session never
    negotiated, with their bytes."""
    STATISTICS = "T"
    FEED = "F"
    """A router began or ended its BMP feed."""
    MALFORMED = "M"
    """Bytes that could not be taken as they stand, with what was done about them."""
    NOTE = "N"
    """What a file holds besides: records and streams that say nothing of routes, and how many were passed over."""


KEYS: Final[dict[str, str]] = {
    "type": "one of the letters of ElementType",
    "time": "RFC 3339 with microseconds: when the message was received where the file says it, else the router's stamp",
    "router_time": "the router's stamp, where `time` is the receive time",
    "router": "sysName of the BMP exporter, or the address of the side that wrote an MRT file",
    "peer": "address of the peer; absent for a Loc-RIB",
    "peer_asn": "AS number of the peer",
    "peer_type": "BMP peer type, where it is not 0",
    "distinguisher": "BMP peer distinguisher in hexadecimal, where it is not 0",
    "rib": "adj-in-pre, adj-in-post, loc, adj-out-pre or adj-out-post; absent in table dumps",
    "peer_identifier": "of S: BGP identifier of the peer",
    "filtered": "of S: true where the router says that it does not send all of its Loc-RIB",
    "mirrored": "true where the message is a copy out of a BMP Route Mirroring",
    "family": "such as ipv4-unicast, ipv4-labeled-unicast, vpnv4 or evpn; of A, W, R, E and O",
    "prefix": "such as 10.250.0.10/32",
    "path_id": "where the session carries path ids (ADD-PATH)",
    "route_distinguisher": "of VPN and EVPN routes, such as 65010:1 or 10.0.0.1:1; it is not the peer's distinguisher",
    "labels": "of labelled and VPN routes: list of MPLS labels, the top of the stack first; absent of withdrawn ones",
    "route_type": "of O: the EVPN route type, such as mac-ip-advertisement",
    "next_hop": "address",
    "link_local": "the second next hop of an IPv6 route",
    "as_path": "nearest AS first; {sets}, (confederation sequences) and [confederation sets]",
    "origin": "igp, egp or incomplete",
    "origin_asn": "last AS of the path; absent for an empty path and for one that ends in a set",
    "med": "number",
    "local_pref": "number",
    "atomic_aggregate": "true where set",
    "aggregator": "[AS number, address]",
    "communities": "list such as 12076:51004 or no-export",
    "large_communities": "list such as 65010:1:2",
    "extended_communities": "list such as rt:65010:1, soo:10.0.0.1:7 or color:100; in hexadecimal where without a name",
    "ipv6_extended_communities": "list such as rt:[2001:db8::1]:7; in hexadecimal where without a name",
    "originator_id": "address",
    "cluster_list": "list of addresses",
    "aigp": "accumulated IGP metric",
    "otc": "AS number of ONLY_TO_CUSTOMER",
    "unknown": "list of [flags, code, value in hexadecimal] of the attributes that have no key of their own",
    "originated": "of R: when the route was last changed",
    "state": "of S: up, down, or a state of RFC 4271; of F: opened or ended",
    "old_state": "of S in MRT files",
    "reason": "of S and M: why",
    "detail": "of S, F, M and N: in words",
    "hold_time": "of S: seconds, the smaller of both OPENs",
    "local_address": "of S: the router's end of a session that came up; the same for both ports",
    "local_port": "of S",
    "remote_port": "of S",
    "sent_open": "of S: what the router offered, by the names of docs/decoding.md",
    "received_open": "of S: what the peer offered, likewise",
    "table": "of S: name of the VRF or table",
    "reason_code": "of S: the number of a BMP Peer Down's reason",
    "notification": "of S: [code, subcode, data in hexadecimal] of the NOTIFICATION that ended the session",
    "fsm_event": "of S: [number, name] of the event (RFC 4271, 8.1) that ended the session",
    "information": "list of TLVs, each with type, name where it has one, and text or hex; of S and F, of routes whose "
    "message has TLVs behind its UPDATE, and of T for statistics of an unknown length",
    "counts": "of T: list of [type, afi, safi, value]",
    "statistics": "of T: the same counts as objects of name, family where there is one, and value",
    "action": "of M: taken-as-is, read-as-two-octet, attribute-discard, treat-as-withdraw or message-skipped",
    "offset": "of M: octet of the (decompressed) file, where known",
    "raw": "of O and M: the bytes in hexadecimal; of S: what the reason of a Peer Down does not explain",
}
"""Every key of a line, and what it holds. A key is absent where there is nothing to say. Keys are only ever added."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element; the fields are described in `KEYS`."""

    type: ElementType
    time: datetime | None = None
    router_time: datetime | None = None
    router: str = ""
    peer: Address | None = None
    peer_asn: Asn | None = None
    peer_type: int = 0
    distinguisher: int = 0
    rib: str = ""
    family: str = ""
    prefix: Prefix | None = None
    path_id: int | None = None
    route_distinguisher: str = ""
    labels: tuple[int, ...] = ()
    route_type: str = ""
    attributes: Attributes | None = None
    originated: datetime | None = None
    state: str = ""
    old_state: str = ""
    reason: str = ""
    detail: str = ""
    hold_time: int | None = None
    peer_identifier: Address | None = None
    filtered: bool = False
    mirrored: bool = False
    local_address: Address | None = None
    local_port: int | None = None
    remote_port: int | None = None
    sent_open: Open | None = None
    received_open: Open | None = None
    table: str = ""
    reason_code: int | None = None
    notification: Notification | None = None
    fsm_event: int | None = None
    information: tuple[dict[str, Any], ...] = ()
    counts: tuple[tuple[int, int, int, int], ...] = ()
    action: str = ""
    offset: int | None = None
    raw: bytes = b""
    record: int = field(default=0, compare=False)
    """Type of the MRT record that said it, 0 where none did; not among the keys of a line."""

    def plain(self) -> dict[str, Any]:
        """Return the element as JSON can carry it."""
        shown: dict[str, Any] = {"type": str(self.type)}
        shown |= {name: stamp(at) for name in _TIMES if (at := getattr(self, name)) is not None}
        shown |= {name: word for name in _WORDS if (word := getattr(self, name))}
        shown |= {name: str(value) for name in _NAMED if (value := getattr(self, name)) is not None}
        shown |= {name: number for name in _NUMBERS if (number := getattr(self, name)) is not None}
        if self.distinguisher:
            shown["distinguisher"] = f"{self.distinguisher:016x}"
        shown |= {name: list(items) for name in _LISTS if (items := getattr(self, name))}
        shown |= {name: plain_open(side) for name in _OPENS if (side := getattr(self, name)) is not None}
        if self.attributes is not None:
            shown |= _attributes(self.attributes)
        if self.notification is not None:
            shown["notification"] = [self.notification.code, self.notification.subcode, self.notification.data.hex()]
        if self.fsm_event is not None:
            shown["fsm_event"] = [self.fsm_event, fsm_event_name(self.fsm_event)]
        if self.counts:
            shown["counts"] = [list(count) for count in self.counts]
            shown["statistics"] = [_statistic(*count) for count in self.counts]
        if self.raw:
            shown["raw"] = self.raw.hex()
        return shown


_TIMES: Final = ("time", "router_time", "originated")
_WORDS: Final = (
    *(
        "router",
        "rib",
        "family",
        "state",
        "old_state",
        "reason",
        "detail",
        "action",
        "peer_type",
        "filtered",
        "mirrored",
    ),
    *("route_distinguisher", "route_type", "table"),
)
_NAMED: Final = ("peer", "prefix", "peer_identifier", "local_address")
_NUMBERS: Final = ("peer_asn", "path_id", "hold_time", "offset", "local_port", "remote_port", "reason_code")
_LISTS: Final = ("labels", "information")
_OPENS: Final = ("sent_open", "received_open")


def _attributes(attributes: Attributes) -> dict[str, Any]:
    shown: dict[str, Any] = to_plain(attributes)
    shown.pop("segments", None)
    if attributes.as_path.origin is not None:
        shown["origin_asn"] = attributes.as_path.origin
    return shown


def _statistic(code: int, afi: int, safi: int, value: int) -> dict[str, Any]:
    family = {"family": str(Afi(afi, safi))} if afi or safi else {}
    return {"name": name_of(code)} | family | {"value": value}
