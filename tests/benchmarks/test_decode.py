"""The side-by-side measurement of decoding, on a small table: figures for every tool, and lines compared."""

import json
import subprocess
import sys

from tests import needs

ROUTES = 3_000


def test_a_small_run_has_figures_and_equal_lines() -> None:
    needs.tool("taskset")
    needs.tool("bgpdump")
    argv = [sys.executable, "-m", "benchmarks", "decode", "--rounds", "1", "--routes", str(ROUTES), "--json"]
    run = subprocess.run([*argv, "--only", "bgpdump", "--only", "lines"], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert (found["failed"], found["wrong"]) == ([], [])
    for name in ("table_dump_v2", "updates"):
        about, rows = found["inputs"][name], found["rows"][name]
        assert about["routes"] == about["lines"] >= ROUTES * 0.9
        assert about["lines_other"] == 0
        assert set(rows) == {"lines", "bgpdump"}
        assert all(row["cpu_s"] >= 0 and row["wall_s"] > 0 and row["peak_mib"] > 1 for row in rows.values())


def test_a_benchmark_that_is_none_is_named_with_those_that_are() -> None:
    run = subprocess.run([sys.executable, "-m", "benchmarks", "nonsense"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "there are decode, bulk_lane, journal" in run.stderr
