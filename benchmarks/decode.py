"""Decoding, side by side: ours and others' on the same routes, in one run, taking turns.

    python -m benchmarks decode [--rounds 5] [--routes 1000000] [--only WORD] [--json] [--document]

Every tool runs as a process of its own on one and the same core, writes to /dev/null, and takes its turn in each
round; figures are medians of the rounds. Rates are of processor time, user and system, for others may use the machine:
on a core of its own it is what the clock says, which stands beside it. `--document` writes docs/benchmarks.md and its
evidence, which `make bench` alone does not.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import cold, report
from benchmarks.inputs import Input, inputs
from benchmarks.timed import PYTHON, Failed, timed
from benchmarks.tools import Tools, same_lines
from tests.prove.figures import load, percentile

OURS = ("columns", "columns_steady", "lines", "jsonl", "bgpdump", "pmbmpd", "cat", "cold")
"""Names of tools, ours and Debian's, for which nothing is installed."""

Measured = dict[str, dict[str, dict[str, float]]]


def main() -> int:
    """Measure, print, and write; 1 when a tool failed or lines differed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks decode", description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5, help="turns of each tool, 5 by default")
    options.add_argument("--routes", type=int, default=1_000_000, help="routes of each input, 1,000,000 by default")
    options.add_argument(
        "--only", metavar="WORD", action="append", help="only tools or inputs whose name has this word"
    )
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    options.add_argument("--document", action="store_true", help="write docs/benchmarks.md and docs/evidence")
    given = options.parse_args()
    if shutil.which("taskset") is None:
        say("taskset is not here, which keeps every tool on one core: install util-linux")
        return 2
    with tempfile.TemporaryDirectory(prefix="catchment-bytecode-") as folder:
        figures = measure(given.rounds, given.routes, given.only or [], Path(folder))
    if given.json:
        print(json.dumps(figures))
    else:
        print("\n".join(report.table(figures)))
    if given.document:
        say(f"wrote {report.document(figures)}")
    return int(bool(figures["wrong"]))


def say(line: str) -> None:
    """Tell of progress."""
    print(line, file=sys.stderr, flush=True)


def measure(rounds: int, routes: int, only: list[str], folder: Path) -> dict[str, object]:
    """Take every figure; `folder` is for byte code."""
    before, begun = load(), time.time()
    tools, files, failed = Tools(folder, routes, say, _installing(only)), inputs(routes, say), list[str]()
    wrong = list[str]()
    say("compiling, as an installation does")
    timed([PYTHON, "-m", "collector.bmp.warm"], env=tools.env)
    chosen = [
        (tool, file)
        for file in files
        for tool in tools.here
        if tool.takes(file) and (not only or any(word in f"{tool.name} {file.name}" for word in only))
    ]
    used = [file for file in files if any(file is other for _, other in chosen)]
    about = {file.name: _about(file, tools, wrong) for file in used}
    taken: dict[str, dict[str, list[dict[str, float]]]] = {file.name: {} for file in used}
    for number in range(1, rounds + 1):
        for tool, file in chosen:
            say(f"round {number} of {rounds}: {tool.label}, {file.about}")
            try:
                figures = tool.run(file)
            except Failed as error:
                said = f"{tool.label}, {file.about}: {error}"
                if said not in failed:
                    failed.append(said)
                continue
            taken[file.name].setdefault(tool.name, []).append(figures)
    starts = {} if only and "cold" not in only else cold.starts(folder, max(5, 4 * rounds), say)
    for line in failed + wrong:
        say(f"FAILED {line}")
    return {
        "rounds": rounds,
        "seconds": round(time.time() - begun),
        "load_before": before,
        "load_after": load(),
        "versions": tools.versions,
        "missing": tools.missing,
        "failed": failed,
        "wrong": wrong,
        "inputs": about,
        "rows": {name: {tool: _median(found) for tool, found in rows.items()} for name, rows in taken.items()},
        "cold": starts,
    }


def _installing(only: list[str]) -> bool:
    """Whether tools that must be installed first may be meant."""
    return not only or any(word not in OURS for word in only)


def _about(file: Input, tools: Tools, wrong: list[str]) -> dict[str, object]:
    routes = tools.routes(file)
    found: dict[str, object] = {"about": file.about, "octets": file.path.stat().st_size, "routes": routes}
    if not file.bmp and tools.has("bgpdump"):
        say(f"comparing every line with bgpdump's: {file.about}")
        lines, other = same_lines(file, tools)
        found |= {"lines": lines, "lines_other": other}
        if other and file.generated:  # of captures, tests/collector/files/test_bgpdump_differences.py names them all
            wrong.append(f"decode --format bgpdump writes other octets than bgpdump -m of {file.about}")
    return found


def _median(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: percentile([figures[name] for figures in found], 0.5) for name in found[0]}


if __name__ == "__main__":
    sys.exit(main())
