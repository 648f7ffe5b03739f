"""Compile, or load from numba's cache, what decoding will call: seconds now, not in the first UPDATE.

`python -m collector.bmp.warm` fills the cache at installation, also with what files need, and makes ahead what a
command calls (`collector.kernel.ahead`); a read-only installation needs NUMBA_CACHE_DIR.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from collector.batch import AttributeTable
from collector.bmp.ids import Numbered
from collector.bmp.session import BmpFeed
from collector.bmp.watch import Watch

_PEER = bytes(10) + bytes(12) + b"\xc0\x00\x02\x01" + bytes(8 + 8)
_ATTRIBUTES = b"\x40\x01\x01\x00" + b"\x40\x02\x00" + b"\x40\x03\x04\xc0\x00\x02\x01"


def warm() -> None:
    """Send a tiny feed through, with every kind of call in it. Blocks; meant for a thread."""
    table = AttributeTable(bytes(16))
    feed = BmpFeed("warm", table, Numbered(), Watch((), lambda session: True))
    update = b"\0\0" + len(_ATTRIBUTES).to_bytes(2, "big") + _ATTRIBUTES + b"\x18\x0a\x00\x00"
    for number in range(3):
        feed.feed(_monitoring(update if number else b"\0\0\0\0"), number)
    while feed.take() is not None:
        pass
    table.intern(_ATTRIBUTES, True)
    table.grow()
    slots = np.zeros(16, np.uint32)
    table.refill(slots)


def _monitoring(update: bytes) -> bytes:
    pdu = b"\xff" * 16 + (19 + len(update)).to_bytes(2, "big") + b"\x02" + update
    return b"\x03" + (48 + len(pdu)).to_bytes(4, "big") + b"\x00" + _PEER + pdu


def everything() -> None:
    """Warm up what files call, too, which no daemon does."""
    from collector.files.warm import warm as files
    from collector.stream.warm import warm as streams

    warm()
    files()
    streams()


def entries() -> tuple[Any, ...]:
    """Everything compiled that Python calls."""
    from collector.kernel import decode, intern, json_lines, json_prefixes, mrt, peers, select, text

    return (
        *(decode.decode, mrt.records, text.lines, json_lines.lines, json_prefixes.prefixes, select.touching),
        *(intern.intern_one, intern.find, intern.refill, intern.unpack, peers.enlist, peers.note),
    )


def make_ahead() -> None:
    """Keep machine code of it all, for commands to begin without numba; without it they only begin later."""
    from numba.core.errors import NumbaError

    from collector.kernel.ahead.kept import place
    from collector.kernel.ahead.making import CannotBeMade, make

    try:
        make(entries(), place(), _works)
    except (CannotBeMade, OSError, RuntimeError, NumbaError) as error:
        sys.stderr.write(f"`catchment decode` will begin half a second later than it could: {error}\n")


def _works(path: Path) -> bool:
    """Whether another process, which may crash, does everything with a file of `make`, and without numba."""
    words = [sys.executable, "-m", "collector.bmp.warm", "--trial", str(path)]
    return subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def _trial(path: Path) -> bool:
    from collector.kernel.ahead import use

    if not use(path):
        return False
    everything()
    return "numba" not in sys.modules


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trial"]:
        sys.exit(not _trial(Path(sys.argv[2])))
    everything()
    make_ahead()
