"""Independent witnesses: they decide when a fault took effect, from the kernel and from the routers' own words.

A witness is opened before the fault is injected, and asked afterwards. What it says is the time of the effect, which
is not the time of the command: a route map acts when its timer says so, a frozen neighbour is missed when its hold
time has run out. Nothing here is shared with Catchment's collector.
"""

import json
import os
import re
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Protocol

from lab import space
from lab.segments import Segment, segment

WITHIN = 30.0
"""Seconds in which an effect must be seen, or the run has failed."""
STEADY = 0.1
"""Seconds that a FIB must stay as it is to count: BIRD replaces a route by deleting it first."""

_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("qq")


class EffectNotSeen(Exception):
    """A fault was injected, or healed, and its witness saw nothing of it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a witness saw, and when (seconds since the epoch)."""

    at: float
    what: str


class Witness(Protocol):
    """Opened before, asked after, closed always."""

    name: str
    """Who it is, in words for the ground truth."""

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return the sighting; raise EffectNotSeen when there is none within so many seconds from now."""

    def close(self) -> None:
        """Stop watching."""


class FibMonitor:
    """Watches one prefix in the kernel's routing table of a namespace, through `ip monitor route`."""

    def __init__(
        self, namespace: str, prefix: IPv4Network, wanted: Callable[[frozenset[str]], bool], needs_change: bool = True
    ) -> None:
        """`wanted` judges the set of next hops; with `needs_change` a table that is so already is no effect."""
        self.name = f"FIB monitor of {namespace}"
        self._prefix, self._wanted, self._needs_change = prefix, wanted, needs_change
        command = ["ip", "-n", namespace, "-4", "-o", "-ts", "monitor", "route"]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            _await_subscription(self._child)
            self._before = next_hops(namespace, prefix)
        except BaseException:
            self.close()
            raise
        self._started = time.time()
        self._rest = b""

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return when the table became as wanted, and stayed so for `STEADY` seconds."""
        hops, deadline = self._before, time.monotonic() + within
        since = self._started if self._wanted(hops) and not self._needs_change else None
        while time.monotonic() < deadline:
            heard = self._lines(STEADY if since is not None else min(1.0, deadline - time.monotonic()))
            if not heard and since is not None and time.time() - since >= STEADY:
                return self._sighting(since, hops)
            for line in heard:
                changed = route_event(line, self._prefix)
                if changed is None:
                    continue
                if since is not None and changed[0] - since >= STEADY:
                    return self._sighting(since, hops)  # it was so for long enough before it changed again
                at, hops = changed
                since = (since or at) if self._wanted(hops) else None
        raise EffectNotSeen(
            f"the {self.name} saw no effect on {self._prefix} within {within:g} s; it is via {sorted(hops)}"
        )

    def _sighting(self, since: float, hops: frozenset[str]) -> Sighting:
        return Sighting(since, f"{self._prefix} via {', '.join(sorted(hops)) or 'nothing'}")

    def _lines(self, patience: float) -> list[str]:
        assert self._child.stdout is not None
        if not select.select([self._child.stdout], (), (), patience)[0]:
            return []
        data = os.read(self._child.stdout.fileno(), 1 << 16)
        if not data:
            raise EffectNotSeen(f"the {self.name} ended: is its namespace still there?")
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        return (whole + newline).decode(errors="replace").splitlines()

    def close(self) -> None:
        """Stop the monitor."""
        self._child.kill()
        self._child.communicate()


def _await_subscription(child: "subprocess.Popen[bytes]") -> None:
    """Wait until a monitor listens to the kernel's routes: what happens before that is not told to it."""
    deadline, pid = time.monotonic() + 5, str(child.pid)
    while time.monotonic() < deadline and child.poll() is None:
        rows = Path("/proc", pid, "net", "netlink").read_text().splitlines()[1:]
        # Columns: sk Eth Pid Groups ...; a process' first netlink socket has its pid for an address.
        if any(row.split()[2] == pid and int(row.split()[3], 16) for row in rows):
            return
        time.sleep(0.005)
    raise RuntimeError("`ip monitor route` did not come to listen to the kernel's routes; is the namespace there?")


_EVENT = re.compile(r"^\[(?P<at>[0-9T:.-]+)\] (?P<gone>Deleted )?(?:(?:unicast|blackhole) )?(?P<prefix>[0-9./]+) ")
_VIA = re.compile(r"\bvia (?:inet )?([0-9.]+)")


def route_event(line: str, prefix: IPv4Network) -> tuple[float, frozenset[str]] | None:
    """Read a line of `ip -o -ts monitor route`: when, and the prefix' next hops from then on.

    None for a line about something else. A route without a gateway counts with its device as next hop.
    """
    match = _EVENT.match(line)
    if match is None or IPv4Network(match["prefix"]) != prefix or " table " in line:
        return None
    at = datetime.fromisoformat(match["at"]).astimezone().timestamp()
    return at, frozenset() if match["gone"] else _hops(line)


def _hops(line: str) -> frozenset[str]:
    return frozenset(_VIA.findall(line) or re.findall(r"\bdev (\S+)", line))


def next_hops(namespace: str, prefix: IPv4Network) -> frozenset[str]:
    """Return the next hops of a prefix in the kernel's table now."""
    command = ["ip", "-n", namespace, "-4", "-o", "route", "show", "exact", str(prefix)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=True)
    return frozenset(hop for line in done.stdout.splitlines() for hop in _hops(line))


class PacketTap:
    """Watches TCP segments in a namespace, on all its interfaces, with the kernel's time stamps."""

    def __init__(self, namespace: str, telling: Callable[[Segment], str | None]) -> None:
        """`telling` returns what a segment shows, or None for one that shows nothing."""
        self.name = f"packet tap in {namespace}"
        self._telling = telling
        self._socket = space.inside(namespace, _open_tap)

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return when the first telling segment passed."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._socket], (), (), left)[0]:
                break
            packet, ancillary, _, _ = self._socket.recvmsg(1 << 16, socket.CMSG_SPACE(16))
            found = segment(packet)
            what = self._telling(found) if found is not None else None
            if what is not None:
                return Sighting(_stamp(ancillary), what)
        raise EffectNotSeen(f"the {self.name} saw nothing of the effect within {within:g} s")

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def _open_tap() -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))  # all protocols, no link layer
    tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    tap.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE: we read only when asked
    return tap


def _stamp(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, rest = _TIMESPEC.unpack(data)
            return float(seconds + rest / 1e9)
    return time.time()


class TableWatcher:
    """Asks a router, or the kernel, again and again until the answer is as wanted; exact to one interval."""

    def __init__(self, name: str, ask: Callable[[], str | None], interval: float = 0.1) -> None:
        """`ask` returns what shows the effect, or None; a router that does not answer shows nothing."""
        self.name = name
        self._ask, self._interval = ask, interval

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return when the answer was first as wanted."""
        deadline, trouble = time.monotonic() + within, ""
        while True:
            try:
                what = self._ask()
            except (OSError, RuntimeError, json.JSONDecodeError) as problem:
                what, trouble = None, f"; it last said: {problem}"
            if what is not None:
                return Sighting(time.time(), what)
            if time.monotonic() > deadline:
                raise EffectNotSeen(f"{self.name} showed nothing of the effect within {within:g} s{trouble}")
            time.sleep(self._interval)

    def close(self) -> None:
        """Nothing is held open between two questions."""


class Every:
    """Several witnesses: the effect is there when the last of them has seen it."""

    def __init__(self, *witnesses: Witness) -> None:
        self._witnesses = witnesses
        self.name = " and ".join(sorted({witness.name for witness in witnesses}))

    def effect(self, within: float = WITHIN) -> Sighting:
        """Return the latest of the sightings."""
        deadline = time.monotonic() + within
        seen = [witness.effect(max(0.1, deadline - time.monotonic())) for witness in self._witnesses]
        return max(seen, key=lambda sighting: sighting.at)

    def close(self) -> None:
        """Close all."""
        for witness in self._witnesses:
            witness.close()


def dropped(namespace: str, table: str) -> int:
    """Return how many packets the counters of an nftables table (family inet) have counted."""
    listed = json.loads(space.run(namespace, ["nft", "-j", "list", "table", "inet", table]).stdout)
    return sum(_packets(listed))


def _packets(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "counter" and isinstance(part, dict):
                yield int(part["packets"])
            else:
                yield from _packets(part)
    elif isinstance(value, list):
        for part in value:
            yield from _packets(part)
