"""Network namespaces: made, cabled, entered and deleted. Only names that the caller gives are ever touched.

Entering is done by a thread that ends afterwards: a thread that changed its namespace must not go back into a pool.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

RUN = Path("/run/netns")
"""Where iproute2 keeps a file for each named namespace."""

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_SIOCETHTOOL = 0x8946  # linux/sockios.h
_OFFLOADS = {"tx-checksum": 0x17, "scatter-gather": 0x19, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
"""ETHTOOL_STXCSUM and its like (linux/ethtool.h): each takes 0 for off."""

_libc = ctypes.CDLL(None, use_errno=True)


def named(prefix: str) -> tuple[str, ...]:
    """Return the names of the existing namespaces that begin with `prefix`."""
    if not RUN.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in RUN.iterdir() if entry.name.startswith(prefix)))


def batch(lines: Iterable[str], namespace: str | None = None) -> None:
    """Run `ip` commands, one a line and without the leading `ip`, in one process; stops at the first that fails.

    Raises RuntimeError with what `ip` said and the line it said it about.
    """
    text = list(lines)
    argv = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(text) + "\n", capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        where = f" in {namespace}" if namespace else ""
        raise RuntimeError(f"ip failed{where}: {' '.join(done.stderr.split())} ({_line(done.stderr, text)})")


def _line(said: str, lines: Sequence[str]) -> str:
    """The line that `ip` names as `Command failed -:7`."""
    number = said.rpartition("Command failed -:")[2].strip()
    return lines[int(number) - 1] if number.isdigit() and 0 < int(number) <= len(lines) else "no line named"


def create(namespaces: Sequence[str]) -> None:
    """Make namespaces, each with its loopback up."""
    batch(f"netns add {name}" for name in namespaces)
    for name in namespaces:
        batch(["link set lo up"], name)


def delete(namespaces: Iterable[str]) -> None:
    """Delete namespaces, and with them every interface and route inside; one that is not there is no error."""
    present = set(named(""))
    for name in namespaces:
        if name in present:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=30, check=False)
        # A crash between making the mount point and mounting leaves a plain file that `ip netns del` will not take.
        (RUN / name).unlink(missing_ok=True)


def pids(namespace: str) -> tuple[int, ...]:
    """Return the processes inside a namespace; none when it does not exist."""
    done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, timeout=30, check=False)
    return tuple(int(word) for word in done.stdout.split())


def entering(namespace: str, argv: Sequence[str]) -> list[str]:
    """Return the argv that runs `argv` inside a namespace; the process keeps the pid it is started with."""
    return ["nsenter", f"--net={RUN / namespace}", "--", *argv]


def run(
    namespace: str, argv: Sequence[str], timeout: float = 15, stdin: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program inside a namespace to its end and return what it printed.

    Raises RuntimeError naming program, namespace and its words when it fails and `check` is set, and
    subprocess.TimeoutExpired after `timeout` seconds.
    """
    done = subprocess.run(
        entering(namespace, argv), input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise RuntimeError(f"{' '.join(argv)} in {namespace} ended with {done.returncode}: {said}")
    return done


def inside(namespace: str, work: Callable[[], T]) -> T:
    """Call `work` in a throwaway thread that stands inside the namespace, and return what it returns.

    What it opens there (sockets above all) stays in that namespace for good. Raises what `work` raises.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def enter() -> None:
        try:
            _setns(namespace)
            outcome.append(work())
        except BaseException as error:  # carried to the caller, who decides
            failure.append(error)

    thread = threading.Thread(target=enter, name=f"inside-{namespace}")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _setns(namespace: str) -> None:
    descriptor = os.open(RUN / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter namespace {namespace}: {os.strerror(number)}")
    finally:
        os.close(descriptor)


def listening_socket(namespace: str, address: IPv4Address | str, port: int, backlog: int = 128) -> socket.socket:
    """Return a listening TCP socket that lives inside the namespace, for any process to accept from.

    Whoever hands it on as a systemd-style inherited descriptor sets it inheritable. Raises OSError when the address is
    not there or the port is taken.
    """

    def listen() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((str(address), port))
            listener.listen(backlog)
        except OSError:
            listener.close()
            raise
        return listener

    return inside(namespace, listen)


def sysctl(namespace: str, settings: Mapping[str, int | str]) -> None:
    """Write settings such as `net.ipv4.ip_forward` inside a namespace.

    Raises OSError naming the one that the kernel does not have or does not take.
    """

    def write() -> None:
        for name, value in settings.items():
            # Interface names may hold no dot here, so that every dot is a separator.
            Path("/proc/sys", *name.split(".")).write_text(str(value))

    inside(namespace, write)


def offloads_off(namespace: str, interfaces: Iterable[str]) -> None:
    """Switch off checksum, segmentation and receive offloads: frames read with AF_PACKET must be whole and true."""
    names = tuple(interfaces)

    def switch() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for name in names:
                for command in _OFFLOADS.values():
                    _ethtool(control, name, command)

    inside(namespace, switch)


def _ethtool(control: socket.socket, interface: str, command: int) -> None:
    value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
    fcntl.ioctl(control, _SIOCETHTOOL, struct.pack("16sP", interface.encode(), ctypes.addressof(value)) + bytes(16))
