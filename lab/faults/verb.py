"""What a fault is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.topology import Lab
from lab.witness import Witness


class FaultError(Exception):
    """A fault was asked for that this lab cannot have; says what would be right."""


Say = Callable[[str], None]
"""Is told one sentence for each thing done."""


@dataclass(frozen=True)
class Fault:
    """One fault with its target chosen. Planned anew from the same words when it is healed, by whoever heals it."""

    target: str
    """What it is done to, in words; a fault with the same verb and target is there only once."""
    onset: Callable[[], Witness]
    """Opens the witness of its effect."""
    inject: Callable[[Say], None]
    recovery: Callable[[], Witness]
    """Opens the witness of its end."""
    heal: Callable[[Say], None]
    """Undoes it, however far `inject` came."""
    passes: bool = False
    """It is healed as soon as its effect was seen: a restart, a flap."""


@dataclass(frozen=True)
class Verb:
    """One row of the table of faults."""

    does: str
    arguments: str
    """The words it takes, all optional."""
    target: str
    """What it is done to without any."""
    witness: str
    """Who decides when it took effect."""
    plan: Callable[[Lab, Sequence[str]], Fault]
    """Raises FaultError for words that mean nothing here."""
