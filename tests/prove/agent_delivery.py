"""Agents killed, centres killed, the link cut for ten minutes: every result that was taken is in the journal, once.

Real processes on one machine, the agent in a network namespace of its own: agent and centre are killed at random
moments, again and again; then the link to the whole daemon drops everything, without a word, for ten minutes of real
time (CATCHMENT_CUT_SECONDS says otherwise) while results are taken at the rate of ten services with 32 flows. A result
counts as taken when the agent's spool has it.
"""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.pipeline.agents import link
from tests.pipeline.agents.site import Place, accounted, stop, truth
from tests.prove.figures import Proven, Target, load
from tests.prove.partial import Partial
from tests.rig import eventually

NAME = "agent-delivery"
SEED = 20263
KILLS = 40
KILLED_AT_ONCE = 10
RATE = 740
CUT = float(os.environ.get("CATCHMENT_CUT_SECONDS", "600"))


def prove(say: Callable[[str], None]) -> Proven:
    """Kill, and cut."""
    killed = Partial(NAME, "killed")
    while len(killed.repeats) * KILLED_AT_ONCE < KILLS:
        repeat = _kill(random.Random(SEED + len(killed.repeats)))
        killed.add(repeat)
        say(f"{len(killed.repeats) * KILLED_AT_ONCE} kills of {KILLS}: {_said(repeat)}")
    away = Partial(NAME, f"cut {CUT:g}")
    if not away.repeats:
        away.add(_cut(say))
        say(f"the link cut for {CUT:g} s: {_said(away.repeats[0])}")
    return _proven(killed.repeats, away.repeats[0])


def _kill(chance: random.Random) -> dict[str, Any]:
    """Kill agent or centre so many times, at random moments."""
    agents = 0
    with _placed() as place:
        centre, file = place.centre(), place.agent_file()
        agent = place.agent(file, RATE)
        for _ in range(KILLED_AT_ONCE):
            time.sleep(chance.uniform(0.5, 3.0))
            if chance.random() < 0.5:
                stop(agent, signal.SIGKILL)
                agents += 1
                agent = place.agent(file, RATE)
            else:
                stop(centre, signal.SIGKILL)
                centre = place.centre()
        before = len(truth(file))
        eventually(lambda: len(truth(file)) > before + RATE, 60)
        stop(agent)
        return _account(place, file) | {"agents": agents, "centres": KILLED_AT_ONCE - agents}


def _cut(say: Callable[[str], None]) -> dict[str, Any]:
    """Cut the link to the whole daemon, and mend it."""
    name = f"prv{os.getpid()}"
    link.lay(name)
    try:
        with _placed(host=link.CENTRE, prefix=link.within(name)) as place:
            place.centre("pipeline run -c")
            file = place.agent_file()
            agent = place.agent(file, RATE)
            eventually(lambda: len(place.journal()) > 2 * RATE, 60)
            link.cut(name)
            begun, before = time.monotonic(), len(truth(file))
            while (gone := time.monotonic() - begun) < CUT:
                time.sleep(min(60.0, CUT - gone))
                say(f"   cut for {time.monotonic() - begun:.0f} s: {len(truth(file)) - before} results wait")
            waited = len(truth(file))
            link.mend(name)
            begun = time.monotonic()
            eventually(lambda: len(place.journal()) >= waited, 300, every=0.5)
            drained = time.monotonic() - begun
            stop(agent)
            found = _account(place, file)
        return found | {"waited": waited - before, "drained_seconds": round(drained, 1)}
    finally:
        link.remove(name)


@contextmanager
def _placed(**how: Any) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="catchment-"))
    os.chmod(folder, 0o755)
    place = Place(folder / "place", **how)
    try:
        yield place
    finally:
        place.end()
        shutil.rmtree(folder)


def _account(place: Place, file: Path) -> dict[str, Any]:
    found = accounted(place, file)
    counted = {name: len(value) if isinstance(value, list) else value for name, value in asdict(found).items()}
    return counted | {"load": load()}


def _said(repeat: dict[str, Any]) -> str:
    return f"{repeat['taken']} taken, {repeat['missing']} missing, {repeat['twice']} twice"


def _proven(killed: list[dict[str, Any]], away: dict[str, Any]) -> Proven:
    every = [*killed, away]
    wrong = {name: sum(repeat[name] for repeat in every) for name in ("missing", "twice", "disordered")}
    figures = {
        "agents_killed": sum(repeat["agents"] for repeat in killed),
        "centres_killed": sum(repeat["centres"] for repeat in killed),
        "taken_while_killed": sum(repeat["taken"] for repeat in killed),
        "cut_seconds": CUT,
        "taken_while_cut": away["waited"],
        "drained_seconds": away["drained_seconds"],
        "results_per_second": RATE,
        "load_average": max(repeat["load"] for repeat in every),
        **wrong,
    }
    words = {
        "missing": "results that were taken and are not in the journal",
        "twice": "results that are in the journal more than once",
        "disordered": "runs of agents that are out of order, or lack a batch in the middle",
    }
    return Proven(SEED, figures, tuple(Target(words[name], wrong[name], exactly=0) for name in words))
