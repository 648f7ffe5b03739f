from dataclasses import replace

from anycast.change import Presence
from anycast.intent import Rung
from anycast.situation import Cell, Situation
from dashboards.console.findings import findings
from dashboards.console.markup import LONGEST, span_of, text
from dashboards.console.page import feeds, top
from dashboards.console.services import services
from dashboards.console.timeline import SHOWN, timeline
from tests.dashboards.scene import HOSTILE, NOW, cell, event, record, situation


def test_hostile_text_is_escaped_and_its_control_and_direction_marks_become_visible() -> None:
    shown = text(HOSTILE)
    assert "<" not in shown
    assert "&lt;script&gt;" in shown
    assert "\\x1b" in shown
    assert "\\x0d\\x0a" in shown
    assert "\\x202e" in shown


def test_long_text_is_cut_and_says_so() -> None:
    assert text("x" * 300) == "x" * LONGEST + "…"
    assert text("x" * LONGEST) == "x" * LONGEST


def test_quotes_cannot_leave_an_attribute() -> None:
    assert '"' not in text('" onmouseover="x')


def test_the_three_states_differ_in_word_and_shape_and_not_by_colour_alone() -> None:
    html = services(situation())
    assert "● present" in html
    assert "○ absent" in html
    assert f'data-presence="{Presence.UNKNOWN}"' in html
    assert "? ams-ce1" in html


def test_a_site_says_where_it_lands_and_where_it_was_meant_to() -> None:
    html = services(situation())
    assert "→ weu" in html
    assert "meant: weu then eus" in html


def test_a_site_with_equal_regions_lands_on_all_of_them_that_it_hears() -> None:
    assert "→ weu+eus" in services(_equal("weu", "eus"))
    assert "→ eus<" in services(_equal("eus"))
    assert _equal("weu", "eus").services[0].sites[0].lands_on == ("weu", "eus")
    assert situation().services[0].sites[0].lands_on == ("weu",)
    assert _landing().services[0].sites[0].lands_on == ()


def _equal(*heard: str) -> Situation:
    now = situation()
    [service] = now.services
    [site] = service.sites
    site = replace(site, landed="eus", heard=heard, intended=(("weu", "eus"),))
    return replace(now, services=(replace(service, sites=(site,)),))


def test_no_service_says_what_to_do() -> None:
    empty = situation()
    assert "catchment learn" in services(type(empty)(NOW, (), (), ()))


def test_hostile_names_pass_every_piece_escaped() -> None:
    pieces = services(situation(HOSTILE)) + findings([record(HOSTILE)]) + timeline([event(1, HOSTILE)])
    pieces += feeds(situation()) + top(situation(), 1, HOSTILE)
    assert "<script" not in pieces
    assert pieces.count("&lt;script&gt;") >= 5


def test_an_open_finding_shows_its_evidence_its_action_and_its_runbook() -> None:
    html = findings([record()])
    assert "absent at eus-rs0" in html
    assert "docs/runbooks/missing.md" in html
    assert "health check" in html


def test_no_finding_is_said_and_not_left_blank() -> None:
    assert "Nothing is wrong" in findings([])


def test_the_timeline_is_newest_first_and_bounded() -> None:
    html = timeline([event(number) for number in range(SHOWN + 50)])
    assert html.count("<li") == SHOWN
    assert html.index(f'data-number="{SHOWN + 49}"') < html.index(f'data-number="{SHOWN + 48}"')


def test_what_nobody_is_told_takes_no_line_of_the_page() -> None:
    told, untold = event(1), replace(event(2), what="dropped", text="it healed at once")
    assert "healed at once" not in timeline([told, untold])
    assert 'data-number="1"' in timeline([told, untold])


def test_lengths_of_time_are_one_word() -> None:
    assert [span_of(NOW - NOW.replace(minute=0)), span_of(NOW - NOW.replace(hour=1))] == ["0s", "2h"]


def test_a_site_whose_chosen_route_is_nobodys_says_so_and_does_not_call_it_unknown() -> None:
    chosen = cell("gobgp/ams-ce1", Rung.V6, Presence.PRESENT)
    assert "→ no region of ours" in services(_landing(chosen))
    assert "→ nowhere" in services(_landing(cell("gobgp/ams-ce1", Rung.V6, Presence.ABSENT)))
    assert "→ unknown" in services(_landing(cell("gobgp/ams-ce1", Rung.V6, Presence.UNKNOWN)))


def test_a_session_that_carries_nothing_and_was_not_meant_to_takes_no_place() -> None:
    stranger = cell("ams-ce1/*/10.99.0.10", Rung.V5, Presence.ABSENT, expected=False)
    assert "10.99.0.10" not in services(_landing(stranger))
    assert "10.99.0.10" in services(_landing(replace(stranger, presence=Presence.PRESENT)))


def _landing(*cells: Cell) -> Situation:
    now = situation()
    [service] = now.services
    [site] = service.sites
    return replace(now, services=(replace(service, sites=(replace(site, landed=None, cells=cells),)),))


def test_one_of_a_thing_is_not_said_as_many() -> None:
    now = situation()
    one = replace(now.feeds[0], messages=1, routes=1)
    assert "1 message, 1 route." in feeds(replace(now, feeds=(one,)))
    assert "0 messages, 0 routes." in feeds(now)
    assert "1 path, AS path" in services(now)
    assert "1 open finding<" in top(now, 1, "live")
    assert "2 open findings<" in top(now, 2, "live")
