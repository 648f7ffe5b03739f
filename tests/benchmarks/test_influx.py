"""The measurement of the sink beside influxdb-client's batching, on a few points: every point arrives, by every way."""

import json
import subprocess
import sys

from tests import needs


def test_a_small_run_has_figures_and_lacks_no_point() -> None:
    needs.tool("taskset")
    needs.tool("victoria-metrics")
    argv = [sys.executable, "-m", "benchmarks", "influx", "--rounds", "1", "--points", "20000"]
    run = subprocess.run(argv, capture_output=True, text=True, check=True)
    found = json.loads(run.stdout[run.stdout.index("{") :])
    assert set(found["parts"]) == {"sink-growing", "sink-sealed", "client-lines", "client-points"}
    for part in found["parts"].values():
        assert part["lacking"] == 0
        assert part["points_per_second"] > 0
