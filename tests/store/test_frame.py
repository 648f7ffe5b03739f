"""Checked messages in an Arrow IPC stream."""

import pyarrow as pa
import pytest

from store.frame import Piece, head, message, pieces
from store.schema import SCHEMAS

SCHEMA = SCHEMAS["malformed"]
START = len(head(SCHEMA))


def _batch(text: str) -> pa.RecordBatch:
    columns = [[0], ["r"], ["p"], [text], ["a"], [b"\xff" * 16], [1]]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _message(text: str) -> bytes:
    metadata, body = message(_batch(text), START)
    return metadata + bytes(body)


def _file(count: int) -> tuple[bytes, list[int]]:
    parts = [_message("x" * 7 * index) for index in range(count)]
    ends = [START + sum(map(len, parts[: index + 1])) for index in range(count)]
    return head(SCHEMA) + b"".join(parts), ends


def test_the_file_is_an_arrow_stream_like_any_other() -> None:
    content, _ = _file(3)
    assert pa.ipc.open_stream(content).read_all()["reason"].to_pylist() == ["", "x" * 7, "x" * 14]


def test_a_sound_file_is_its_messages() -> None:
    content, ends = _file(3)
    starts = [START, *ends[:-1]]
    assert list(pieces(memoryview(content), START)) == [Piece(*pair, True) for pair in zip(starts, ends, strict=True)]


def test_every_flipped_bit_of_a_message_is_found_and_its_neighbours_stay() -> None:
    content, ends = _file(3)
    for offset in range(ends[0], ends[1]):
        damaged = bytearray(content)
        damaged[offset] ^= 1 << offset % 8
        found = list(pieces(memoryview(damaged), START))
        assert found == [Piece(START, ends[0], True), Piece(ends[0], ends[1], False), Piece(ends[1], ends[2], True)]


def test_every_cut_leaves_the_messages_before_it() -> None:
    content, ends = _file(2)
    for size in range(ends[0] + 1, ends[1]):
        found = list(pieces(memoryview(content[:size]), START))
        assert found == [Piece(START, ends[0], True), Piece(ends[0], size, False)]


@pytest.mark.parametrize("rubbish", [b"", b"\x00" * 4096, b"\xff" * 999, b"\xff\xff\xff\xff\x08\x00\x00\x00" * 9])
def test_rubbish_is_one_piece_that_is_not_sound(rubbish: bytes) -> None:
    content, ends = _file(1)
    found = list(pieces(memoryview(content + rubbish), START))
    assert [piece for piece in found if piece.sound] == [Piece(START, ends[0], True)]
    assert [piece for piece in found if not piece.sound] == (
        [Piece(ends[0], ends[0] + len(rubbish), False)] if rubbish else []
    )
