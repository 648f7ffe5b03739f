"""An OPEN by the names of its capabilities, as JSON can carry it."""

from typing import Any, Final

from collector.wire.bgp.open import Capability, Direction, Open, Role, Stale

_DIRECTIONS: Final = {Direction.RECEIVE: "receive", Direction.SEND: "send", Direction(3): "both"}
_AFIS: Final = {1: "ipv4", 2: "ipv6"}
_ROLES: Final = {int(role): role.name.lower().replace("_", "-") for role in Role}
_READ: Final = frozenset(map(int, Capability))


def plain_open(value: Open) -> dict[str, Any]:
    """Return what one side offered: its numbers, and each capability under its name; what is not there is left out.

    Capabilities without a name here stand under `other` as [code, value in hexadecimal], those that cannot be read
    under `problems` as sentences.
    """
    shown: dict[str, Any] = {
        "version": value.version if value.version != 4 else None,
        "asn": value.asn,
        "hold_time": value.hold_time,
        "identifier": str(value.identifier),
        "families": [str(family) for family in value.families],
        "add_path": {str(family): _DIRECTIONS[way] for family, way in value.add_path.items()},
        "extended_next_hop": [[str(family), _AFIS.get(afi, f"afi {afi}")] for family, afi in value.extended_next_hop],
        "multiple_labels": {str(family): most for family, most in value.multiple_labels},
        "paths_limit": {str(family): most for family, most in value.paths_limit},
        "four_octet_as": value.four_octet_as,
        "route_refresh": value.route_refresh,
        "enhanced_route_refresh": value.enhanced_route_refresh,
        "extended_message": value.extended_message,
        "graceful_restart": _graceful_restart(value),
        "long_lived_graceful_restart": [_stale(item) for item in value.long_lived],
        "role": None if value.role is None else _ROLES.get(value.role, f"role {value.role}"),
        "hostname": value.hostname,
        "domain": value.domain,
        "software": value.software,
        "other": [[code, item.hex()] for code, item in value.capabilities if code not in _READ],
        "problems": list(value.problems),
    }
    return {name: item for name, item in shown.items() if item or (name in _NUMBERS and item is not None)}


_NUMBERS: Final = ("asn", "hold_time")


def _graceful_restart(value: Open) -> dict[str, Any] | None:
    if value.graceful_restart is None:
        return None
    shown: dict[str, Any] = {"seconds": value.graceful_restart}
    shown |= {"restarting": True} if value.restarting else {}
    shown |= {"notifies": True} if value.restart_notifies else {}
    return shown | ({"families": [_stale(item) for item in value.restart_families]} if value.restart_families else {})


def _stale(item: Stale) -> dict[str, Any]:
    shown: dict[str, Any] = {"family": str(item.family)} | ({"forwarding": True} if item.forwarding else {})
    return shown if item.seconds is None else shown | {"seconds": item.seconds}
