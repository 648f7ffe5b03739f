"""Two NVAs with one anycast address, a router that leads to one of them, and a host, each in a namespace of its own."""

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator

ANYCAST = "10.250.0.10"
HOST = "10.20.0.5"
NVAS = ("weu-nva1", "eus-nva1")
ADDRESSES = {"weu-nva1": "10.10.1.4", "eus-nva1": "10.11.1.4"}
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
        self.wire("host", HOST, "10.20.0.1")
        self.wire("weu-nva1", ADDRESSES["weu-nva1"], "10.10.1.1")
        self.wire("eus-nva1", ADDRESSES["eus-nva1"], "10.11.1.1")
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for nva in NVAS:
            self.ip(nva, "address", "add", f"{ANYCAST}/32", "dev", "lo")
        self.lead(NVAS[0])

    def wire(self, node: str, address: str, gateway: str) -> None:
        """Connect a node to the router."""
        near, far = self.name(node), self.name("router")
        _ip("link", "add", "up0", "netns", near, "type", "veth", "peer", "name", node, "netns", far)
        self.ip(node, "address", "add", f"{address}/24", "dev", "up0")
        self.ip("router", "address", "add", f"{gateway}/24", "dev", node)
        self.ip(node, "link", "set", "up0", "up")
        self.ip("router", "link", "set", node, "up")
        self.ip(node, "route", "add", "default", "via", gateway)

    def lead(self, nva: str) -> None:
        """Send what is for the anycast address to an NVA from now on."""
        self.ip("router", "route", "replace", f"{ANYCAST}/32", "via", ADDRESSES[nva])

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
