"""Four namespaces in a row: us, two routers, and the far end with an anycast address. Only root may make them.

us 198.18.1.2 -- 198.18.1.1 r1 198.18.2.1 -- 198.18.2.2 r2 198.18.3.1 -- 198.18.3.2 far (203.0.113.1)
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests import needs
from tests.collector.probe.agent.probers import Ports

SERVICE, R1, R2, FAR = "203.0.113.1", "198.18.1.1", "198.18.2.2", "198.18.3.2"
SERVICE_6, R1_6, R2_6 = "fd00:ff::1", "fd00:1::1", "fd00:2::2"
"""The same in IPv6: fd00:1::/64 to fd00:3::/64, with the same last numbers."""
NET = 0x40000000
"""CLONE_NEWNET."""


@dataclass(frozen=True)
class Hosts:
    """The namespaces' names."""

    us: str
    r1: str
    r2: str
    far: str

    def run(self, host: str, *command: str) -> None:
        """Run a command on a host."""
        subprocess.run(["ip", "netns", "exec", host, *command], check=True, capture_output=True)

    def nft(self, host: str, hook: str, rule: str) -> None:
        """Let a host do something to what passes a hook."""
        table = f"add table inet t; add chain inet t {hook} {{ type filter hook {hook} priority 0; }}; "
        self.run(host, "nft", table + f"add rule inet t {hook} {rule}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def in_a_row() -> Iterator[Hosts]:
    """Make them, and take them away afterwards."""
    needs.root()
    needs.tool("nft", "nftables")
    hosts = Hosts(*(f"catchment-probe-{os.getpid()}-{name}" for name in ("us", "r1", "r2", "far")))
    row = (hosts.us, hosts.r1, hosts.r2, hosts.far)
    try:
        for host in row:
            _run("ip", "netns", "add", host)
            _run("ip", "-n", host, "link", "set", "lo", "up")
            hosts.run(host, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0")
            hosts.run(host, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", "net.ipv6.icmp.ratelimit=0")
            hosts.run(host, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        for number, (left, right) in enumerate(pairwise(row), 1):
            _run(*f"ip -n {left} link add r{number} type veth peer name l{number} netns {right}".split())
            ends = ((left, f"r{number}", 2 if number == 1 else 1), (right, f"l{number}", 1 if number == 1 else 2))
            for host, link, last in ends:
                _run("ip", "-n", host, "addr", "add", f"198.18.{number}.{last}/24", "dev", link)
                _run("ip", "-n", host, "addr", "add", f"fd00:{number}::{last}/64", "dev", link, "nodad")
                _run("ip", "-n", host, "link", "set", link, "up")
        _run("ip", "-n", hosts.far, "addr", "add", f"{SERVICE}/32", "dev", "lo")
        _run("ip", "-n", hosts.far, "addr", "add", f"{SERVICE_6}/128", "dev", "lo")
        for host, way in ((hosts.us, R1), (hosts.r1, R2), (hosts.far, "198.18.3.1")):
            _run("ip", "-n", host, "route", "add", "default", "via", way)
        _run("ip", "-n", hosts.r2, "route", "add", "198.18.1.0/24", "via", "198.18.2.1")
        _run("ip", "-n", hosts.r2, "route", "add", f"{SERVICE}/32", "via", FAR)
        for host, way in ((hosts.us, R1_6), (hosts.r1, R2_6), (hosts.far, "fd00:3::1")):
            _run("ip", "-n", host, "route", "add", "default", "via", way)
        _run("ip", "-n", hosts.r2, "route", "add", "fd00:1::/64", "via", "fd00:2::1")
        _run("ip", "-n", hosts.r2, "route", "add", f"{SERVICE_6}/128", "via", "fd00:3::2")
        yield hosts
    finally:
        for host in row:
            subprocess.run(["ip", "netns", "del", host], capture_output=True, check=False)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Let this thread open its sockets in a namespace."""
    was = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(was)
        os.close(there)
        os.close(was)


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, NET):
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def answering(host: str, address: str) -> Iterator[Ports]:
    """Run the responder on a host."""
    command = ["ip", "netns", "exec", host, sys.executable, "-m", "tests.collector.probe.agent.far", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]) as process:
        try:
            assert process.stdout is not None
            yield Ports(*map(int, process.stdout.readline().split()))
        finally:
            process.kill()


@contextmanager
def echoing(host: str, how: str, own: str, other: str) -> Iterator[None]:
    """Let a host answer echo requests in a wrong way."""
    command = ["ip", "netns", "exec", host, sys.executable, "-m", "tests.collector.probe.agent.echoes", how, own, other]
    subprocess.run(
        ["ip", "netns", "exec", host, "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"],
        check=True,
        capture_output=True,
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "answers\n"
            yield
        finally:
            process.kill()
