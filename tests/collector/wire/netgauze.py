"""NetGauze's published decoding of the shared pcaps (JSON lines beside each), brought to the fields that we compare."""

import json
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from collector.wire.bgp.open import Direction, Open
from collector.wire.bgp.update import Update

Said = tuple[tuple[str, ...], tuple[str, ...], str, str, str, str, str]
"""Announced, withdrawn, origin, AS numbers, next hop, MED, LOCAL_PREF; empty for what was not sent."""


def lines(path: Path) -> Iterator[Any]:
    """Yield the values of a JSON-lines file."""
    with path.open() as file:
        yield from map(json.loads, file)


def theirs(update: dict[str, Any]) -> Said:
    """Bring NetGauze's UPDATE to the fields that we compare."""
    sent: dict[str, Any] = {}
    for attribute in update["path_attributes"]:
        sent |= attribute["value"]
    reach, unreach = _unicast(sent.get("MpReach", {})), _unicast(sent.get("MpUnreach", {}))
    segments = next(iter(sent.get("AsPath", {"": []}).values()))
    hop = reach.get("next_hop_global") or reach.get("next_hop") or sent.get("NextHop", {}).get("next_hop", "")
    return (
        _networks(reach.get("nlri", []) + update["nlri"]),
        _networks(update["withdrawn_routes"] + unreach.get("nlri", [])),
        str(sent.get("Origin", "")).lower(),
        " ".join(str(asn) for segment in segments for asn in segment["as_numbers"]),
        str(hop),
        str(sent.get("MultiExitDiscriminator", {}).get("metric", "")),
        str(sent.get("LocalPreference", {}).get("metric", "")),
    )


def ours(update: Update) -> Said:
    """Bring our UPDATE to the fields that we compare."""
    announced = tuple(f"{nlri.prefix}#{nlri.path_id}" for nlri in update.announced)
    withdrawn = tuple(f"{nlri.prefix}#{nlri.path_id}" for nlri in update.withdrawn)
    if not update.attributes:
        return announced, withdrawn, "", "", "", "", ""
    value = update.attributes_for()
    return (
        announced,
        withdrawn,
        value.origin.name.lower() if value.origin is not None else "",
        " ".join(map(str, value.as_path.asns)),
        str(value.next_hop or ""),
        str("" if value.med is None else value.med),
        str("" if value.local_pref is None else value.local_pref),
    )


def _unicast(attribute: dict[str, Any]) -> dict[str, Any]:
    """The part of MpReach or MpUnreach for IPv4 or IPv6 unicast."""
    found: dict[str, Any] = attribute.get("Ipv6Unicast") or attribute.get("Ipv4Unicast") or {}
    return found


def _networks(found: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{ip_network(item['network'])}#{item['path_id'] or 0}" for item in found)


Offer = tuple[int, str, str, bool, bool, int, bool, bool, tuple[str, ...], tuple[tuple[str, bool, bool], ...]]
"""AS, identifier, host, extended message, enhanced refresh, restart time, restarting, notifies, families, path ids."""

_FAMILIES = {"Ipv4Unicast": "ipv4-unicast", "Ipv6Unicast": "ipv6-unicast"}


def offered(said: dict[str, Any]) -> Offer:
    """Bring NetGauze's OPEN to the capabilities that we compare."""
    flags: set[str] = set()
    values: dict[str, Any] = {}
    families = []
    for parameter in said["params"]:
        for capability in parameter["Capabilities"]:
            if isinstance(capability, str):
                flags.add(capability)
            elif "MultiProtocolExtensions" in capability:
                families.append(_FAMILIES[capability["MultiProtocolExtensions"]["address_type"]])
            else:
                values |= capability
    restart = values["GracefulRestartCapability"]
    ways = values["AddPath"]["address_families"]
    return (
        values["FourOctetAs"]["asn4"],
        said["bgp_id"],
        values["Fqdn"]["hostname"],
        "ExtendedMessage" in flags,
        "EnhancedRouteRefresh" in flags,
        restart["time"],
        restart["restart"],
        restart["graceful_notification"],
        tuple(families),
        tuple((_FAMILIES[way["address_type"]], way["send"], way["receive"]) for way in ways),
    )


def our_offer(side: Open) -> Offer:
    """Bring our OPEN to the capabilities that we compare."""
    assert side.graceful_restart is not None
    return (
        side.asn,
        str(side.identifier),
        side.hostname,
        side.extended_message,
        side.enhanced_route_refresh,
        side.graceful_restart,
        side.restarting,
        side.restart_notifies,
        tuple(map(str, side.families)),
        tuple(
            (str(of), bool(way & Direction.SEND), bool(way & Direction.RECEIVE)) for of, way in side.add_path.items()
        ),
    )
