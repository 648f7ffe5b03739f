"""What is made ahead says what numba says, and is used only where it fits and nobody else can have written it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from collector.batch import AttributeTable
from collector.bmp.warm import entries
from collector.kernel import intern
from collector.kernel.ahead import Unlike, kept
from collector.kernel.ahead.calls import Call
from collector.kernel.ahead.loading import load
from collector.kernel.ahead.making import CannotBeMade, make
from collector.kernel.compiled import entry
from tests import needs

READ = """
import hashlib, json, sys
from pathlib import Path
from collector.kernel.ahead import kept
from pipeline.cli import decoding
from pipeline.cli.decoding import Asked, run
decoding.SMALL = -1  # small files, too
made, out, *paths = sys.argv[1:]
kept.place = lambda: Path(made)
lines = {}
for path in paths:
    for form in ("bgpdump", "jsonl"):
        run(Asked((Path(path),), form, output=Path(out), force=True, quiet=True))
        lines[path, form] = hashlib.sha256(Path(out).read_bytes()).hexdigest(), Path(out).stat().st_size
print(json.dumps([sorted(map(str, lines.items())), "numba" in sys.modules]))
"""
DECODE = """
import sys
from pathlib import Path
from collector.kernel.ahead import kept
path = Path(sys.argv.pop(1))
kept.place = lambda: path
from pipeline.cli import main
sys.exit(main())
"""


def yes(path: Path) -> bool:
    return True


def compiled() -> tuple[Any, ...]:
    """Let numba compile two small entry points."""
    table = AttributeTable(bytes(16))
    table.intern(b"one", False)
    table.grow()
    table.refill(np.zeros(4, np.uint32))
    intern.find(table.arrays, np.uint64(1))
    return intern.find, intern.refill


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Keep two small functions, in a folder that is ours."""
    path = tmp_path / "ahead" / "kernel.o"
    make(compiled(), path, yes)
    return path


def calls(path: Path) -> dict[str, Call]:
    found = kept.read(path)
    assert found is not None
    return load(*found)


def test_captures_are_decoded_without_numba_to_the_same_octets(tmp_path: Path) -> None:
    path, folder = tmp_path / "ahead" / "kernel.o", needs.captures()
    names = [str(path) for pattern in ("bmp/*.bmp.gz", "mrt/*") for path in sorted(folder.glob(pattern))]
    assert len(names) > 20
    script = "from collector.bmp import warm; import sys; from pathlib import Path; warm.everything()\n"
    script += "from collector.kernel.ahead.making import make; make(warm.entries(), Path(sys.argv[1]), warm._works)"
    subprocess.run([sys.executable, "-c", script, path], check=True)
    answers = [_read(which, tmp_path / "lines", names) for which in (path, tmp_path / "none")]
    assert answers[0][0] == answers[1][0]
    assert [numba for _, numba in answers] == [False, True]


def _read(which: Path, out: Path, names: list[str]) -> list[Any]:
    words = [sys.executable, "-c", READ, str(which), str(out), *names]
    answer: list[Any] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return answer


def test_every_entry_point_can_be_made() -> None:
    assert len({entry.name for entry in entries()}) == len(entries()) == 12


def test_a_function_answers_as_numba_does(made: Path) -> None:
    functions, table = calls(made), AttributeTable(bytes(16))
    find = functions["collector.kernel.intern.find"]
    identity = np.uint64(table.intern(b"an attribute", False))
    assert find(table.arrays, identity) == intern.find.compiled(table.arrays, identity) == 1
    assert find(table.arrays, identity + np.uint64(1)) == 0
    slots = np.zeros(16, np.uint32)
    assert functions["collector.kernel.intern.refill"](slots, table.arrays.ids, np.uint64(1)) is None
    assert sorted(slots) == [0] * 15 + [1]


def test_an_error_is_the_one_that_numba_raises(made: Path) -> None:
    refill = calls(made)["collector.kernel.intern.refill"]
    slots, ids = np.zeros(16, np.uint32), np.zeros(1, np.uint64)
    with pytest.raises(IndexError) as ahead:
        refill(slots, ids, np.uint64(2))
    with pytest.raises(IndexError) as numba:
        intern.refill.compiled(np.zeros(16, np.uint32), ids, np.uint64(2))
    assert str(ahead.value) == str(numba.value) != ""


READ_ONLY = np.zeros(16, np.uint32)
READ_ONLY.flags.writeable = False
OTHERS = {
    "another type": (np.zeros(16, np.uint64), np.zeros(1, np.uint64), np.uint64(1)),
    "another order of octets": (np.zeros(16, ">u4"), np.zeros(1, np.uint64), np.uint64(1)),
    "more dimensions": (np.zeros((4, 4), np.uint32), np.zeros(1, np.uint64), np.uint64(1)),
    "every other": (np.zeros(32, np.uint32)[::2], np.zeros(1, np.uint64), np.uint64(1)),
    "askew": (np.zeros(65, np.uint8)[1:].view(np.uint32), np.zeros(1, np.uint64), np.uint64(1)),
    "read-only": (READ_ONLY, np.zeros(1, np.uint64), np.uint64(1)),
    "no array": (list(range(16)), np.zeros(1, np.uint64), np.uint64(1)),
    "another number": (np.zeros(16, np.uint32), np.zeros(1, np.uint64), 1),
    "too few": (np.zeros(16, np.uint32), np.zeros(1, np.uint64)),
    "a tuple": (np.zeros(16, np.uint32), (np.zeros(1, np.uint64), np.zeros(1, np.uint64)), np.uint64(1)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_arguments_of_other_types_are_not_called(made: Path, what: str) -> None:
    refill = calls(made)["collector.kernel.intern.refill"]
    assert refill(np.zeros(16, np.uint32), np.zeros(1, np.uint64), np.uint64(1)) is None
    with pytest.raises(Unlike):
        refill(*OTHERS[what])


def test_numba_takes_what_it_was_not_made_for(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def unlike(*arguments: object) -> None:
        asked.append(arguments)
        raise Unlike

    monkeypatch.setattr("collector.kernel.ahead._MADE", {"collector.kernel.intern.find": unlike})
    table = AttributeTable(bytes(16))
    identity = table.intern(b"an attribute", False)
    assert table.blob(identity) == (b"an attribute", False)
    assert len(asked) == 1


def _said(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    head, _, code = path.read_bytes().partition(b"\n")
    said = json.loads(head)
    change(said)
    path.write_bytes(json.dumps(said).encode() + b"\n" + code)


def test_everything_that_it_rests_on_must_be_the_same(made: Path) -> None:
    whole, named = made.read_bytes(), list(kept.rests_on() or ())
    assert kept.read(made) is not None
    assert {"source", "making", "numba", "llvmlite", "numpy", "python", "machine", "processor"} < set(named)
    for name in named:
        _said(made, lambda said, name=name: said["rests on"].update({name: "another"}))  # type: ignore[misc]
        assert kept.read(made) is None, name
        _said(made, lambda said, name=name: said["rests on"].pop(name))  # type: ignore[misc]
        assert kept.read(made) is None, name
        made.write_bytes(whole)
        assert kept.read(made) is not None


def test_a_setting_of_numba_makes_another(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    assert kept.read(made) is not None
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert kept.read(made) is None


def test_a_damaged_file_is_not_loaded(made: Path) -> None:
    whole = made.read_bytes()
    for at in (0, 40, len(whole) // 2, len(whole) - 1):
        made.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        assert kept.read(made) is None
        made.write_bytes(whole[:at])
        assert kept.read(made) is None
    made.write_bytes(whole)
    assert kept.read(made) is not None


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_may_write_to_is_not_trusted(made: Path, mode: int) -> None:
    made.parent.chmod(mode)
    assert kept.read(made) is None
    made.parent.chmod(0o755)
    assert kept.read(made) is not None


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_not_trusted(made: Path, mode: int) -> None:
    made.chmod(mode)
    assert kept.read(made) is None
    made.chmod(0o644)
    assert kept.read(made) is not None


def test_a_link_is_not_followed(made: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to(made.parent)
    assert kept.read(tmp_path / "folder" / made.name) is None
    (made.parent / "file").symlink_to(made)
    assert kept.read(made.parent / "file") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_somebody_else_owns_is_not_trusted(made: Path) -> None:
    for path in (made, made.parent):
        os.chown(path, 12345, -1)
        assert kept.read(made) is None
        os.chown(path, 0, -1)
        assert kept.read(made) is not None


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert kept.read(tmp_path / "ahead" / "kernel.o") is None


def test_what_calls_anything_else_is_not_made(tmp_path: Path) -> None:
    @entry
    def allocating(size: Any) -> Any:
        return np.zeros(size, np.uint8).sum()

    assert allocating(3) == 0
    with pytest.raises(CannotBeMade, match="which is not in it"):
        make([allocating], tmp_path / "ahead" / "kernel.o", yes)
    assert not (tmp_path / "ahead").exists()


def test_what_does_not_work_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "ahead" / "kernel.o"
    with pytest.raises(CannotBeMade, match="does not work"):
        make(compiled(), path, lambda candidate: False)
    assert list(path.parent.iterdir()) == []
    make(compiled(), path, lambda candidate: kept.read(candidate) is not None)
    assert list(path.parent.iterdir()) == [path]


def test_decode_goes_on_without_what_was_made(tmp_path: Path) -> None:
    capture = next(path for path in sorted(needs.captures().glob("mrt/*.gz")) if path.stat().st_size > 1 << 17)
    made = tmp_path / "kernel.o"
    words = [sys.executable, "-c", DECODE, str(made), "decode", "--quiet", "--format", "bgpdump", str(capture)]
    usual = subprocess.run(words, capture_output=True, check=False)
    assert usual.stdout.count(b"\n") > 10_000
    made.write_bytes(b"\x7fELF" + bytes(100))
    other = subprocess.run(words, capture_output=True, check=False)
    assert (other.stdout, other.stderr, other.returncode) == (usual.stdout, usual.stderr, usual.returncode)
