"""`make check`: style, types, the import rule, generated files, the figures in the docs, and known vulnerabilities."""

import subprocess
import sys
import time
from pathlib import Path

from analyzers.document import document
from collector.wire.document import document as decoding
from pipeline.metrics_document import document as metrics
from tests.evidence import wrong_figures

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COMMANDS: tuple[tuple[str, list[str]], ...] = (
    ("style", [str(BIN / "ruff"), "check", "."]),
    ("format", [str(BIN / "ruff"), "format", "--check", "-q", "."]),
    ("types", [str(BIN / "mypy"), "--no-error-summary"]),
    ("import rule", [str(BIN / "lint-imports"), "--no-cache"]),
)


def main() -> int:
    """Run every check even when one fails."""
    failed = []
    for name, argv in COMMANDS:
        began = time.monotonic()
        result = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
        good = result.returncode == 0
        sys.stdout.write(f"{'ok   ' if good else 'WRONG'} {name} ({time.monotonic() - began:.0f} s)\n")
        if not good:
            failed.append(name)
            sys.stdout.write(result.stdout + result.stderr)
        sys.stdout.flush()
    for name, problems in (("generated documents", _outdated()), ("figures in the docs", wrong_figures(ROOT))):
        sys.stdout.write(
            "".join((f"{'WRONG' if problems else 'ok   '} {name}\n", *(f"  {each}\n" for each in problems)))
        )
        failed += problems
    _audit()
    return int(bool(failed))


def _outdated() -> list[str]:
    """Documents that are made from code and differ from what the code makes now."""
    made = {"docs/findings.md": document(), "docs/decoding.md": decoding(), "docs/metrics.md": metrics()}
    return [
        f"{name} is not what the code makes now" for name, text in made.items() if (ROOT / name).read_text() != text
    ]


def _audit() -> None:
    """Ask the vulnerability database, and say so when it is out of reach; it fails nothing by itself."""
    argv = [str(BIN / "pip-audit"), "--require-hashes", "--disable-pip", "-r", "requirements.lock", "--timeout", "5"]
    try:
        result = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        sys.stdout.write("said  vulnerabilities: the database is out of reach here (no answer in 60 s)\n")
        return
    lines = result.stderr.strip().splitlines() or ["no known vulnerability"]
    found = "ulnerabilit" in lines[-1]
    sys.stdout.write(f"said  vulnerabilities: {lines[-1] if found else 'the database is out of reach here'}\n")
    if result.returncode and found:
        sys.stdout.write(result.stdout)


if __name__ == "__main__":
    sys.exit(main())
