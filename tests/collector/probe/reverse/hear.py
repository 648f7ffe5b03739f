"""Run in a namespace: ping a host as an NVA does for some rounds, and print what is heard there, a line each."""

import asyncio
import json
import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from anycast.plain import to_plain
from collector.probe.config.values import AgentSettings, Centre
from collector.probe.identity.keys import Key, Keys
from collector.probe.reverse.hitlist import Host
from collector.probe.reverse.reverser import Reverser
from collector.probe.reverse.settings import ReverseSettings
from collector.probe.taken import Taken


def _tell(taken: Taken) -> None:
    line = {"target": taken.target, "identity": to_plain(taken.identity), "sender": taken.detail, "rtt": taken.rtt}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def _hear(nva: str, seconds: float, anycast: str, hosts: list[str], every: float) -> None:
    agent = AgentSettings(Path("r.yaml"), nva, Centre("https://c", Path("t")), Path("d"))
    listed = tuple(Host(ip_address(host), "ams") for host in hosts)
    settings = ReverseSettings(agent, nva[:3], nva, (ip_address(anycast),), listed)
    reverser = Reverser(replace(settings, every=every, rate=1000), _tell, Keys((Key(100, "fleet", bytes(32)),)))
    reverser.open()
    try:
        async with asyncio.timeout(seconds):
            await reverser.run()
    except TimeoutError:
        sys.stderr.write(json.dumps({"sent": reverser.health().sent, "refused": dict(reverser.refused)}) + "\n")


if __name__ == "__main__":
    asyncio.run(_hear(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[5:], float(sys.argv[4])))
