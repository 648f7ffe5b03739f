"""How MRT files are compressed."""

import bz2
import gzip
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, cast


class Compression(StrEnum):
    """How MRT files are compressed; `bgpdump` reads all but zstd."""

    GZIP = "gzip"
    BZIP2 = "bzip2"
    ZSTD = "zstd"
    NONE = "none"


SUFFIX: Final = {Compression.GZIP: ".gz", Compression.BZIP2: ".bz2", Compression.ZSTD: ".zst", Compression.NONE: ""}


def create(path: Path, compression: Compression) -> IO[bytes]:
    """Open a new file that compresses what is written to it. Raises OSError."""
    return _OPEN[compression](path)


def _gzip(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "wb", compresslevel=6))


def _bzip2(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", bz2.open(path, "wb"))


def _zstd(path: Path) -> IO[bytes]:
    import pyarrow

    return cast("IO[bytes]", pyarrow.CompressedOutputStream(str(path), "zstd"))


_OPEN: Final[dict[Compression, Callable[[Path], IO[bytes]]]] = {
    Compression.GZIP: _gzip,
    Compression.BZIP2: _bzip2,
    Compression.ZSTD: _zstd,
    Compression.NONE: lambda path: path.open("wb"),
}
