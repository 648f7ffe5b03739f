"""The prober as a whole: its cap, its own lag, its clocks, and its end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anycast.probe import Outcome, Probe
from collector.probe.agent.clock import Clock
from collector.probe.agent.loop import Prober
from collector.probe.config.values import HttpProbe, Probes, TcpProbe, UdpProbe
from tests.collector.probe.agent.probers import KEYS, SOURCE, asked, probing, responder, settings


def flows(port: int, flows: int, every: float) -> Probes:
    return Probes(udp=UdpProbe(port, SOURCE, flows, every, 0.0))


async def test_no_more_is_sent_than_the_cap_allows_and_the_rest_is_counted() -> None:
    async with responder() as ports, probing(asked(flows(ports.udp, 40, 0.1)), cap=100.0) as agent:
        await asyncio.sleep(1.0)
        agent.prober.health()
        before = len(agent.taken)
        await asyncio.sleep(2.0)
        health, results = agent.prober.health(), len(agent.taken) - before
    assert 170 <= health.sent <= 230
    assert 150 <= results <= 230
    assert 500 <= health.unsent <= 700  # 400 a second are due


async def test_under_the_cap_all_is_sent() -> None:
    async with responder() as ports, probing(asked(flows(ports.udp, 10, 0.1)), cap=120.0) as agent:
        await asyncio.sleep(2.0)
        health = agent.prober.health()
    assert health.unsent == 0
    assert health.sent >= 150


async def test_a_loop_that_stands_still_taints_what_was_under_way_and_counts_what_was_not_sent() -> None:
    async with responder() as ports, probing(asked(flows(ports.udp, 8, 0.1)), lag=0.02) as agent:
        await agent.until(Probe.UDP, count=40)
        agent.prober.health()
        before = len(agent.taken)
        time.sleep(0.6)
        ended = time.monotonic_ns()
        await agent.until(Probe.UDP, count=len(agent.taken) + 80)
        health = agent.prober.health()
        await agent.until(Probe.UDP, count=len(agent.taken) + 40)
        calm = agent.prober.health()
    meanwhile = [one for one in agent.taken[before:] if one.mono < ended - 10_000_000]
    after = [one for one in agent.taken if one.mono > ended + 400_000_000]
    assert meanwhile
    assert all(one.tainted for one in meanwhile)
    assert after
    assert sum(one.tainted for one in after) < len(after) / 2
    assert health.lag > 400_000_000
    assert health.tainted > 0.2
    assert health.unsent >= 8 * 4
    assert calm.tainted < health.tainted


async def test_an_answer_that_waited_for_a_late_loop_is_no_loss() -> None:
    """The responder is a process of its own; our loop stands still for longer than the time limit."""
    command = [sys.executable, "-m", "tests.collector.probe.agent.far", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]) as far:
        try:
            assert far.stdout is not None
            port = int(far.stdout.readline().split()[0])
            async with probing(asked(flows(port, 20, 0.5)), timeout=0.2) as agent:
                await agent.until(Probe.UDP, count=20)
                for _ in range(4):
                    time.sleep(0.5)
                    await asyncio.sleep(0.1)
                await agent.until(Probe.UDP, count=len(agent.taken) + 20)
        finally:
            far.kill()
    lost = agent.of(Probe.UDP, Outcome.SILENT, Outcome.LATE)
    assert len(lost) <= len(agent.taken) * 0.02


async def test_a_step_of_the_wall_clock_is_told_and_changes_no_round_trip() -> None:
    stepped = 0
    clock = Clock(time.monotonic_ns, lambda: time.time_ns() + stepped)
    async with responder() as ports, probing(asked(flows(ports.udp, 4, 0.05)), clock=clock) as agent:
        await agent.until(Probe.UDP, count=20)
        assert agent.prober.health().step == 0
        stepped = 3_600_000_000_000
        await agent.until(Probe.UDP, count=len(agent.taken) + 20)
        told = agent.prober.health().step
        stepped = -7_200_000_000_000
        await agent.until(Probe.UDP, count=len(agent.taken) + 20)
        back = agent.prober.health().step
        still = agent.prober.health().step
    assert abs(told - 3_600_000_000_000) < 5_000_000
    assert abs(back + 10_800_000_000_000) < 5_000_000
    assert still == 0
    assert {one.outcome for one in agent.taken} == {Outcome.ANSWERED}
    assert all(one.rtt and 0 < one.rtt < 200_000_000 for one in agent.taken)


async def test_an_error_of_our_own_ends_the_agent_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wrong(self: object) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr("collector.probe.agent.http.Page._probe", wrong)
    probes = Probes(http=HttpProbe("http://svc.example:9/", 0.1), tcp=TcpProbe(9, 0.1))
    prober = Prober(settings(asked(probes)), lambda taken: None, KEYS)
    with pytest.raises(AssertionError, match="a defect"):
        await asyncio.wait_for(prober.run(), 5)
    assert prober.sockets == 0


async def test_an_error_while_sending_ends_the_agent_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: object) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr("collector.probe.agent.tcp.Handshake.fire", wrong)
    prober = Prober(settings(asked(Probes(tcp=TcpProbe(9, 0.1)))), lambda taken: None, KEYS)
    with pytest.raises(AssertionError, match="a defect"):
        await asyncio.wait_for(prober.run(), 5)


async def test_no_descriptor_is_left_after_the_end() -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with responder() as ports:
        within = len(os.listdir("/proc/self/fd"))
        probes = Probes(udp=UdpProbe(ports.udp, SOURCE, 8, 0.1, 50.0), tcp=TcpProbe(ports.echo, 0.05))
        async with probing(asked(probes)) as agent:
            await agent.until(Probe.UDP, count=30)
        await asyncio.sleep(0.2)
        assert len(os.listdir("/proc/self/fd")) <= within + 1
    assert before <= within


def test_a_stopped_process_taints_what_it_took() -> None:
    """SIGSTOP and SIGCONT, as a starved machine does to a process."""
    program = """
import asyncio, sys
from collector.probe.config.values import Probes, UdpProbe
from tests.collector.probe.agent.probers import SOURCE, asked, probing, responder
async def main():
    probes = lambda ports: Probes(udp=UdpProbe(ports.udp, SOURCE, 8, 0.1, 0.0))
    async with responder() as ports, probing(asked(probes(ports)), lag=0.02) as agent:
        await asyncio.sleep(0.7)
        agent.prober.health()
        sys.stdout.write("ready\\n"); sys.stdout.flush()
        await asyncio.sleep(1.5)
        health = agent.prober.health()
        sys.stdout.write(f"{health.lag} {sum(one.tainted for one in agent.taken)} {health.unsent}\\n")
asyncio.run(main())
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        process.send_signal(signal.SIGCONT)
        lag, tainted, unsent = map(int, process.stdout.readline().split())
    assert lag > 600_000_000
    assert tainted > 0
    assert unsent >= 8 * 5
