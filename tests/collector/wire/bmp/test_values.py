"""What the values say of themselves: views, times, sessions, names."""

from datetime import UTC, datetime

import pytest

from anycast.observation import PeerType, Rib
from collector.wire.bmp.values import A_FLAG, L_FLAG, O_FLAG, V_FLAG, Initiation, Termination, Tlv, rib_of
from tests.collector.wire.bmp.samples import header


@pytest.mark.parametrize(
    ("flags", "view"),
    [
        (0, Rib.ADJ_IN_PRE),
        (L_FLAG, Rib.ADJ_IN_POST),
        (O_FLAG, Rib.ADJ_OUT_PRE),
        (O_FLAG | L_FLAG, Rib.ADJ_OUT_POST),
        (A_FLAG | V_FLAG, Rib.ADJ_IN_PRE),
        (A_FLAG | V_FLAG | O_FLAG | L_FLAG, Rib.ADJ_OUT_POST),
    ],
)
@pytest.mark.parametrize("peer_type", [PeerType.GLOBAL, PeerType.DISTINGUISHED, PeerType.LOCAL])
def test_the_l_and_o_flags_choose_the_view(flags: int, view: Rib, peer_type: PeerType) -> None:
    assert rib_of(header(flags=flags, peer_type=peer_type)) is view


@pytest.mark.parametrize("flags", [0, V_FLAG, L_FLAG, O_FLAG, 0xFF])
def test_a_loc_rib_is_one_whatever_its_flags(flags: int) -> None:
    of = header(None, flags, PeerType.LOC_RIB)
    assert (of.rib, of.two_octet_as) == (Rib.LOC, False)


def test_the_flags_never_choose_the_session() -> None:
    flags = (0, L_FLAG, O_FLAG, O_FLAG | L_FLAG, A_FLAG)
    assert len({header(flags=value).session("edge") for value in flags}) == 1
    assert header(distinguisher=1).session("edge") != header().session("edge")


def test_the_a_flag_means_two_octets_only_when_it_is_set() -> None:
    assert header(flags=A_FLAG).two_octet_as
    assert not header().two_octet_as


def test_only_a_loc_rib_can_be_filtered() -> None:
    assert header(None, V_FLAG, PeerType.LOC_RIB).filtered
    assert not header(None, 0, PeerType.LOC_RIB).filtered
    assert not header(flags=V_FLAG).filtered


def test_a_stamp_of_zero_is_no_stamp() -> None:
    assert header(seconds=0, microseconds=7).router_time is None
    assert header().router_time == datetime(2023, 11, 14, 22, 13, 20, 250_000, UTC)


def test_microseconds_beyond_a_second_stay_inside_it() -> None:
    assert header(microseconds=0xFFFFFFFF).router_time == datetime(2023, 11, 14, 22, 13, 20, 999_999, UTC)


def test_an_exporter_says_its_name_and_description() -> None:
    said = Initiation((Tlv(0, b"hello"), Tlv(1, b"FRRouting 8.4"), Tlv(2, b"ams-ce1\xff")))
    assert (said.name, said.description) == ("ams-ce1\ufffd", "FRRouting 8.4")
    assert (Initiation(()).name, Initiation(()).description) == ("", "")


@pytest.mark.parametrize(
    ("tlvs", "reason", "detail"),
    [
        ((Tlv(1, b"\0\0"), Tlv(0, b"bye")), 0, "administratively closed, bye"),
        ((Tlv(1, b"\0\x63"),), 99, "reason 99"),
        ((Tlv(0, b"bye"),), None, "bye"),
        ((), None, ""),
    ],
)
def test_a_termination_says_why(tlvs: tuple[Tlv, ...], reason: int | None, detail: str) -> None:
    said = Termination(tlvs)
    assert (said.reason, said.detail) == (reason, detail)
