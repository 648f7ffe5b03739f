"""Faults watched by the real daemon: what a case is, and how it is tried."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import faults, lifecycle
from tests import needs
from tests.rig import Rig, eventually, rig

PREFIX = {"web": "10.250.0.10/32", "dns": "10.250.0.53/32", "vdi": "10.250.8.0/24"}
STEADY = 4.0  # seconds that exactly the expected findings must stay open


def about(kind: str, service: str, **parts: str) -> str:
    """The key of a finding about a service's prefix."""
    rest = "".join(f"|{name}={value}" for name, value in parts.items())
    return f"{kind}|service={service}|prefix={PREFIX[service]}{rest}"


@dataclass(frozen=True)
class Case:
    """A fault, and every finding that must open while it lasts."""

    verb: str
    words: tuple[str, ...]
    expected: frozenset[str]

    def __str__(self) -> str:
        return " ".join((self.verb, *self.words))


def case(verb: str, *words: str, opens: set[str]) -> Case:
    """Write a case in one line."""
    return Case(verb, words, frozenset(opens))


@contextmanager
def lab_watched(name: str, port: int, probes: bool = False) -> Iterator[Rig]:
    """A lab and a daemon of its own, where this machine can have them."""
    needs.root()
    for program, package in (("bird", "bird2"), ("bgpd", "frr"), ("gobgpd", "gobgpd"), ("haproxy", "haproxy")):
        needs.tool(program, package)
    with (
        TemporaryDirectory(prefix=f"catchment-{name}-") as folder,
        rig(name, Path(folder), port, probes=probes) as made,
    ):
        yield made


def try_fault(watched: Rig, fault: Case) -> None:
    """Make a fault: exactly its findings open and stay; heal it: all of them clear, and none other was ever open."""
    watched.forget()
    try:
        faults.inject(watched.lab, fault.verb, fault.words)
        watched.settled(set(fault.expected), within=35, steady=STEADY)
    finally:
        faults.heal(watched.lab)
    watched.settled(set(), within=40, steady=1)
    assert watched.seen_open == fault.expected
    eventually(lambda: not lifecycle.lacking(watched.lab), 30, what="a healthy lab")
