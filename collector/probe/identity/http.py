"""The identity protocol over HTTP: the very datagrams of UDP, in one header each way (RFC 4648 base64url, unpadded).

    GET /.well-known/anycast-id
    Anycast-Ask: <request>            HTTP/1.1 204 No Content
                                      Anycast-Id: <reply>

So one MAC and one table of nonces serve both. An application may also answer `Anycast-Ask` on any page of its own.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from collector.probe.identity.datagram import (
    LONGEST,
    SIZE,
    Reply,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.refused import Cause, Refused

PATH = "/.well-known/anycast-id"
ASK = "Anycast-Ask"
ANSWER = "Anycast-Id"
_WORD = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_LONGEST_TEXT = (LONGEST * 4 + 2) // 3


def ask(request: Request, key: Key, size: int = SIZE) -> dict[str, str]:
    """Return the headers that ask; ValueError as `encode_request` has it."""
    return {ASK: _text(encode_request(request, key, size))}


def asked(value: str, keys: Keys) -> tuple[Request, Key, int]:
    """Read and authenticate the value of ASK: the request, its key, and its size in octets; raises Refused."""
    data = _data(value)
    return *decode_request(data, keys), len(data)


def answer(reply: Reply, key: Key, size: int) -> str:
    """Return the value of ANSWER for a request of `size` octets: never longer than ASK's; raises Refused."""
    return _text(encode_reply(reply, key, size))


def answered(value: str, keys: Keys) -> Reply:
    """Read and authenticate the value of ANSWER; raises Refused. The client knows whether it asked for that."""
    return decode_reply(_data(value), keys)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _data(value: str) -> bytes:
    if len(value) > _LONGEST_TEXT:
        raise Refused(Cause.OVERSIZED, f"a header of {len(value)} characters is longer than {_LONGEST_TEXT}")
    if not _WORD.fullmatch(value) or len(value) % 4 == 1:
        raise Refused(Cause.MALFORMED, "the header is not base64url")
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))
