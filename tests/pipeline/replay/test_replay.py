"""Recordings through the whole pipeline: the story that they tell, the same every time."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from anycast.finding import State
from anycast.intent import Intent, Site
from anycast.situation import Event
from collector.recorded.moment import Moment, What
from lab.intent import render
from lab.tape import STORY_TAPE
from lab.topology import Lab
from pipeline.config import load
from pipeline.past import Past
from pipeline.replay.recordings import Recording, Recordings, recordings
from pipeline.replay.run import Outcome, replay
from pipeline.replay.tapes import Unplayable
from tests.collector.bmp.streams import (
    attributes,
    end_of_rib,
    header,
    initiation,
    monitoring,
    nlri,
    peer_up,
    update,
    withdraw,
)

NVA = "10.10.1.4"
SERVICE = "10.250.0.10/32"
INTENT = """
catchment: 1
services: {web: {prefix: 10.250.0.10/32, regions: {weu: active}}}
regions: {weu: {nvas: {weu-nva1: {address: 10.10.1.4, asn: 65010}}}}
exporters: {gobgp: {addresses: [127.0.0.1], collector: true}}
"""
AT = 1_700_000_000


@pytest.fixture
def intent(tmp_path: Path) -> Intent:
    (tmp_path / "one.yaml").write_text(INTENT)
    return load(tmp_path / "one.yaml").intent


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Intent:
    path = tmp_path_factory.mktemp("lab") / "lab.yaml"
    path.write_text(render(Lab()))
    return load(path).intent


def run(intent: Intent, made: Recordings, **more: object) -> tuple[Outcome, list[Event]]:
    told: list[Event] = []

    def tell(events: Sequence[Event]) -> None:
        told.extend(events)

    return asyncio.run(replay(intent, made, tell, **more)), told  # type: ignore[arg-type]


def head(at: int) -> bytes:
    return header(NVA, asn=65010, at=at)


def route(at: int) -> bytes:
    sent = attributes(65010, next_hop=NVA)
    return monitoring(update(attrs=sent, announced=nlri(SERVICE)), head(at))


HEALTHY = (
    initiation("gobgp"),
    peer_up(head(AT)),
    route(AT),
    end_of_rib(head(AT)),
)
LOSS = (
    *HEALTHY,
    withdraw(SERVICE, head=head(AT + 100)),
    route(AT + 130),
    route(AT + 200),
)


def bmp(folder: Path, messages: Sequence[bytes], name: str = "gobgp.bmp") -> str:
    path = folder / name
    path.write_bytes(b"".join(messages))
    return str(path)


def opened(outcome: Outcome) -> list[tuple[str, str, float | None]]:
    """Kind, state and how long, of each finding that was opened."""
    return [
        (
            str(record.finding.kind),
            str(record.state),
            (record.cleared_at - record.finding.since).total_seconds() if record.cleared_at else None,
        )
        for record in outcome.findings
        if record.opened_at
    ]


def test_a_withdrawal_is_found_and_is_over_at_the_times_of_the_recording(intent: Intent, tmp_path: Path) -> None:
    outcome, _ = run(intent, recordings([bmp(tmp_path, LOSS)], intent))
    kinds = {kind: (state, took) for kind, state, took in opened(outcome)}
    assert kinds["missing-everywhere"] == ("cleared", 30.0)
    assert all(state == "cleared" for state, _ in kinds.values())
    record = next(record for record in outcome.findings if record.finding.kind == "missing-everywhere")
    assert record.pending_at.timestamp() == record.finding.since.timestamp() == pytest.approx(AT + 100.25)
    assert record.opened_at == record.pending_at + timedelta(seconds=2)


def test_a_recording_of_a_healthy_network_finds_nothing(intent: Intent, tmp_path: Path) -> None:
    outcome, told = run(intent, recordings([bmp(tmp_path, HEALTHY)], intent), linger=timedelta(hours=1))
    assert opened(outcome) == []
    assert [event.what for event in told if event.kind == "finding"] == []
    assert outcome.end is not None
    assert outcome.end.timestamp() == pytest.approx(AT + 3600.25)


def test_what_is_still_wrong_at_the_end_is_open_and_a_longer_look_opens_what_was_pending(
    intent: Intent, tmp_path: Path
) -> None:
    made = recordings([bmp(tmp_path, LOSS[:-2])], intent)
    short, _ = run(intent, made)
    assert opened(short) == []
    assert {record.state for record in short.findings} == {State.PENDING}
    longer, _ = run(intent, made, linger=timedelta(seconds=30))
    assert ("missing-everywhere", "open", None) in opened(longer)


def test_the_story_of_the_lab_is_what_the_live_demo_tells(lab: Intent) -> None:
    """The kinds are those that lab/story.py acts: a withdrawal with failover, a hijack, and a cut feed."""
    outcome, told = run(lab, recordings([str(STORY_TAPE)], lab))
    assert [kind for kind, _, _ in opened(outcome)] == [
        "missing",
        "redundancy-low",
        "ecmp-shrunk",
        "backup-active",
        "unexpected-origin",
        "blind",
    ]
    assert {state for _, state, _ in opened(outcome)} == {"cleared"}
    assert outcome.absent == ()
    assert any(event.what == "withdrawn" and event.prefix == SERVICE for event in told)


def test_the_same_recording_tells_the_same_story_every_time(lab: Intent) -> None:
    made = recordings([str(STORY_TAPE)], lab)
    assert run(lab, made) == run(lab, made)


def test_how_the_octets_are_cut_changes_nothing(lab: Intent, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recordings([str(STORY_TAPE)], lab)
    whole = run(lab, made)
    moments = tuple(made.moments())

    def cut(moment: Moment) -> tuple[Moment, ...]:
        if moment.what is not What.OCTETS:
            return (moment,)
        return tuple(
            Moment(moment.at, moment.exporter, moment.what, moment.octets[start : start + 7])
            for start in range(0, len(moment.octets), 7)
        )

    monkeypatch.setattr(Recordings, "moments", lambda self: (piece for moment in moments for piece in cut(moment)))
    pieces = run(lab, made)
    assert pieces[1] == whole[1]
    assert pieces[0].findings == whole[0].findings


def test_exporters_that_were_not_recorded_are_named_and_no_complaint(lab: Intent, tmp_path: Path) -> None:
    outcome, _ = run(lab, recordings([bmp(tmp_path, HEALTHY)], lab), linger=timedelta(minutes=5))
    assert set(outcome.absent) == {"ams-ce1", "nyc-ce1"}
    assert "blind" not in {kind for kind, _, _ in opened(outcome)}


def test_two_streams_of_one_exporter_are_two_connections_with_a_gap_between(intent: Intent, tmp_path: Path) -> None:
    gone = (initiation("gobgp"), peer_up(head(AT + 300)), end_of_rib(head(AT + 300)))
    first, second = bmp(tmp_path, HEALTHY, "a.bmp"), bmp(tmp_path, gone, "b.bmp")
    outcome, told = run(intent, recordings([first, second], intent), linger=timedelta(seconds=30))
    assert ("missing-everywhere", "open", None) in opened(outcome)
    [withdrawn] = [event for event in told if event.what == "withdrawn"]
    assert withdrawn.not_before is not None  # between two times: nobody saw when


def test_a_data_folder_keeps_what_was_replayed_for_history(intent: Intent, tmp_path: Path) -> None:
    data = tmp_path / "data"
    outcome, told = run(intent, recordings([bmp(tmp_path, LOSS)], intent), data=data)
    assert outcome.start is not None
    assert outcome.end is not None
    events = Past(data).events(None, outcome.start, outcome.end + timedelta(seconds=1), 1000).events
    assert [event.text for event in events] == [event.text for event in told]
    with pytest.raises(FileExistsError):
        run(intent, recordings([bmp(tmp_path, LOSS)], intent), data=data)


def test_what_cannot_be_replayed_is_refused_with_what_would_be_right(
    lab: Intent, intent: Intent, tmp_path: Path
) -> None:
    nobody = bmp(tmp_path, (initiation("somebody-else"), *HEALTHY[1:]), "x.bmp")
    with pytest.raises(Unplayable, match=r"NAME=.*with one of: .*gobgp"):
        recordings([nobody], lab)
    with pytest.raises(Unplayable, match="is of exporter 'stranger', whom the intent does not name; write NAME="):
        recordings([f"stranger={nobody}"], lab)
    assert recordings([f"gobgp={nobody}"], lab).exporters == ("gobgp",)
    assert recordings([nobody], intent).exporters == ("gobgp",)  # there is no other
    with pytest.raises(Unplayable, match="neither"):
        recordings([bmp(tmp_path, (b"this is text",), "y.bmp")], intent)
    with pytest.raises(FileNotFoundError):
        recordings([str(tmp_path / "nothing.bmp")], intent)


def test_whose_a_stream_is_its_own_sys_name_says(lab: Intent, tmp_path: Path) -> None:
    name = bmp(tmp_path, (initiation("ams-ce1"), *HEALTHY[1:]), "recorded.bmp")
    assert recordings([name], lab).exporters == ("ams-ce1",)
    assert recordings([bmp(tmp_path, HEALTHY[1:], "nyc-ce1.bmp")], lab).exporters == ("nyc-ce1",)


def test_a_damaged_recording_of_the_lab_is_refused(lab: Intent, tmp_path: Path) -> None:
    lines = gzip.decompress(STORY_TAPE.read_bytes()).splitlines()
    path = tmp_path / "torn.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join([*lines[:4], json.dumps({"what": "bytes"}).encode(), *lines[5:]])))
    with pytest.raises(Unplayable, match="line 5"):
        run(lab, Recordings((Recording(path, None),)))


def test_agents_are_never_recorded_and_none_is_missed(intent: Intent, tmp_path: Path) -> None:
    """Their sites are unknown in a recording, which is no finding."""
    (tmp_path / "loss.bmp").write_bytes(b"".join(LOSS))
    probed = replace(intent, sites=(Site("ams", (), agent=True),))
    outcome, _ = run(probed, recordings([f"gobgp={tmp_path / 'loss.bmp'}"], probed))
    assert outcome.findings
    assert [record.finding.key for record in outcome.findings if "agent" in record.finding.kind] == []
