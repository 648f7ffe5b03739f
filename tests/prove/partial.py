"""What a proof has measured so far, kept on disk repeat by repeat: an interrupted run goes on where it stopped.

What is kept belongs to one state of the code: after a commit to what is measured, it is measured anew.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".prove"
MEASURED = ("anycast", "collector", "analyzers", "alerts", "store", "dashboards", "pipeline", "lab", "tests/prove")
"""Whose change makes older repeats worthless."""

Repeat = dict[str, Any]


class Partial:
    """The repeats of one part of a proof."""

    def __init__(self, proof: str, part: str) -> None:
        _prepare()
        self._path = FOLDER / f"{proof}.{part}.jsonl"
        self._code = code()
        self.repeats: list[Repeat] = self._read()

    def add(self, repeat: Repeat) -> None:
        """Keep one more repeat."""
        begins = not self._path.exists()
        with self._path.open("a") as file:
            if begins:
                file.write(json.dumps({"code": self._code}) + "\n")
            file.write(json.dumps(repeat) + "\n")
        self.repeats.append(repeat)

    def forget(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)
        self.repeats = []

    def _read(self) -> list[Repeat]:
        if not self._path.exists():
            return []
        head, *rows = self._path.read_text().splitlines()
        if json.loads(head) != {"code": self._code}:
            self._path.unlink()
            return []
        return [json.loads(row) for row in rows]


def _prepare() -> None:
    """Make the folder, which git ignores by a file inside it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")


def forget(proof: str) -> None:
    """Measure a proof anew."""
    for path in FOLDER.glob(f"{proof}.*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)


def code() -> str:
    """Identify the code that is measured, as it stands in the work tree."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *MEASURED], capture_output=True, text=True, check=False
    ).stdout
    digest = hashlib.sha256()
    for name in listed.split("\0"):
        path = ROOT / name
        if path.suffix == ".py" and path.is_file():
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
