"""Who is answered, and what is not."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.identity.datagram import SHORTEST, decode_reply, encode_request
from collector.probe.identity.http import ASK, answered, ask
from collector.probe.identity.keys import Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.identity.refused import Cause, Refused
from collector.probe.responder.answering import Answering
from collector.probe.responder.rates import Rates
from tests.collector.probe.identity.asking import KEY, KEYS, NEXT, WHO, a_request
from tests.collector.probe.responder.answered import ALLOW, asker, rules

SECOND = 1_000_000_000


def cause_of(act: Callable[[], object]) -> Cause:
    with pytest.raises(Refused) as error:
        act()
    return error.value.cause


def test_the_answer_says_who_and_when_and_what_was_seen() -> None:
    data, key = rules().answer(encode_request(a_request(), KEY), asker(), now=0, answered=1_500)
    reply = decode_reply(data, KEYS)
    assert (reply.request, reply.identity, key) == (a_request(), WHO, KEY)
    assert (reply.received, reply.answered, reply.far_ttl) == (1_000, 1_500, 61)
    assert (str(reply.address), reply.port) == ("10.20.0.5", 40_001)


@given(st.integers(SHORTEST, 1472), st.sampled_from(("", "dns")))
def test_no_reply_is_larger_than_its_request_for_any_size(size: int, service: str) -> None:
    try:
        request = encode_request(a_request(service=service), KEY, size)
    except ValueError:
        return
    try:
        reply, _ = rules().answer(request, asker(), 0, 0)
    except Refused as refused:
        assert refused.cause is Cause.ROOM  # noqa: PT017
        assert size < 150
    else:
        assert len(reply) == size


def test_a_request_of_no_service_is_answered_and_one_of_anothers_is_not() -> None:
    answering = rules()
    answering.answer(encode_request(a_request(service=""), KEY), asker(), 0, 0)
    assert cause_of(lambda: answering.answer(encode_request(a_request(service="web"), KEY), asker(), 0, 0)) is (
        Cause.SERVICE
    )


def test_a_replay_is_refused_within_two_seconds_and_after() -> None:
    answering, data = rules(), encode_request(a_request(), KEY)
    answering.answer(data, asker(), 0, 0)
    assert cause_of(lambda: answering.answer(data, asker(), SECOND, 0)) is Cause.REPLAYED
    assert cause_of(lambda: answering.answer(data, asker("10.20.9.9"), SECOND, 0)) is Cause.REPLAYED
    assert cause_of(lambda: answering.answer(data, asker(), 3 * SECOND, 0)) is Cause.EXPIRED


def test_a_replay_over_http_is_one_of_udp_too() -> None:
    answering = rules()
    value, _ = answering.answer_header(ask(a_request(), KEY)[ASK], asker(), 0, 0, 344)
    assert answered(value, KEYS).identity == WHO
    assert cause_of(lambda: answering.answer(encode_request(a_request(), KEY), asker(), 0, 0)) is Cause.REPLAYED


def test_a_header_has_no_more_room_than_is_given() -> None:
    for room in range(190, 345):
        value, _ = rules().answer_header(ask(a_request(), KEY)[ASK], asker(), 0, 0, room)
        assert len(value) <= room
    assert cause_of(lambda: rules().answer_header(ask(a_request(), KEY)[ASK], asker(), 0, 0, 100)) is Cause.ROOM


def test_forged_requests_and_replays_use_up_no_rate_and_no_nonces() -> None:
    nonces = Nonces()
    answering = rules(source=2, nonces=nonces)
    forged = encode_request(a_request(), KEY)[:-1] + b"\0"
    for _ in range(10):
        assert cause_of(lambda: answering.answer(forged, asker(), 0, 0)) is Cause.FORGED
    data = encode_request(a_request(), KEY)
    answering.answer(data, asker(), 0, 0)
    for _ in range(10):
        assert cause_of(lambda: answering.answer(data, asker(), 0, 0)) is Cause.REPLAYED
    answering.answer(encode_request(a_request(nonce=2), KEY), asker(), 0, 0)
    assert cause_of(lambda: answering.answer(encode_request(a_request(nonce=3), KEY), asker(), 0, 0)) is Cause.RATE
    assert len(nonces) == 2


def test_other_rates_count_from_then_on() -> None:
    answering = rules(source=1)
    answering.answer(encode_request(a_request(nonce=1), KEY), asker(), 0, 0)
    answering.limit(Rates(1, 1, 0))
    answering.answer(encode_request(a_request(nonce=2), KEY), asker(), 0, 0)


def test_a_full_table_of_nonces_is_told_and_answers_nobody() -> None:
    answering = rules(nonces=Nonces(capacity=1))
    answering.answer(encode_request(a_request(nonce=1), KEY), asker(), 0, 0)
    assert cause_of(lambda: answering.answer(encode_request(a_request(nonce=2), KEY), asker(), 0, 0)) is Cause.FULL


@pytest.mark.parametrize("source", ["10.20.0.1", "127.0.0.1", "fd00::1", "::ffff:10.20.0.1", "fd00::1%eth0"])
def test_who_is_in_the_allow_list_may_ask(source: str) -> None:
    assert rules().admit(source) == ip_address(source.removeprefix("::ffff:").partition("%")[0])


@pytest.mark.parametrize("source", ["10.21.0.1", "192.0.2.1", "2001:db8::1", "::ffff:10.21.0.1", "fe80::1%eth0"])
def test_who_is_not_may_not(source: str) -> None:
    assert cause_of(lambda: rules().admit(source)) is Cause.SOURCE


def test_during_a_rotation_both_keys_are_answered_each_under_itself() -> None:
    answering = rules(keys=Keys((KEY,)))
    new = encode_request(a_request(key=8, nonce=1), NEXT)
    assert cause_of(lambda: answering.answer(new, asker(), 0, 0)) is Cause.KEY
    answering.follow(WHO, frozenset(("dns",)), KEYS, ALLOW)
    for key in (KEY, NEXT):
        data, used = answering.answer(encode_request(a_request(key=key.id), key), asker(), 0, 0)
        assert used is key
        assert decode_reply(data, Keys((key,))).identity == WHO
    answering.follow(WHO, frozenset(("dns",)), Keys((NEXT,)), ALLOW)
    old = encode_request(a_request(nonce=5), KEY)
    assert cause_of(lambda: answering.answer(old, asker(), 0, 0)) is Cause.KEY
    replay = encode_request(a_request(key=8), NEXT)
    assert cause_of(lambda: answering.answer(replay, asker(), 0, 0)) is Cause.REPLAYED


def test_nothing_is_answered_before_there_are_rules() -> None:
    answering = Answering(Nonces(), Rates(1, 1, 0))
    assert cause_of(lambda: answering.admit("127.0.0.1")) is Cause.SOURCE
    assert cause_of(lambda: answering.answer(encode_request(a_request(), KEY), asker(), 0, 0)) is Cause.KEY
