"""What holds of the ledger whatever happens: histories are drawn, and judged one moment after another."""

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.ledger import Ledger
from alerts.outbox import Telling
from anycast.finding import Finding, Kind, Severity, State, Step, Transition
from anycast.intent import HoldDown, Webhook
from anycast.message import Message
from tests.alerts.samples import SEEN, at, finding, held

KINDS = (Kind.MISSING, Kind.BLIND, Kind.UNEXPECTED_ORIGIN)
VANTAGES = ("weu-rs0", "weu-rs1", "eus-rs0")
RECEIVERS = (Webhook("ops", "http://localhost/"), Webhook("boss", "http://localhost/", Severity.CRITICAL))

gate = settings(derandomize=True, max_examples=100, deadline=None)
"""The same examples on every run: what a hunt with others finds becomes a test of its own."""

findings = st.builds(
    finding,
    region=st.sampled_from(("weu", "eus")),
    kind=st.sampled_from(KINDS),
    severity=st.sampled_from((Severity.WARNING, Severity.MAJOR, Severity.CRITICAL)),
    summary=st.sampled_from(("one", "two")),
    rests_on=st.sampled_from(((), ("weu-rs0",), ("weu-rs0", "weu-rs1"), ("eus-rs0",))),
)


@dataclass(frozen=True)
class Moment:
    """One judgement."""

    after: float
    findings: tuple[Finding, ...]
    unknown: frozenset[str]
    restart: bool = False


moments = st.lists(
    st.builds(
        Moment,
        after=st.sampled_from((0, 0.5, 1, 2, 5)),
        findings=st.lists(findings, max_size=4).map(tuple),
        unknown=st.frozensets(st.sampled_from(VANTAGES), max_size=2),
        restart=st.sampled_from((False, False, False, True)),
    ),
    max_size=30,
)


def hold_down(kind: Kind) -> HoldDown:
    return held(0, 1) if kind is Kind.UNEXPECTED_ORIGIN else held(2, 3)


@dataclass
class Run:
    """What came of a history."""

    transitions: list[Transition]
    messages: list[Message]
    judged: list[tuple[Moment, float, tuple[Transition, ...]]]


def play(history: list[Moment], restarts: bool = True, heal: bool = True) -> Run:
    """Judge a history; with `heal`, end it with sight and health for long enough."""
    book, telling = Ledger(hold_down), Telling(RECEIVERS)
    run, second = Run([], [], []), 0.0
    end = [Moment(10, (), SEEN), Moment(10, (), SEEN)] if heal else []
    for moment in [*history, *end]:
        if moment.restart and restarts:
            live, book, telling = book.records, Ledger(hold_down), Telling(RECEIVERS)
            book.restore(live)
            telling.restore(m for m in run.messages if m.record.id in {record.id for record in live})
            second += 0.001  # no restart is over at the very microsecond at which it began
        second += moment.after
        transitions = book.judge(moment.findings, moment.unknown, at(second))
        run.messages += telling.owe(transitions)
        run.transitions += transitions
        run.judged.append((moment, second, transitions))
    return run


@gate
@given(moments)
def test_whatever_opened_clears_exactly_once_and_whatever_did_not_never_clears(history: list[Moment]) -> None:
    by_record: dict[str, list[Step]] = {}
    for transition in play(history).transitions:
        by_record.setdefault(transition.record.id, []).append(transition.step)
    for taken in by_record.values():
        told = [step for step in taken if step is not Step.CHANGED]
        assert told in ([Step.PENDING, Step.OPENED, Step.CLEARED], [Step.PENDING, Step.DROPPED])
        if Step.CHANGED in taken:
            assert taken[1] is Step.OPENED
            assert taken[-1] is Step.CLEARED


@gate
@given(moments)
def test_the_same_history_gives_the_same_steps_and_the_same_messages(history: list[Moment]) -> None:
    one, other = play(history), play(history)
    assert (one.transitions, one.messages) == (other.transitions, other.messages)


@gate
@given(moments)
def test_nothing_opens_before_its_hold_down_nor_clears_before_it(history: list[Moment]) -> None:
    for transition in play(history, heal=False).transitions:
        record, needed = transition.record, hold_down(transition.record.finding.kind)
        if transition.step is Step.OPENED:
            assert transition.at - record.pending_at >= needed.open
        if transition.step is Step.CLEARED:
            assert record.opened_at is not None
            assert record.cleared_at is not None
            assert transition.at - record.cleared_at >= needed.clear
            assert record.opened_at <= record.cleared_at


@gate
@given(moments)
def test_in_the_dark_nothing_ends(history: list[Moment]) -> None:
    for moment, _, transitions in play(history, heal=False).judged:
        for transition in transitions:
            if transition.step in (Step.CLEARED, Step.DROPPED):
                assert not transition.record.finding.rests_on & moment.unknown


@gate
@given(moments)
def test_what_is_reported_is_never_over(history: list[Moment]) -> None:
    for moment, _, transitions in play(history, heal=False).judged:
        over = {t.record.finding.key for t in transitions if t.record.state is State.CLEARED}
        assert not over & {finding.key for finding in moment.findings}


@gate
@given(moments)
def test_no_receiver_hears_twice_over_restarts_and_every_opening_told_is_cleared(history: list[Moment]) -> None:
    messages = play(history).messages
    assert not [ident for ident, count in Counter(m.id for m in messages).items() if count > 1]
    by_lane: dict[tuple[str, str], list[Step]] = {}
    for message in messages:
        by_lane.setdefault((message.receiver, message.record.id), []).append(message.step)
    for lane in by_lane.values():
        assert lane[0] is Step.OPENED
        assert lane[-1] is Step.CLEARED
        assert set(lane[1:-1]) <= {Step.CHANGED}


@gate
@given(moments)
def test_a_restart_opens_nothing_that_was_open(history: list[Moment]) -> None:
    """An open record goes on through a restart: its key opens again only after it has cleared."""
    is_open: set[str] = set()
    for transition in play(history).transitions:
        key = transition.record.finding.key
        if transition.step is Step.OPENED:
            assert key not in is_open
            is_open.add(key)
        if transition.step is Step.CLEARED:
            is_open.remove(key)


@gate
@given(moments)
def test_a_judgement_that_is_not_due_and_hears_nothing_new_takes_no_step(history: list[Moment]) -> None:
    book, second = Ledger(hold_down), 0.0
    for moment in history:
        second += moment.after
        book.judge(moment.findings, moment.unknown, at(second))
        due = book.next_due(at(second))
        idle = at(second + 1) if due is None else due
        if idle > at(second):
            early = at(second) + (idle - at(second)) * 0.99
            assert book.judge(moment.findings, moment.unknown, early) == ()
            if due is not None:
                assert book.judge(moment.findings, moment.unknown, due) != ()
                second = (due - at(0)).total_seconds()


def test_these_histories_reach_every_step() -> None:
    """The opposite of silence: one history of the kind drawn above takes every step there is."""
    wrong = finding()
    history = [
        Moment(0, (wrong,), SEEN),
        Moment(2, (wrong,), SEEN),
        Moment(1, (replace(wrong, severity=Severity.CRITICAL),), SEEN, restart=True),
        Moment(2, (replace(wrong, severity=Severity.CRITICAL),), SEEN),
        Moment(1, (finding("eus"),), SEEN),
    ]
    run = play(history)
    assert {t.step for t in run.transitions} == set(Step)
    assert [(m.receiver, m.step) for m in run.messages] == [
        ("ops", Step.OPENED),
        ("ops", Step.CHANGED),
        ("boss", Step.OPENED),
        ("ops", Step.CLEARED),
        ("boss", Step.CLEARED),
    ]
