"""The ledger's steps, one judgement after another."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from alerts.ledger import Ledger
from anycast.finding import Finding, Kind, Severity, State, Step
from anycast.intent import HoldDown, Window
from tests.alerts.samples import SEEN, at, finding, held, opened, steps

BLIND = frozenset({"weu-rs0"})


def always(hold_down: HoldDown) -> Callable[[Kind], HoldDown]:
    return lambda kind: hold_down


def ledger(opens: float = 2, clears: float = 2, windows: Iterable[Window] = ()) -> Ledger:
    return Ledger(always(held(opens, clears)), windows)


def open_ledger(wrong: Finding | None = None, clears: float = 2) -> Ledger:
    """One finding, opened at second 2."""
    book = ledger(clears=clears)
    book.judge([wrong or finding()], SEEN, at(0))
    assert steps(book.judge([wrong or finding()], SEEN, at(2))) == [Step.OPENED]
    return book


@pytest.mark.parametrize(
    ("opens", "judged", "expected"),
    [
        (0, [0], [["pending", "opened"]]),
        (2, [0, 1.999, 2], [["pending"], [], ["opened"]]),
        (2, [0, 60], [["pending"], ["opened"]]),
        (5, [0, 2, 4, 4.5, 5, 6], [["pending"], [], [], [], ["opened"], []]),
    ],
)
def test_a_finding_opens_when_its_hold_down_has_run_out_and_not_before(
    opens: float, judged: list[float], expected: list[list[str]]
) -> None:
    book = ledger(opens)
    assert [steps(book.judge([finding()], SEEN, at(second))) for second in judged] == expected


@pytest.mark.parametrize(
    ("clears", "judged", "expected"),
    [
        (0, [10], [["cleared"]]),
        (2, [10, 11.999, 12], [[], [], ["cleared"]]),
        (2, [10, 100, 101], [[], ["cleared"], []]),
    ],
)
def test_a_finding_clears_when_it_has_been_gone_for_its_hold_down(
    clears: float, judged: list[float], expected: list[list[str]]
) -> None:
    book = open_ledger(clears=clears)
    assert [steps(book.judge([], SEEN, at(second))) for second in judged] == expected


def test_hold_downs_are_per_kind() -> None:
    book = Ledger(lambda kind: held(0) if kind is Kind.UNEXPECTED_ORIGIN else held(5))
    transitions = book.judge([finding(), finding(kind=Kind.UNEXPECTED_ORIGIN)], SEEN, at(0))
    assert [(t.record.finding.kind, t.step) for t in transitions] == [
        (Kind.MISSING, Step.PENDING),
        (Kind.UNEXPECTED_ORIGIN, Step.PENDING),
        (Kind.UNEXPECTED_ORIGIN, Step.OPENED),
    ]


def test_a_condition_ended_when_it_was_first_seen_gone() -> None:
    book = open_ledger()
    book.judge([], SEEN, at(10))
    [cleared] = book.judge([], SEEN, at(12.5))
    assert (cleared.at, cleared.record.cleared_at, cleared.record.opened_at) == (at(12.5), at(10), at(2))
    assert cleared.record.state is State.CLEARED
    assert book.records == ()


def test_what_heals_inside_its_hold_down_is_dropped_and_what_comes_back_is_another_record() -> None:
    book = ledger()
    [pending] = book.judge([finding()], SEEN, at(0))
    [dropped] = book.judge([], SEEN, at(1))
    assert (dropped.step, dropped.record.id, dropped.record.opened_at) == (Step.DROPPED, pending.record.id, None)
    assert dropped.record.cleared_at == at(1)
    [again] = book.judge([finding()], SEEN, at(1.5))
    assert again.step is Step.PENDING
    assert again.record.id != pending.record.id


def test_what_comes_back_at_the_very_instant_is_still_another_record() -> None:
    book = ledger()
    [first] = book.judge([finding()], SEEN, at(0))
    book.judge([], SEEN, at(0))
    [second] = book.judge([finding()], SEEN, at(0))
    assert first.record.id != second.record.id


def test_what_returns_inside_the_clear_hold_down_stays_the_same_record() -> None:
    book = open_ledger()
    book.judge([], SEEN, at(10))
    assert book.judge([finding()], SEEN, at(11)) == ()
    assert steps(book.judge([], SEEN, at(20))) == []
    [cleared] = book.judge([], SEEN, at(22))
    assert cleared.record.cleared_at == at(20)


@pytest.mark.parametrize(
    "other",
    [
        finding(severity=Severity.WARNING),
        finding(summary="web is not advertised by weu, nor by eus"),
        finding(evidence=(("weu-rs0", "absent"), ("weu-rs1", "absent"))),
        finding(rests_on=("weu-rs0", "weu-rs1")),
    ],
)
def test_an_open_finding_that_looks_different_has_changed(other: Finding) -> None:
    book = open_ledger()
    [changed] = book.judge([other], SEEN, at(3))
    assert (changed.step, changed.record.finding) == (Step.CHANGED, other)
    assert book.judge([other], SEEN, at(4)) == ()


def test_a_rise_in_severity_is_told_when_it_has_lasted_a_hold_down_and_not_before() -> None:
    book, worse = open_ledger(), finding(severity=Severity.CRITICAL, summary="worse")
    assert book.judge([worse], SEEN, at(10)) == ()
    assert book.records[0].finding == finding()
    assert book.next_due(at(10)) == at(12)
    [changed] = book.judge([worse], SEEN, at(12))
    assert (changed.step, changed.record.finding) == (Step.CHANGED, worse)


def test_a_rise_that_passes_inside_the_hold_down_is_not_told() -> None:
    book, worse = open_ledger(), finding(severity=Severity.CRITICAL)
    assert book.judge([worse], SEEN, at(10)) == ()
    assert book.judge([finding()], SEEN, at(11)) == ()
    assert book.judge([worse], SEEN, at(12.5)) == ()
    assert book.judge([], SEEN, at(13)) == ()
    [cleared] = book.judge([], SEEN, at(15))
    assert (cleared.step, cleared.record.finding.severity) == (Step.CLEARED, finding().severity)


def test_a_view_that_knows_less_about_the_past_does_not_move_the_beginning() -> None:
    book = open_ledger(finding(since=-5))
    assert book.judge([replace(finding(since=60), not_before=at(50))], SEEN, at(61)) == ()
    assert book.records[0].finding.since == at(-5)


def test_a_pending_finding_changes_silently_and_opens_as_it_is_then() -> None:
    book = ledger()
    book.judge([finding()], SEEN, at(0))
    assert book.judge([finding(severity=Severity.CRITICAL)], SEEN, at(1)) == ()
    [transition] = book.judge([finding(severity=Severity.CRITICAL)], SEEN, at(2))
    assert (transition.step, transition.record.finding.severity) == (Step.OPENED, Severity.CRITICAL)


def test_of_two_findings_under_one_key_the_worse_is_held() -> None:
    book = ledger(0)
    book.judge([finding(severity=Severity.WARNING), finding(severity=Severity.MAJOR), finding()], SEEN, at(0))
    [record] = book.records
    assert record.finding.severity is Severity.MAJOR


def test_while_a_vantage_it_rests_on_is_unknown_an_open_finding_does_not_clear() -> None:
    book = open_ledger()
    assert [book.judge([], BLIND, at(second)) for second in (3, 10, 1000)] == [(), (), ()]
    assert book.next_due(at(1000)) is None
    assert steps(book.judge([], SEEN, at(1001))) == []
    [cleared] = book.judge([], SEEN, at(1003))
    assert cleared.record.cleared_at == at(1001)


def test_blindness_elsewhere_freezes_nothing() -> None:
    book = open_ledger()
    book.judge([], frozenset({"eus-rs0"}), at(10))
    assert steps(book.judge([], frozenset({"eus-rs0"}), at(12))) == [Step.CLEARED]


def test_blindness_in_the_clear_hold_down_starts_it_anew_but_keeps_the_end() -> None:
    book = open_ledger()
    book.judge([], SEEN, at(10))
    book.judge([], BLIND, at(11))
    assert book.judge([], SEEN, at(30)) == ()
    [cleared] = book.judge([], SEEN, at(32))
    assert cleared.record.cleared_at == at(10)


def test_a_pending_finding_is_neither_dropped_nor_opened_in_the_dark() -> None:
    book = ledger()
    book.judge([finding()], SEEN, at(0))
    assert book.judge([], BLIND, at(1)) == ()
    assert book.judge([], BLIND, at(100)) == ()
    assert book.judge([finding()], SEEN, at(101)) == (), "what was not seen to last did not last"
    assert book.next_due(at(101)) == at(103)
    [transition] = book.judge([finding()], SEEN, at(103))
    assert (transition.step, transition.record.pending_at) == (Step.OPENED, at(0))


def test_a_pending_finding_that_is_gone_when_sight_returns_is_dropped() -> None:
    book = ledger()
    book.judge([finding()], SEEN, at(0))
    book.judge([], BLIND, at(1))
    assert steps(book.judge([], SEEN, at(5))) == [Step.DROPPED]


def test_a_finding_that_is_reported_is_seen_whatever_else_is_unknown() -> None:
    book = ledger()
    book.judge([finding()], BLIND, at(0))
    assert steps(book.judge([finding()], BLIND, at(2))) == [Step.OPENED]


def test_the_next_judgement_is_due_when_the_first_hold_down_runs_out() -> None:
    book = Ledger(lambda kind: held(5, 3) if kind is Kind.BLIND else held(2, 4))
    assert book.next_due(at(0)) is None
    book.judge([finding(), finding(kind=Kind.BLIND)], SEEN, at(0))
    assert book.next_due(at(0)) == at(2)
    book.judge([finding(), finding(kind=Kind.BLIND)], SEEN, at(2))
    assert book.next_due(at(2)) == at(5)
    book.judge([finding(), finding(kind=Kind.BLIND)], SEEN, at(5))
    assert book.next_due(at(5)) is None
    book.judge([], SEEN, at(10))
    assert book.next_due(at(10)) == at(13)
    assert [t.record.finding.kind for t in book.judge([], SEEN, at(13))] == [Kind.BLIND]
    assert book.next_due(at(13)) == at(14)


def test_a_clock_that_is_set_back_holds_no_alert_back() -> None:
    book = ledger()
    book.judge([finding()], SEEN, at(3600))
    assert book.judge([finding()], SEEN, at(0)) == ()
    assert book.next_due(at(0)) == at(2)
    assert steps(book.judge([finding()], SEEN, at(2))) == [Step.OPENED]


def test_other_hold_downs_hold_from_the_next_judgement_on() -> None:
    book = ledger(opens=60)
    book.judge([finding()], SEEN, at(0))
    book.configure(always(held(1)), ())
    assert steps(book.judge([finding()], SEEN, at(1))) == [Step.OPENED]


def test_restored_open_findings_are_not_opened_again_nor_cleared_unseen() -> None:
    book = ledger()
    book.restore([opened()])
    assert book.judge([], BLIND, at(100)) == ()
    assert book.judge([finding(since=90)], SEEN, at(101)) == ()
    assert book.records == (opened(),)


def test_a_restored_open_finding_that_is_gone_with_sight_clears() -> None:
    book = ledger()
    book.restore([opened()])
    book.judge([], BLIND, at(100))
    book.judge([], SEEN, at(110))
    [cleared] = book.judge([], SEEN, at(112))
    assert (cleared.record.id, cleared.record.cleared_at) == ("abc", at(110))


def test_a_restored_pending_finding_waits_its_whole_hold_down_again() -> None:
    book = ledger()
    book.restore([replace(opened(), state=State.PENDING, opened_at=None)])
    assert book.judge([], BLIND, at(100)) == ()
    assert book.judge([finding()], SEEN, at(110)) == ()
    [transition] = book.judge([finding()], SEEN, at(112))
    assert (transition.step, transition.record.id) == (Step.OPENED, "abc")


def test_restored_cleared_records_are_passed_over() -> None:
    book = ledger()
    book.restore([replace(opened(), state=State.CLEARED, cleared_at=at(9))])
    assert book.records == ()


def test_before_a_restart_has_settled_absence_proves_nothing_even_for_what_rests_on_no_vantage() -> None:
    blind = finding(kind=Kind.BLIND, rests_on=())
    pending = replace(opened(finding("eus", rests_on=()), "def"), state=State.PENDING, opened_at=None)
    book = ledger()
    book.restore([opened(blind), pending], proof_after=at(160))
    assert book.judge([], SEEN, at(100)) == ()
    assert book.judge([], SEEN, at(159)) == ()
    assert book.next_due(at(159)) == at(160)
    assert steps(book.judge([], SEEN, at(160))) == [Step.CLEARED, Step.DROPPED]


def test_a_restored_finding_that_was_reported_again_clears_as_any_other() -> None:
    blind = finding(kind=Kind.BLIND, rests_on=())
    book = ledger()
    book.restore([opened(blind)], proof_after=at(1000))
    book.judge([blind], SEEN, at(100))
    book.judge([], SEEN, at(101))
    assert steps(book.judge([], SEEN, at(103))) == [Step.CLEARED]


def window(start: float, end: float, **matchers: tuple[str, ...]) -> Window:
    return Window("patch night", at(start), at(end), **matchers)  # type: ignore[arg-type]


def test_inside_a_window_a_finding_opens_muted_and_after_it_is_told_of_as_changed() -> None:
    book = ledger(windows=[window(0, 100, regions=("weu",))])
    book.judge([finding()], SEEN, at(0))
    [transition] = book.judge([finding()], SEEN, at(2))
    assert (transition.step, transition.record.muted_by) == (Step.OPENED, "patch night")
    assert book.judge([finding()], SEEN, at(99.9)) == ()
    assert book.next_due(at(99.9)) == at(100)
    [changed] = book.judge([finding()], SEEN, at(100))
    assert (changed.step, changed.record.muted_by) == (Step.CHANGED, None)


def test_what_ends_inside_the_window_stays_muted() -> None:
    book = ledger(windows=[window(0, 100)])
    book.judge([finding()], SEEN, at(0))
    book.judge([finding()], SEEN, at(2))
    book.judge([], SEEN, at(50))
    [cleared] = book.judge([], SEEN, at(52))
    assert (cleared.step, cleared.record.muted_by) == (Step.CLEARED, "patch night")


@pytest.mark.parametrize("kind", [Kind.UNEXPECTED_ORIGIN, Kind.MORE_SPECIFIC])
def test_no_window_mutes_what_may_be_an_attack(kind: Kind) -> None:
    book = ledger(0, windows=[window(0, 100)])
    transitions = book.judge([finding(kind=kind)], SEEN, at(1))
    assert [t.record.muted_by for t in transitions] == [None, None]


def test_a_window_that_covers_nothing_held_makes_no_judgement_due() -> None:
    book = ledger(0, windows=[window(50, 100, regions=("eus",))])
    book.judge([finding()], SEEN, at(0))
    assert book.next_due(at(0)) is None
    book.judge([finding(), finding("eus")], SEEN, at(1))
    assert book.next_due(at(1)) == at(50)


def test_what_rests_on_vantages_waits_after_a_restart_for_sight_and_for_nothing_else() -> None:
    seen = replace(opened(finding(rests_on=("weu-rs0",))), state=State.PENDING, opened_at=None)
    book = ledger()
    book.restore([seen], proof_after=at(1000))
    assert book.judge([], frozenset({"weu-rs0"}), at(100)) == ()
    assert steps(book.judge([], SEEN, at(101))) == [Step.DROPPED]
