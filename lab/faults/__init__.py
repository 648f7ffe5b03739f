"""Faults as verbs: injected, seen by a witness, written down, healed.

The time of a fault is the time of its effect, by a witness that shares nothing with Catchment; one that is not seen
within 30 s fails the run, and is healed like any other.
"""

import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from lab import ground_truth
from lab.faults import active
from lab.faults.table import VERBS
from lab.faults.verb import Fault, FaultError, Say, Verb
from lab.ground_truth import Entry
from lab.topology import Lab
from lab.witness import WITHIN, EffectNotSeen, Witness

__all__ = ["HEALED_WITHIN", "VERBS", "EffectNotSeen", "Entry", "FaultError", "Verb", "heal", "inject", "plan"]

HEALED_WITHIN = 45.0
"""Seconds: GoBGP never reads from its station, so it notices a lost one when it writes: statistics go every 30 s."""


def _silent(_: str) -> None:
    return


def plan(lab: Lab, verb: str, words: Sequence[str] = ()) -> Fault:
    """Return what a verb would do with these words. Raises FaultError listing the verbs for one that is none."""
    if verb not in VERBS:
        raise FaultError(f"{verb!r} is no fault; there are {', '.join(VERBS)}")
    return VERBS[verb].plan(lab, words)


def inject(lab: Lab, verb: str, words: Sequence[str] = (), say: Say = _silent, within: float = WITHIN) -> Entry:
    """Do it, and return when its effect has been seen (for one that passes: when it has been healed, too).

    A fault that is there already is left alone and returned. Raises FaultError for one that this lab cannot have now,
    and then nothing was done; RuntimeError or OSError when a router refuses, and EffectNotSeen: after these it stays
    active, to be healed.
    """
    with active.alone(lab):
        fault = plan(lab, verb, words)
        for entry in active.load(lab):
            if (entry.verb, entry.target) == (verb, fault.target):
                say(f"{verb} {fault.target}: there already")
                return entry
        entry = _inject(lab, fault, Entry(uuid.uuid4().hex[:8], verb, tuple(words), fault.target, 0.0), say, within)
        return _heal(lab, [(entry, fault)], say)[0] if fault.passes else entry


def _inject(lab: Lab, fault: Fault, entry: Entry, say: Say, within: float) -> Entry:
    witness = fault.onset()
    try:
        entry = replace(entry, t_inject=time.time(), witness=witness.name)
        active.put(lab, entry)
        fault.inject(say)
        seen = witness.effect(within)
    except FaultError:
        active.drop(lab, entry)
        raise
    except BaseException as problem:
        ground_truth.append(lab, replace(entry, failure=str(problem) or type(problem).__name__))
        raise
    finally:
        witness.close()
    entry = replace(entry, t_effect=seen.at, seen=seen.what)
    active.put(lab, entry)
    ground_truth.append(lab, entry)
    later = seen.at - entry.t_inject
    say(f"{entry.verb} {entry.target}: effect {later:.3f} s later, by the {witness.name}: {seen.what}")
    return entry


def heal(lab: Lab, say: Say = _silent) -> tuple[Entry, ...]:
    """Undo every fault that is there, the latest first, and return when all their ends have been seen.

    Nothing there is no error. Raises RuntimeError naming the faults that would not go; these stay active.
    """
    with active.alone(lab):
        return _heal(
            lab, [(entry, plan(lab, entry.verb, entry.arguments)) for entry in reversed(active.load(lab))], say
        )


def _heal(lab: Lab, there: Sequence[tuple[Entry, Fault]], say: Say) -> tuple[Entry, ...]:
    """All witnesses first, then all cures, then all effects: one fault may hide the end of another."""
    with ExitStack() as opened:
        witnesses = []
        for _, fault in there:
            witnesses.append(fault.recovery())
            opened.callback(witnesses[-1].close)
        cured = [_cure(entry, fault, say) for entry, fault in there]
        ended = [_ended(entry, witness) for entry, witness in zip(cured, witnesses, strict=True)]
    for entry in ended:
        ground_truth.append(lab, entry)
        if not entry.failure:
            active.drop(lab, entry)
            say(f"{entry.verb} {entry.target}: healed, seen by the {entry.heal_witness}")
    if trouble := [f"{entry.verb} {entry.target}: {entry.failure}" for entry in ended if entry.failure]:
        raise RuntimeError(f"not healed: {'; '.join(trouble)}")
    return tuple(ended)


def _cure(entry: Entry, fault: Fault, say: Say) -> Entry:
    entry = replace(entry, t_heal=time.time())
    try:
        fault.heal(say)
    except (OSError, RuntimeError, FaultError) as problem:
        return replace(entry, failure=str(problem))  # told by `_heal`, once the others have had their turn
    return entry


def _ended(entry: Entry, witness: Witness) -> Entry:
    if entry.failure:
        return entry
    entry = replace(entry, heal_witness=witness.name)
    try:
        return replace(entry, t_heal_effect=witness.effect(HEALED_WITHIN).at)
    except EffectNotSeen as problem:
        return replace(entry, failure=str(problem))
