"""The real responder as a process, in another namespace: python -m tests.collector.probe.agent.far ADDRESS"""

import asyncio
import sys

from tests.collector.probe.agent.probers import responder


async def answer() -> None:
    """Answer until killed; say where first."""
    async with responder(address=sys.argv[1], allowed="0.0.0.0/0") as ports:
        sys.stdout.write(f"{ports.udp} {ports.http} {ports.echo}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(answer())
