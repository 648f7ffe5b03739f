"""A router that falls silent without a word: in a network namespace of its own, whose packets nftables drops."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycast.observation import Announced, FeedLost, FeedOpened, LostReason
from collector.bmp.connection import reason_of
from tests import needs
from tests.collector.bmp import streams as s
from tests.collector.bmp.stations import eventually, running

HERE, THERE = "198.51.100.1", "198.51.100.2"


def test_silence_and_resets_have_their_own_words() -> None:
    assert reason_of(None)[0] is LostReason.CLOSED
    assert reason_of(TimeoutError(110, "timed out"))[0] is LostReason.SILENT
    assert reason_of(OSError(113, "no route to host"))[0] is LostReason.SILENT
    assert reason_of(ConnectionResetError(104, "reset"))[0] is LostReason.RESET


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def silent_host() -> Iterator[str]:
    """A namespace for the router; the station gets one of its own, too: nothing of the host is used."""
    needs.root()
    needs.tool("nft", "nftables")
    name = f"bulk-silent-{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        yield name
    finally:
        run("ip", "netns", "del", name)


def router_code(port: int) -> str:
    """A router in the other namespace: connects, sends what is on stdin, and waits."""
    return (
        "import socket, sys, time\n"
        f"c = socket.create_connection(('{HERE}', {port}))\n"
        "c.sendall(sys.stdin.buffer.read()); print('sent', flush=True); time.sleep(120)\n"
    )


@pytest.mark.lab
@pytest.mark.timeout(120)
async def test_a_silent_router_is_recognised_within_thirty_seconds(silent_host: str, tmp_path: Path) -> None:
    ours = f"{silent_host}-us"
    run("ip", "netns", "add", ours)
    try:
        run("ip", "-n", ours, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", silent_host)
        for namespace, link, address in ((ours, "v0", HERE), (silent_host, "v1", THERE)):
            run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", link)
            run("ip", "-n", namespace, "link", "set", link, "up")
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        listening = listen_in(ours)
        async with running(exporters=[(f"{THERE}/32", "edge1")]) as station:
            _, port = await station.station.serve(listening)
            router = await asyncio.create_subprocess_exec(
                *("ip", "netns", "exec", silent_host, "python3", "-c", router_code(port)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert router.stdin is not None
            assert router.stdout is not None
            router.stdin.write(s.initiation() + s.peer_up() + s.announce("10.0.0.0/24"))
            router.stdin.close()
            await eventually(lambda: station.of(Announced))
            await asyncio.sleep(12)  # longer than the first keepalive: answered, so not silent
            assert station.of(FeedLost) == []
            cut = time.monotonic()
            rules = "add table inet cut; add chain inet cut in { type filter hook input priority 0; policy drop; }"
            run("ip", "netns", "exec", silent_host, "nft", rules)
            await eventually(lambda: station.of(FeedLost), 35)
            assert time.monotonic() - cut < 30
            assert station.of(FeedLost)[0].reason is LostReason.SILENT
            assert len(station.of(FeedOpened)) == 1
            router.kill()
            await router.wait()
    finally:
        run("ip", "netns", "del", ours)


def listen_in(namespace: str) -> socket.socket:
    """Open a listening socket in another network namespace, as the daemon is handed one."""
    from_here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        os_setns(there)
        return socket.create_server(("0.0.0.0", 0))
    finally:
        os_setns(from_here)
        os.close(there)
        os.close(from_here)


def os_setns(descriptor: int) -> None:
    """setns(2); Python has it from 3.12 on."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x4000_0000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")
