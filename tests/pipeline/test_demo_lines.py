"""The demo's lines: short, folded with the rest under the beginning, and plain where that is asked for."""

import io
from typing import Any

import pytest
from rich.console import Console

from pipeline.demo import lines
from pipeline.demo.lines import Line

AT = "2026-01-31T08:00:00.123456Z"


def event(kind: str, what: str, text: str, **more: Any) -> dict[str, Any]:
    return {"number": 1, "at": AT, "kind": kind, "what": what, "text": text, **more}


def withdrawn(where: str, prefix: str = "10.250.0.10/32", how: str = "") -> dict[str, Any]:
    text = f"{prefix} withdrawn at {where} [path 65515 65010, next hop 10.10.255.4]{how}"
    return event("route", "withdrawn", text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> io.TextIOWrapper:
    """A terminal of 80 columns in place of ours; a test may ask for other options of `Console`."""
    options = {"encoding": "utf-8", "no_color": False} | getattr(request, "param", {})
    file = io.TextIOWrapper(io.BytesIO(), encoding=options.pop("encoding"))
    console = Console(file=file, width=80, force_terminal=True, color_system="standard", highlight=False, **options)
    monkeypatch.setattr(lines, "console", console)
    return file


def printed(terminal: io.TextIOWrapper) -> str:
    terminal.seek(0)
    return terminal.read()


def test_a_prefix_withdrawn_at_several_vantages_in_a_row_is_one_line() -> None:
    [line] = lines.events([withdrawn("weu-rs0"), withdrawn("weu-rs1"), withdrawn("nyc-ce1/172.18.1.2")])
    assert line.text == "10.250.0.10/32 at weu-rs0, weu-rs1, nyc-ce1/172.18.1.2"


def test_another_prefix_or_what_was_not_seen_when_it_happened_is_a_line_of_its_own() -> None:
    unseen = ", unseen between 08:00:00 and 08:00:09"
    made = lines.events([withdrawn("a"), withdrawn("b", "10.250.8.0/24"), withdrawn("c", how=unseen), withdrawn("d")])
    assert [line.text for line in made] == [
        "10.250.0.10/32 at a",
        "10.250.8.0/24 at b",
        f"10.250.0.10/32 at c{unseen}",
        "10.250.0.10/32 at d",
    ]


def test_what_is_announced_again_is_shown_as_what_was_withdrawn_is() -> None:
    back = [event("route", "announced", f"10.250.0.10/32 announced at {where} [path 65515]") for where in ("a", "b")]
    assert [(line.word, line.text) for line in lines.events([withdrawn("a"), withdrawn("b"), *back])] == [
        ("withdrawn", "10.250.0.10/32 at a, b"),
        ("announced", "10.250.0.10/32 at a, b"),
    ]


def test_the_time_of_day_has_milliseconds() -> None:
    [line] = lines.events([withdrawn("weu-rs0")])
    assert line.at == "08:00:00.123"


def test_a_line_between_two_withdrawals_keeps_them_apart() -> None:
    between = event("finding", "opened", "missing opened: web", severity="major")
    assert [line.word for line in lines.events([withdrawn("a"), between, withdrawn("b")])] == [
        "withdrawn",
        "opened",
        "withdrawn",
    ]


def test_words_that_have_a_column_are_not_said_twice_and_errno_stays_on_the_page() -> None:
    lost = "ams-ce1's BMP feed was lost: reset, the connection was reset: [Errno 104]; last heard 08:00:00, so"
    opened, feed = lines.events(
        [event("finding", "opened", "missing opened: web: no opened: here"), event("feed", "feed-lost", lost)]
    )
    assert opened.text == "missing: web: no opened: here"
    assert feed.text == "ams-ce1's BMP feed was lost: reset; last heard 08:00:00, so"


def test_what_is_not_worth_a_line_is_left_to_the_page() -> None:
    left = [
        event("finding", "pending", "missing pending: web"),
        event("route", "changed", "10.250.0.10/32 changed at weu-rs0 [path 65515, next hop 10.10.255.4]"),
        event("session", "peer-up", "up"),
        event("notification", "told", "hook was told"),
    ]
    assert lines.events(left) == ()
    assert len(lines.events([event("session", "peer-down", "down")])) == 1


def test_a_long_line_goes_on_under_its_beginning(terminal: io.TextIOWrapper) -> None:
    lines.show(Line("withdrawn", "10.250.0.10/32 at " + ", ".join(f"weu-nva{number}" for number in range(9)), "08:00"))
    first, *rest = printed(terminal).replace("\x1b[2m", "").replace("\x1b[0m", "").splitlines()
    assert first.startswith("  08:00        withdrawn   10.250.0.10/32 at weu-nva0,")
    assert rest
    assert all(line.startswith(" " * 27) and line[27] != " " for line in rest)
    assert all(len(line) <= 80 for line in (first, *rest))


def test_seconds_stay_with_their_number(terminal: io.TextIOWrapper) -> None:
    lines.say("x" * 64 + " (lasted 22.0 s)")
    assert printed(terminal).replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()[1] == "  22.0 s)"


def test_colours_are_there_on_a_terminal(terminal: io.TextIOWrapper) -> None:
    lines.say("Healthy.")
    lines.show(Line("opened", "missing", "08:00", "red"))
    assert "\x1b[1m▶ Healthy." in printed(terminal)
    assert "\x1b[31mopened" in printed(terminal)


@pytest.mark.parametrize("terminal", [{"no_color": True}], indirect=True)
def test_no_color_takes_bold_and_dim_away_too(terminal: io.TextIOWrapper) -> None:
    lines.say("Healthy.")
    lines.aside("Of less weight.")
    lines.show(Line("opened", "missing", "08:00", "red"))
    assert "\x1b" not in printed(terminal)


@pytest.mark.parametrize("terminal", [{"encoding": "ascii"}], indirect=True)
def test_symbols_have_a_stand_in_where_the_encoding_lacks_them(terminal: io.TextIOWrapper) -> None:
    lines.say("Healthy.")
    lines.show(lines.told(MESSAGE))
    assert "> Healthy." in printed(terminal)
    assert "* webhook" in printed(terminal)


MESSAGE = {
    "status": "cleared",
    "severity": "major",
    "kind": "missing",
    "subject": {"service": "web", "region": "weu"},
    "duration_seconds": 21.94,
}


def test_a_message_says_what_it_is_about_and_how_long_it_lasted() -> None:
    assert lines.told(MESSAGE).text == "cleared major missing: web, after 21.9 s"
    blind = MESSAGE | {"status": "opened", "kind": "blind", "subject": {"exporter": "gobgp"}, "duration_seconds": None}
    assert lines.told(blind).text == "opened major blind: gobgp"
