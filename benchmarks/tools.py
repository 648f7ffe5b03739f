"""The tools that decode, and how each is started."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from benchmarks import pmbmpd
from benchmarks.inputs import Input
from benchmarks.timed import PYTHON, Failed, Took, plain_environment, timed

PINNED = {"pybgpkit": "pybgpkit-parser==0.6.2", "mrtparse": "mrtparse==2.2.0"}
"""In a virtual environment of the benchmark's own, so that the product's lock stays small; wheels only: of the later
versions of pybgpkit-parser there are sources alone, and building them takes a Rust toolchain and its registry."""
PASSES = 7
"""Of decoding in one process; the first is left out of the steady rate."""
CATCHMENT = Path(sys.executable).with_name("catchment")
READERS = Path(__file__).with_name("readers.py")


@dataclass(frozen=True)
class Tool:
    """One way to decode a file."""

    name: str
    """As in the evidence's keys."""
    label: str
    takes: Callable[[Input], bool]
    run: Callable[[Input], dict[str, float]]
    """Figures of one turn: cpu and wall in seconds, peak in MiB, routes decoded."""


class Tools:
    """What of them is on this machine."""

    def __init__(self, folder: Path, routes: int, say: Callable[[str], None], installing: bool = True) -> None:
        """`folder`: for byte code; `routes`: of each input, of which slow tools get a part; `installing`: whether tools
        of Python's registry are wanted."""
        self._env, self._say = plain_environment(folder), say
        self._known: dict[str, int] = {}
        self._part = max(1000, routes // 10)
        self.missing: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self._venv = Path(tempfile.gettempdir()) / f"catchment-benchmarks-{os.getuid()}" / "others"
        self._look(installing)
        self.here = [tool for tool in self._all() if self.has(tool.name)]

    def has(self, name: str) -> bool:
        """Whether a tool is here."""
        return name not in self.missing

    def routes(self, file: Input) -> int:
        """How many routes are in a file, by our own decoding, before any measurement: it warms what is cached, too."""
        if file.name not in self._known:
            took = timed([PYTHON, "-m", "benchmarks.columns", file.path], True, self._env)
            self._known[file.name] = int(json.loads(took.said)["routes"])
        return self._known[file.name]

    def argv_lines(self, file: Input) -> tuple[list[str], list[str]]:
        """The commands that write a file's lines: ours, and bgpdump's."""
        return _ours("bgpdump", file), ["bgpdump", "-q", "-m", str(file.path)]

    @property
    def env(self) -> dict[str, str]:
        """What ours runs in."""
        return self._env

    def _all(self) -> tuple[Tool, ...]:
        mrt, any_of = lambda file: not file.bmp, lambda file: True
        return (
            Tool("columns_steady", "ours to columns, in a running process", any_of, self._steady),
            Tool("columns", "ours to columns, whole process", any_of, self._columns),
            Tool(
                "lines",
                "ours, decode --format bgpdump",
                any_of,
                lambda file: self._process(_ours("bgpdump", file), file),
            ),
            Tool("jsonl", "ours, decode to JSON lines", any_of, lambda file: self._process(_ours("jsonl", file), file)),
            Tool(
                "bgpdump", "bgpdump -m", mrt, lambda file: self._process(["bgpdump", "-q", "-m", str(file.path)], file)
            ),
            Tool("pybgpkit", "pybgpkit-parser", mrt, self._pybgpkit),
            Tool("mrtparse", "mrtparse", lambda file: file.name == "table_dump_v2", self._mrtparse),
            Tool(
                "pmbmpd",
                "pmbmpd, over TCP",
                lambda file: file.bmp,
                lambda file: _figures(pmbmpd.fed(file.path), self.routes(file)),
            ),
            Tool("cat", "cat, the floor", any_of, lambda file: self._process(["cat", str(file.path)], file)),
        )

    def _process(self, argv: list[str], file: Input) -> dict[str, float]:
        ok = (0, 1) if argv[0] == str(CATCHMENT) else (0,)  # 1: something in a capture is malformed, and was told
        return _figures(timed(argv, env=self._env, ok=ok), self.routes(file))

    def _columns(self, file: Input) -> dict[str, float]:
        return self._process([PYTHON, "-m", "benchmarks.columns", str(file.path)], file)

    def _steady(self, file: Input) -> dict[str, float]:
        took = timed([PYTHON, "-m", "benchmarks.columns", file.path, str(PASSES)], True, self._env)
        passes = [json.loads(line) for line in took.said.splitlines()][1:]
        middle = sorted(passes, key=lambda each: float(each["cpu"]))[len(passes) // 2]
        return _figures(Took(middle["wall"], middle["cpu"], took.peak, ""), self.routes(file))

    def _pybgpkit(self, file: Input) -> dict[str, float]:
        took = timed([self._venv / "bin" / "python", READERS, "pybgpkit", file.path], True)
        if not int(took.said):
            raise Failed("it reads nothing of this file")
        return _figures(took, int(took.said))

    def _mrtparse(self, file: Input) -> dict[str, float]:
        part = file.path.with_suffix(".part")
        if not part.exists():
            part.write_bytes(_first_records(file.path.read_bytes(), self._part))
        took = timed([self._venv / "bin" / "python", READERS, "mrtparse", part], True)
        return _figures(took, int(took.said))

    def _look(self, installing: bool) -> None:
        self.versions["bgpdump"] = _package("bgpdump")
        self.versions["pmacct"] = _package("pmacct")
        for name, package in (("bgpdump", "bgpdump"), ("pmbmpd", "pmacct")):
            if shutil.which(name) is None:
                self._lacks(name, f"it is not installed (Debian: apt-get install {package})")
        if not installing:
            self.missing |= dict.fromkeys(PINNED, "it was not asked for")
            return
        try:
            _install(self._venv, self._say)
            self.versions |= {name: pinned.partition("==")[2] for name, pinned in PINNED.items()}
        except (OSError, subprocess.SubprocessError) as error:
            for name, pinned in PINNED.items():
                self._lacks(name, f"{pinned} could not be installed from its registry ({type(error).__name__})")

    def _lacks(self, name: str, why: str) -> None:
        self.missing[name] = why
        self._say(f"{name} is left out: {why}")


def same_lines(file: Input, tools: Tools) -> tuple[int, int]:
    """How many lines our bgpdump format has, and how many of them are not octet for octet bgpdump's."""
    ours, theirs = (_digest(argv, tools.env) for argv in tools.argv_lines(file))
    return ours[0], 0 if ours == theirs else _differing(*tools.argv_lines(file), tools.env)


def _differing(ours: list[str], theirs: list[str], env: dict[str, str]) -> int:
    """Lines that differ, one by one, and those that only one of them has."""
    with _started(ours, env) as one, _started(theirs, env) as other:
        assert one.stdout is not None
        assert other.stdout is not None
        return sum(mine != their for mine, their in zip_longest(one.stdout, other.stdout))


def _started(argv: list[str], env: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)


def _digest(argv: list[str], env: dict[str, str]) -> tuple[int, str]:
    digest, lines = hashlib.sha256(), 0
    with _started(argv, env) as child:
        assert child.stdout is not None
        while piece := child.stdout.read(1 << 20):
            digest.update(piece)
            lines += piece.count(b"\n")
    return lines, digest.hexdigest()


def _ours(form: str, file: Input) -> list[str]:
    return [str(CATCHMENT), "decode", "--quiet", "--format", form, str(file.path)]


def _figures(took: Took, routes: int) -> dict[str, float]:
    return {
        "routes": routes,
        "cpu_s": round(took.cpu, 4),
        "wall_s": round(took.wall, 4),
        "peak_mib": round(took.peak / 2**20, 1),
    }


def _first_records(file: bytes, records: int) -> bytes:
    at = 0
    for _ in range(records):
        if at + 12 > len(file):
            break
        at += 12 + int.from_bytes(file[at + 8 : at + 12], "big")
    return file[:at]


def _package(name: str) -> str:
    if shutil.which("dpkg-query") is None:
        return "unknown"
    argv = ["dpkg-query", "-W", "-f", "${Version}", name]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout or "unknown"


def _install(venv: Path, say: Callable[[str], None]) -> None:
    done = venv / "installed"
    wanted = " ".join(PINNED.values())
    if done.exists() and done.read_text() == wanted:
        return
    say(f"installing {wanted} into a virtual environment in the temporary folder")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True, timeout=120)
    argv = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run(
        [*argv, "--only-binary", ":all:", *PINNED.values()], check=True, timeout=300, stderr=subprocess.DEVNULL
    )
    done.write_text(wanted)


__all__ = ["Failed", "Tool", "Tools", "same_lines"]
