"""docs/probing.md says what is on the wire: its example and its tables, held against the code."""

import hashlib
import hmac
import re
import struct
from pathlib import Path

from anycast.probe import Identity
from collector.probe.identity.datagram import Request, decode_reply, decode_request, encode_reply, encode_request
from collector.probe.identity.keyfile import SECRET_SIZE
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.refused import Cause
from collector.probe.reverse.ping import encode_ping
from tests.collector.probe.reverse.test_ping import FLEET, a_ping

PAGE = (Path(__file__).parents[4] / "docs" / "probing.md").read_text()
KEY = Key(7, "ams", bytes(range(32)))
ASKED = Request(7, 0x01020304, 0x1122334455667788, 1_000_000_000, "dns", 3, 42)


def examples() -> tuple[bytes, bytes]:
    """The request and the reply of the page."""
    request, reply = re.findall(r"(?:^    [0-9a-f]{64}\n)+", PAGE, re.MULTILINE)
    return bytes.fromhex(request), bytes.fromhex(reply)


def test_the_pages_request_is_ours() -> None:
    request, _ = examples()
    assert request == encode_request(ASKED, KEY, 160)
    assert decode_request(request, Keys((KEY,)))[0] == ASKED


def test_the_pages_reply_is_ours() -> None:
    _, data = examples()
    reply = decode_reply(data, Keys((KEY,)))
    assert reply.identity == Identity("weu", "weu-nva1", "responder-1", "g41")
    assert (str(reply.address), reply.port, reply.far_ttl, reply.request) == ("10.20.0.5", 40001, 61, ASKED)
    assert encode_reply(reply, KEY, 160) == data


def test_the_offsets_of_the_page_find_the_fields_by_nothing_but_themselves() -> None:
    request, reply = examples()
    for data, word in ((request, b"CTMQ"), (reply, b"CTMA")):
        assert data[-16:] == hmac.new(bytes(range(32)), data[:-16], hashlib.sha256).digest()[:16]
        assert data[0:4] == word
        assert (data[4], data[5]) == (1, 0)
        assert struct.unpack(">HIQQHI", data[6:34]) == (7, 0x01020304, 0x1122334455667788, 10**9, 3, 42)
        assert data[34:38] == b"\x03dns"
    n = 3
    assert reply[35 + n] == 61
    assert reply[36 + n : 38 + n] == (40001).to_bytes(2, "big")
    assert reply[38 + n : 54 + n] == bytes(10) + b"\xff\xff\x0a\x14\x00\x05"
    t2, t3 = struct.unpack(">QQ", reply[54 + n : 70 + n])
    assert (t2, t3 - t2) == (1_764_000_000_000_000_000, 50_000)
    assert reply[70 + n :].startswith(b"\x03weu\x08weu-nva1\x0bresponder-1\x03g41\0")


def test_the_pages_ping_is_ours() -> None:
    payload = encode_ping(a_ping(nva="weu-nva1"), FLEET)
    assert payload[0:8] == b"CTMP\1\0\0\x64"
    assert struct.unpack(">IQQ", payload[8:28]) == (1, 9, 5)
    assert payload[28:44] == bytes(10) + b"\xff\xff\x0a\x14\x00\x05"
    assert payload[44:53] == b"\x08weu-nva1"
    assert payload[53:] == hmac.new(bytes(range(32)), payload[:53], hashlib.sha256).digest()[:16]


def test_every_cause_of_a_drop_is_on_the_page() -> None:
    of_clients = {Cause.UNASKED}
    assert [cause for cause in Cause if f"`{cause}`" not in PAGE and cause not in of_clients] == []


def test_the_page_says_plainly_what_is_only_matched() -> None:
    assert "| matched |" in PAGE
    assert "**yes**: whoever can answer at all can say any of it" in PAGE
    assert f"{SECRET_SIZE * 8} random bits" in PAGE
