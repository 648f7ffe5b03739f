"""`make test`: everything this machine can run, in stages, and one line for each thing left out and why.

With REQUIRE_ALL=1 a missing tool is a failure (see tests/needs.py) and a stage that ran no test fails, too.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab import packages

ROOT = Path(__file__).resolve().parent.parent
STAGES = (  # name, pytest arguments
    ("unit, property and golden tests", ["-n", "2", "-m", "not lab and not browser and not hunt and not containers"]),
    # Two labs run side by side, each file in one process: they wait much and compute little.
    ("the lab: real routers in network namespaces", ["-n", "2", "--dist", "loadfile", "-m", "lab", "--timeout=420"]),
    ("the console in a real browser", ["-m", "browser", "--timeout=240"]),
)
ASKED = "CONTAINERS"
CONTAINERS = ("images, built and started in containers", ["-m", "containers", "--timeout=2400"])
"""Takes a quarter of an hour, and Docker: only with CONTAINERS=1."""
NOT_ASKED = f"left out: images are not built and started; {ASKED}=1 make test does that (Docker, a quarter of an hour)"
SKIPPED = re.compile(r"^SKIPPED \[\d+\] .*?: (left out: .*)$", re.MULTILINE)
COUNTS = re.compile(r"(\d+) (passed|failed|error|errors|skipped)")


def main() -> int:
    """Run every stage even when one fails; close with the counts that matter."""
    _prepare()
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    left_out: set[str] = set()
    broken = False
    asked = os.environ.get(ASKED) == "1"
    if not asked:
        left_out.add(NOT_ASKED)
    for name, arguments in (*STAGES, CONTAINERS) if asked else STAGES:
        began = time.monotonic()
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        # A short folder: the path of a Unix socket has 107 bytes, and tests make theirs deep below it.
        with tempfile.TemporaryDirectory(prefix="ct") as folder:
            common = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder}/t"]
            code, text = _run([sys.executable, "-m", "pytest", *common, *arguments])
        for number, word in COUNTS.findall(text.rstrip().rsplit("\n", 1)[-1]):
            totals["failed" if word.startswith("error") else word] += int(number)
        left_out.update(SKIPPED.findall(text))
        empty = code == 5
        broken = broken or code not in (0, 5) or (empty and os.environ.get("REQUIRE_ALL") == "1")
        sys.stdout.write(
            f"== {name}: {'no test ran' if empty else 'exit ' + str(code)}, {time.monotonic() - began:.0f} s\n"
        )
    for line in sorted(left_out):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped\n")
    return int(broken)


def _prepare() -> None:
    asked = packages.CONTAINERS if os.environ.get(ASKED) == "1" else {}
    lacking = packages.missing(packages.TESTS | asked)
    if lacking and packages.can_install():
        sys.stdout.write(f"installing {' '.join(lacking)} (no service is started)\n")
        sys.stdout.flush()
        packages.install(lacking)


def _run(argv: list[str]) -> tuple[int, str]:
    """Run, showing the output as it comes, and return it."""
    lines = []
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return child.returncode, "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
