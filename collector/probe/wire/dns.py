"""Who serves a DNS address: CHAOS TXT id.server (RFC 4892) with an NSID option (RFC 5001); queries built by hand."""

import struct
from dataclasses import dataclass
from typing import Final

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT

from collector.wire.errors import Malformed

HEADER: Final = struct.Struct("!HHHHHH")
TXT, CHAOS, OPT, NSID = 16, 3, 41, 3
PAYLOAD: Final = 1232
"""UDP octets that we take (DNS flag day 2020)."""
_LONGEST: Final = 255
"""Of what we keep of a text: one character-string (RFC 1035, 3.3)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to our query."""

    identifier: int
    rcode: int
    texts: tuple[str, ...]
    """The TXT records' texts, each cut to 255 characters, in their order."""
    nsid: str
    """As text where it is text, else in hexadecimal digits; empty where the server gave none."""
    truncated: bool


def encode_query(identifier: int, name: str) -> bytes:
    """Encode a query for the CHAOS TXT record of `name`, without recursion, with an empty NSID option.

    Raises ValueError when `name` is not a domain name: labels of 1 to 63 ASCII characters, 255 octets in all.
    """
    question = b"".join(_label(label) for label in name.rstrip(".").split(".")) + b"\0"
    if len(question) > 255:
        raise ValueError(f"the domain name {name!r} is longer than 255 octets")
    option = struct.pack("!HH", NSID, 0)
    additional = struct.pack("!BHHIH", 0, OPT, PAYLOAD, 0, len(option)) + option
    return HEADER.pack(identifier, 0, 1, 0, 0, 1) + question + struct.pack("!HH", TXT, CHAOS) + additional


def decode_answer(octets: bytes) -> Answer:
    """Decode a response; raises Malformed when it is none."""
    try:
        message = dns.message.from_wire(octets)
    except (dns.exception.DNSException, ValueError) as error:
        raise Malformed(f"this is no DNS message: {str(error) or type(error).__name__}", 0, octets) from error
    if not message.flags & dns.flags.QR:
        raise Malformed("this is a DNS query, not a response", 2, octets)
    return Answer(message.id, int(message.rcode()), _texts(message), _nsid(message), bool(message.flags & dns.flags.TC))


def _label(label: str) -> bytes:
    try:
        octets = label.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError(f"the label {label!r} of a domain name is not ASCII") from None
    if not 1 <= len(octets) <= 63:
        raise ValueError(f"a label of a domain name has 1 to 63 characters, {label!r} has {len(octets)}")
    return bytes((len(octets),)) + octets


def _texts(message: dns.message.Message) -> tuple[str, ...]:
    return tuple(
        b"".join(record.strings).decode("utf-8", "replace")[:_LONGEST]
        for rrset in message.answer
        if rrset.rdtype == dns.rdatatype.TXT and rrset.rdclass == dns.rdataclass.CH
        for record in rrset
        if isinstance(record, dns.rdtypes.ANY.TXT.TXT)
    )


def _nsid(message: dns.message.Message) -> str:
    for option in message.options:
        if option.otype == dns.edns.OptionType.NSID:
            octets = option.nsid if isinstance(option, dns.edns.NSIDOption) else b""
            text = octets.decode("ascii", "replace")
            return text[:_LONGEST] if text.isprintable() else octets.hex()[:_LONGEST]
    return ""
