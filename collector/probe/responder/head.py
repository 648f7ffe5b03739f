"""The one HTTP request that is answered, and its answer: heads without bodies (RFC 9112). Bytes in, values out."""

import re
from dataclasses import dataclass

from collector.probe.identity.http import ANSWER, ASK, PATH
from collector.probe.identity.refused import Cause, Refused

LONGEST = 8192  # octets of a head: a header of ours takes 2 000 at most, and proxies add theirs
MOST_FIELDS = 64
END = b"\r\n\r\n"

_LINE = re.compile(rb"GET " + re.escape(PATH.encode()) + rb"(?:\?[!-~]*)? HTTP/1\.([01])")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
_CLOSE = b"Connection: close\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a head asks."""

    value: str
    """Of the header ASK."""
    close: bool
    """Whether the connection ends with the answer."""
    size: int
    """Octets of the whole head: the answer has no more."""

    @property
    def room(self) -> int:
        """Characters that the value of ANSWER may have."""
        return self.size - len(written("", self.close))


def read(head: bytes) -> Asked:
    """Read a head, END included; raises Refused for everything that is not the one request."""
    first, *lines = head.removesuffix(END).split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise Refused(Cause.FOREIGN, f"the request is not GET {PATH}")
    if len(lines) > MOST_FIELDS:
        raise Refused(Cause.OVERSIZED, f"{len(lines)} header fields are more than {MOST_FIELDS}")
    fields: dict[bytes, bytes] = {}
    for each in lines:
        field = _FIELD.fullmatch(each)
        if field is None or field.group(1).lower() in fields:
            raise Refused(Cause.MALFORMED, "a header field is not `Name: value`, or there twice")
        fields[field.group(1).lower()] = field.group(2).strip()
    if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
        raise Refused(Cause.MALFORMED, "the request has a body")
    value = fields.get(ASK.lower().encode())
    if value is None:
        raise Refused(Cause.FOREIGN, f"there is no header {ASK}")
    close = line.group(1) == b"0" or b"close" in fields.get(b"connection", b"").lower()
    return Asked(value.decode("latin-1"), close, len(head))


def written(value: str, close: bool) -> bytes:
    """Write the answer: no content, one header, and kept by no cache."""
    said = f"{ANSWER}: {value}\r\n".encode("ascii")
    return b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n" + (_CLOSE if close else b"") + said + b"\r\n"
