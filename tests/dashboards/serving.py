"""The console over a view that a simulated network's agents filled, and a journal of what they saw until now.

    python -m tests.dashboards.serving PORT FOLDER

One of the agents is hostile: in the journal, regions, NVAs and details are what breaks pages.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import uvicorn
from fastapi import FastAPI

from anycast.probe import AgentReported, Identity, ProbeResult
from dashboards.console import mount
from pipeline.catchments import Catchments
from pipeline.judging import Judging
from store.ledger import LedgerFile
from tests.analyzers.probed import at_nva
from tests.dashboards.scene import HOSTILE, Scene, event
from tests.pipeline.landing import Judged, Recorded, write

NAMES = (HOSTILE, "\x00\x07\x1b]0;owned\x07", "'\"><img src=x onerror=window.owned=1>", "x" * 250, "\u202eust")


def hostile(report: AgentReported) -> AgentReported:
    """The batch as somebody sends it who wants to break the page."""

    def said(number: int, result: ProbeResult) -> ProbeResult:
        name = NAMES[number % len(NAMES)]
        if result.identity is None:
            return replace(result, detail=name)
        return replace(result, identity=Identity(name, name, name, name), detail=name, seen=name)

    results = tuple(said(number, result) for number, result in enumerate(report.results))
    return replace(report, results=results, host=NAMES[0], run=NAMES[2], lacking=NAMES)


class World(Recorded):
    """The network; nyc's agent lies."""

    def _batch(self, agent: object, at: datetime) -> AgentReported:
        made = super()._batch(agent, at)
        if made.site == "nyc":
            made = self.batches[-1] = hostile(made)
        return made


def world() -> World:
    """Ninety seconds, in which one NVA is lost and ams then moves."""
    made = World()
    made.run(30)
    made.faults = [at_nva("weu-nva1")]
    made.run(10)
    made.faults = []
    made.run(10)
    made.lands["ams", "web"] = ("eus",)
    made.run(40)
    return made


async def main(port: int, data: Path) -> None:
    """Serve until killed."""
    made = world()
    write(data, made.batches, datetime.now(UTC) - made.now)
    await LedgerFile(data / "ledger.sqlite").close()
    app, scene = FastAPI(), Scene()
    scene.catchments = Catchments(cast(Judging, Judged(made.view, made.intent)), data, lambda: made.now)
    mount(app, scene, lambda: "test")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    scene.queue.put_nowait(event(1, HOSTILE))
    await running


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
