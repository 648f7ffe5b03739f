"""Names of the TLVs of BMP messages, and what their values say (RFC 7854, 4.4 to 4.7; RFC 9069, 5.2.1; RFC 9736, 3)."""

from collections.abc import Iterable
from typing import Any, Final

from collector.wire.bmp.values import Tlv

Names = dict[int, str]

INITIATION: Final[Names] = {0: "string", 1: "sys-descr", 2: "sys-name", 3: "table-name", 4: "admin-label"}
PEER_UP: Final[Names] = {0: "string", 3: "table-name", 4: "admin-label"}
"""RFC 9736 gave Peer Up a namespace of its own; 1 and 2 of the older, common one are not meant there."""
TERMINATION: Final[Names] = {0: "string", 1: "reason"}
PEER_DOWN: Final[Names] = {0: "string", 3: "table-name"}
ROUTE_MONITORING: Final[Names] = {0xEA62: "path-marking"}
"""After the BGP message; Huawei VRP sends the path marking draft's TLV there, under an experimental number."""

PATH_STATUS: Final[Names] = {  # draft-ietf-grow-bmp-path-marking-tlv, 2.1
    0x0001: "invalid",
    0x0002: "best",
    0x0004: "non-selected",
    0x0008: "primary",
    0x0010: "backup",
    0x0020: "non-installed",
    0x0040: "best-external",
    0x0080: "add-path",
    0x0100: "filtered-in-inbound-policy",
    0x0200: "filtered-in-outbound-policy",
    0x0400: "invalid-rov",
    0x0800: "stale",
    0x1000: "suppressed",
}

PATH_REASON: Final[Names] = {
    1: "invalid-as-loop",
    2: "invalid-unresolvable-next-hop",
    3: "not-preferred-local-pref",
    4: "not-preferred-as-path-length",
    5: "not-preferred-origin",
    6: "not-preferred-med",
    7: "not-preferred-peer-type",
    8: "not-preferred-igp-cost",
    9: "not-preferred-router-id",
    10: "not-preferred-peer-address",
    11: "not-preferred-aigp",
}


def information(tlvs: Iterable[Tlv], names: Names) -> tuple[dict[str, Any], ...]:
    """Return each TLV as type, name (where it has one) and text, or its octets in hexadecimal where it is no text."""
    return tuple(_plain(tlv, names) for tlv in tlvs)


def _plain(tlv: Tlv, names: Names) -> dict[str, Any]:
    name = names.get(tlv.code)
    head = {"type": tlv.code} | ({"name": name} if name else {})
    if name == "path-marking" and len(tlv.value) in (4, 6):
        return head | path_marking(tlv.value) | {"hex": tlv.value.hex()}
    if name is None or name == "reason" or not _is_text(tlv.value):
        return head | {"hex": tlv.value.hex()}
    return head | {"text": tlv.text}


def _is_text(value: bytes) -> bool:
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


def path_marking(value: bytes) -> dict[str, Any]:
    """Return what a path marking of 4 or 6 octets says: the status bits by name, and the reason where there is one."""
    bits = int.from_bytes(value[:4], "big")
    status = [name for bit, name in PATH_STATUS.items() if bits & bit]
    known = sum(bit for bit in PATH_STATUS if bits & bit)
    status += [f"0x{bits & ~known:08x}"] if bits & ~known else []
    if len(value) == 4:
        return {"status": status}
    reason = int.from_bytes(value[4:], "big")
    return {"status": status, "reason": PATH_REASON.get(reason, f"reason-{reason}")}
