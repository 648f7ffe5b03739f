"""A delay line in userspace, for kernels without netem: frames go in at one interface and out at another, later.

    python -m lab.delay --wires wires.json --report lateness.json

One process carries all wires of a lab. A wire joins two interfaces, each in a namespace of its own choice, with a
constant delay for each direction, so a direction is a queue and needs no heap. A frame's delay counts from the kernel's
receive stamp, not from when Python came round to read it, and lateness is what is over at the moment the frame is out.

What is wrong with a wire (jitter, loss, another delay) stands in the same file, which is read again on SIGHUP. Jitter
keeps the order of frames, as a queue does.

The frames must be as they would be on a wire: `lab.space.offloads_off` on the interfaces at the far ends (the ones with
addresses), else TCP hands over segments of 64 KiB with checksums that nobody will finish. Such frames are counted, and
make the run void, like lateness does.
"""

import argparse
import ctypes
import gc
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import space
from lab.lateness import Lateness, Report

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 1, 6, 8, 23
PACKET_MR_PROMISC = 1
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
CHECKSUM_NOT_READY = 1 << 3  # TP_STATUS_CSUMNOTREADY of packet(7)
LONGEST = 2048  # octets of a frame: 1500 and its headers, with room; a longer one is an offload left on
BATCH = 64  # frames read from one socket before the due ones are sent
RECEIVE_BUFFER = 4 << 20  # a second of 30 Mbit/s, should we be kept from the processor
PATIENCE = 0.25  # seconds: how late a signal may be noticed
MARGIN = 200_000  # ns awake before a frame is due: a virtual machine wakes 50 to 180 us late, and with cold caches
_TIMESPEC = struct.Struct("qq")
_ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(20)
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a wire: an interface, and the name of the namespace it lives in."""

    namespace: str
    interface: str


@dataclass(frozen=True, slots=True)
class Wire:
    """Two interfaces and how long a frame takes each way, in microseconds."""

    name: str
    a: End
    b: End
    a_to_b_us: int
    b_to_a_us: int
    jitter_us: int = 0
    """Each frame takes up to this much longer, evenly spread, both ways."""
    loss: float = 0.0
    """The part of the frames that never arrive, 0 to 1, both ways."""


def open_end(end: End) -> socket.socket:
    """Return a packet socket that sees every frame arriving at an interface, with the kernel's receive stamps."""
    return space.inside(end.namespace, lambda: _listen(end.interface))


def _listen(interface: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # deaf until bound
    tap.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    tap.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    membership = struct.pack("iHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, b"")
    tap.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
    tap.bind((interface, ETH_P_ALL))
    tap.setblocking(False)
    return tap


@dataclass
class Direction:
    """One way through a wire: frames wait here in order of arrival, which with a constant delay is order of sending."""

    source: socket.socket
    target: socket.socket
    delay_ns: int
    lateness: Lateness
    jitter_ns: int = 0
    loss: float = 0.0
    last_due: int = 0
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)

    def take(self) -> None:
        """Read what has arrived, at most a batch."""
        behind = time.time_ns() - time.monotonic_ns()  # the stamps are wall time; we wait on a clock that never steps
        for _ in range(BATCH):
            try:
                frame, ancillary, flags, _ = self.source.recvmsg(LONGEST, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError:
                self.lateness.undeliverable += 1  # the interface went down (ENETDOWN, said once); it may come back
                return
            now = time.monotonic_ns()
            arrived = now
            for level, kind, data in ancillary:
                if level == SOL_PACKET and data[0] & CHECKSUM_NOT_READY:
                    self.lateness.unfinished += 1
                elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, rest = _TIMESPEC.unpack(data)
                    arrived = seconds * 1_000_000_000 + rest - behind
            if flags & socket.MSG_TRUNC:
                self.lateness.unfinished += 1
                continue
            if not now - 1_000_000_000 < arrived <= now:
                arrived = now  # the wall clock was stepped between stamp and reading
            if self.loss and random.random() < self.loss:
                self.lateness.let_go += 1
                continue
            due = arrived + self.delay_ns
            if self.jitter_ns:
                due += int(random.random() * self.jitter_ns)
            self.last_due = due = max(due, self.last_due)
            self.waiting.append((due, frame))

    def become(self, delay_us: int, wire: Wire) -> None:
        """Carry frames from now on as `wire` says; what waits already goes as it was meant to."""
        self.delay_ns, self.jitter_ns, self.loss = delay_us * 1000, wire.jitter_us * 1000, wire.loss

    def give(self, now: int) -> None:
        """Send every frame that is due."""
        waiting = self.waiting
        while waiting and waiting[0][0] <= now:
            due, frame = waiting.popleft()
            try:
                self.target.send(frame)
            except OSError:
                self.lateness.undeliverable += 1  # the far interface is down or full: a wire loses such a frame, too
                continue
            now = time.monotonic_ns()
            self.lateness.add(now - due)


@dataclass
class Line:
    """All wires of a lab, and how late they were."""

    directions: list[Direction]
    """Two for each wire, in the order of the wires: a to b, b to a."""
    lateness: Lateness
    started: float
    scheduler: str = "other"
    stopping: bool = False
    changed: Path | None = None
    """A file to read the wires from again, before the next frame."""
    processor: float = field(default_factory=time.process_time)
    """Seconds of processor time used before the first frame."""

    def run(self) -> None:
        """Carry frames until `stopping`."""
        by_socket = {direction.source: direction for direction in self.directions}
        sources = list(by_socket)
        while not self.stopping:
            if self.changed is not None:
                self.become(wires_of(self.changed.read_text()))
                self.changed.with_suffix(".at").write_text(f"{time.time()}\n")
                self.changed = None
            for source in select.select(sources, (), (), self._wait())[0]:
                by_socket[source].take()
            self._linger()
            now = time.monotonic_ns()
            for direction in self.directions:
                direction.give(now)

    def become(self, wires: Sequence[Wire]) -> None:
        """Take the same wires with other delays, jitter and loss. Raises ValueError when they are not the same."""
        if 2 * len(wires) != len(self.directions):
            raise ValueError(f"{len(wires)} wires are not the {len(self.directions) // 2} that this line carries")
        for number, wire in enumerate(wires):
            self.directions[2 * number].become(wire.a_to_b_us, wire)
            self.directions[2 * number + 1].become(wire.b_to_a_us, wire)

    def _nearest(self) -> int | None:
        return min((direction.waiting[0][0] for direction in self.directions if direction.waiting), default=None)

    def _wait(self) -> float:
        nearest = self._nearest()
        if nearest is None:
            return PATIENCE
        return min(PATIENCE, max(0, nearest - MARGIN - time.monotonic_ns()) / 1e9)

    def _linger(self) -> None:
        nearest = self._nearest()
        if nearest is not None and nearest - time.monotonic_ns() < MARGIN:
            while time.monotonic_ns() < nearest:
                pass

    def report(self) -> Report:
        """Return what happened since the start. Reading the kernel's drop counters resets them, so one reader only."""
        for direction in self.directions:
            packed = direction.source.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
            self.lateness.dropped += struct.unpack("II", packed)[1]
        used = time.process_time() - self.processor
        return self.lateness.report(self.started, time.time(), used, self.scheduler)


def open_line(wires: Sequence[Wire]) -> Line:
    """Open every wire. Raises OSError naming the interface that could not be had."""
    lateness, directions = Lateness(), []
    for wire in wires:
        a, b = _open(wire.a), _open(wire.b)
        directions.append(Direction(a, b, wire.a_to_b_us * 1000, lateness))
        directions.append(Direction(b, a, wire.b_to_a_us * 1000, lateness))
    line = Line(directions, lateness, time.time())
    line.become(wires)
    return line


def _open(end: End) -> socket.socket:
    try:
        return open_end(end)
    except OSError as problem:
        raise OSError(problem.errno, f"wire end {end.namespace}/{end.interface}: {problem.strerror}") from problem


def hurry() -> str:
    """Ask for real-time scheduling and exact timers; return which scheduler was granted."""
    _libc.prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK: 1 ns in place of 50 us
    sys.setswitchinterval(0.0001)
    gc.collect()
    gc.freeze()
    gc.disable()  # nothing here makes cycles, and a collection is a pause
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return "other"
    return "fifo"


def wires_of(text: str) -> tuple[Wire, ...]:
    """Read wires: a JSON list of {"name", "a": [namespace, interface], "b": ..., "us": [a to b, b to a]}, and where a
    wire is not well "jitter_us" and "loss"."""
    value: list[Mapping[str, Any]] = json.loads(text)
    return tuple(map(_wire_of, value))


def _wire_of(one: Mapping[str, Any]) -> Wire:
    there, back = one["us"]
    jitter, loss = int(one.get("jitter_us", 0)), float(one.get("loss", 0))
    return Wire(one["name"], End(*one["a"]), End(*one["b"]), there, back, jitter, loss)


def text_of(wires: Sequence[Wire]) -> str:
    """Write wires as `wires_of` reads them."""
    return json.dumps(
        [
            {
                "name": wire.name,
                "a": [wire.a.namespace, wire.a.interface],
                "b": [wire.b.namespace, wire.b.interface],
                "us": [wire.a_to_b_us, wire.b_to_a_us],
                "jitter_us": wire.jitter_us,
                "loss": wire.loss,
            }
            for wire in wires
        ],
        indent=1,
    )


def _report_each_second(line: Line, path: Path) -> None:
    while not line.stopping:
        time.sleep(1.0)
        line.report().write(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and carry frames until a signal."""
    parser = argparse.ArgumentParser(prog="python -m lab.delay", description="Delay frames between interfaces.")
    parser.add_argument("--wires", type=Path, required=True, metavar="FILE")
    parser.add_argument("--report", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    line = open_line(wires_of(options.wires.read_text()))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(line, "stopping", True))
    signal.signal(signal.SIGHUP, lambda *_: setattr(line, "changed", options.wires))
    line.scheduler = hurry()
    # A thread, for a file may block; and the first report at once, as the sign that the wires are up.
    line.report().write(options.report)
    reporter = threading.Thread(target=_report_each_second, args=(line, options.report))
    reporter.start()
    line.run()
    reporter.join()


if __name__ == "__main__":
    main()
