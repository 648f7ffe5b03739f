"""An exporter's own AS in front of what an eBGP peer sent: some routers put it there before they export by BMP.

FRR 8.4 does so in the Adj-RIB-In of eBGP peers (tried, pre- and post-policy). No peer can have sent such a path: the
first AS of an eBGP peer's path is its own (RFC 4271, 6.3), and one that held ours would be a loop. The journal keeps
what was on the wire; whoever judges sees what the peer sent.
"""

from dataclasses import replace

from anycast.observation import Rib
from anycast.route import Asn, AsPath, Attributes, Segment, SegmentKind

ADJ_IN = (Rib.ADJ_IN_PRE, Rib.ADJ_IN_POST)


def without_own_as(attributes: Attributes, rib: Rib, own: Asn | None, peer: Asn | None) -> Attributes:
    """Return the attributes without `own` in front of `peer` in the AS path; the very same ones when it is not there.

    `own` and `peer` are the AS numbers of the two OPENs; None where an OPEN was not sent, and then nothing is done.
    """
    if rib not in ADJ_IN or own is None or peer is None or own == peer:
        return attributes
    first, *rest = attributes.as_path.segments or (Segment(SegmentKind.SET, ()),)
    if first.kind is not SegmentKind.SEQUENCE or first.asns[:2] != (own, peer):
        return attributes
    return replace(attributes, as_path=AsPath((replace(first, asns=first.asns[1:]), *rest)))
