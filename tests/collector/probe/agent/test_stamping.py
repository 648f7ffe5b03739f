"""Stamps are those of arrival before the first probe is sent, also where nobody asked for any yet."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from collector.probe.agent.stamping import Stamping
from tests import needs

PROGRAM = """
import asyncio, sys
from collector.probe.config.values import IcmpProbe, Probes
from tests.collector.probe.agent.probers import asked, probing
async def main():
    async with probing(*(asked(Probes(icmp=IcmpProbe(0.5)), f"127.0.0.{n}", f"svc{n}") for n in range(1, 40))) as agent:
        await asyncio.sleep(1.0)
    rtts = sorted(one.rtt for one in agent.taken if one.rtt)
    sys.stdout.write(f"{len(rtts)} {rtts[len(rtts) // 2] if rtts else 0} {agent.prober.health().lacking}")
asyncio.run(main())
"""


async def test_stamping_begins() -> None:
    stamping = Stamping()
    try:
        assert await stamping.begin()
    finally:
        stamping.close()


@pytest.mark.lab
@pytest.mark.parametrize("loopback", [True, False], ids=["with loopback", "without"])
def test_the_first_round_trips_have_no_lag_of_ours_in_them(loopback: bool) -> None:
    """Among 39 targets that are asked once or twice, in a namespace of their own; the loop sleeps for up to 40 ms."""
    needs.root()
    up = "ip link set lo up; " if loopback else ""
    done = subprocess.run(
        [needs.tool("unshare", "util-linux"), "--net", "sh", "-c", f"{up}exec {sys.executable} -c '{PROGRAM}'"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    count, middle, lacking = done.stdout.split(" ", 2)
    if not loopback:
        assert "no stamps of the kernel" in lacking
        return
    assert int(count) >= 39
    assert int(middle) < 2_000_000
    assert lacking == "()"


def test_where_nothing_can_be_tried_it_is_said() -> None:
    async def begun() -> bool:
        stamping = Stamping()
        stamping.close()
        return await stamping.begin()

    assert not asyncio.run(begun())
