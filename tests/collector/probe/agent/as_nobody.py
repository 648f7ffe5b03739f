"""A prober without rights, as a process: python -m tests.collector.probe.agent.as_nobody ADDRESS UDP_PORT

Says as JSON what it cannot do, and how each probe ended.
"""

import asyncio
import json
import os
import sys

from collector.probe.config.values import IcmpProbe, MtuProbe, Probes, TcpProbe, TraceProbe, UdpProbe
from tests.collector.probe.agent.probers import SOURCE, asked, probing


async def probe() -> None:
    """Ask everything that may need a right, for two seconds."""
    probes = Probes(
        icmp=IcmpProbe(0.2),
        udp=UdpProbe(int(sys.argv[2]), SOURCE, 1, 0.2, 0.0),
        tcp=TcpProbe(9, 0.2),
        mtu=MtuProbe(0.3, (1400,)),
        trace=TraceProbe(0.5, 1, 6),
    )
    async with probing(asked(probes, sys.argv[1])) as agent:
        await asyncio.sleep(2)
    ended: dict[str, list[str]] = {}
    for one in agent.taken:
        ended.setdefault(one.probe, []).append(one.outcome)
    hops = [one.hops for one in agent.taken if one.hops]
    said = {"uid": os.getuid(), "lacking": agent.prober.health().lacking, "hops": hops[0] if hops else []}
    json.dump(said | {"ended": {probe: sorted(set(how)) for probe, how in ended.items()}}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(probe())
