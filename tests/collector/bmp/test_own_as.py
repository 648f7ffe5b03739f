from ipaddress import ip_address

from anycast.observation import Rib
from anycast.route import Asn, AsPath, Attributes, Segment, SegmentKind
from collector.bmp.own_as import without_own_as

OWN, PEER = Asn(65101), Asn(12076)


def _path(*asns: int) -> Attributes:
    return Attributes(as_path=AsPath.of(*asns), next_hop=ip_address("172.16.0.1"))


def test_the_exporters_own_as_in_front_of_its_ebgp_peers_is_taken_away() -> None:
    assert without_own_as(_path(65101, 12076, 65010), Rib.ADJ_IN_PRE, OWN, PEER) == _path(12076, 65010)
    assert without_own_as(_path(65101, 12076), Rib.ADJ_IN_POST, OWN, PEER) == _path(12076)


def test_a_path_as_the_peer_sent_it_stays_the_very_same() -> None:
    sent = _path(12076, 65010)
    assert without_own_as(sent, Rib.ADJ_IN_PRE, OWN, PEER) is sent
    empty = Attributes()
    assert without_own_as(empty, Rib.ADJ_IN_PRE, OWN, PEER) is empty


def test_ibgp_other_tables_and_sessions_without_opens_are_left_alone() -> None:
    sent = _path(65101, 12076)
    assert without_own_as(sent, Rib.ADJ_IN_PRE, OWN, OWN) is sent
    assert without_own_as(sent, Rib.ADJ_OUT_POST, OWN, PEER) is sent
    assert without_own_as(sent, Rib.LOC, OWN, PEER) is sent
    assert without_own_as(sent, Rib.ADJ_IN_PRE, None, PEER) is sent


def test_a_set_in_front_is_not_taken_for_a_sequence() -> None:
    sent = Attributes(as_path=AsPath((Segment(SegmentKind.SET, (OWN, PEER)),)))
    assert without_own_as(sent, Rib.ADJ_IN_PRE, OWN, PEER) is sent


def test_what_follows_the_first_segment_is_kept() -> None:
    rest = Segment(SegmentKind.SET, (Asn(1), Asn(2)))
    sent = Attributes(as_path=AsPath((Segment(SegmentKind.SEQUENCE, (OWN, PEER)), rest)))
    kept = without_own_as(sent, Rib.ADJ_IN_PRE, OWN, PEER)
    assert kept.as_path.segments == (Segment(SegmentKind.SEQUENCE, (PEER,)), rest)
