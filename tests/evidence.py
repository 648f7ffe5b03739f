"""Evidence: figures that were measured, the files they are kept in, and the check that the docs quote nothing else.

A figure in a document is a link to its evidence, `[23 ms](evidence/withdraw.json#pending_p99_ms)`: the first number of
the text must be the value under that key, rounded as it is written. docs/measured.md holds no other figure.
"""

import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "evidence"
QUOTED = re.compile(r"\[([^\]]+)\]\((?:docs/)?evidence/([a-z0-9-]+)\.json#([A-Za-z0-9_.]+)\)")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
HEAD = ("commit", "seed", "machine", "date")


def keep(name: str, seed: int, figures: dict[str, Any]) -> Path:
    """Write figures with commit, seed, machine and date; returns the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    head = {"commit": _commit(), "seed": seed, "machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.write_text(json.dumps({**head, "figures": figures}, indent=2) + "\n")
    return path


def head_of(path: Path) -> dict[str, Any]:
    """Return commit, seed, machine and date of kept figures."""
    return {word: text for word, text in json.loads(path.read_text()).items() if word in HEAD}


def machine() -> str:
    """Processor, cores, memory, kernel and Python of this machine; nothing that names it."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kernel = platform.release().split("-")[0]
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {kernel}, Python {platform.python_version()}"


def wrong_figures(root: Path) -> list[str]:
    """Return a sentence for each quoted figure that its evidence does not hold."""
    documents = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    wrong = [problem for document in documents for problem in _wrong_in(document, root)]
    return wrong + [f"{path.relative_to(root)}: {problem}" for path, problem in _headless(root)]


def _wrong_in(document: Path, root: Path) -> list[str]:
    wrong = []
    name = document.relative_to(root)
    for text, evidence, key in QUOTED.findall(document.read_text()):
        value = _value(root / "docs" / "evidence" / f"{evidence}.json", key)
        number = NUMBER.search(text)
        if value is None:
            wrong.append(f"{name}: {text!r} has no evidence: docs/evidence/{evidence}.json holds no {key}")
        elif number is None or not _same(number[0], value):
            wrong.append(f"{name}: {text!r} is quoted, but {evidence}.json#{key} says {value}")
    return wrong


def _headless(root: Path) -> list[tuple[Path, str]]:
    found = []
    for path in sorted((root / "docs" / "evidence").glob("*.json")):
        lacking = [word for word in HEAD if word not in json.loads(path.read_text())]
        if lacking:
            found.append((path, f"lacks {', '.join(lacking)}"))
    return found


def _value(path: Path, key: str) -> float | None:
    if not path.is_file():
        return None
    value: Any = json.loads(path.read_text())["figures"]
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _same(written: str, value: float) -> bool:
    plain = written.replace(",", "")
    decimals = len(plain.partition(".")[2])
    return round(float(value), decimals) == float(plain)


def _commit() -> str:
    argv = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(argv, capture_output=True, text=True).stdout.strip() or "no repository"
