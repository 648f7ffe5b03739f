"""A server of time series, killed and restarted at random under 5,000 points a second: none lost, none wrong.

Debian's InfluxDB 1.6, for it forces its log to disk before it says that it has taken points, so that what it has taken
is there after SIGKILL; VictoriaMetrics holds some seconds of it in memory alone, and whoever writes to it loses those
when it is killed. For ten minutes (CATCHMENT_KILLS_SECONDS says otherwise) it lives 1 to 20 seconds, and is dead for 0
to 10. Then it is left alone, and every point is read back and compared. The process that writes the journal and
delivers out of it tells its own memory; it seals the journal meanwhile.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anycast.series import MEASUREMENTS
from tests.prove.figures import Proven, Target, load
from tests.prove.influx_points import MEASUREMENT, RATE, SERIES, STEP, fields_of, tags_of
from tests.prove.partial import Partial
from tests.servers.influx import Influx, influx

NAME = "influx-kills"
SEED = 20265
SECONDS = float(os.environ.get("CATCHMENT_KILLS_SECONDS", "600"))
LIVES, DEAD = (1.0, 20.0), (0.0, 10.0)
WARM = 20
"""Seconds after which memory is looked at for the first time."""
GROWTH_MB = 100
"""By which memory may grow from there, whatever waits."""


def prove(say: Callable[[str], None]) -> Proven:
    """Kill, and compare."""
    partial = Partial(NAME, f"killed {SECONDS:g}")
    if not partial.repeats:
        partial.add(_run(say))
    return _proven(partial.repeats[0])


def _run(say: Callable[[str], None]) -> dict[str, Any]:
    chance, begun = random.Random(SEED), int(time.time()) * 1_000_000_000
    with tempfile.TemporaryDirectory(prefix="catchment-kills-") as name, influx(Path(name) / "server") as server:
        server.make("proof")
        sender = _Sender(Path(name) / "data", server.url, begun)
        kills, since, down = 0, time.monotonic(), 0.0
        while time.monotonic() - since < SECONDS:
            time.sleep(chance.uniform(*LIVES))
            server.kill()
            died = time.monotonic()
            time.sleep(chance.uniform(*DEAD))
            server.start()
            kills, down = kills + 1, down + time.monotonic() - died
            say(f"{kills} kills: {sender.last}")
        last_alive = time.monotonic()
        found = sender.end()
        waited = max(0.0, found["caught_up"] - max(last_alive, found["all_written"]))
        compared = _compare(server, begun, found["written"], say)
    return {
        **compared,
        "kills": kills,
        "dead_seconds": round(down, 1),
        "points": found["written"],
        "aside": found["aside"],
        "most_behind_seconds": round(found["behind"], 1),
        "caught_up_seconds": round(waited, 1),
        "resident_warm_mb": found["warm"] >> 20,
        "resident_peak_mb": found["peak"] >> 20,
        "load": load(),
    }


class _Sender:
    """The process that writes and delivers, and what it tells."""

    def __init__(self, folder: Path, url: str, begun: int) -> None:
        folder.mkdir()
        argv = [sys.executable, "-m", "tests.prove.influx_sender", str(folder), url, str(begun), str(SECONDS)]
        self._child = subprocess.Popen(argv, stdout=subprocess.PIPE)
        self.last: dict[str, Any] = {}
        self._lines: list[tuple[float, dict[str, Any]]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for text in self._child.stdout:
            self.last = json.loads(text)
            self._lines.append((time.monotonic(), self.last))

    def end(self) -> dict[str, Any]:
        """Wait until it has delivered everything, or given up; returns what it told."""
        code = self._child.wait(SECONDS + 300)
        self._reader.join(10)
        assert code == 0, f"the sender ended with {code}"
        total = self.last["written"]
        first = self._lines[0][0]
        warm = next((line for at, line in self._lines if at - first >= WARM), self.last)
        return {
            "written": total,
            "aside": self.last["aside"],
            "behind": max(line["behind"] for _, line in self._lines),
            "all_written": next(at for at, line in self._lines if line["written"] == total),
            "caught_up": self._lines[-1][0],
            "warm": warm["resident"],
            "peak": max(line["resident"] for _, line in self._lines),
        }


def _compare(server: Influx, begun: int, written: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Read every point back, series by series."""
    seen, wrong = bytearray(written), 0
    names = MEASUREMENTS[MEASUREMENT].tags
    for series in range(SERIES):
        where = " AND ".join(f"\"{tag}\" = '{value}'" for tag, value in zip(names, tags_of(series), strict=True))
        found = server.influxql("proof", f'SELECT state, routes, age FROM "{MEASUREMENT}" WHERE {where}')
        for at, state, routes, age in (row for each in found for row in each.rows):
            number = (at - begun) // STEP
            fits = 0 <= number < written and number % SERIES == series and (at - begun) % STEP == 0
            fits = fits and {"state": state, "routes": routes, "age": age} == fields_of(number) and not seen[number]
            wrong += not fits
            if fits:
                seen[number] = 1
    [total] = server.influxql("proof", f'SELECT count(routes) FROM "{MEASUREMENT}"')
    strangers = int(total.rows[0][1]) - sum(seen) - wrong
    say(f"read back {sum(seen):,} of {written:,} points")
    return {"lost": written - sum(seen), "wrong": wrong + strangers}


def _proven(found: dict[str, Any]) -> Proven:
    figures = {"seconds": SECONDS, "points_per_second": RATE, "series": SERIES, "growth_target_mb": GROWTH_MB, **found}
    figures["load_average"] = figures.pop("load")
    grown = found["resident_peak_mb"] - found["resident_warm_mb"]
    targets = (
        Target("points that were written and are not on the server", found["lost"], exactly=0),
        Target("points on the server that are not as they were written", found["wrong"], exactly=0),
        Target("points given up by the sink", found["aside"], exactly=0),
        Target("points written", found["points"], at_least=0.99 * SECONDS * RATE),
        Target("until all was delivered, after the server's last start", found["caught_up_seconds"], 60, unit="s"),
        Target("growth of resident memory", grown, GROWTH_MB, unit="MB"),
    )
    return Proven(SEED, figures, targets)
