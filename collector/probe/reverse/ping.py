"""What one ping carries, and the packets around it. Pure: bytes in, values out.

The host sends the payload back as it came, to whichever NVA its site's routes lead: so the payload itself says who
sent it, when, and to whom, under a key that all NVAs of the fleet share and nobody else has.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address
from struct import Struct

from anycast.prefix import Address
from collector.probe.identity.keys import MAC_SIZE, Key, Keys
from collector.probe.identity.refused import Cause, Refused
from collector.probe.wire.checksum import checksum
from collector.probe.wire.icmp import ECHO_REQUEST, HEADER, Echo, decode_message
from collector.probe.wire.ip import decode_header
from collector.wire.errors import Malformed

WORD = b"CTMP"
VERSION = 1
LONGEST_NAME = 63
TTL = 64
ICMP = {4: 1, 6: 58}

_HEAD = Struct(">4sBBHIQQ16sB")  # word, version, flags, key id, run, nonce, sent, host, length of the name
_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_MAPPED = b"\0" * 10 + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Ping:
    """One echo request, as its sender made it."""

    key: int
    run: int
    """Random for each start of the sender, 32 bits."""
    nonce: int
    """64 bits."""
    sent: int
    """The sender's monotonic clock, ns."""
    host: Address
    """Who was asked: nobody else can answer for it under its own address."""
    nva: str
    """The sender."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One echo reply to a ping of the fleet."""

    ping: Ping
    anycast: Address
    """The address that it was sent from, and the reply to."""
    ttl: int
    """Of the reply."""


def encode_ping(ping: Ping, key: Key) -> bytes:
    """Encode the payload."""
    name = ping.nva.encode("ascii")
    assert len(name) <= LONGEST_NAME
    head = (WORD, VERSION, 0, ping.key, ping.run, ping.nonce, ping.sent, _packed(ping.host), len(name))
    covered = _HEAD.pack(*head) + name
    return covered + key.mac(covered)


def decode_ping(data: bytes, keys: Keys) -> Ping:
    """Decode and authenticate a payload; raises Refused."""
    if len(data) < _HEAD.size + MAC_SIZE:
        raise Refused(Cause.TRUNCATED, f"{len(data)} octets are too few for a ping of ours")
    word, version, flags, number, run, nonce, sent, host, size = _HEAD.unpack_from(data)
    if (word, version, flags) != (WORD, VERSION, 0):
        raise Refused(Cause.FOREIGN, "it is no ping of ours")
    end = _HEAD.size + size
    if size > LONGEST_NAME or len(data) != end + MAC_SIZE:
        raise Refused(Cause.MALFORMED, f"a name of {size} octets does not fit {len(data)} octets")
    keys.find(number).check(memoryview(data)[:end], data[end:])
    name = data[_HEAD.size : end]
    if not name.isascii() or not name.decode("ascii").isprintable():
        raise Refused(Cause.MALFORMED, "the name is not printable ASCII")
    packed = IPv6Address(host)
    return Ping(number, run, nonce, sent, packed.ipv4_mapped or packed, name.decode("ascii"))


def request(source: Address, host: Address, sequence: int, payload: bytes) -> bytes:
    """Return the whole packet of an echo request; the kernel fills in IPv4's length, id and checksum (raw(7))."""
    version, kind = host.version, ECHO_REQUEST[host.version]
    assert source.version == version, "asked from an address of the other family"
    message = HEADER.pack(kind, 0, 0, 0, sequence & 0xFFFF) + payload
    size = len(message)
    over = b"" if version == 4 else source.packed + host.packed + size.to_bytes(4, "big") + ICMP[6].to_bytes(4, "big")
    message = message[:2] + checksum(over + message).to_bytes(2, "big") + message[4:]
    if version == 4:
        return _IPV4.pack(0x45, 0, 20 + size, 0, 0, TTL, ICMP[4], 0, source.packed, host.packed) + message
    return _IPV6.pack(6 << 28, size, ICMP[6], TTL, source.packed, host.packed) + message


def decode_reply(packet: bytes, keys: Keys) -> Heard:
    """Decode an IP packet with an echo reply to a ping of the fleet in it; raises Refused."""
    try:
        header = decode_header(packet)
        if header.protocol != ICMP[header.version]:
            raise Refused(Cause.FOREIGN, "it is no ICMP")
        whole = packet[header.size : header.length]  # what follows is padding of the link
        echo = decode_message(header.version, whole)
    except Malformed as error:
        raise Refused(Cause.MALFORMED, str(error)) from None
    if not isinstance(echo, Echo) or not echo.reply:
        raise Refused(Cause.FOREIGN, "it is no echo reply")
    ping = decode_ping(echo.payload, keys)
    if header.source != ping.host:
        raise Refused(Cause.UNASKED, f"{header.source} sends the answer of {ping.host}")
    return Heard(ping, header.destination, header.ttl)


def _packed(address: Address) -> bytes:
    return address.packed if address.version == 6 else _MAPPED + address.packed
