"""Write docs/decoding.md out of the decoder's own tables: `python -m collector.wire.document > docs/decoding.md`."""

import sys
from collections.abc import Iterator

from collector.wire.bgp.attributes import RULES, Code
from collector.wire.bgp.evpn import TYPES
from collector.wire.bgp.families import DECODED, EVPN, NAMES, UNICAST
from collector.wire.bgp.open import Capability
from collector.wire.bgp.problems import Remedy
from collector.wire.bmp import information, statistics
from collector.wire.element import KEYS, ElementType

OPENING = """\
# What is decoded

Generated from the decoder's tables by `python -m collector.wire.document > docs/decoding.md`.

BMP is read in version 3 (RFC 7854), with the views of RFC 8671 and RFC 9069, the Peer Up TLVs of RFC 9736 and the
statistics of RFC 9972. Version 4 (draft-ietf-grow-bmp-tlv) is read in files, with the numbers that FRR of 6WIND sent in
November 2025: TLVs are `information` with an index, and its stateless parsing says which families have path ids.
Those numbers still move, so a live router that speaks it is refused with a sentence on what to configure; version
1 has no length in its header, and is refused everywhere. MRT is read as RFC 6396 and RFC 8050 have it, with the
deprecated record types. Whatever cannot be read is an element of type M with its octets; what can be read after it is
read.

Nothing is guessed from the look of the octets where the session says it:

- Path ids (ADD-PATH, RFC 7911) stand before prefixes where both OPENs agree and the directions complement each other;
  in a Loc-RIB, whose OPENs the router makes up, where its own says so. Several Peer Ups of one session add up.
- AS numbers have 2 octets where the A flag is set (or the MRT subtype says so), else 4. Where an AS_PATH reads with 2
  only, 2 are taken and said: `read-as-two-octet`.
- Routes of labelled, VPN, multicast and EVPN families are told apart where both OPENs name the family, or no OPEN is
  known. Of a family that the session never negotiated the octets are kept, and no route is made of them.
- A list of prefixes that holds the default route twice is refused: path ids that nobody offered look like that.
- Where no OPEN is known (a capture or MRT file from the middle of a session on, a BMP peer without a Peer Up), a list
  of unicast prefixes that routers do not send, and that with path ids would be one which they do send, makes no route:
  an element of type M has its message. Routers send no bit behind a prefix's length, no default route among
  others, of IPv4 nothing shorter than /8 or outside of 1.0.0.0 to 223.255.255.255, of IPv6 nothing shorter than /16 or
  outside of 2000::/3 and fc00::/7.
- The L and O flags of a BMP message choose the view of a session, never the session. The V flag of a Loc-RIB is its F
  flag.

What routers do that no RFC foresees, what is made of it, and the test that shows it: [quirks.md](quirks.md).
"""

FAMILIES = """\
## Families

| family | AFI/SAFI | what becomes of its routes |
|---|---|---|"""

LABELS = """\

MPLS labels are read up to the bottom of the stack; where no label has the bottom bit, there is one (RFC 8277, 2.2).
The label of a withdrawn route says nothing and is left out. A route distinguisher is written `65010:1`, `10.0.0.1:1`
or `4200000000:1`; `65010L:1` is a 2-octet AS in the 4-octet form; other types are in hexadecimal. The distinguisher
in front of a VPN's next hop is zero and left out. Every other family, with or without a name here, is kept as one
piece of octets.
"""

ATTRIBUTES = """\
## Path attributes

What RFC 7606 (or the attribute's own RFC) does about a malformed one. Attributes that are not in the table are kept
with flags, code and octets under `unknown`.

| attribute | code | key | malformed |
|---|---|---|---|"""

ACTIONS = """\

From an external peer a malformed LOCAL_PREF, ORIGINATOR_ID or CLUSTER_LIST costs only itself (RFC 7606, 7.5, 7.9,
7.10). AS4_PATH and AS4_AGGREGATOR are merged into what they extend, on sessions with 2-octet AS numbers (RFC 6793,
4.2.3).

| action | meaning |
|---|---|"""

CAPABILITIES = """\
## Capabilities

`sent_open` and `received_open` have the keys version (where it is not 4), asn, hold_time, identifier, families,
add_path, extended_next_hop, multiple_labels, paths_limit, four_octet_as, route_refresh, enhanced_route_refresh,
extended_message, graceful_restart, long_lived_graceful_restart, role, hostname, domain, software, other (code and
octets of the capabilities without a name here) and problems (sentences). A key without a value is left out. Optional
parameters may have lengths of one octet or of two (RFC 9072). An OPEN that is a bare header of 19 octets, as FRR
sends it, is said and costs no Peer Up.

| capability | code |
|---|---|"""

STATISTICS = """\
## Statistics of BMP

| type | name |
|---|---|"""

TLVS = """\

Types without a name are kept as `type-` and their number; values of another length than 4, 8 or 11 octets stand under
`information`.

## TLVs of BMP

| message | types |
|---|---|"""

KEYS_OPENING = """\
## Keys of a line

One line of JSON is one element. A key is absent where there is nothing to say; keys are only ever added.

| type | what it says |
|---|---|"""

ACTION_WORDS = {
    Remedy.TAKEN_AS_IS: "an attribute is missing that the router left out of its own table: the route is there",
    Remedy.READ_AS_TWO_OCTET: "the AS_PATH reads only with 2-octet AS numbers: taken",
    Remedy.ATTRIBUTE_DISCARD: "the attribute is left out, the routes stand",
    Remedy.TREAT_AS_WITHDRAW: "every route that the message announces is taken as withdrawn",
    Remedy.MESSAGE_SKIPPED: "RFC 7606's session reset: nothing of the message is believed",
}

TYPE_WORDS = {
    ElementType.ANNOUNCEMENT: "a route was announced",
    ElementType.WITHDRAWAL: "a route was withdrawn",
    ElementType.RIB: "a route in a table dump",
    ElementType.END_OF_RIB: "the table of a family is complete",
    ElementType.STATE: "a session came up, went down or changed, or a mirrored message told of it",
    ElementType.OPAQUE: "routes that are no prefixes, or of a family never negotiated, with their octets",
    ElementType.STATISTICS: "a BMP statistics report",
    ElementType.FEED: "a router began or ended its BMP feed, or lost mirrored messages",
    ElementType.NOTE: "what a file holds besides routes",
    ElementType.MALFORMED: "octets that could not be taken as they stand, and what was done about them",
}


def document() -> str:
    """Return the whole page."""
    parts = (
        (OPENING,),
        (FAMILIES, *_families(), LABELS),
        (ATTRIBUTES, *_attributes(), ACTIONS),
        (*(f"| {remedy} | {ACTION_WORDS[remedy]} |" for remedy in Remedy), ""),
        (CAPABILITIES, *(f"| {_words(item.name)} | {int(item)} |" for item in Capability), ""),
        (STATISTICS, *(f"| {code} | {name} |" for code, name in statistics.NAMES.items()), TLVS),
        (*_tlvs(), ""),
        (KEYS_OPENING, *(f"| {kind} | {TYPE_WORDS[kind]} |" for kind in ElementType), ""),
        ("| key | value |", "|---|---|", *(f"| {key} | {said} |" for key, said in KEYS.items())),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _families() -> Iterator[str]:
    for family, name in NAMES.items():
        if family in UNICAST:
            fate = "prefixes: A, W, R; these the daemon judges"
        elif family == EVPN:
            fate = f"O, one a route, with its type ({', '.join(TYPES.values())}), distinguisher and octets"
        else:
            fate = "prefixes: A, W" if family in DECODED else "octets: O"
        yield f"| {name} | {family.afi}/{family.safi} | {fate} |"


def _attributes() -> Iterator[str]:
    keys = {"as4_path": "as_path", "as4_aggregator": "aggregator", None: "unknown"}
    for code, rule in RULES.items():
        key = keys.get(rule.field, rule.field)
        yield f"| {_words(Code(code).name)} | {code} | {key} | {rule.remedy} |"
    for code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI):
        yield f"| {_words(code.name)} | {int(code)} | next_hop, prefix | {Remedy.MESSAGE_SKIPPED} |"


def _tlvs() -> Iterator[str]:
    tables = {
        "Initiation": information.INITIATION,
        "Peer Up": information.PEER_UP,
        "Peer Down (reason 6)": information.PEER_DOWN,
        "Termination": information.TERMINATION,
        "Route Monitoring, behind the UPDATE": information.ROUTE_MONITORING,
    }
    for message, names in tables.items():
        yield f"| {message} | {', '.join(f'{code} {name}' for code, name in names.items())} |"


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


if __name__ == "__main__":
    sys.stdout.write(document())
