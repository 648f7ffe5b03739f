"""The ledger's rules: what is wrong now against what was wrong before, as transitions.

Theory of operation. A finding is held under its key from the first judgement that reports it.

             reported                  lasted `open`                    gone for `clear`
    (nothing) ──────▶ PENDING ─────────────────────▶ OPEN ────────────────────────────▶ CLEARED
                         │ gone                       ▲ │ gone: the clear hold-down runs
                         ▼                            └─┘ reported again: the same record goes on
                      DROPPED

Hold-downs run on what is *seen*. A finding that is no longer reported, while a vantage that it rests on is unknown,
is frozen: nobody knows whether it is over, so it is neither dropped nor cleared, and its clock stops. The clock starts
anew with sight: a pending finding opens after its whole hold-down of being seen wrong, an open one clears after its
whole hold-down of being seen gone. A finding that is reported is seen, whatever else is unknown: whether to speak is
the analyzers' judgement.

An open finding that is reported worse is told so when it has been worse for a whole hold-down, too; until then it stays
as it was.

A condition ended when it was first seen gone, not when the clear hold-down ran out: that is `cleared_at`, and durations
are counted to it. `since`, `not_before` and the id stay those of the first report, so that a restart, after which a
view knows less about the past, changes nothing that people saw.

Maintenance windows mute a finding while it is reported inside them; the record says by which. When the window ends,
what is still reported CHANGES to not muted, and the outbox tells whoever has not been told.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from alerts.windows import covers, muted_by
from anycast.finding import Finding, Kind, Record, State, Step, Transition
from anycast.intent import HoldDown, Window
from anycast.plain import stamp


@dataclass(slots=True)
class _Held:
    """A record and its running clocks."""

    record: Record
    counting_from: datetime | None = None
    """Start of the hold-down that runs; None while none does."""
    gone_at: datetime | None = None
    """When the condition of an open record was first seen gone; None while it lasts."""
    rising_since: datetime | None = None
    """Since when an open finding is reported worse than it was told; None while it is not."""
    proof_after: datetime | None = None
    """Restored and not reported since: before this time its absence proves nothing."""


class Ledger:
    """Holds what is wrong and takes the steps. Pure: it reads no clock and writes nothing."""

    def __init__(self, hold_downs: Callable[[Kind], HoldDown], windows: Iterable[Window] = ()) -> None:
        self._hold_downs, self._windows = hold_downs, tuple(windows)
        self._held: dict[str, _Held] = {}
        self._judged: datetime | None = None
        self._minted: Counter[str] = Counter()

    @property
    def records(self) -> tuple[Record, ...]:
        """Records that are pending or open, in the order in which they became so."""
        return tuple(held.record for held in self._held.values())

    def configure(self, hold_downs: Callable[[Kind], HoldDown], windows: Iterable[Window]) -> None:
        """Take other hold-downs and windows from the next judgement on; what is held stays held."""
        self._hold_downs, self._windows = hold_downs, tuple(windows)

    def restore(self, records: Iterable[Record], proof_after: datetime | None = None) -> None:
        """Take back what was held before a restart; cleared records are passed over.

        Every record is frozen until it is reported again, or seen gone. Give `proof_after` (the start of the daemon
        and the time feeds need to return) for findings that rest on no vantage, such as `blind`: until then the absence
        of a restored record proves nothing, so that a young view clears nothing only to report it again.
        """
        for record in records:
            if record.state is not State.CLEARED:
                sightless = not record.finding.rests_on
                self._held[record.finding.key] = _Held(record, proof_after=proof_after if sightless else None)

    def judge(self, findings: Iterable[Finding], unknown: frozenset[str], now: datetime) -> tuple[Transition, ...]:
        """Compare what is wrong at `now` with what was wrong before; return the steps in the order taken.

        `unknown` names every vantage (or source, as text) that cannot be seen now: the names of `Finding.rests_on`.
        """
        self._follow_clock(now)
        reported = _by_key(findings)
        steps = [step for finding in reported.values() for step in self._reported(finding, now)]
        for key in [key for key in self._held if key not in reported]:
            steps += self._unreported(key, unknown, now)
        return tuple(steps)

    def next_due(self, now: datetime) -> datetime | None:
        """Return when to judge again although nothing was heard; None when nothing waits. The past means: at once."""
        times = [time for held in self._held.values() if (time := self._due(held)) is not None]
        for window in self._windows:
            ahead = [edge for edge in (window.start, window.end) if edge > (self._judged or now)]
            if ahead and any(covers(window, held.record.finding) for held in self._held.values()):
                times.append(min(ahead))
        return min(times, default=None)

    def _due(self, held: _Held) -> datetime | None:
        """When the hold-down that runs runs out."""
        if held.rising_since is not None:
            return held.rising_since + self._hold_downs(held.record.finding.kind).open
        if held.counting_from is None:
            return held.proof_after if self._judged and held.proof_after and held.proof_after > self._judged else None
        hold_down = self._hold_downs(held.record.finding.kind)
        if held.record.state is State.PENDING:
            return held.counting_from + hold_down.open
        return max(held.counting_from + hold_down.clear, held.proof_after or held.counting_from)

    def _reported(self, finding: Finding, now: datetime) -> list[Transition]:
        muted = muted_by(finding, self._windows, now)
        held = self._held.get(finding.key)
        if held is None:
            record = Record(self._mint(finding.key, now), finding, State.PENDING, pending_at=now, muted_by=muted)
            held = self._held[finding.key] = _Held(record, counting_from=now)
            return [Transition(now, Step.PENDING, record), *self._open_if_due(held, now)]
        before = held.record
        first = before.finding
        latest = replace(finding, since=first.since, not_before=first.not_before)
        held.record = replace(before, finding=latest, muted_by=muted)
        held.gone_at = held.proof_after = None
        if before.state is State.PENDING:
            held.counting_from = held.counting_from or now
            return self._open_if_due(held, now)
        held.counting_from = None
        if not self._risen(held, before, now):
            held.record = replace(before, muted_by=muted)
        return [] if held.record == before else [Transition(now, Step.CHANGED, held.record)]

    def _risen(self, held: _Held, before: Record, now: datetime) -> bool:
        """Whether what is reported may be told: at once when it is no worse, else when it has been so for a hold-down.

        On the way to recovery vantages heal one after the other, and what is expected looks wrong for a moment.
        """
        if held.record.finding.severity.rank <= before.finding.severity.rank:
            held.rising_since = None
            return True
        held.rising_since = held.rising_since or now
        if now < held.rising_since + self._hold_downs(before.finding.kind).open:
            return False
        held.rising_since = None
        return True

    def _open_if_due(self, held: _Held, now: datetime) -> list[Transition]:
        due = self._due(held)
        if due is None or now < due:
            return []
        held.record = replace(held.record, state=State.OPEN, opened_at=now)
        held.counting_from = None
        return [Transition(now, Step.OPENED, held.record)]

    def _unreported(self, key: str, unknown: frozenset[str], now: datetime) -> list[Transition]:
        held = self._held[key]
        held.rising_since = None
        if held.record.finding.rests_on & unknown:
            held.counting_from = None
            return []
        if held.record.state is State.PENDING:
            if held.proof_after is not None and now < held.proof_after:
                held.counting_from = None
                return []
            return [self._end(key, Step.DROPPED, ended=now, now=now)]
        ended = held.gone_at = held.gone_at or now
        held.counting_from = held.counting_from or now
        due = self._due(held)
        return [self._end(key, Step.CLEARED, ended, now)] if due is not None and now >= due else []

    def _end(self, key: str, step: Step, ended: datetime, now: datetime) -> Transition:
        record = self._held.pop(key).record
        return Transition(now, step, replace(record, state=State.CLEARED, cleared_at=ended))

    def _follow_clock(self, now: datetime) -> None:
        """A clock that was set back takes the running hold-downs with it: none waits out the difference."""
        if self._judged is not None and now < self._judged:
            back = self._judged - now
            for held in self._held.values():
                held.counting_from = held.counting_from and held.counting_from - back
                held.rising_since = held.rising_since and held.rising_since - back
                held.proof_after = held.proof_after and held.proof_after - back
        if now != self._judged:
            self._minted.clear()
        self._judged = now

    def _mint(self, key: str, now: datetime) -> str:
        """An id for this time that the key goes wrong; the same when the same history is judged again."""
        self._minted[key] += 1
        return sha256(f"{key}|{stamp(now)}|{self._minted[key]}".encode()).hexdigest()[:20]


def _by_key(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding a key: the worst, and the first among equals."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        other = kept.get(finding.key)
        if other is None or finding.severity.rank > other.severity.rank:
            kept[finding.key] = finding
    return kept
