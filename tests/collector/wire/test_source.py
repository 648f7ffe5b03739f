"""Telling files apart, and decompressing them within reason."""

import bz2
import gzip
import io
import lzma
import random
import zlib
from collections.abc import Callable

import pyarrow
import pytest

from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import Initiation, Tlv
from collector.wire.compressed import LIMITS, Limits
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.source import Kind, chunks, open_source
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
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
@pytest.mark.parametrize("opened", [io.BytesIO, Pipe])
def test_files_are_known_by_their_beginning(plain: bytes, pack: object, opened: object) -> None:
    kind, source = open_source(opened(pack(plain * 50)))  # type: ignore[operator]
    assert kind is (Kind.BMP if plain is BMP else Kind.MRT)
    assert b"".join(chunks(source)) == plain * 50


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_members_that_follow_each_other_are_read_as_one(pack: Callable[[bytes], bytes]) -> None:
    _, source = open_source(Pipe(pack(MRT) + pack(MRT * 9) + pack(b"")))
    assert b"".join(chunks(source)) == MRT * 10


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_zeros_behind_a_member_are_padding_and_anything_else_is_said(pack: Callable[[bytes], bytes]) -> None:
    assert _came_out(pack(MRT) + bytes(100)) == (MRT, "")
    assert _came_out(pack(MRT) + bytes(100) + pack(MRT)) == (MRT * 2, "")
    came, why = _came_out(pack(MRT) + b"not a member")
    assert (came, "what follows its end is not another member" in why) == (MRT, True)


NOISE = random.Random(7).randbytes(300_000)  # does not compress, so a cut is a cut of what comes out


@pytest.mark.parametrize(
    ("pack", "lost", "wrong"),
    [(gzip.compress, 0, False), (gzip.compress, 0, True), (lzma.compress, 1 << 9, False), (zstd, 1 << 17, False)],
)
def test_everything_that_precedes_damage_is_read(pack: Callable[[bytes], bytes], lost: int, wrong: bool) -> None:
    """As much as the compression itself can give: a cut deflate stream up to its last octet, others by their blocks."""
    packed = pack(MRT + NOISE)
    half = packed[: len(packed) // 2] + (b"" if not wrong else bytes(64) + packed[len(packed) // 2 + 64 :])
    came, why = _came_out(half)
    assert (MRT + NOISE).startswith(came[: len(packed) // 2 - lost - 100])
    assert len(came) >= len(packed) // 2 - lost - 100
    assert why.startswith("the compressed file is damaged after")


def test_a_wrong_check_sum_loses_nothing() -> None:
    packed = bytearray(gzip.compress(MRT * 100))
    packed[-6] ^= 0xFF
    came, why = _came_out(bytes(packed))
    assert came == MRT * 100
    assert "incorrect data check" in why


def test_a_bmp_stream_of_the_draft_is_known_as_bmp() -> None:
    """So that the sentence about its version is said, and not one about files."""
    assert open_source(io.BytesIO(b"\x04" + BMP[1:]))[0] is Kind.BMP


@pytest.mark.parametrize("data", [b"hello, world", b"\x03\xff\xff\xff\xff\x04", b"\x03\0\0\0\x06\x09"])
def test_other_files_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Malformed, match="neither a BMP stream nor an MRT file nor a packet capture"):
        open_source(io.BytesIO(data))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_a_file_of_nothing_is_said_to_be_empty(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Malformed, match="it is empty"):
        open_source(io.BytesIO(pack(b"")))


def test_a_capture_of_snoop_is_not_taken_for_the_messages_in_it() -> None:
    with pytest.raises(Malformed, match="editcap -F pcap"):
        open_source(io.BytesIO(b"snoop\0\0\0\0\0\0\2\0\0\0\4" + BMP * 9))
    assert open_source(io.BytesIO(b"other\0\0\0\0\0\0\2\0\0\0\4" + BMP * 9))[0] is Kind.BMP


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
    bomb = packer.compress(MRT) + b"".join(packer.compress(bytes(1 << 20)) for _ in range((LIMITS.free >> 20) + 1))
    with pytest.raises(Malformed, match="grows more than 500 times"):
        _read(bomb + packer.flush())


def test_a_ratio_or_a_size_below_the_limit_is_read_and_above_it_is_not() -> None:
    packed = gzip.compress(MRT * 1000)
    ratio, size = len(MRT) * 1000 // len(packed) + 1, len(MRT) * 1000
    assert _came_out(packed, Limits(ratio=ratio, free=100, size=size))[1] == ""
    assert "grows more than 5 times" in _came_out(packed, Limits(ratio=5, free=100))[1]
    assert _came_out(packed, Limits(ratio=5, free=size))[1] == "", "not counted below what is free"
    assert f"has more than {size - 1} decompressed octets" in _came_out(packed, Limits(size=size - 1))[1]


def test_a_stream_that_begins_in_the_middle_is_known_by_what_follows() -> None:
    for plain, kind in ((BMP, Kind.BMP), (MRT, Kind.MRT)):
        found, source = open_source(Pipe(plain[5:] + plain * 3))
        assert (found, b"".join(chunks(source))) == (kind, plain[5:] + plain * 3)
        with pytest.raises(Malformed, match="neither"):
            open_source(io.BytesIO(plain[5:]))


def test_version_1_of_bmp_is_known_as_bmp() -> None:
    monitoring = b"\x01\0" + bytes(42) + b"\xff" * 16
    assert open_source(io.BytesIO(monitoring))[0] is Kind.BMP
    with pytest.raises(Malformed, match="neither"):
        open_source(io.BytesIO(b"\x01\0" + bytes(58)))


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


def _came_out(data: bytes, limits: Limits = LIMITS) -> tuple[bytes, str]:
    """What is read of a file, and why it ended; nothing for its end."""
    came = b""
    try:
        _, source = open_source(io.BytesIO(data), limits)
        for chunk in chunks(source):
            came += chunk
    except Malformed as error:
        return came, error.reason
    return came, ""
