"""Telling files apart, and decompressing them within reason."""

import bz2
import gzip
import io
import zlib

import pyarrow
import pytest

from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import Initiation, Tlv
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.source import FREE, Kind, chunks, open_source
from tests.collector.wire.mrt.writing import record

BMP = encode(Initiation((Tlv(2, b"edge"),)))
MRT = record(16, 4, b"whatever it says")


def zstd(data: bytes) -> bytes:
    """Compress as the zstd program does."""
    return bytes(pyarrow.Codec("zstd").compress(data, asbytes=True))


class Pipe(io.RawIOBase):
    """A file that cannot be sought in, and gives few octets at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read five octets at the most."""
        return self._data.read(min(5, size) if size >= 0 else 5)


@pytest.mark.parametrize("plain", [BMP, MRT])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstd])
@pytest.mark.parametrize("opened", [io.BytesIO, Pipe])
def test_files_are_known_by_their_beginning(plain: bytes, pack: object, opened: object) -> None:
    kind, source = open_source(opened(pack(plain * 50)))  # type: ignore[operator]
    assert kind is (Kind.BMP if plain is BMP else Kind.MRT)
    assert b"".join(chunks(source)) == plain * 50


def test_members_that_follow_each_other_are_read_as_one() -> None:
    _, source = open_source(io.BytesIO(gzip.compress(MRT) + gzip.compress(MRT)))
    assert b"".join(chunks(source)) == MRT * 2


def test_a_bmp_stream_of_the_draft_is_known_as_bmp() -> None:
    """So that the sentence about its version is said, and not one about files."""
    assert open_source(io.BytesIO(b"\x04" + BMP[1:]))[0] is Kind.BMP


@pytest.mark.parametrize("data", [b"", b"hello, world", b"\x03\xff\xff\xff\xff\x04", b"\x03\0\0\0\x06\x09"])
def test_other_files_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Malformed, match="neither a BMP stream nor an MRT file, plain or compressed: it begins with"):
        open_source(io.BytesIO(data))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_file_that_is_cut_says_how_far_it_was_read(pack: object) -> None:
    packed = pack(MRT * 9000)  # type: ignore[operator]
    with pytest.raises(Malformed, match="the compressed file is damaged after"):
        _read(packed[:-20])


def test_a_compressed_file_with_wrong_octets_says_so() -> None:
    packed = bytearray(gzip.compress(MRT * 100))
    packed[-6] ^= 0xFF
    with pytest.raises(Malformed, match="the compressed file is damaged after"):
        _read(bytes(packed))
    with pytest.raises(Malformed, match="the compressed file is damaged after 0 decompressed octets"):
        _read(b"BZh9" + b"not bzip2 at all")


def test_a_file_that_grows_beyond_reason_is_given_up() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(MRT) + b"".join(packer.compress(bytes(1 << 20)) for _ in range((FREE >> 20) + 1))
    with pytest.raises(Malformed, match="grows more than 500 times"):
        _read(bomb + packer.flush())


def test_a_failing_disk_is_not_the_files_fault() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 10:
                raise OSError(5, "Input/output error")
            return super().read(10)

    with pytest.raises(OSError, match="Input/output error"):
        _read_from(Broken(gzip.compress(MRT * 100)))


def _read(data: bytes) -> None:
    _read_from(io.BytesIO(data))


def _read_from(file: Readable) -> None:
    _, source = open_source(file)
    for _ in chunks(source):
        pass
