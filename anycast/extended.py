"""Extended communities as people write them, and back (RFC 4360, RFC 5668, RFC 5701, RFC 7153, RFC 9012).

`rt:65010:1`, `rt:10.0.0.1:1`, `rt:4200000000:1` and `soo:` likewise; `rt:65010L:1` is a 2-octet AS in the 4-octet form.
Whatever has no name here, or would not come back as the same octets, is written in hexadecimal.
"""

import struct
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

SIZE: Final = 8
SIZE6: Final = 20
"""Octets of the IPv6 address specific form (RFC 5701, 2)."""

_ENCAPSULATIONS: Final = {  # IANA, BGP Tunnel Encapsulation Attribute Tunnel Types
    1: "l2tpv3",
    2: "gre",
    7: "ip-in-ip",
    8: "vxlan",
    9: "nvgre",
    10: "mpls",
    11: "mpls-in-gre",
    12: "vxlan-gpe",
    13: "mpls-in-udp",
    19: "geneve",
}
_STATES: Final = {0: "valid", 1: "not-found", 2: "invalid"}  # RFC 8097, 2


def extended_text(octets: bytes) -> str:
    """Write an extended community of 8 octets, or of 20 (IPv6 address specific); in hexadecimal where nameless."""
    text = _written6(octets) if len(octets) == SIZE6 else _written(octets)
    return text if _read(text) == octets else octets.hex()


def parse_extended(text: str) -> bytes:
    """Read what `extended_text` wrote; raises ValueError with what would be right."""
    octets = _read(text)
    if octets is None:
        raise ValueError(
            f"{text!r} is no extended community such as rt:65010:1, soo:10.0.0.1:7 or 16 hexadecimal digits"
        )
    return octets


def _read(text: str) -> bytes | None:
    name, _, rest = text.partition(":")
    try:
        octets = _READERS[name](rest) if name in _READERS else bytes.fromhex(text)
    except (ValueError, struct.error, OverflowError):
        return None
    return octets if len(octets) in (SIZE, SIZE6) else None


def _written(octets: bytes) -> str:
    name, write = _WRITERS.get((octets[0], octets[1]), ("", None)) if len(octets) == SIZE else ("", None)
    if write is None:
        return ""
    text = write(octets[2:])
    return f"{name}:{text}" if text else name


def _written6(octets: bytes) -> str:
    name = {2: "rt", 3: "soo"}.get(octets[1])
    if name is None:
        return ""
    return f"{name}:[{IPv6Address(octets[2:18])}]:{int.from_bytes(octets[18:], 'big')}"


def _two_octet_as(value: bytes) -> str:
    return f"{int.from_bytes(value[:2], 'big')}:{int.from_bytes(value[2:], 'big')}"


def _address(value: bytes) -> str:
    return f"{IPv4Address(value[:4])}:{int.from_bytes(value[4:], 'big')}"


def _four_octet_as(value: bytes) -> str:
    asn = int.from_bytes(value[:4], "big")
    return f"{asn}{'L' if asn < 1 << 16 else ''}:{int.from_bytes(value[4:], 'big')}"


def _target(subtype: int, text: str) -> bytes:
    administrator, _, number = text.rpartition(":")
    if administrator.startswith("["):
        return bytes((0, subtype)) + IPv6Address(administrator[1:-1]).packed + int(number).to_bytes(2, "big")
    if "." in administrator:
        return bytes((1, subtype)) + IPv4Address(administrator).packed + int(number).to_bytes(2, "big")
    wide = administrator.endswith("L")
    asn = int(administrator.removesuffix("L"))
    if wide or asn >= 1 << 16:
        return bytes((2, subtype)) + asn.to_bytes(4, "big") + int(number).to_bytes(2, "big")
    return bytes((0, subtype)) + asn.to_bytes(2, "big") + int(number).to_bytes(4, "big")


def _color(value: bytes) -> str:
    """The number, behind the CO flags of RFC 9256, 8.8.1, where they are not 00."""
    number = int.from_bytes(value[2:], "big")
    return f"{value[0] >> 6:02b}:{number}" if value[0] else str(number)


def _read_color(text: str) -> bytes:
    flags, _, number = text.rpartition(":")
    return b"\x03\x0b" + bytes((int(flags or "0", 2) << 6, 0)) + int(number).to_bytes(4, "big")


def _bandwidth(value: bytes) -> str:
    return f"{int.from_bytes(value[:2], 'big')}:{struct.unpack('>f', value[2:])[0]!r}"


def _read_bandwidth(text: str) -> bytes:
    asn, _, rate = text.partition(":")
    return b"\x40\x04" + int(asn).to_bytes(2, "big") + struct.pack(">f", float(rate))


def _mac(value: bytes) -> str:
    return value.hex("-")


def _mobility(value: bytes) -> str:
    return f"{'sticky:' if value[0] & 1 else ''}{int.from_bytes(value[2:], 'big')}"


def _read_mobility(text: str) -> bytes:
    sticky = text.startswith("sticky:")
    return b"\x06\x00" + bytes((int(sticky), 0)) + int(text.removeprefix("sticky:")).to_bytes(4, "big")


def _named(names: dict[int, str], size: int) -> tuple[Callable[[bytes], str], Callable[[str], bytes]]:
    """A number in the last `size` octets, by its name where it has one."""
    codes = {name: code for code, name in names.items()}

    def write(value: bytes) -> str:
        number = int.from_bytes(value[-size:], "big")
        return names.get(number, str(number))

    def read(text: str) -> bytes:
        return (codes[text] if text in codes else int(text)).to_bytes(6, "big")

    return write, read


_ENCAPSULATION: Final = _named(_ENCAPSULATIONS, 2)
_VALIDATION: Final = _named(_STATES, 1)

_Writer = Callable[[bytes], str]

_WRITERS: Final[dict[tuple[int, int], tuple[str, _Writer]]] = {
    (0x00, 0x02): ("rt", _two_octet_as),
    (0x00, 0x03): ("soo", _two_octet_as),
    (0x01, 0x02): ("rt", _address),
    (0x01, 0x03): ("soo", _address),
    (0x02, 0x02): ("rt", _four_octet_as),
    (0x02, 0x03): ("soo", _four_octet_as),
    (0x03, 0x0B): ("color", _color),
    (0x03, 0x0C): ("encapsulation", _ENCAPSULATION[0]),
    (0x03, 0x0D): ("default-gateway", lambda value: ""),
    (0x06, 0x00): ("mac-mobility", _mobility),
    (0x06, 0x02): ("es-import", _mac),
    (0x06, 0x03): ("router-mac", _mac),
    (0x40, 0x04): ("bandwidth", _bandwidth),
    (0x43, 0x00): ("validation", _VALIDATION[0]),
}
"""Type and subtype of each form that has a name, and who writes its other six octets."""

_READERS: Final[dict[str, Callable[[str], bytes]]] = {
    "rt": lambda text: _target(0x02, text),
    "soo": lambda text: _target(0x03, text),
    "color": _read_color,
    "encapsulation": lambda text: b"\x03\x0c" + _ENCAPSULATION[1](text),
    "default-gateway": lambda text: b"\x03\x0d" + bytes(6),
    "mac-mobility": _read_mobility,
    "es-import": lambda text: b"\x06\x02" + bytes.fromhex(text.replace("-", "")),
    "router-mac": lambda text: b"\x06\x03" + bytes.fromhex(text.replace("-", "")),
    "bandwidth": _read_bandwidth,
    "validation": lambda text: b"\x43\x00" + _VALIDATION[1](text),
}
