"""The columns of the journal's tables: the contract between the collector, which fills them, and the store.

Types are Arrow's own words (`pyarrow.type_for_alias`, with `[ns, UTC]` spelled out), kept as text so that the
vocabulary needs no Arrow.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

NANOSECONDS = "timestamp[ns, UTC]"


class Action(IntEnum):
    """`action` of a route row."""

    WITHDRAW = 0
    ANNOUNCE = 1


class Phase(IntEnum):
    """`phase` of a route row: part of a dump after a (re)connect, or live."""

    DUMP = 0
    LIVE = 1


class SessionEvent(IntEnum):
    """`event` of a session row."""

    FEED_OPENED = 0
    FEED_LOST = 1
    PEER_UP = 2
    PEER_DOWN = 3
    TABLE_COMPLETE = 4
    STATS = 5


COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        # One row a route announced or withdrawn, in order of arrival: the bulk lane.
        "routes": (
            ("at", NANOSECONDS),  # receive time
            ("router_time", NANOSECONDS),  # the router's stamp; null where it sent 0
            ("session", "uint32"),  # id in `sessions`, given out by the collector, never reused in one data folder
            ("rib", "uint8"),  # index in anycast.observation.Rib, in the order of its members
            ("phase", "uint8"),
            ("family", "uint8"),  # 4 or 6
            ("prefix_high", "uint64"),  # the address's upper 64 bits; IPv4 in the upper 32 of them
            ("prefix_low", "uint64"),  # the lower 64 bits; 0 for IPv4
            ("length", "uint8"),
            ("path_id", "uint32"),
            ("action", "uint8"),
            ("attributes", "uint64"),  # id in `attributes`; 0 for a withdrawal
        ),
        # Each distinct attribute set once a day folder: the wire's own bytes, without NLRI.
        "attributes": (
            ("id", "uint64"),  # keyed hash of `blob`, so that equal bytes have equal ids in one data folder
            ("two_octet_as", "bool"),  # AS_PATH and AGGREGATOR hold 2-octet AS numbers
            ("blob", "binary"),
        ),
        # Feeds, sessions, ends of tables and statistics: what happened to our sight, and to peers.
        "sessions": (
            ("at", NANOSECONDS),
            ("router_time", NANOSECONDS),
            ("session", "uint32"),  # 0 for an event of the whole feed
            ("event", "uint8"),
            ("router", "string"),
            ("peer", "string"),  # empty for a Loc-RIB and for feed events
            ("peer_type", "uint8"),
            ("distinguisher", "uint64"),
            ("rib", "uint8"),
            ("detail", "string"),  # JSON: OPENs, reason, family, counts
        ),
        # True differences of watched routes, as the view's fold found them.
        "changes": (
            ("at", NANOSECONDS),
            ("not_before", NANOSECONDS),
            ("kind", "string"),
            ("cause", "string"),
            ("router", "string"),
            ("peer", "string"),
            ("peer_type", "uint8"),
            ("distinguisher", "uint64"),
            ("rib", "string"),
            ("prefix", "string"),
            ("path_id", "uint32"),
            ("before", "string"),  # JSON of anycast.route.Attributes; empty for none
            ("after", "string"),
        ),
        # One row a probe, as its agent took it. Empty strings and nulls where an answer does not say.
        "probes": (
            ("at", NANOSECONDS),  # sent, by the centre's clock
            ("agent_at", NANOSECONDS),  # sent, by the agent's own wall clock: kept, shown, never used to order
            ("site", "string"),
            ("run", "string"),  # of anycast.probe.AgentReported; with `batch` and `number` a row's identity
            ("batch", "uint64"),
            ("number", "uint32"),  # place in its batch, from 0
            ("late", "bool"),  # waited in the agent's spool
            (
                "probe",
                "uint8",
            ),  # index in anycast.probe.Probe, in the order of its members; so for kind, outcome, proof
            ("target", "string"),
            ("kind", "uint8"),
            ("outcome", "uint8"),
            ("flow", "int32"),
            ("port", "uint16"),
            ("rtt", "int64"),  # nanoseconds, as all durations here; null when nothing was heard
            ("region", "string"),  # who answered
            ("nva", "string"),
            ("instance", "string"),
            ("generation", "string"),
            ("proof", "uint8"),
            ("forward", "int64"),
            ("held", "int64"),
            ("connect", "int64"),
            ("first_byte", "int64"),
            ("ttl", "uint8"),
            ("far_ttl", "uint8"),
            ("seen", "string"),
            ("status", "uint16"),
            ("value", "float64"),
            ("hops", "string"),  # separated by spaces
            ("detail", "string"),
            ("tainted", "bool"),
        ),
        # One row a point of a time series (`anycast.series`), as line protocol: what sinks deliver.
        "points": (
            ("at", NANOSECONDS),  # of the point, fixed when it was made
            ("measurement", "string"),
            ("key", "string"),  # measurement and tags, escaped
            ("fields", "string"),
        ),
        # Bytes that could not be taken as they stand.
        "malformed": (
            ("at", NANOSECONDS),
            ("router", "string"),
            ("peer", "string"),
            ("reason", "string"),
            ("action", "string"),
            ("raw", "binary"),
        ),
    }
)
