"""The API of where sites land on a Unix socket in a data folder: `python -m tests.pipeline.landed FOLDER`.

A simulated network's agents filled the view, and the journal until now; nyc's agent is hostile.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from tests.dashboards.serving import world
from tests.pipeline.landing import api


async def main(data: Path) -> None:
    """Serve until killed."""
    made = world()
    made.agents[1].alive = False
    made.run(12)
    with api(made, data, datetime.now(UTC) - made.now - timedelta(seconds=2)) as app:
        server = uvicorn.Server(uvicorn.Config(app, uds=str(data / "catchment.sock"), log_level="error"))
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.05)
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        await running


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
