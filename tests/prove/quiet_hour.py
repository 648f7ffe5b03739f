"""An ordinary hour tells nobody anything, and the sixty-first minute is as good as the first.

On the lab's real routers with an agent at each site: every wire between sites and regions loses 0.1 % of its frames, at
random, each way, and jitters by up to 2 ms. For an hour nothing of the severity warning or above may open; then a leg
loses 5 % more, which must be found in the usual time. Before the hour each site loses everything for 300 ms, several
times at random moments, and nothing may come of that either. What the machine did to our own agents (`agent-tainted`)
is counted apart: it is no finding about the network, and a run with many of them proves little.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from anycast.finding import Kind, Severity
from lab import faults
from lab.daemons import application
from lab.lateness import between, read, void
from lab.topology import SITES
from tests.prove.detection import SETTLED, key
from tests.prove.figures import Proven, Target, load
from tests.prove.labs import WatchedLab, watched_lab
from tests.prove.partial import Partial

NAME = "quiet-hour"
SEED = 20265
MINUTES = 60
BLIPS = 10
"""For each site."""
BLIP = 0.3
LEG = "weu-nva1"
USUAL = 30.0
OURSELVES = {str(Kind.AGENT_TAINTED)}
"""Kinds that are about our own hosts alone."""
LOUD = {str(severity) for severity in Severity if severity.rank >= Severity.WARNING.rank}


def prove(say: Callable[[str], None]) -> Proven:
    """Wait through the hour."""
    partial = Partial(NAME, "hour")
    if not partial.repeats:
        with watched_lab("pvhour", probes=True) as watched:
            time.sleep(SETTLED)
            blips = _blips(watched, say)
            faults.inject(watched.lab, "noise")
            partial.add(_hour(watched, say) | blips)
    return _proven(partial.repeats[0])


def _blips(watched: WatchedLab, say: Callable[[str], None]) -> dict[str, Any]:
    """Each site loses everything for a moment, again and again."""
    draw, told, before = random.Random(SEED), list[str](), _ids(watched)
    for number in range(BLIPS):
        for site in SITES:
            now = application.carried(watched.lab)
            dark = [replace(wire, loss=1.0) if wire.name.startswith(f"{site.name}-") else wire for wire in now]
            application.recarry(watched.lab, dark)
            time.sleep(BLIP)
            application.recarry(watched.lab, now)
            until = time.monotonic() + 3 + draw.random()
            while time.monotonic() < until:
                told += _news(watched, before)
                time.sleep(0.1)
        say(f"{number + 1} of {BLIPS} moments without any packet at each site: {len(told)} findings")
    return {"blips": BLIPS * len(SITES), "blip_s": BLIP, "after_blips": told}


def _hour(watched: WatchedLab, say: Callable[[str], None]) -> dict[str, Any]:
    """The hour, and the fault after it."""
    report = application.lateness(watched.lab)
    first, begun, before = read(report), time.monotonic(), _ids(watched)
    told, ours, loads = list[str](), 0, [load()]
    for minute in range(MINUTES):
        while time.monotonic() < begun + 60 * (minute + 1):
            for each in _news(watched, before):
                if each.partition("|")[0] in OURSELVES:
                    ours += 1
                else:
                    told.append(f"minute {minute + 1}: {each}")
                    say(told[-1])
            time.sleep(0.25)
        loads.append(load())
        if minute % 10 == 9:
            say(
                f"{minute + 1} of {MINUTES} minutes: {len(told)} findings, {ours} about our own hosts, load {loads[-1]}"
            )
    line = between(first, read(report))
    entry = faults.inject(watched.lab, "lossy-leg", [LEG, "5"])
    assert entry.t_effect is not None
    found = _found(watched, entry.t_effect)
    say(f"5 % at {LEG} in minute {MINUTES + 1}: {found if found is not None else 'never'} s")
    return {
        "minutes": MINUTES,
        "told": told,
        "about_ourselves": ours,
        "found_s": found,
        "line_void": void(line) or "",
        "frames": line.frames,
        "frames_lost": line.let_go,
        "load_average": max(loads),
    }


def _found(watched: WatchedLab, since: float) -> float | None:
    wanted = {
        key("lossy-leg", each, region="weu", nva=LEG, site=site.name) for each in ("web", "vdi") for site in SITES
    }
    while time.time() < since + 3 * USUAL:
        for record in watched.rig.records("open"):
            if record["key"] in wanted:
                return round(datetime.fromisoformat(record["opened_at"]).timestamp() - since, 3)
        time.sleep(0.1)
    return None


def _ids(watched: WatchedLab) -> set[str]:
    return {record["id"] for record in watched.rig.records("open")}


def _news(watched: WatchedLab, known: set[str]) -> list[str]:
    """Keys of findings that are loud and new; each is told once."""
    new = [
        record
        for record in watched.rig.records("open")
        if record["id"] not in known and record["finding"]["severity"] in LOUD
    ]
    known |= {record["id"] for record in new}
    return [record["key"] for record in new]


def _proven(row: dict[str, Any]) -> Proven:
    after = [each for each in row["after_blips"] if each.partition("|")[0] not in OURSELVES]
    return Proven(
        SEED,
        row,
        (
            Target("minutes of an ordinary hour", row["minutes"], at_least=MINUTES),
            Target("runs void, for the delay line was late", int(bool(row["line_void"])), exactly=0),
            Target("findings of warning or above in it", len(row["told"]), exactly=0),
            Target("findings after moments without any packet", len(after), exactly=0),
            Target("5 % loss on a leg found afterwards", row["found_s"] or 1000.0, at_most=USUAL, unit="s"),
        ),
    )
