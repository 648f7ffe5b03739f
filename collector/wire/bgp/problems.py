"""What is done about a malformed UPDATE (RFC 7606, 2), as far as it concerns somebody who only listens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Remedy(StrEnum):
    """The actions, the mildest first; the strongest of a message decides (RFC 7606, 3 h)."""

    TAKEN_AS_IS = "taken-as-is"
    """The router wrote the UPDATE from its own table and left something out: the route is there, and counted."""
    READ_AS_TWO_OCTET = "read-as-two-octet"
    """The AS_PATH only reads with 2-octet AS numbers although the session says 4: taken, and counted."""
    ATTRIBUTE_DISCARD = "attribute-discard"
    """The attribute is left out; the routes stand."""
    TREAT_AS_WITHDRAW = "treat-as-withdraw"
    """Every route that the message announces is taken as withdrawn."""
    MESSAGE_SKIPPED = "message-skipped"
    """RFC 7606's session reset. We have no session to reset: nothing of the message is believed."""


WITHDRAWING: Final = (Remedy.TREAT_AS_WITHDRAW, Remedy.MESSAGE_SKIPPED)
"""After these, no route of the message is announced."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an UPDATE, with its bytes."""

    remedy: Remedy
    reason: str
    """A sentence: what is wrong, where, and what would be right."""
    raw: bytes
    """The attribute with its header, or the whole body where no attribute is to blame."""
