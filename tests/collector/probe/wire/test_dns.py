"""CHAOS queries by hand, read by dnspython as an oracle; responses of dnspython, and any bytes at all."""

import contextlib

import dns.edns
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.wire.dns import Answer, decode_answer, encode_query
from collector.wire.errors import Malformed


def response(*texts: str, nsid: bytes | None = None, rcode: int = 0) -> bytes:
    answer = dns.message.make_response(dns.message.from_wire(encode_query(77, "id.server")))
    answer.set_rcode(rcode)  # type: ignore[arg-type]
    if texts:
        quoted = [" ".join(f'"{text}"' for text in texts)]
        answer.answer.append(dns.rrset.from_text_list("id.server.", 0, "CH", "TXT", quoted))
    if nsid is not None:
        answer.use_edns(options=[dns.edns.NSIDOption(nsid)])
    return answer.to_wire()


def test_a_query_is_what_dnspython_reads_as_chaos_txt_with_an_empty_nsid() -> None:
    query = dns.message.from_wire(encode_query(0xBEEF, "id.server"))
    [question] = query.question
    assert (query.id, question.name.to_text(), query.flags & dns.flags.RD) == (0xBEEF, "id.server.", 0)
    assert (question.rdtype, question.rdclass) == (dns.rdatatype.TXT, dns.rdataclass.CH)
    assert [option.otype for option in query.options] == [dns.edns.OptionType.NSID]


def test_an_answer_gives_its_text_and_nsid() -> None:
    assert decode_answer(response("weu|nva-weu-1||", nsid=b"nva-weu-1")) == Answer(
        77, 0, ("weu|nva-weu-1||",), "nva-weu-1", False
    )


def test_character_strings_of_one_record_are_one_text() -> None:
    assert decode_answer(response("weu|", "nva-weu-1")).texts == ("weu|nva-weu-1",)


def test_an_nsid_that_is_no_text_is_told_in_digits() -> None:
    assert decode_answer(response(nsid=b"\x00\xff")).nsid == "00ff"


def test_a_refusal_of_the_server_is_an_answer() -> None:
    assert decode_answer(response(rcode=5)) == Answer(77, 5, (), "", False)


def test_our_own_query_is_no_answer() -> None:
    with pytest.raises(Malformed, match="query"):
        decode_answer(encode_query(1, "id.server"))


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "1 to 63"), ("a..b", "1 to 63"), ("a" * 64, "has 64"), (".".join(["a" * 60] * 5), "255"), ("ä", "not ASCII")],
)
def test_what_is_no_domain_name_is_refused(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode_query(1, name)


@given(st.binary(max_size=100))
def test_any_bytes_are_an_answer_or_are_refused(octets: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(decode_answer(octets), Answer)


@given(st.data())
def test_a_spoiled_answer_is_an_answer_or_is_refused(data: st.DataObject) -> None:
    octets = bytearray(response("weu|nva-weu-1||", nsid=b"nva-weu-1"))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        assert isinstance(decode_answer(bytes(octets)), Answer)
