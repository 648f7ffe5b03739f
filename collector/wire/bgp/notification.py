"""NOTIFICATION in words (RFC 4271, 4.5; RFC 4486; RFC 9003; RFC 9384)."""

from dataclasses import dataclass
from typing import Final

from collector.wire.errors import Malformed

_CODES: Final[dict[int, str]] = {
    1: "Message Header Error",
    2: "OPEN Message Error",
    3: "UPDATE Message Error",
    4: "Hold Timer Expired",
    5: "Finite State Machine Error",
    6: "Cease",
    7: "ROUTE-REFRESH Message Error",
    8: "Send Hold Timer Expired",
}

_SUBCODES: Final[dict[tuple[int, int], str]] = {
    (1, 1): "Connection Not Synchronized",
    (1, 2): "Bad Message Length",
    (1, 3): "Bad Message Type",
    (2, 1): "Unsupported Version Number",
    (2, 2): "Bad Peer AS",
    (2, 3): "Bad BGP Identifier",
    (2, 4): "Unsupported Optional Parameter",
    (2, 6): "Unacceptable Hold Time",
    (2, 7): "Unsupported Capability",
    (2, 11): "Role Mismatch",
    (3, 1): "Malformed Attribute List",
    (3, 2): "Unrecognized Well-known Attribute",
    (3, 3): "Missing Well-known Attribute",
    (3, 4): "Attribute Flags Error",
    (3, 5): "Attribute Length Error",
    (3, 6): "Invalid ORIGIN Attribute",
    (3, 8): "Invalid NEXT_HOP Attribute",
    (3, 9): "Optional Attribute Error",
    (3, 10): "Invalid Network Field",
    (3, 11): "Malformed AS_PATH",
    (5, 1): "Receive Unexpected Message in OpenSent State",
    (5, 2): "Receive Unexpected Message in OpenConfirm State",
    (5, 3): "Receive Unexpected Message in Established State",
    (6, 1): "Maximum Number of Prefixes Reached",
    (6, 2): "Administrative Shutdown",
    (6, 3): "Peer De-configured",
    (6, 4): "Administrative Reset",
    (6, 5): "Connection Rejected",
    (6, 6): "Other Configuration Change",
    (6, 7): "Connection Collision Resolution",
    (6, 8): "Out of Resources",
    (6, 9): "Hard Reset",
    (6, 10): "BFD Down",
    (7, 1): "Invalid Message Length",
}


@dataclass(frozen=True, slots=True)
class Notification:
    """Why a speaker ended a session."""

    code: int
    subcode: int
    data: bytes = b""

    @property
    def communication(self) -> str:
        """The operator's own words of a shutdown or a reset (RFC 9003, 2); empty when there are none."""
        if (self.code, self.subcode) not in ((6, 2), (6, 4)) or not self.data:
            return ""
        return self.data[1 : 1 + self.data[0]].decode("utf-8", "replace")

    def __str__(self) -> str:
        name = _CODES.get(self.code, f"code {self.code}")
        if self.subcode:
            name += "/" + _SUBCODES.get((self.code, self.subcode), f"subcode {self.subcode}")
        return f'{name}: "{self.communication}"' if self.communication else name


def decode_notification(body: bytes) -> Notification:
    """Decode the body of a NOTIFICATION; raises Malformed when it has fewer than two octets."""
    if len(body) < 2:
        raise Malformed(f"a NOTIFICATION has a code and a subcode, this one has {len(body)} octets", 0, body)
    return Notification(body[0], body[1], body[2:])
