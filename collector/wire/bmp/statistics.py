"""What the statistics of a Statistics Report count, by type (IANA, BMP Statistics Types).

RFC 7854, 4.8, defines 0 to 13, RFC 8671, 6.2, 14 to 17, RFC 9972, 3, 18 to 23 and 26 to 43. Who sends what differs:
FRR's 3, 4 and 5 count prefixes, GoBGP's 8 how many of a peer's routes were accepted, its 11 and 12 withdrawals.
"""

from typing import Final

NAMES: Final[dict[int, str]] = {
    0: "prefixes-rejected-by-inbound-policy",
    1: "duplicate-prefix-advertisements",
    2: "duplicate-withdraws",
    3: "updates-invalidated-by-cluster-list-loop",
    4: "updates-invalidated-by-as-path-loop",
    5: "updates-invalidated-by-originator-id",
    6: "updates-invalidated-by-as-confed-loop",
    7: "routes-in-adj-rib-in",
    8: "routes-in-loc-rib",
    9: "routes-in-adj-rib-in-by-family",
    10: "routes-in-loc-rib-by-family",
    11: "updates-treated-as-withdraw",
    12: "prefixes-treated-as-withdraw",
    13: "duplicate-updates",
    14: "routes-in-adj-rib-out-pre",
    15: "routes-in-adj-rib-out-post",
    16: "routes-in-adj-rib-out-pre-by-family",
    17: "routes-in-adj-rib-out-post-by-family",
    18: "routes-in-adj-rib-in-pre",
    19: "routes-in-adj-rib-in-pre-by-family",
    20: "routes-in-adj-rib-in-post",
    21: "routes-in-adj-rib-in-post-by-family",
    22: "routes-rejected-by-inbound-policy-by-family",
    23: "routes-accepted-by-inbound-policy-by-family",
    26: "routes-suppressed-by-damping-by-family",
    27: "routes-stale-by-graceful-restart-by-family",
    28: "routes-stale-by-long-lived-graceful-restart-by-family",
    29: "routes-left-before-threshold",
    30: "routes-left-before-threshold-by-family",
    31: "routes-left-before-license-threshold",
    32: "routes-left-before-license-threshold-by-family",
    33: "routes-rejected-by-as-path-length",
    34: "routes-rejected-by-as-path-length-by-family",
    35: "routes-in-adj-rib-in-post-rpki-invalid-by-family",
    36: "routes-in-adj-rib-in-post-rpki-valid-by-family",
    37: "routes-in-adj-rib-in-post-rpki-not-found-by-family",
    38: "routes-rejected-by-outbound-policy-by-family",
    39: "routes-filtered-by-as-path-length-outbound",
    40: "routes-filtered-by-as-path-length-outbound-by-family",
    41: "routes-in-adj-rib-out-post-rpki-invalid-by-family",
    42: "routes-in-adj-rib-out-post-rpki-valid-by-family",
    43: "routes-in-adj-rib-out-post-rpki-not-found-by-family",
    65531: "frr-prefixes-rejected-by-invalid-next-hop",
}
"""Stable: a name is never changed, only added. 65531 is experimental, and FRR the one known to send it."""


def name_of(code: int) -> str:
    """Return a statistic's name, or `type-` and its number."""
    return NAMES.get(code, f"type-{code}")
