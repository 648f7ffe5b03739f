"""What an ICMP error means for a probe, by version, type and code (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443)."""

from typing import Final

from anycast.probe import Outcome

ORIGIN_LOCAL: Final = 1
"""`ee_origin` of an error that our own kernel found (linux/errqueue.h)."""

_UNREACHABLE_4: Final = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "too big, and not to be cut",
    5: "source route failed",
    6: "network unknown",
    7: "host unknown",
    9: "network prohibited",
    10: "host prohibited",
    11: "network unreachable for this class",
    12: "host unreachable for this class",
    13: "prohibited by a filter",
}
_UNREACHABLE_6: Final = {
    0: "no route",
    1: "prohibited by a filter",
    2: "beyond the scope of our address",
    3: "address unreachable",
    4: "port unreachable",
    5: "our address is not allowed",
    6: "route rejected",
}
_WORDS: Final = {
    4: {3: _UNREACHABLE_4, 11: {0: "TTL expired on the way", 1: "pieces missing"}, 12: {}},
    6: {1: _UNREACHABLE_6, 2: {0: "too big"}, 3: {0: "TTL expired on the way", 1: "pieces missing"}, 4: {}},
}
_OUTCOMES: Final = {
    (4, 3, 3): Outcome.REFUSED,
    (6, 1, 4): Outcome.REFUSED,
    (4, 3, 4): Outcome.TOO_BIG,
    (6, 2, 0): Outcome.TOO_BIG,
}
TTL_EXPIRED: Final = frozenset(((4, 11, 0), (6, 3, 0)))


def outcome(version: int, kind: int, code: int) -> Outcome:
    """Return how a probe ended that met this error."""
    return _OUTCOMES.get((version, kind, code), Outcome.UNREACHABLE)


def words(version: int, kind: int, code: int) -> str:
    """Return an error in words; one that has no name is named by its numbers."""
    return _WORDS.get(version, {}).get(kind, {}).get(code, f"ICMP type {kind} code {code}")
