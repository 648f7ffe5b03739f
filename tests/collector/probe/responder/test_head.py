"""One request is read, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.identity.http import ASK, PATH
from collector.probe.identity.refused import Refused
from collector.probe.responder.head import MOST_FIELDS, Asked, read, written

ORDINARY = f"GET {PATH} HTTP/1.1\r\nHost: 10.250.0.10\r\n{ASK}: abc\r\n\r\n".encode()


def test_the_request_is_read() -> None:
    assert read(ORDINARY) == Asked("abc", close=False, size=len(ORDINARY))
    assert read(ORDINARY.replace(b"1.1\r", b"1.0\r")).close
    assert read(ORDINARY.replace(b"Host", b"Connection: close\r\nHost")).close
    assert read(ORDINARY.replace(ASK.encode(), ASK.lower().encode())).value == "abc"
    assert read(ORDINARY.replace(b" HTTP", b"?x=1 HTTP")).value == "abc"
    assert read(ORDINARY.replace(b"Host", b"Content-Length: 0\r\nHost")).value == "abc"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"GET", b"POST", "not GET"),
        (b"GET ", b"GET  ", "not GET"),
        (PATH.encode(), b"/", "not GET"),
        (b"HTTP/1.1", b"HTTP/2.0", "not GET"),
        (ASK.encode(), b"X-Ask", "no header"),
        (b"Host", b"Content-Length: 5\r\nHost", "a body"),
        (b"Host", b"Transfer-Encoding: chunked\r\nHost", "a body"),
        (b"Host:", b"Host :", "not `Name: value`"),
        (b"Host:", b" Host:", "not `Name: value`"),
        (b"Host", b"Host: a\r\nhost", "twice"),
        (b"Host", f"{ASK}: x\r\nHost".encode(), "twice"),
        (b"10.250", b"10\n250", "not `Name: value`"),
        (b"10.250", b"10\0250", "not `Name: value`"),
        (b"Host", b"".join(b"A%d: b\r\n" % index for index in range(MOST_FIELDS)) + b"Host", "more than 64"),
    ],
)
def test_anything_else_is_refused(old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read(ORDINARY.replace(old, new, 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read(data + b"\r\n\r\n")


@pytest.mark.parametrize("close", [True, False])
def test_an_answer_that_fills_its_room_is_as_large_as_its_request(close: bool) -> None:
    asked = Asked("abc", close, 500)
    assert len(written("x" * asked.room, close)) == 500
