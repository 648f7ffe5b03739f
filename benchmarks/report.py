"""The figures as a table on a terminal, and as docs/benchmarks.md, in which each is a link to its evidence."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inputs import SEED
from tests import evidence

NAME = "benchmarks"
DOCUMENT = evidence.ROOT / "docs" / "benchmarks.md"
LABELS = {
    "columns_steady": "ours, to columns, in a running process",
    "columns": "ours, to columns, whole process",
    "lines": "ours, `decode --format bgpdump`",
    "jsonl": "ours, `decode` to JSON lines",
    "bgpdump": "`bgpdump -m`",
    "pybgpkit": "pybgpkit-parser",
    "mrtparse": "mrtparse (a tenth of the routes)",
    "pmbmpd": "pmbmpd, over TCP",
    "cat": "`cat`, the floor",
}
COLD = {
    "python": ("`python -c pass`, the floor", None),
    "help": ("`catchment --help`", 0.3),
    "decode_jsonl": ("first `decode` of a capture of 53,806 routes, JSON lines", 1.0),
    "decode_bgpdump": ("the same, `--format bgpdump`", 1.0),
}

WRONG = ": where bgpdump is wrong, named one by one in `tests/collector/files/test_bgpdump_differences.py`"


@dataclass(frozen=True, slots=True)
class Bound:
    """What must be shown: `at_least` this many, of routes a second or times another tool's."""

    what: str
    file: str
    ours: str
    theirs: str | None
    at_least: float


BOUNDS = (
    Bound("decoding BMP to columns, routes a second", "bmp", "columns_steady", None, 10e6),
    Bound("decoding updates to columns, routes a second", "updates", "columns_steady", None, 10e6),
    Bound("decoding a table dump to columns, routes a second", "table_dump_v2", "columns_steady", None, 10e6),
    Bound("to columns, times bgpdump, table dump", "table_dump_v2", "columns_steady", "bgpdump", 10),
    Bound("to columns, times bgpdump, updates", "updates", "columns_steady", "bgpdump", 10),
    Bound("to columns, times pybgpkit-parser, table dump", "table_dump_v2", "columns_steady", "pybgpkit", 25),
    Bound("to columns, times pybgpkit-parser, updates", "updates", "columns_steady", "pybgpkit", 25),
    Bound("to columns, times pmbmpd, BMP", "bmp", "columns_steady", "pmbmpd", 15),
    Bound("lines of bgpdump, times bgpdump, whole process, table dump", "table_dump_v2", "lines", "bgpdump", 2),
    Bound("lines of bgpdump, times bgpdump, whole process, updates", "updates", "lines", "bgpdump", 2),
)


def completed(figures: dict[str, Any]) -> dict[str, Any]:
    """Add what follows from what was measured: rates, ratios, and what came of each bound."""
    for rows in figures["rows"].values():
        for row in rows.values():
            row["routes_per_second"] = round(row["routes"] / row["cpu_s"]) if row["cpu_s"] else 0
        ours = rows.get("columns_steady")
        for row in rows.values():
            if ours and row["routes_per_second"]:
                row["ours_is_times"] = round(ours["routes_per_second"] / row["routes_per_second"], 2)
    figures["bounds"] = {f"b{number}": _judged(bound, figures) for number, bound in enumerate(BOUNDS)}
    return figures


def _judged(bound: Bound, figures: dict[str, Any]) -> dict[str, Any]:
    rows = figures["rows"].get(bound.file, {})
    ours, theirs = rows.get(bound.ours), rows.get(bound.theirs) if bound.theirs else {}
    if not ours or theirs is None:
        return {"what": bound.what, "at_least": bound.at_least}
    value = ours["routes_per_second"] / (theirs["routes_per_second"] if theirs else 1)
    return {"what": bound.what, "at_least": bound.at_least, "value": round(value, 2), "met": value >= bound.at_least}


def table(figures: dict[str, Any]) -> Iterator[str]:
    """Yield lines for a terminal."""
    completed(figures)
    for name, rows in figures["rows"].items():
        about = figures["inputs"][name]
        yield f"\n{about['about']}: {about['routes']:,} routes, {about['octets']:,} octets"
        if "lines" in about:
            equal = f"{about['lines_other']:,} of them other than" if about["lines_other"] else "octet for octet"
            yield f"  {about['lines']:,} lines of --format bgpdump, {equal} bgpdump's"
        yield f"  {'':42} {'routes/s':>13} {'columns is':>11} {'cpu s':>8} {'wall s':>8} {'peak MiB':>9}"
        for tool, row in rows.items():
            times = f"{row['ours_is_times']:,.1f}x" if "ours_is_times" in row else "-"
            yield (
                f"  {LABELS[tool]:42} {row['routes_per_second']:>13,} {times:>11} "
                f"{row['cpu_s']:>8.3f} {row['wall_s']:>8.3f} {row['peak_mib']:>9,.1f}"
            )
    yield ""
    for what, found in _cold(figures):
        label, most = COLD[what]
        bound = "" if most is None else f", at most {most} s: {_met(found['wall_s'] <= most)}"
        yield f"{label}: {found['wall_s']:.3f} s by the clock, {found['cpu_s']:.3f} s of processor{bound}"
    for judged in figures["bounds"].values():
        if "met" in judged:
            bound = f"{judged['value']:,.1f} (at least {judged['at_least']:,.0f})"
            yield f"{_met(judged['met']):7} {judged['what']}: {bound}"
    for name, why in figures["missing"].items():
        yield f"left out: {name}: {why}"
    yield f"load average {figures['load_before']} before, {figures['load_after']} after; {evidence.machine()}"


def _cold(figures: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(what, figures["cold"][what]) for what in COLD if what in figures["cold"]]


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def document(figures: dict[str, Any]) -> Path:
    """Write docs/benchmarks.md and its evidence; returns the document."""
    path = evidence.keep(NAME, SEED, completed(figures))
    DOCUMENT.write_text("\n".join(_lines(figures, evidence.head_of(path))) + "\n")
    return DOCUMENT


def _lines(figures: dict[str, Any], head: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    yield "# Decoding, side by side"
    yield ""
    yield 'Written by `make bench BENCH="decode --document"`; do not edit. Every figure is a link to its evidence.'
    yield ""
    yield f"Measured on {head['date']} at commit {head['commit']}: {head['machine']}. Beside ours: {versions}."
    rounds, before, after = (_cell(key, figures[key]) for key in ("rounds", "load_before", "load_after"))
    yield (
        f"{rounds} rounds, in each of which every tool has its turn on one and the same core, a process of its own "
        "that writes to /dev/null; figures are medians. Others use this machine, too: the load average was "
        f"{before} before and {after} after. So rates and ratios are of processor time, user and system, which is "
        "what a core of its own needs; the clock's stands beside it."
    )
    yield ""
    yield from _about_tools()
    for name, rows in figures["rows"].items():
        yield from _section(name, rows, figures["inputs"][name])
    yield from _starting(figures)
    yield from _targets(figures)
    if figures["missing"] or figures["failed"]:
        yield "\n## What is lacking\n"
        yield from (f"- {line}" for line in figures["failed"])
        yield from (f"- {name}: {why}" for name, why in figures["missing"].items())


def _about_tools() -> Iterator[str]:
    yield "- *In a running process*: the seventh decoding of a file in one process, without what a start costs."
    yield (
        "- *Whole process*: from the start of Python to its end, after an installation: `decode` loads what was "
        "[made ahead](decisions/0009-machine-code-made-ahead.md), and what goes to columns numba's cache."
    )
    yield "- pybgpkit-parser and mrtparse yield elements to a Python loop that counts them."
    yield (
        "- pmbmpd decodes into its routing table and writes nothing; it is fed over loopback by a process on the other "
        "core, and has all when TCP has acknowledged all and it has come to rest. Ours reads the same octets from a "
        "file; what the way from a socket to the journal costs is in [what was measured](measured.md)."
    )
    yield "- Python's byte code is cached, as an installation has it."


def _section(name: str, rows: dict[str, Any], about: dict[str, Any]) -> Iterator[str]:
    key = f"inputs.{name}"
    title = about["about"]
    yield f"\n## {title[0].upper()}{title[1:]}\n"
    equal = ""
    if "lines" in about:
        lines, other = (_cell(f"{key}.{word}", about[word]) for word in ("lines", "lines_other"))
        equal = f" {lines} lines of `decode --format bgpdump`, of which {other} differ from bgpdump's by an octet"
        equal += f"{WRONG if about['lines_other'] else ''}."
    routes, octets = _cell(f"{key}.routes", about["routes"], "routes"), _cell(f"{key}.octets", about["octets"])
    yield f"{routes} in {octets} octets.{equal}"
    yield ""
    yield "| | routes a second | to columns is | processor | clock | peak memory |"
    yield "|---|---|---|---|---|---|"
    for tool, row in rows.items():
        at = f"rows.{name}.{tool}"
        times = _cell(f"{at}.ours_is_times", row["ours_is_times"], "times as fast") if "ours_is_times" in row else ""
        cells = (
            LABELS[tool],
            _cell(f"{at}.routes_per_second", row["routes_per_second"]),
            times,
            _cell(f"{at}.cpu_s", round(row["cpu_s"], 3), "s"),
            _cell(f"{at}.wall_s", round(row["wall_s"], 3), "s"),
            _cell(f"{at}.peak_mib", row["peak_mib"], "MiB"),
        )
        yield f"| {' | '.join(cells)} |"


def _starting(figures: dict[str, Any]) -> Iterator[str]:
    if not figures["cold"]:
        return
    yield "\n## How soon a command answers\n"
    yield f"Whole processes, medians of {_cell('cold.repeats', figures['cold']['repeats'], 'turns')}.\n"
    yield "| | clock | processor | target |"
    yield "|---|---|---|---|"
    for what, found in _cold(figures):
        label, most = COLD[what]
        target = "" if most is None else f"{_met(found['wall_s'] <= most)} (at most {most} s)"
        clock, cpu = (
            _cell(f"cold.{what}.wall_s", found["wall_s"], "s"),
            _cell(f"cold.{what}.cpu_s", found["cpu_s"], "s"),
        )
        yield f"| {label} | {clock} | {cpu} | {target} |"


def _targets(figures: dict[str, Any]) -> Iterator[str]:
    yield "\n## Targets\n"
    yield "| | at least | is | |"
    yield "|---|---|---|---|"
    for key, judged in figures["bounds"].items():
        if "met" in judged:
            at = f"bounds.{key}"
            bound, value = (_cell(f"{at}.{word}", judged[word]) for word in ("at_least", "value"))
            yield f"| {judged['what']} | {bound} | {value} | {_met(judged['met'])} |"


def _cell(key: str, value: float, unit: str = "") -> str:
    """A figure as a link to where it stands."""
    text = f"{value:,.0f}" if value >= 1000 else f"{value:,}"
    return f"[{text}{' ' if unit else ''}{unit}](evidence/{NAME}.json#{key})"
