"""The datagrams: what is sent is read, and nothing else is."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Address
from anycast.probe import ROTATING, Identity
from collector.probe.identity.datagram import (
    LONGEST,
    SHORTEST,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    reply_size,
)
from collector.probe.identity.keys import MAC_SIZE, Key, Keys
from collector.probe.identity.refused import Cause, Refused
from tests.collector.probe.identity.asking import KEY, KEYS, NEXT, SECRET, WHO, a_reply, a_request

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=63)
U64 = st.integers(0, 2**64 - 1)
REQUESTS = st.builds(
    Request,
    key=st.sampled_from((7, 8)),
    run=st.integers(0, 2**32 - 1),
    nonce=U64,
    sent=U64,
    service=NAMES,
    flow=st.integers(-1, 65534),
    sequence=st.integers(0, 2**32 - 1),
)
REPLIES = st.builds(
    Reply,
    request=REQUESTS,
    received=U64,
    answered=U64,
    far_ttl=st.integers(0, 255),
    address=st.ip_addresses(v=4) | st.sampled_from((ip_address("2001:db8::1"), ip_address("fe80::1"))),
    port=st.integers(0, 65535),
    identity=st.builds(Identity, NAMES, NAMES, NAMES, NAMES),
)


def refused(data: bytes, keys: Keys = KEYS) -> Cause:
    with pytest.raises(Refused) as error:
        decode_request(data, keys)
    assert str(error.value)
    return error.value.cause


def resealed(data: bytes) -> bytes:
    """The same octets under a MAC that is right for them."""
    return data[:-MAC_SIZE] + KEY.mac(data[:-MAC_SIZE])


@given(REQUESTS, st.integers(256, LONGEST))
def test_a_request_is_read_as_it_was_written(request: Request, size: int) -> None:
    key = KEYS.find(request.key)
    data = encode_request(request, key, size)
    assert len(data) == size
    assert decode_request(data, KEYS) == (request, key)


@given(REPLIES)
def test_a_reply_is_read_as_it_was_written(reply: Reply) -> None:
    data = encode_reply(reply, KEYS.find(reply.request.key), 512)
    assert decode_reply(data, KEYS) == reply


@given(REPLIES, st.integers(SHORTEST, LONGEST))
def test_a_reply_is_never_larger_than_its_request_whatever_the_size(reply: Reply, size: int) -> None:
    needed = reply_size(reply.request.service, reply.identity)
    if size >= needed:
        assert len(encode_reply(reply, KEYS.find(reply.request.key), size)) == size
    else:
        with pytest.raises(Refused, match="needs") as error:
            encode_reply(reply, KEYS.find(reply.request.key), size)
        assert error.value.cause is Cause.ROOM


@given(st.binary(max_size=LONGEST + 50) | st.binary(max_size=400).map(lambda rest: b"CTMQ\1\0\0\7" + rest))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    refused(data)
    with pytest.raises(Refused):
        decode_reply(data, KEYS)


@given(st.binary(max_size=LONGEST - 24))
def test_any_bytes_under_the_right_mac_are_a_value_or_refused(body: bytes) -> None:
    for word, decode in ((b"CTMQ", decode_request), (b"CTMA", decode_reply)):
        data = resealed(word + b"\1\0\0\7" + body + bytes(MAC_SIZE))
        try:
            decode(data, KEYS)
        except Refused as error:
            assert error.cause in (Cause.TRUNCATED, Cause.MALFORMED)  # noqa: PT017


@given(st.data())
def test_one_changed_bit_anywhere_is_refused(data: st.DataObject) -> None:
    for encoded, decode in (
        (encode_request(a_request(), KEY), decode_request),
        (encode_reply(a_reply(), KEY, 256), decode_reply),
    ):
        bit = data.draw(st.integers(0, len(encoded) * 8 - 1))
        forged = bytearray(encoded)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Refused):
            decode(bytes(forged), KEYS)


@pytest.mark.parametrize("size", range(SHORTEST))
def test_a_truncated_request_is_told_as_truncated(size: int) -> None:
    assert refused(encode_request(a_request(), KEY)[:size]) is Cause.TRUNCATED


def test_a_request_cut_further_behind_is_forged() -> None:
    assert refused(encode_request(a_request(), KEY)[:-1]) is Cause.FORGED


def test_an_oversized_request_is_told_as_oversized() -> None:
    assert refused(encode_request(a_request(), KEY, LONGEST) + b"\0") is Cause.OVERSIZED


def test_a_request_cannot_pass_for_a_reply_nor_a_reply_for_a_request() -> None:
    assert refused(encode_reply(a_reply(), KEY, 256)) is Cause.FOREIGN
    with pytest.raises(Refused, match="does not begin with CTMA"):
        decode_reply(encode_request(a_request(), KEY), KEYS)


def test_another_version_or_flag_is_foreign() -> None:
    data = encode_request(a_request(), KEY)
    assert refused(resealed(data[:4] + b"\2" + data[5:])) is Cause.FOREIGN
    assert refused(resealed(data[:5] + b"\1" + data[6:])) is Cause.FOREIGN


def test_both_keys_of_a_rotation_are_valid_and_a_third_is_not() -> None:
    for key in (KEY, NEXT):
        request, found = decode_request(encode_request(a_request(key=key.id), key), KEYS)
        assert (request.key, found) == (key.id, key)
    third = Key(9, "ams", SECRET)
    assert refused(encode_request(a_request(key=9), third)) is Cause.KEY


def test_the_right_key_under_another_keys_number_is_forged() -> None:
    assert refused(encode_request(a_request(key=8), Key(8, "ams", SECRET))) is Cause.FORGED


@pytest.mark.parametrize("text", ["10.0.0.1", "2001:db8::7"])
def test_the_clients_address_is_what_the_responder_saw(text: str) -> None:
    address: Address = ip_address(text)
    reply = replace(a_reply(), address=address)
    assert decode_reply(encode_reply(reply, KEY, 256), KEYS).address == address


@pytest.mark.parametrize("name", ["x" * 64, "süd", "a\nb"])
def test_a_name_that_is_no_name_is_not_sent(name: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        encode_request(a_request(service=name), KEY)


@pytest.mark.parametrize(
    "request_", [a_request(nonce=1 << 64), a_request(run=-1), a_request(flow=65535), a_request(flow=-2)]
)
def test_a_number_out_of_its_range_is_not_sent(request_: Request) -> None:
    with pytest.raises(ValueError, match=r"is out of|is not between"):
        encode_request(request_, KEY)


def test_a_request_that_is_too_small_for_its_service_is_not_sent() -> None:
    with pytest.raises(ValueError, match="54 that it needs"):
        encode_request(a_request(), KEY, 53)


def test_a_rotating_probe_says_so() -> None:
    request, _ = decode_request(encode_request(a_request(flow=ROTATING), KEY), KEYS)
    assert request.flow == ROTATING


def test_a_reply_cut_inside_its_fixed_part_is_truncated() -> None:
    data = encode_reply(a_reply(), KEY, 256)
    with pytest.raises(Refused, match="octets too early"):
        decode_reply(resealed(data[: 60 + MAC_SIZE]), KEYS)


def test_names_of_ordinary_length_fit_the_ordinary_request() -> None:
    assert reply_size("dns", WHO) < 150
    assert len(encode_reply(a_reply(), KEY, reply_size("dns", WHO))) == reply_size("dns", WHO)
