"""The header of BGP messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.bgp.encode import encode_message
from collector.wire.bgp.message import LONGEST, MessageType, body_of, split
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal


@given(st.sampled_from(MessageType), st.binary(max_size=50), st.binary(max_size=10))
def test_splitting_undoes_encoding_and_leaves_what_follows(kind: MessageType, body: bytes, after: bytes) -> None:
    assert split(encode_message(kind, body) + after) == (kind, body, after)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    for start in (data, b"\xff" * 16 + data):
        error = refusal(lambda start=start: split(start))  # type: ignore[misc]
        assert error is None or error.reason


def test_the_longest_message_fits_its_length_field() -> None:
    assert split(encode_message(MessageType.UPDATE, bytes(LONGEST - 19)))[2] == b""


def test_another_type_than_asked_for_is_malformed() -> None:
    assert body_of(encode_message(MessageType.OPEN, b"!"), MessageType.OPEN) == b"!"
    with pytest.raises(Malformed, match="a BGP UPDATE has type 2, this message has type 4"):
        body_of(encode_message(MessageType.KEEPALIVE), MessageType.UPDATE)
