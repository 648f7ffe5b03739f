"""What is owed to whom: from the ledger's transitions to messages.

A receiver hears of a record once when it is open, not muted, and bad enough for that receiver (`least`); again each
time its severity rises above the worst it was told; and once when it is over, if it was told of it, whatever has become
of severity or maintenance by then. Which transition brings a record to that point does not matter: it may open so, rise
so, or outlive the maintenance window that muted it.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from anycast.finding import Record, Severity, State, Step, Transition
from anycast.message import Message


class Receiver(Protocol):
    """The part of a configured receiver that decides what it is told."""

    @property
    def name(self) -> str:
        """Unique among receivers."""
        ...

    @property
    def least(self) -> Severity:
        """Findings below this severity are not for it."""
        ...


class Telling:
    """Remembers, for every record that is not over, the worst severity that each receiver was told of."""

    def __init__(self, receivers: Iterable[Receiver]) -> None:
        self._receivers = tuple(receivers)
        self._told: dict[str, dict[str, Severity]] = {}

    def configure(self, receivers: Iterable[Receiver]) -> None:
        """Take other receivers; a new one hears of what is open when that next changes."""
        self._receivers = tuple(receivers)

    def restore(self, messages: Iterable[Message]) -> None:
        """Take back what was told before a restart: every message about records that are not over."""
        for message in messages:
            self._note(message)

    def owe(self, transitions: Iterable[Transition]) -> tuple[Message, ...]:
        """Return what the transitions make us owe; to be committed together with them."""
        return tuple(message for transition in transitions for message in self._owed(transition))

    def _owed(self, transition: Transition) -> Iterator[Message]:
        record = transition.record
        told = self._told.get(record.id, {})
        for receiver in self._receivers:
            step = _step(record, receiver.least, told.get(receiver.name))
            if step is not None:
                message = Message(_id(record, step, receiver.name), receiver.name, record, step, transition.at)
                self._note(message)
                yield message
        if record.state is State.CLEARED:
            self._told.pop(record.id, None)

    def _note(self, message: Message) -> None:
        told = self._told.setdefault(message.record.id, {})
        worst = (told.get(message.receiver, Severity.INFO), message.record.finding.severity)
        told[message.receiver] = max(worst, key=lambda severity: severity.rank)


def _step(record: Record, least: Severity, told: Severity | None) -> Step | None:
    """What a receiver that was told of the record up to severity `told` (None: not at all) is to hear of it now."""
    severity = record.finding.severity
    if record.state is State.CLEARED:
        return Step.CLEARED if told is not None else None
    if record.state is State.PENDING or record.muted_by is not None:
        return None
    if told is None:
        return Step.OPENED if severity.rank >= least.rank else None
    return Step.CHANGED if severity.rank > told.rank else None


def _id(record: Record, step: Step, receiver: str) -> str:
    """A record opens and clears once, and rises to each severity once: so these name a message for ever."""
    risen = (str(record.finding.severity),) if step is Step.CHANGED else ()
    return ".".join((record.id, str(step), *risen)) + f"@{receiver}"
