"""pmacct's BMP daemon, fed over loopback.

It is asked for as little as it can be: it decodes into its routing table and writes no line anywhere. It has taken
everything when our socket's send queue is empty, so that TCP has acknowledged all, and its processor time then does
not rise for a third of a second; that third is not counted. It is one process and one thread, on the core on which the
others run; we send from the other one, which is not counted either.
"""

import fcntl
import os
import socket
import subprocess
import tempfile
import termios
import time
from pathlib import Path

from benchmarks.timed import CORE, LIMIT, Failed, Took, peak_of

QUIET = 0.3
CONFIG = """\
daemonize: false
bmp_daemon_ip: 127.0.0.1
bmp_daemon_port: {port}
bmp_daemon_max_peers: 4
pidfile: {folder}/pid
"""


def fed(path: Path) -> Took:
    """Start it, send it a file, and end it; returns what the file alone cost."""
    with tempfile.TemporaryDirectory(prefix="catchment-pmbmpd-") as folder:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        config = Path(folder) / "conf"
        config.write_text(CONFIG.format(port=port, folder=folder))
        argv = ["taskset", "-c", str(CORE), "pmbmpd", "-f", str(config)]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as child:
            try:
                return _sent(child.pid, _connection(port), path.read_bytes())
            finally:
                child.kill()  # it does not heed SIGTERM while a router is connected


def _connection(port: int) -> socket.socket:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise Failed("pmbmpd does not listen")


def _sent(pid: int, connection: socket.socket, octets: bytes) -> Took:
    time.sleep(0.2)
    before, begun = _used(pid), time.perf_counter()
    with connection:
        connection.sendall(octets)
        while _unsent(connection):
            time.sleep(0.001)
        used, quiet, ended = _used(pid), time.perf_counter(), time.perf_counter()
        while time.perf_counter() - quiet < QUIET:
            time.sleep(0.005)
            if (now := _used(pid)) > used:
                used, quiet = now, time.perf_counter()
                ended = quiet
            if time.perf_counter() - begun > LIMIT:
                raise Failed("pmbmpd does not come to rest")
        return Took(ended - begun, used - before, peak_of(pid), "")


def _unsent(connection: socket.socket) -> int:
    return int.from_bytes(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)), "little")


def _used(pid: int) -> float:
    """Seconds of processor time so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
