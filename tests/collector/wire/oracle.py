"""bgpdump (Debian's package) as a second decoder: what it prints."""

import subprocess
from collections import Counter
from pathlib import Path

from collector.wire.element import Element
from collector.wire.spelled import spelled
from tests import needs

Line = tuple[str, ...]


def printed(path: Path, *options: str) -> bytes:
    """Run `bgpdump -m` over an MRT file; its standard output."""
    command = [needs.tool("bgpdump"), "-m", *options, "-q", str(path)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def bgpdump(path: Path) -> Counter[Line]:
    """Run `bgpdump -m -l` over an MRT file, for large communities are in no other form; its lines, cut into fields."""
    return Counter(map(_fields, printed(path, "-l").splitlines()))


def as_bgpdump(element: Element, form: str) -> Line | None:
    """Return our line of an element, with large communities, cut into fields."""
    line = spelled(element, form, large=True)
    return None if line is None else _fields(line.removesuffix(b"\n"))


def _fields(line: bytes) -> Line:
    return tuple(line.decode().split("|"))
