"""Faults of what NVAs advertise: withdrawn, flapping, or without their prepends."""

import time
from collections.abc import Sequence

from lab.daemons import bird
from lab.faults import sights
from lab.faults.targets import Advertisement, advertisement
from lab.faults.verb import Fault, FaultError, Say
from lab.segments import Segment, updates
from lab.topology import Lab, Node, region
from lab.witness import PacketTap, Witness

FLAPS = 4
FLAP_EVERY = 3.0
"""Seconds from one withdrawal to the next; half of it withdrawn, half of it announced."""


def withdraw(lab: Lab, words: Sequence[str]) -> Fault:
    """Withdraw gracefully: the sessions stay up, the routes go."""
    meant = advertisement(lab, words, "weu", "web")
    return Fault(
        target=meant.target,
        onset=lambda: sights.gone(lab, meant.nvas, meant.service),
        inject=lambda say: _turn(lab, meant, "disable", say),
        recovery=lambda: sights.back(lab, meant.nvas, meant.service),
        heal=lambda say: _turn(lab, meant, "enable", say),
    )


def _turn(lab: Lab, meant: Advertisement, verb: str, say: Say) -> None:
    for nva in meant.nvas:
        said = bird.ask(lab, nva.name, f"{verb} {meant.service.protocol}")
        say(f"{nva.name}: BIRD says {said.strip()}")


def flap(lab: Lab, words: Sequence[str]) -> Fault:
    """Withdraw and announce again, several times; the last word is an announcement."""
    numbers = [int(word) for word in words if word.isdigit()]
    times = numbers[0] if numbers else FLAPS
    if len(numbers) > 1 or times < 1:
        raise FaultError("flap takes one number: how many times, at least once")
    meant = advertisement(lab, [word for word in words if not word.isdigit()], "weu", "web")
    return Fault(
        target=f"{meant.target}, {times} times",
        onset=lambda: sights.gone(lab, meant.nvas, meant.service),
        inject=lambda say: _flap(lab, meant, times, say),
        recovery=lambda: sights.back(lab, meant.nvas, meant.service),
        heal=lambda say: _turn(lab, meant, "enable", say),
        passes=True,
    )


def _flap(lab: Lab, meant: Advertisement, times: int, say: Say) -> None:
    """Ends withdrawn: the last announcement is the healing."""
    for number in range(times):
        if number:
            _turn(lab, meant, "enable", say)
            time.sleep(FLAP_EVERY / 2)
        _turn(lab, meant, "disable", say)
        time.sleep(FLAP_EVERY / 2)


def drop_prepend(lab: Lab, words: Sequence[str]) -> Fault:
    """Announce a backup without its prepends, as a careless edit of the NVAs' export filter would."""
    meant = advertisement(lab, words, "eus", "dns")
    prepends = meant.service.prepends[meant.region]
    if not prepends:
        raise FaultError(f"{meant.region} does not prepend {meant.service.name}; eus prepends dns")
    return Fault(
        target=meant.target,
        onset=lambda: _path_lengths(lab, meant, 1),
        inject=lambda say: _export(lab, meant, (meant.service.name,), say),
        recovery=lambda: _path_lengths(lab, meant, 1 + prepends),
        heal=lambda say: _export(lab, meant, (), say),
    )


def _export(lab: Lab, meant: Advertisement, dropped: Sequence[str], say: Say) -> None:
    for nva in meant.nvas:
        bird.write(lab, nva, sights.timers(lab), dropped)
        said = bird.ask(lab, nva.name, "configure").strip().splitlines()
        say(f"{nva.name}: export filter {'without' if dropped else 'with'} prepends; BIRD says {said[-1]}")


def _path_lengths(lab: Lab, meant: Advertisement, times: int) -> Witness:
    return sights.every(_path_length(lab, nva, meant, times) for nva in meant.nvas)


def _path_length(lab: Lab, nva: Node, meant: Advertisement, times: int) -> Witness:
    """The NVA's own AS stands so many times in the path that it sends to the first Route Server instance."""
    asn = region(meant.region).nva_asn

    def telling(segment: Segment) -> str | None:
        if not (segment.bgp and segment.source == nva.address):
            return None
        found = any(
            meant.service.prefix in sent.announced and sent.hops(asn) == times for sent in updates(segment.payload)
        )
        return f"UPDATE from {nva.name} with {times} x {asn} for {meant.service.prefix}" if found else None

    return PacketTap(lab.namespace(f"{meant.region}-rs0"), telling)
