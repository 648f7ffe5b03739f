"""Messages of real routers with octets changed: they are lines, every one, and nothing of the next message is lost."""

import io
import json
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from collector.wire.bmp.elements import bmp_elements
from collector.wire.bmp.encode import encode
from collector.wire.bmp.frames import HEADER, Framer
from collector.wire.bmp.values import Initiation, Tlv
from collector.wire.element import KEYS
from collector.wire.elements import decode_lines
from tests.collector.wire.bmp.test_captures import CAPTURES, octets

HELLO = encode(Initiation((Tlv(2, b"edge"),)))
KINDS = range(7)


@cache
def frames(name: str) -> tuple[bytes, ...]:
    """The messages of a capture."""
    return tuple(Framer().feed(octets(name)))


@cache
def ups(name: str) -> bytes:
    """The Peer Ups of a capture."""
    return b"".join(frame for frame in frames(name) if frame[5] == 3)


@given(st.sampled_from(sorted(CAPTURES)), st.sampled_from(KINDS), st.data())
def test_any_octet_may_be_another_one(name: str, kind: int, data: st.DataObject) -> None:
    chosen = [frame for frame in frames(name) if frame[5] == kind] or list(frames(name)[:1])
    frame = bytearray(chosen[data.draw(st.integers(0, len(chosen) - 1))])
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(HEADER - 1, len(frame) - 1))] = data.draw(st.integers(0, 255))
    lines = list(decode_lines(io.BytesIO(HELLO + ups(name) + bytes(frame) + HELLO)))
    assert (lines[0]["type"], lines[-1]["type"]) == ("F", "F"), "what follows is read"
    for line in lines:
        assert set(line) <= set(KEYS)
        assert json.dumps(line)
    refused = [line for line in lines if line.get("action") == "message-skipped"]
    assert all(line["detail"] for line in refused)


@given(st.sampled_from(sorted(CAPTURES)), st.data())
def test_any_message_may_end_anywhere(name: str, data: st.DataObject) -> None:
    """With a length that fits what is left, so that the next message is where its length says."""
    whole = frames(name)[data.draw(st.integers(0, len(frames(name)) - 1))]
    body = whole[HEADER : data.draw(st.integers(HEADER, len(whole)))]
    cut = b"\x03" + (HEADER + len(body)).to_bytes(4, "big") + whole[5:6] + body
    lines = list(decode_lines(io.BytesIO(HELLO + cut + HELLO)))
    assert (lines[0]["type"], lines[-1]["type"]) == ("F", "F")
    kept = [line for line in lines if line.get("action") == "message-skipped" and "offset" in line]
    assert all(cut.hex().startswith(line["raw"]) for line in kept)
    assert all(json.dumps(line) for line in lines)


@given(st.sampled_from(["frr-8.0.1-6wind", "huawei-vrp-b", "iosxr-7.10.1"]), st.data())
def test_any_cut_of_a_stream_gives_the_same_elements(name: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(frames(name)) - 20))
    stream = ups(name) + b"".join(frames(name)[first : first + 20]) + data.draw(st.binary(max_size=8))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = list(bmp_elements([(None, stream)]))
    assert list(bmp_elements((None, piece) for piece in pieces)) == whole
