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
from collector.wire.bgp.path import narrow_path
from collector.wire.bgp.peek import families_of
from collector.wire.bgp.raw import RawAttribute, raw_attributes
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
    at = 2 + int.from_bytes(body[:2], "big")
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    sent: list[RawAttribute] = []
    try:
        sent.extend(raw_attributes(body[at + 2 : end]))
    except Malformed:
        pass  # it is recorded as it is; whoever decodes it says what is wrong
    else:
        if context.rebuilt and end <= len(body) and (lacking := _lacking(sent, bool(body[end:]))):
            attributes = body[at + 2 : end] + lacking
            size = len(attributes).to_bytes(2, "big")
            message = encode_message(MessageType.UPDATE, body[:at] + size + attributes + body[end:])
    return Recorded(message, _carried(body, context), context.two_octet or narrow_path(sent) is not None)


def _carried(body: bytes, context: UpdateContext) -> bool:
    """Whether the path ids that the session agreed on are there."""
    if not context.add_path or context.add_path.isdisjoint(families_of(body)):
        return False
    return not decode_update(body, context).bare


def _lacking(sent: list[RawAttribute], announced: bool) -> bytes:
    """An empty AS_PATH and a next hop of 0.0.0.0 where routes are announced and these are not there."""
    codes, lacking = {attribute.code for attribute in sent}, b""
    if (announced or Code.MP_REACH_NLRI in codes) and Code.AS_PATH not in codes:
        lacking += bytes((WELL_KNOWN, Code.AS_PATH, 0))
    if announced and Code.NEXT_HOP not in codes:
        lacking += bytes((WELL_KNOWN, Code.NEXT_HOP, 4)) + bytes(4)
    return lacking
