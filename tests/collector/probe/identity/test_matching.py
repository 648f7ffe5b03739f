"""Who answered, from what services say anyway."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.probe import Identity
from collector.probe.config.values import Matcher, Part
from collector.probe.identity.matching import LARGEST_BODY, Heard, Unmatched, matched, named, pointed

WEU, EUS = Identity("weu", "weu-nva1"), Identity("eus", "eus-nva1")
KNOWN: Mapping[str, Identity] = {"web-1": WEU, "web-2": EUS, "W.example.com": WEU, "e.example.com": EUS}


def who(part: Part, where: str = "", known: Mapping[str, Identity] = KNOWN, **heard: object) -> Identity:
    return matched(Matcher(part, where, known), Heard(**heard))  # type: ignore[arg-type]


def test_a_header_names_who_answered() -> None:
    assert who(Part.HEADER, "X-Served-By", headers={"x-served-by": " web-1 "}) == WEU
    assert who(Part.HEADER, "X-Served-By", headers={"x-served-by": "web-2"}) == EUS
    with pytest.raises(Unmatched, match="no header X-Served-By"):
        who(Part.HEADER, "X-Served-By", headers={"server": "web-1"})
    with pytest.raises(Unmatched, match="'web-3' is nobody"):
        who(Part.HEADER, "X-Served-By", headers={"x-served-by": "web-3"})


@pytest.mark.parametrize(
    ("where", "document"),
    [
        ("/node/name", {"node": {"name": "web-2"}}),
        ("node.name", {"node": {"name": "web-2"}}),
        ("/nodes/1", {"nodes": ["web-1", "web-2"]}),
        ("/a~1b/m~0n", {"a/b": {"m~n": "web-2"}}),
        ("/", {"": "web-2"}),
    ],
)
def test_a_json_pointer_names_who_answered(where: str, document: object) -> None:
    assert who(Part.JSON, where, body=json.dumps(document).encode()) == EUS


@pytest.mark.parametrize(
    ("where", "body", "said"),
    [
        ("/a", b"{}", "nothing at /a"),
        ("/a/00", b'{"a": ["web-1"]}', "nothing at"),
        ("/a/1", b'{"a": ["web-1"]}', "nothing at"),
        ("/a/-1", b'{"a": ["web-1"]}', "nothing at"),
        ("/a", b'{"a": null}', "no text"),
        ("/a", b'{"a": true}', "no text"),
        ("/a", b"<html>", "not JSON"),
        ("/a", b"[" * 60_000, "not JSON"),
        ("/a", b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        ("/a", b"\xff\xfe", "not JSON"),
        ("/a", b" " * (LARGEST_BODY + 1), "longer than"),
    ],
)
def test_a_body_that_is_not_as_it_should_be_names_nobody(where: str, body: bytes, said: str) -> None:
    with pytest.raises(Unmatched, match=said):
        who(Part.JSON, where, body=body)


def test_a_number_is_looked_up_as_text() -> None:
    assert pointed({"id": 7}, "/id") == "7"


def test_a_body_names_who_answered() -> None:
    assert who(Part.BODY, "by {}.", body=b"served by web-1.") == WEU
    assert who(Part.BODY, "by {nva} in {region}", {}, body=b"by n1 in weu!") == Identity("weu", "n1")
    assert who(Part.BODY, "by {} ({generation})", body=b"by web-2 (g7)") == Identity("eus", "eus-nva1", "", "g7")
    with pytest.raises(Unmatched, match="does not say"):
        who(Part.BODY, "by {}.", body=b"served by \xff\xff.")
    with pytest.raises(Unmatched, match="does not say"):
        who(Part.BODY, "by {}.", body=b" " * LARGEST_BODY + b"by web-1.")


def test_a_certificate_names_who_answered() -> None:
    assert who(Part.CERTIFICATE, names=("www.example.com", "w.example.com")) == WEU
    with pytest.raises(Unmatched, match="nobody"):
        who(Part.CERTIFICATE, names=("www.example.com",))
    with pytest.raises(Unmatched, match="several"):
        who(Part.CERTIFICATE, names=("w.example.com", "E.example.com"))
    with pytest.raises(Unmatched, match="nobody"):
        who(Part.CERTIFICATE)


def test_a_dns_answer_names_who_answered() -> None:
    assert who(Part.ANSWER, texts=("web-2",)) == EUS
    assert who(Part.ANSWER, texts=("web", "-2")) == EUS
    assert who(Part.ANSWER, known={}, texts=("weu|nva1|dns|g1",)) == Identity("weu", "nva1", "dns", "g1")
    assert who(Part.ANSWER, known={}, texts=("ns1.weu",)) == Identity(instance="ns1.weu")
    with pytest.raises(Unmatched, match="neither"):
        who(Part.ANSWER)


@pytest.mark.parametrize("text", ["", " ", "a|b|c|d|e", "a\nb", "x" * 1001])
def test_a_text_that_is_no_name_names_nobody(text: str) -> None:
    with pytest.raises(Unmatched):
        named(text, {})


@given(st.sampled_from(Part), st.binary(max_size=200), st.text(max_size=50))
def test_whatever_is_heard_is_somebody_who_is_known_or_refused(part: Part, body: bytes, text: str) -> None:
    where = {"json": "/a", "body": "a{}b"}.get(part, "a")
    try:
        found = who(part, where, body=body, headers={"a": text}, names=(text,), texts=(text,))
    except Unmatched as error:
        assert str(error)  # noqa: PT017
    else:
        assert found in KNOWN.values()
