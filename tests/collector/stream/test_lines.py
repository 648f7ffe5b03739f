"""Lines of JSON from columns: octet for octet those of elements."""

import json
from collections.abc import Iterator

import pytest

from collector.files.batch import FileBatch
from collector.files.read import read
from collector.stream.lines import Lines
from collector.stream.text import line
from collector.wire.element import KEYS
from collector.wire.elements import elements
from tests import needs
from tests.collector.stream.samples import opened, stream


def written(data: bytes, piece: int = 1 << 20) -> Iterator[bytes]:
    """The lines of a file, columns by compiled code, however few they are."""
    lines = Lines(piece, few=0)
    for item in read(opened(data)):
        if isinstance(item, FileBatch):
            yield from map(bytes, lines.of(item))
        else:
            yield line(item).encode()


def plain(data: bytes) -> bytes:
    return "".join(map(line, elements(opened(data)))).encode()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_columns_are_written_as_elements_are(seed: int) -> None:
    data = stream(600, seed)
    ours, theirs = b"".join(written(data)).splitlines(), plain(data).splitlines()
    assert ours == theirs
    assert len(ours) > 1000


def test_the_size_of_the_pieces_changes_nothing() -> None:
    data = stream(100)
    pieces = [piece for piece in written(data, 700) if piece.count(b"\n") > 0]
    assert b"".join(pieces) == plain(data)
    assert len(pieces) > 100, "a small buffer must have been filled many times"
    assert b"".join(written(data, 64)) == plain(data), "a line may be longer than the buffer"


def test_every_key_of_a_line_is_documented() -> None:
    seen = {key for text in b"".join(written(stream())).splitlines() for key in json.loads(text)}
    assert seen <= set(KEYS)
    assert {"time", "router", "peer", "prefix", "path_id", "as_path", "communities", "origin_asn", "unknown"} <= seen


def test_real_captures_are_written_as_elements_are() -> None:
    folder = needs.captures()
    for file in (
        *folder.glob("bmp/huawei-vrp-[bcd].bmp.gz"),
        *folder.glob("bmp/*24*.bmp.gz"),
        *folder.glob("mrt/*.mrt"),
    ):
        data = file.read_bytes()
        assert b"".join(written(data)) == plain(data), file.name
