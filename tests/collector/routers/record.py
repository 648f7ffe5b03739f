"""Make the dumps again: python -m tests.collector.routers.record (as root, with every router installed; two minutes).

Namespaces `rd*` are made and deleted. The speakers stand on a bridge in `rdspeak`, each router behind a cable of its
own. Everything that a router writes, sends over BMP or hears is kept, compressed, in the folder beside this file.
"""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab import space
from tests.collector.routers import daemons
from tests.collector.routers.daemons import BIRD, FRR, FRR_BMP, GOBGP, GOBGP_BMP, OPENBGPD, RECORDER, ROUTERS
from tests.collector.routers.said import SPEAKERS
from tests.collector.routers.speaking import Session

DUMPS: Final = Path(__file__).parent / "dumps"
SPEAKERS_SPACE: Final = "rdspeak"
SPACES: Final = (SPEAKERS_SPACE, *(router.namespace for router in ROUTERS))
JAIL: Final = Path("/run/openbgpd")
"""Where OpenBGPD locks itself in; Debian's package leaves it to be made."""
SEARCHED: Final = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr", "LANG": "C.UTF-8"}


def cable() -> None:
    """Make the namespaces, the bridge and its cables."""
    space.delete(SPACES)
    space.create(SPACES)
    here = ["link add br0 type bridge", "link set br0 up", f"addr add {RECORDER}/24 dev br0"]
    here += [
        f"addr add {each.address}/{64 if ':' in each.address else 24} dev br0 nodad"[
            : None if ":" in each.address else -6
        ]
        for each in SPEAKERS
    ]
    here.append("addr add 2001:db8:9::1/64 dev br0 nodad")
    space.batch(here, SPEAKERS_SPACE)
    for router in ROUTERS:
        space.batch(
            [
                f"link add to{router.name} type veth peer name eth0 netns {router.namespace}",
                f"link set to{router.name} master br0 up",
            ],
            SPEAKERS_SPACE,
        )
        space.batch(
            ["link set eth0 up", f"addr add {router.address}/24 dev eth0", f"addr add {router.six}/64 dev eth0 nodad"],
            router.namespace,
        )
        space.offloads_off(router.namespace, ["eth0"])
    space.offloads_off(SPEAKERS_SPACE, ["br0"])


class Running:
    """The processes that were started here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, namespace: str, name: str, *argv: str, **environment: str) -> None:
        """Start a program inside a namespace, its words in a file."""
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(
                space.entering(namespace, argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=SEARCHED | environment,
            )
        self._children.append(child)

    def end(self) -> None:
        """End them all, the youngest first."""
        for child in reversed(self._children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def routers(running: Running) -> None:
    """Start every router, what listens to it, and ExaBGP."""
    folder = running.folder
    for name, text in (
        ("frr", daemons.frr),
        ("bird", daemons.bird),
        ("gobgp", daemons.gobgp),
        ("openbgpd", daemons.openbgpd),
        ("exabgp", daemons.exabgp),
    ):
        (folder / f"{name}.conf").write_text(text(folder))
    (folder / "openbgpd.conf").chmod(0o600)
    (folder / "zebra.conf").write_text("")
    for router in ROUTERS:  # what routers say to each other is long, and in their dumps
        others = "".join(f" and not host {other.address}" for other in ROUTERS if other is not router)
        capture = ("tcpdump", "-Z", "root", "-i", "eth0", "-s", "0", "-U", "-w", f"{folder}/{router.name}.pcap")
        running.start(router.namespace, f"tcpdump-{router.name}", *capture, f"tcp port 179{others}")
    quagga = [
        "-i",
        f"{folder}/%.pid",
        "-z",
        f"{folder}/zserv.api",
        "--vty_socket",
        str(folder),
        "-A",
        "127.0.0.1",
        "-P",
        "0",
        "--log",
        "stdout",
    ]
    for entry in (folder, folder / "frr.conf", folder / "zebra.conf"):
        shutil.chown(entry, "frr", "frr")
    running.start(
        FRR.namespace,
        "zebra",
        "/usr/lib/frr/zebra",
        "-f",
        f"{folder}/zebra.conf",
        *[word.replace("%", "zebra") for word in quagga],
    )
    time.sleep(2)
    running.start(
        FRR.namespace,
        "frr",
        "/usr/lib/frr/bgpd",
        "-M",
        "bmp",
        "-f",
        f"{folder}/frr.conf",
        *[word.replace("%", "bgpd") for word in quagga],
    )
    running.start(BIRD.namespace, "bird", "bird", "-f", "-c", f"{folder}/bird.conf", "-s", f"{folder}/bird.ctl")
    running.start(GOBGP.namespace, "gobgp", "gobgpd", "-f", f"{folder}/gobgp.conf", "--pprof-disable")
    JAIL.mkdir(exist_ok=True)
    running.start(OPENBGPD.namespace, "openbgpd", "/usr/sbin/bgpd", "-d", "-f", f"{folder}/openbgpd.conf")
    time.sleep(3)
    running.start(
        SPEAKERS_SPACE,
        "exabgp",
        "exabgp",
        str(folder / "exabgp.conf"),
        **{"exabgp.daemon.user": "root", "exabgp.api.cli": "false"},
    )


def recorder(port: int, path: Path) -> threading.Thread:
    """Keep what one exporter sends, of its first connection."""
    listener = space.listening_socket(SPEAKERS_SPACE, RECORDER, port)

    def keep() -> None:
        with listener, path.open("wb") as file:
            line, _ = listener.accept()
            with line:
                while data := line.recv(1 << 16):
                    file.write(data)
                    file.flush()

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    return thread


def round_of_sessions(during: Callable[[], None]) -> None:
    """Bring every session up, let everything be said, do something, and end the sessions with a NOTIFICATION."""
    sessions = [
        Session(each, router.six if ":" in each.address else router.address, router.asn, router is not OPENBGPD)
        for router in ROUTERS
        for each in SPEAKERS
    ]

    def begin() -> None:
        for session in sessions:
            session.start()

    space.inside(SPEAKERS_SPACE, begin)
    during()
    for session in sessions:
        session.enough()
    for session in sessions:
        session.join(15)
        if session.ended:
            sys.stderr.write(f"{session.name}: {session.ended}\n")


def vtysh(folder: Path, *lines: str) -> None:
    """Have FRR's bgpd take lines."""
    argv = ["vtysh", "--vty_socket", str(folder), "-d", "bgpd"]
    for line in lines:
        argv += ["-c", line]
    space.run(FRR.namespace, argv)


def record(folder: Path) -> None:
    """Run all of it, with what is written in `folder`."""
    running = Running(folder)
    cable()
    try:
        for port, name in ((FRR_BMP, "frr"), (GOBGP_BMP, "gobgp")):
            recorder(port, folder / f"{name}.bmp")
        routers(running)
        round_of_sessions(lambda: time.sleep(15))
        time.sleep(3)
        vtysh(
            folder,
            "configure",
            "no dump bgp all",
            "no dump bgp updates-et",
            f"dump bgp all-et {folder}/frr-all-et.mrt",
            f"dump bgp updates {folder}/frr-updates.mrt",
        )
        round_of_sessions(lambda: tables(folder))
        time.sleep(2)
    finally:
        running.end()
        space.delete(SPACES)


def tables(folder: Path) -> None:
    """Wait for what is said, and for GoBGP's table dump, which comes once a minute; have the others dump theirs."""
    time.sleep(15)
    vtysh(folder, "configure", f"dump bgp routes-mrt {folder}/frr-routes.mrt")
    for table, name in (("master*", "table"), ("master4", "paths")):
        control = ["birdc", "-s", f"{folder}/bird.ctl", "mrt", "dump", "table", f'"{table}"']
        space.run(BIRD.namespace, [*control, "to", f'"{folder}/bird-{name}.mrt"'])
    deadline = time.monotonic() + 70
    while not (folder / "gobgp-table.mrt").exists() or not (folder / "gobgp-table.mrt").stat().st_size:
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    time.sleep(20)


def keep(folder: Path) -> None:
    """Compress what is worth keeping, with no time in it."""
    DUMPS.mkdir(exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".mrt", ".bmp", ".pcap") and path.stat().st_size:
            (DUMPS / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def main() -> None:
    """Record into a temporary folder, then keep it."""
    with tempfile.TemporaryDirectory(prefix="rd-", dir=os.environ.get("RD_FOLDER")) as name:
        folder = Path(name)
        folder.chmod(0o755)
        record(folder)
        keep(folder)


if __name__ == "__main__":
    main()
