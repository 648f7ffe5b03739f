"""The headers carry the datagrams, and nothing that is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.identity.datagram import LONGEST, SIZE
from collector.probe.identity.http import ANSWER, ASK, answer, answered, ask, asked
from collector.probe.identity.keys import Keys
from collector.probe.identity.refused import Cause, Refused
from tests.collector.probe.identity.asking import KEY, KEYS, NEXT, a_reply, a_request


@pytest.mark.parametrize("size", [SIZE, SIZE + 1, SIZE + 2, LONGEST])
def test_what_is_asked_in_a_header_is_read_with_its_size(size: int) -> None:
    value = ask(a_request(), KEY, size)[ASK]
    assert asked(value, KEYS) == (a_request(), KEY, size)


@pytest.mark.parametrize("size", [SIZE, SIZE + 1, SIZE + 2, LONGEST])
def test_the_answer_is_as_long_as_the_question(size: int) -> None:
    value = answer(a_reply(), KEY, size)
    assert answered(value, KEYS) == a_reply()
    assert len(value) == len(ask(a_request(), KEY, size)[ASK])
    assert len(ANSWER) <= len(ASK)


def test_a_header_under_a_wrong_key_is_forged() -> None:
    value = ask(a_request(), KEY)[ASK]
    with pytest.raises(Refused) as error:
        asked(value, Keys((NEXT,)))
    assert error.value.cause is Cause.KEY
    forged = value[:-3] + ("AAA" if value[-3:] != "AAA" else "BBB")
    with pytest.raises(Refused, match="not that of key 7"):
        asked(forged, KEYS)


@pytest.mark.parametrize("value", ["", "A", "====", "Q1RN+w==", "a b c d ", "ä" * 8, "A" * 3000])
def test_what_is_no_datagram_is_refused(value: str) -> None:
    for read in (asked, answered):
        with pytest.raises(Refused):
            read(value, KEYS)


@given(st.text(max_size=2100) | st.text("ABCabc012-_", max_size=2100))
def test_any_text_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(Refused) as error:
        asked(value, KEYS)
    assert str(error.value)
