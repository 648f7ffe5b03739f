"""Plain facts of what a running collector sees: what `learn` makes a first intent from.

Whoever fills this in gives every session that is up: of a collector's peers every route; of an edge router's peers at
least those routes that touch a prefix some NVA advertises, and, where they can be had, those that cover an address of a
Route Server or NVA (VNet ranges, which tell whose regional community is whose).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from anycast.observation import Rib, SpeakerOpen
from anycast.plain import attributes_from_plain
from anycast.prefix import Address, Prefix
from anycast.route import Asn, Attributes


@dataclass(frozen=True, slots=True)
class SeenRoute:
    """A route that is there now."""

    prefix: Prefix
    attributes: Attributes
    path_id: int = 0


@dataclass(frozen=True, slots=True)
class SeenSession:
    """One view of a session that an exporter reports."""

    peer: Address | None
    """None for a Loc-RIB."""
    rib: Rib = Rib.ADJ_IN_PRE
    local: SpeakerOpen | None = None
    """The exporter's OPEN; None when it was not sent."""
    remote: SpeakerOpen | None = None
    """The peer's OPEN; None when it was not sent."""
    up: bool = True
    routes: tuple[SeenRoute, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenExporter:
    """A router that sends BMP."""

    address: Address
    """Where its connection comes from."""
    name: str = ""
    """What the intent or the router itself calls it; empty when neither does."""
    collector: bool | None = None
    """Whether it is the collector's own GoBGP; None leaves it to be found out from its peers."""
    sessions: tuple[SeenSession, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """All of it."""

    exporters: tuple[SeenExporter, ...] = ()
    listen: Mapping[str, str] = field(default_factory=dict)
    """Where the daemon listens (`bmp`, `http`), as far as that is not where it does by default."""


def seen_from_plain(shown: Mapping[str, Any]) -> Seen:
    """Read what `anycast.plain.to_plain` wrote of a `Seen`; raises KeyError or ValueError on anything else."""
    return Seen(tuple(_exporter(each) for each in shown.get("exporters", ())), shown.get("listen", {}))


def _exporter(shown: Mapping[str, Any]) -> SeenExporter:
    return SeenExporter(
        address=ip_address(shown["address"]),
        name=shown.get("name", ""),
        collector=shown.get("collector"),
        sessions=tuple(_session(each) for each in shown.get("sessions", ())),
    )


def _session(shown: Mapping[str, Any]) -> SeenSession:
    return SeenSession(
        peer=ip_address(shown["peer"]) if "peer" in shown else None,
        rib=Rib(shown.get("rib", Rib.ADJ_IN_PRE)),
        local=_open(shown["local"]) if "local" in shown else None,
        remote=_open(shown["remote"]) if "remote" in shown else None,
        up=shown.get("up", True),
        routes=tuple(_route(each) for each in shown.get("routes", ())),
    )


def _open(shown: Mapping[str, Any]) -> SpeakerOpen:
    return SpeakerOpen(
        asn=Asn(shown["asn"]),
        identifier=ip_address(shown["identifier"]),
        hold_time=shown["hold_time"],
        route_refresh=shown.get("route_refresh", False),
        four_octet_as=shown.get("four_octet_as", False),
        graceful_restart=shown.get("graceful_restart"),
    )


def _route(shown: Mapping[str, Any]) -> SeenRoute:
    return SeenRoute(ip_network(shown["prefix"]), attributes_from_plain(shown["attributes"]), shown.get("path_id", 0))
