"""The Internet checksum, beside RFC 1071's own example and its definition word by word."""

from hypothesis import given
from hypothesis import strategies as st

from collector.probe.wire.checksum import checksum


def by_definition(octets: bytes) -> int:
    total = 0
    for at in range(0, len(octets), 2):
        total += int.from_bytes(octets[at : at + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071_sums_to_ddf2() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(st.binary(max_size=64) | st.binary(max_size=8).map(lambda some: some + b"\xff" * 8))
def test_one_division_says_what_the_definition_says(octets: bytes) -> None:
    assert checksum(octets) == by_definition(octets)


@given(st.binary(min_size=2, max_size=64).filter(lambda octets: len(octets) % 2 == 0 and any(octets)))
def test_octets_with_their_own_checksum_sum_to_nothing(octets: bytes) -> None:
    assert checksum(octets + checksum(octets).to_bytes(2, "big")) == 0
