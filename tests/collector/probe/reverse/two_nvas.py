"""Two NVAs with one anycast address, a router that leads to one of them, and a host, each in a namespace of its own."""

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator

ANYCAST = "10.250.0.10"
HOST = "10.20.0.5"
ANYCAST6, HOST6 = "fd00:250::10", "fd00:20::5"
NVAS = ("weu-nva1", "eus-nva1")
ADDRESSES = {"weu-nva1": "10.10.1.4", "eus-nva1": "10.11.1.4"}
ADDRESSES6 = {"weu-nva1": "fd00:10::4", "eus-nva1": "fd00:11::4"}
_numbers = itertools.count()


class Network:
    """Addresses and routes; `lead` says to which NVA the router sends what is for the anycast address."""

    def __init__(self) -> None:
        self.prefix = f"rv{os.getpid()}x{next(_numbers)}"
        self.nodes = ("router", "host", *NVAS)

    def name(self, node: str) -> str:
        """The namespace of a node."""
        return f"{self.prefix}-{node}"

    def make(self) -> None:
        """Make it all."""
        for node in self.nodes:
            _ip("netns", "add", self.name(node))
            self.ip(node, "link", "set", "lo", "up")
        self.wire("host", HOST, HOST6)
        for nva in NVAS:
            self.wire(nva, ADDRESSES[nva], ADDRESSES6[nva])
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for nva in NVAS:
            self.ip(nva, "address", "add", f"{ANYCAST}/32", "dev", "lo")
            self.ip(nva, "address", "add", f"{ANYCAST6}/128", "dev", "lo", "nodad")
        self.lead(NVAS[0])

    def wire(self, node: str, *addresses: str) -> None:
        """Connect a node to the router, whose own addresses end in 1."""
        near, far = self.name(node), self.name("router")
        _ip("link", "add", "up0", "netns", near, "type", "veth", "peer", "name", node, "netns", far)
        self.ip(node, "link", "set", "up0", "up")
        self.ip("router", "link", "set", node, "up")
        for address in addresses:
            gateway = f"{address[:-1]}1"
            size, more = (64, ("nodad",)) if ":" in address else (24, ())
            self.ip(node, "address", "add", f"{address}/{size}", "dev", "up0", *more)
            self.ip("router", "address", "add", f"{gateway}/{size}", "dev", node, *more)
            self.ip(node, "route", "add", "default", "via", gateway)

    def lead(self, nva: str) -> None:
        """Send what is for the anycast address to an NVA from now on."""
        self.ip("router", "route", "replace", f"{ANYCAST}/32", "via", ADDRESSES[nva])
        self.ip("router", "-6", "route", "replace", f"{ANYCAST6}/128", "via", ADDRESSES6[nva])

    def ip(self, node: str, *words: str) -> None:
        """Run ip(8) in a node."""
        _ip("-n", self.name(node), *words)

    def run(self, node: str, *words: str) -> str:
        """Run a command in a node to its end and return what it says."""
        argv = ("ip", "netns", "exec", self.name(node), *words)
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout

    def start(self, node: str, *words: str) -> "subprocess.Popen[str]":
        """Start a command in a node."""
        argv = ("ip", "netns", "exec", self.name(node), *words)
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def remove(self) -> None:
        """Take it all away."""
        for node in self.nodes:
            subprocess.run(("ip", "netns", "del", self.name(node)), capture_output=True, check=False)


@contextlib.contextmanager
def two_nvas() -> Iterator[Network]:
    """Make the network, and take it away at the end."""
    network = Network()
    try:
        network.make()
        yield network
    finally:
        network.remove()


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), capture_output=True, text=True, timeout=30, check=True)
