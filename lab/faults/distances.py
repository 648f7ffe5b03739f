"""Faults of the wires between Azure and the sites: longer, unsteady, lossy, narrower. Only the delay line knows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from lab import space
from lab.daemons import application
from lab.delay import Wire
from lab.faults.rules import names
from lab.faults.verb import Fault, FaultError, Say
from lab.topology import REGIONS, SITES, Lab, Node, Role
from lab.witness import TableWatcher, Witness


def latency(lab: Lab, words: Sequence[str]) -> Fault:
    """A site's way to a region takes so many milliseconds longer, there and back together."""
    named, [extra] = _read(words, [20.0])

    def longer(wire: Wire) -> Wire:
        more = round(extra * 500)  # half of it each way, in microseconds
        return replace(wire, a_to_b_us=wire.a_to_b_us + more, b_to_a_us=wire.b_to_a_us + more)

    return _carried(lab, named, f"{extra:g} ms more", longer)


def jitter(lab: Lab, words: Sequence[str]) -> Fault:
    """Each packet on a site's way to a region takes up to so many milliseconds longer, one way."""
    named, [most] = _read(words, [20.0])
    return _carried(lab, named, f"up to {most:g} ms", lambda wire: replace(wire, jitter_us=round(most * 1000)))


def noise(lab: Lab, words: Sequence[str]) -> Fault:
    """Every wire loses 0.1 % of its frames and jitters by 2 ms, as an ordinary day does."""
    named, [percent, most] = _read(words, [0.1, 2.0], every=True)
    said = f"{percent:g} % lost, jitter up to {most:g} ms"
    return _carried(lab, named, said, lambda wire: replace(wire, loss=percent / 100, jitter_us=round(most * 1000)))


def _read(words: Sequence[str], numbers: list[float], every: bool = False) -> tuple[str, list[float]]:
    """Read a site and a region as `ams-weu`, either of them, or all, and numbers."""
    given = [float(word) for word in words if word.replace(".", "", 1).isdigit()]
    named = [word for word in words if not word.replace(".", "", 1).isdigit()]
    known = [*(f"{site.name}-{region.name}" for site in SITES for region in REGIONS), *(site.name for site in SITES)]
    word = named[0] if named else "" if every else "ams-weu"
    if len(named) > 1 or len(given) > len(numbers) or (word and word not in known):
        raise FaultError(f"say one of {', '.join(known)} and at most {len(numbers)} numbers, not {' '.join(words)!r}")
    return word, [*given, *numbers[len(given) :]]


def _carried(lab: Lab, named: str, how: str, worse: Callable[[Wire], Wire]) -> Fault:
    def inject(say: Say) -> None:
        now = application.carried(lab)
        application.recarry(lab, [worse(wire) if wire.name.startswith(named) else wire for wire in now])
        say(f"wire: {sum(wire.name.startswith(named) for wire in now)} wires are worse: {how}")

    def heal(say: Say) -> None:
        healthy = {wire.name: wire for wire in application.wires(lab)}
        now = application.carried(lab)
        application.recarry(lab, [healthy[wire.name] if wire.name.startswith(named) else wire for wire in now])
        say("wire: as they were")

    return Fault(f"{named or 'all wires'}, {how}", lambda: _taken(lab), inject, lambda: _taken(lab), heal)


def _taken(lab: Lab) -> Witness:
    """The delay line says when it began to carry frames so."""
    opened = time.time()

    def ask() -> str | None:
        at = application.carried_at(lab)
        return f"frames are carried so since {at:.3f}" if at >= opened else None

    return TableWatcher("delay line's own word", ask, 0.01)


def narrow(lab: Lab, words: Sequence[str]) -> Fault:
    """A region's circuits to a site carry no more than so many megabits a second; an idle line is as fast as ever."""
    named, [rate] = _read(words, [10.0])
    site, _, region = named.partition("-")
    circuits = lab.of(Role.MSEE, place=region) if region else lab.of(Role.MSEE)
    edge = f"{site}-ce1"

    def shape(command: str) -> None:
        for node in circuits:
            space.run(lab.namespace(node.name), ["tc", "qdisc", command, "dev", edge, "root", *_bucket(command, rate)])

    def inject(say: Say) -> None:
        shape("replace")
        say(f"{names(circuits)}: {rate:g} Mbit/s towards {edge}")

    def heal(say: Say) -> None:
        if _shaped(lab, circuits, edge):
            shape("del")
        say(f"{names(circuits)}: as fast as they can")

    return Fault(
        f"{named}, {rate:g} Mbit/s",
        lambda: _shapes(lab, circuits, edge, True),
        inject,
        lambda: _shapes(lab, circuits, edge, False),
        heal,
    )


def _bucket(command: str, rate: float) -> list[str]:
    return ["tbf", "rate", f"{rate}mbit", "burst", "16kb", "latency", "200ms"] if command == "replace" else []


def _shaped(lab: Lab, circuits: Sequence[Node], edge: str) -> bool:
    said = [
        space.run(lab.namespace(node.name), ["tc", "qdisc", "show", "dev", edge, "root"]).stdout for node in circuits
    ]
    return all("tbf" in each for each in said)


def _shapes(lab: Lab, circuits: Sequence[Node], edge: str, wanted: bool) -> Witness:
    def ask() -> str | None:
        return "token buckets" if _shaped(lab, circuits, edge) is wanted else None

    return TableWatcher("kernel's queueing disciplines", ask, 0.05)
