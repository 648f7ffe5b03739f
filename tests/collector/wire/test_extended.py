"""Extended communities in words, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.extended import extended_text, parse_extended

WRITTEN = {  # octets, and how they are written; by the RFC that defines the form
    "RFC 4360, 4": ("0002fdf200000001", "rt:65010:1"),
    "RFC 4360, 5": ("0003fdf200000001", "soo:65010:1"),
    "RFC 4360, 3.2": ("01020a0000010007", "rt:10.0.0.1:7"),
    "RFC 5668": ("0202fa56ea000001", "rt:4200000000:1"),
    "RFC 5668, an AS of two octets": ("02020000fdf20001", "rt:65010L:1"),
    "RFC 9012, 4.3": ("030b000000000064", "color:100"),
    "RFC 9256, 8.8.1": ("030b400000000064", "color:01:100"),
    "RFC 9012, 4.1": ("030c000000000008", "encapsulation:vxlan"),
    "RFC 9012, 4.1, a number": ("030c0000000003e7", "encapsulation:999"),
    "RFC 4360, 3.3 default gateway of RFC 7432, 7.8": ("030d000000000000", "default-gateway"),
    "RFC 7432, 7.7": ("0600010000000005", "mac-mobility:sticky:5"),
    "RFC 7432, 7.6": ("0602001122334455", "es-import:00-11-22-33-44-55"),
    "RFC 9135, 8.1": ("0603001122334455", "router-mac:00-11-22-33-44-55"),
    "draft-ietf-idr-link-bandwidth": ("4004fdf24b000000", "bandwidth:65010:8388608.0"),
    "RFC 8097": ("4300000000000002", "validation:invalid"),
    "nobody": ("800600000000ffff", "800600000000ffff"),
    "RFC 9012 with bits that have no meaning": ("030b000100000064", "030b000100000064"),
    "RFC 5701": ("000220010db80000000000000000000000010007", "rt:[2001:db8::1]:7"),
    "RFC 5701, a type without a name": ("000b20010db80000000000000000000000010007",) * 2,
}


@pytest.mark.parametrize(("octets", "text"), WRITTEN.values(), ids=WRITTEN)
def test_a_community_is_written_by_its_name(octets: str, text: str) -> None:
    assert extended_text(bytes.fromhex(octets)) == text
    assert parse_extended(text) == bytes.fromhex(octets)


forms = st.sampled_from([bytes.fromhex(octets)[:2] for octets, _ in WRITTEN.values()])
eight = st.builds(bytes.__add__, forms, st.binary(min_size=6, max_size=6)) | st.binary(min_size=8, max_size=8)
twenty = st.builds(bytes.__add__, forms, st.binary(min_size=18, max_size=18)) | st.binary(min_size=20, max_size=20)


@given(eight | twenty)
def test_what_was_written_is_read_back(octets: bytes) -> None:
    assert parse_extended(extended_text(octets)) == octets


@pytest.mark.parametrize(
    "text", ["", "rt", "rt:1", "rt:x:1", "rt:65536.1:1", "color:", "ab", "rt:1:4294967296", "zz:1:1"]
)
def test_anything_else_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="is no extended community such as rt:65010:1"):
        parse_extended(text)


@given(st.text(max_size=30))
def test_any_text_is_a_community_or_refused(text: str) -> None:
    try:
        octets = parse_extended(text)
    except ValueError:
        return
    assert len(octets) in (8, 20)
