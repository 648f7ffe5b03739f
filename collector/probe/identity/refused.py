"""Why bytes from the network are not taken: a cause to count by, and a sentence."""

from enum import StrEnum


class Cause(StrEnum):
    """What is wrong with a request or a reply. Drops are counted by it."""

    TRUNCATED = "truncated"
    OVERSIZED = "oversized"
    FOREIGN = "foreign"
    """Not of this protocol, a version of it that we do not speak, or the other direction."""
    MALFORMED = "malformed"
    KEY = "unknown-key"
    FORGED = "forged"
    REPLAYED = "replayed"
    EXPIRED = "expired"
    """Too old: its nonce is forgotten."""
    UNASKED = "unasked"
    """A reply to a nonce that is not ours, or that says another service than was asked for."""
    FULL = "nonces-full"
    SERVICE = "unknown-service"
    ROOM = "no-room"
    """The reply would be larger than the request."""
    SOURCE = "not-allowed"
    RATE = "rate"
    SEND = "not-sent"
    """The system did not take our reply."""


class Refused(ValueError):
    """Bytes that are not taken: `cause` is counted, the message is a sentence that never holds a secret."""

    def __init__(self, cause: Cause, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
