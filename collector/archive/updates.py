"""How an UPDATE is recorded: as its BMP exporter meant it, for MRT has no quirks of exporters.

What the octets say is found out here as it is everywhere else (`collector.wire.bgp.update`), and goes into the record's
subtype: path ids that the session agreed on and the exporter left out are not announced, and AS paths of 2 octets are
called so. Attributes that a router leaves out of a table of its own are put in, empty: without them an UPDATE of MRT,
which might as well be a peer's, withdraws its routes (RFC 7606, 3 d).
"""

from dataclasses import dataclass

from collector.wire.bgp.attributes import WELL_KNOWN, Code
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import encode_message
from collector.wire.bgp.message import HEADER, MessageType
from collector.wire.bgp.peek import families_of
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.raw import raw_attributes
from collector.wire.bgp.update import decode_update
from collector.wire.errors import Malformed


@dataclass(frozen=True, slots=True)
class Recorded:
    """An UPDATE, and what its subtype must say of it."""

    message: bytes
    path_ids: bool
    two_octet: bool


def recorded(message: bytes, context: UpdateContext) -> Recorded:
    """Tell how to record a BGP UPDATE, header included, that is read in `context`."""
    body = message[HEADER:]
    read = decode_update(body, context)
    carried = bool(context.add_path) and not read.bare and not context.add_path.isdisjoint(families_of(body))
    if context.rebuilt and any(problem.remedy is Remedy.TAKEN_AS_IS for problem in read.problems):
        message = _completed(message)
    return Recorded(message, carried, context.two_octet or read.two_octet)


def _completed(message: bytes) -> bytes:
    """Put an empty AS_PATH and a next hop of 0.0.0.0 where there are none."""
    body = message[HEADER:]
    at = 2 + int.from_bytes(body[:2], "big")
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    attributes, announced = body[at + 2 : end], body[end:]
    try:
        codes = {attribute.code for attribute in raw_attributes(attributes)}
    except Malformed:
        return message
    if announced or Code.MP_REACH_NLRI in codes:
        attributes += b"" if Code.AS_PATH in codes else bytes((WELL_KNOWN, Code.AS_PATH, 0))
    if announced and Code.NEXT_HOP not in codes:
        attributes += bytes((WELL_KNOWN, Code.NEXT_HOP, 4)) + bytes(4)
    return encode_message(MessageType.UPDATE, body[:at] + len(attributes).to_bytes(2, "big") + attributes + announced)
