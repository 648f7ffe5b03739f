"""The webhook's document, and that its description is true."""

import json
import re
from dataclasses import replace
from pathlib import Path

import alerts.notify
from alerts.notify.payload import Links, payload
from anycast.finding import State, Step
from anycast.kinds import KINDS
from tests.alerts.samples import at, finding, opened, told

LINKS = Links(finding="http://console/findings/{id}", runbook="http://console/runbooks/{kind}")


def test_an_opening_says_everything_a_person_needs_at_night() -> None:
    wrong = replace(finding(since=1), not_before=at(-30))
    assert payload(told(wrong=wrong), LINKS) == {
        "version": 1,
        "status": "opened",
        "id": "abc",
        "key": "missing|service=web|region=weu",
        "kind": "missing",
        "severity": "major",
        "subject": {"service": "web", "region": "weu"},
        "summary": "web is not advertised by weu",
        "since": "2026-11-23T03:00:01.000000Z",
        "not_before": "2026-11-23T02:59:30.000000Z",
        "opened_at": "2026-11-23T03:00:02.000000Z",
        "cleared_at": None,
        "duration_seconds": None,
        "evidence": [{"label": "weu-rs0", "text": "absent"}],
        "action": KINDS[wrong.kind].action,
        "runbook": "http://console/runbooks/missing",
        "link": "http://console/findings/abc",
    }


def test_a_clearing_says_how_long_it_lasted() -> None:
    record = replace(opened(finding(since=1)), state=State.CLEARED, cleared_at=at(61.5))
    document = payload(replace(told(step=Step.CLEARED), record=record), LINKS)
    assert (document["status"], document["duration_seconds"]) == ("cleared", 60.5)
    assert document["cleared_at"] == "2026-11-23T03:01:01.500000Z"


def test_what_ended_before_a_clock_was_set_back_did_not_last_less_than_nothing() -> None:
    record = replace(opened(finding(since=100)), state=State.CLEARED, cleared_at=at(50))
    assert payload(replace(told(step=Step.CLEARED), record=record), LINKS)["duration_seconds"] == 0


def test_control_characters_stay_inside_their_strings() -> None:
    text = json.dumps(payload(told(wrong=finding(summary='a "quoted"\r\nX: line')), LINKS))
    assert "\n" not in text
    assert json.loads(text)["summary"] == 'a "quoted"\r\nX: line'


def test_the_description_names_every_field_and_no_other_in_order() -> None:
    described = (Path(alerts.notify.__file__).parent / "README.md").read_text()
    table = described.partition("| field | meaning |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(payload(told(), LINKS))
