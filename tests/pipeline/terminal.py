"""The command line as a person has it: in a terminal of 80 columns, or through a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from pipeline.cli import main

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it left."""

    code: int
    out: str
    err: str = ""

    @property
    def lines(self) -> list[str]:
        """The lines on standard output, without colours."""
        return COLOUR.sub("", self.out).splitlines()


def catchment(*words: str) -> Said:
    """Run a command in this process, its outputs kept: everything but a process of its own is real, and it is quick."""
    out, err, before = StringIO(), StringIO(), sys.argv
    sys.argv = ["catchment", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        return Said(left.code if isinstance(left.code, int) else int(bool(left.code)), out.getvalue(), err.getvalue())
    finally:
        sys.argv = before
    return Said(0, out.getvalue(), err.getvalue())


def in_pipes(*words: str, stdin: bytes = b"", folder: Path | None = None, **more: str) -> Said:
    """Run a command as a process, through pipes; `more` is environment."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        input=stdin, capture_output=True, timeout=SECONDS, cwd=folder, env=environment(**more), check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def in_terminal(*words: str, columns: int = 80, **more: str) -> Said:
    """Run a command in a terminal; both of its outputs are in `out`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment(TERM="xterm-256color", **more),
    )  # fmt: skip
    os.close(theirs)
    chunks = []
    while chunk := _read(ours):
        chunks.append(chunk)
    os.close(ours)
    return Said(child.wait(SECONDS), b"".join(chunks).decode().replace("\r\n", "\n"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side is closed: the end, on Linux
        return b""


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would decide colours and widths."""
    decides = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CATCHMENT_DATA", "TERM")
    root = str(Path(__file__).resolve().parent.parent.parent)
    return {key: value for key, value in os.environ.items() if key not in decides} | {"PYTHONPATH": root} | more
