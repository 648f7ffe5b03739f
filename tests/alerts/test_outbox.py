"""From transitions to what is owed, receiver by receiver."""

from dataclasses import replace

from alerts.outbox import Telling
from anycast.finding import Record, Severity, State, Step, Transition
from anycast.intent import Webhook
from anycast.message import Message
from tests.alerts.samples import at, finding, opened

OPS = Webhook("ops", "https://ops.example/", least=Severity.WARNING)
BOSS = Webhook("boss", "https://boss.example/", least=Severity.CRITICAL)


def rated(severity: Severity, **changes: str | None) -> Record:
    return replace(opened(finding(severity=severity)), **changes)  # type: ignore[arg-type]


def step(taken: Step, record: Record, second: float = 2) -> Transition:
    return Transition(at(second), taken, record)


def over(record: Record) -> Record:
    return replace(record, state=State.CLEARED, cleared_at=at(10))


def said(messages: tuple[Message, ...]) -> list[tuple[str, Step]]:
    return [(message.receiver, message.step) for message in messages]


def test_an_opening_is_owed_to_every_receiver_whose_least_admits_it() -> None:
    telling = Telling([OPS, BOSS])
    assert said(telling.owe([step(Step.OPENED, rated(Severity.MAJOR))])) == [("ops", Step.OPENED)]
    critical = replace(rated(Severity.CRITICAL), id="def")
    assert said(telling.owe([step(Step.OPENED, critical)])) == [("ops", Step.OPENED), ("boss", Step.OPENED)]


def test_pending_and_dropped_are_owed_to_nobody() -> None:
    pending = replace(rated(Severity.CRITICAL), state=State.PENDING, opened_at=None)
    telling = Telling([OPS, BOSS])
    assert telling.owe([step(Step.PENDING, pending), step(Step.DROPPED, over(pending))]) == ()


def test_a_clearing_is_owed_only_to_who_was_told_of_the_opening() -> None:
    telling = Telling([OPS, BOSS])
    record = rated(Severity.MAJOR)
    telling.owe([step(Step.OPENED, record)])
    assert said(telling.owe([step(Step.CLEARED, over(record))])) == [("ops", Step.CLEARED)]
    assert telling.owe([step(Step.CLEARED, over(record))]) == ()


def test_a_clearing_is_owed_although_the_severity_has_sunk_or_a_window_has_begun() -> None:
    telling = Telling([OPS, BOSS])
    telling.owe([step(Step.OPENED, rated(Severity.CRITICAL))])
    ended = over(rated(Severity.INFO, muted_by="patch night"))
    assert said(telling.owe([step(Step.CLEARED, ended)])) == [("ops", Step.CLEARED), ("boss", Step.CLEARED)]


def test_a_rise_is_owed_once_and_to_a_receiver_that_it_newly_admits_as_the_opening() -> None:
    telling = Telling([OPS, BOSS])
    telling.owe([step(Step.OPENED, rated(Severity.MAJOR))])
    risen = step(Step.CHANGED, rated(Severity.CRITICAL))
    assert said(telling.owe([risen])) == [("ops", Step.CHANGED), ("boss", Step.OPENED)]
    assert telling.owe([step(Step.CHANGED, rated(Severity.WARNING)), risen]) == ()


def test_other_evidence_is_news_to_nobody() -> None:
    telling = Telling([OPS])
    telling.owe([step(Step.OPENED, opened())])
    assert telling.owe([step(Step.CHANGED, opened(finding(evidence=(("weu-rs1", "absent"),))))]) == ()


def test_what_opened_muted_is_told_when_it_outlives_its_window_and_not_when_it_ends_inside() -> None:
    telling = Telling([OPS])
    muted = rated(Severity.MAJOR, muted_by="patch night")
    assert telling.owe([step(Step.OPENED, muted)]) == ()
    assert said(telling.owe([step(Step.CHANGED, replace(muted, muted_by=None))])) == [("ops", Step.OPENED)]

    inside = replace(muted, id="def")
    assert telling.owe([step(Step.OPENED, inside), step(Step.CLEARED, over(inside))]) == ()


def test_a_rise_inside_a_window_is_told_after_it() -> None:
    telling = Telling([OPS])
    telling.owe([step(Step.OPENED, rated(Severity.WARNING))])
    assert telling.owe([step(Step.CHANGED, rated(Severity.CRITICAL, muted_by="patch night"))]) == ()
    assert said(telling.owe([step(Step.CHANGED, rated(Severity.CRITICAL))])) == [("ops", Step.CHANGED)]


def test_ids_name_record_step_and_receiver_and_the_idempotency_key_no_receiver() -> None:
    telling = Telling([OPS, BOSS])
    first, second = telling.owe([step(Step.OPENED, rated(Severity.CRITICAL))])
    assert (first.id, second.id) == ("abc.opened@ops", "abc.opened@boss")
    assert first.idempotency_key == second.idempotency_key == "abc.opened"
    assert (first.record, first.created) == (rated(Severity.CRITICAL), at(2))


def test_each_rise_has_an_id_of_its_own() -> None:
    telling = Telling([OPS])
    transitions = [
        step(Step.OPENED, rated(Severity.WARNING)),
        step(Step.CHANGED, rated(Severity.MAJOR)),
        step(Step.CHANGED, rated(Severity.CRITICAL)),
        step(Step.CLEARED, over(rated(Severity.CRITICAL))),
    ]
    assert [message.idempotency_key for message in telling.owe(transitions)] == [
        "abc.opened",
        "abc.changed.major",
        "abc.changed.critical",
        "abc.cleared",
    ]


def test_after_a_restart_nothing_that_was_told_is_told_again_and_the_clearing_is() -> None:
    before = Telling([OPS])
    messages = before.owe([step(Step.OPENED, rated(Severity.WARNING)), step(Step.CHANGED, rated(Severity.MAJOR))])
    telling = Telling([OPS])
    telling.restore(messages)
    assert telling.owe([step(Step.CHANGED, rated(Severity.MAJOR, muted_by=None))]) == ()
    assert said(telling.owe([step(Step.CLEARED, over(rated(Severity.MAJOR)))])) == [("ops", Step.CLEARED)]


def test_without_what_was_told_before_the_restart_it_would_be_told_again() -> None:
    assert said(Telling([OPS]).owe([step(Step.CHANGED, rated(Severity.MAJOR))])) == [("ops", Step.OPENED)]


def test_a_receiver_that_was_removed_is_owed_nothing_more() -> None:
    telling = Telling([OPS, BOSS])
    telling.owe([step(Step.OPENED, rated(Severity.CRITICAL))])
    telling.configure([BOSS])
    assert said(telling.owe([step(Step.CLEARED, over(rated(Severity.CRITICAL)))])) == [("boss", Step.CLEARED)]
