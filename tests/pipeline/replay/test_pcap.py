"""Packet captures through the whole pipeline: the lab's recording as a capture tells the recording's own story."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from anycast.intent import Intent
from anycast.situation import Event
from collector.wire.pcap.packets import ACK, FIN, RST, SYN
from lab import tape
from lab.intent import render
from lab.tape import STORY_TAPE
from lab.topology import Lab
from pipeline.config import load
from pipeline.replay.recordings import Recordings, recordings
from pipeline.replay.run import Outcome
from pipeline.replay.tapes import Unplayable
from tests.collector.bmp.streams import initiation
from tests.collector.wire.pcap.writing import pcap, tcp
from tests.pipeline.replay.test_replay import AT, HEALTHY, INTENT, LOSS, opened, run

STATION = ("10.99.0.1", 11019)
SEGMENT = 1400


@dataclass
class Wire:
    """Writes connections to the station as packets."""

    packets: list[tuple[float, bytes]] = field(default_factory=list)
    sent: dict[tuple[str, int], int] = field(default_factory=dict)

    def open(self, at: float, end: tuple[str, int]) -> None:
        self.packets.append((at, tcp(end, STATION, 1000, flags=SYN)))
        self.packets.append((at, tcp(STATION, end, 5000, flags=SYN | ACK, acknowledged=1001)))
        self.sent[end] = 1001

    def say(self, at: float, end: tuple[str, int], octets: bytes, captured: bool = True) -> None:
        for start in range(0, len(octets), SEGMENT):
            piece = octets[start : start + SEGMENT]
            if captured:
                self.packets.append((at, tcp(end, STATION, self.sent[end], piece)))
            self.sent[end] += len(piece)

    def acknowledge(self, at: float, end: tuple[str, int]) -> None:
        self.packets.append((at, tcp(STATION, end, 5001, acknowledged=self.sent[end])))

    def close(self, at: float, end: tuple[str, int], flags: int = FIN | ACK) -> None:
        self.packets.append((at, tcp(end, STATION, self.sent[end], flags=flags)))

    def save(self, path: Path) -> str:
        path.write_bytes(pcap(self.packets))
        return str(path)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Intent:
    path = tmp_path_factory.mktemp("lab") / "lab.yaml"
    path.write_text(render(Lab()))
    return load(path).intent


@pytest.fixture
def intent(tmp_path: Path) -> Intent:
    (tmp_path / "one.yaml").write_text(INTENT)
    return load(tmp_path / "one.yaml").intent


def captured(intent: Intent, since: float = 0.0) -> Wire:
    """The lab's recording as a capture on the collector's host would have it, from some second of it on."""
    recorded, wire = tape.read(STORY_TAPE), Wire()
    midnight = datetime.fromisoformat(f"{recorded.made}T00:00:00+00:00").timestamp()
    addresses = {exporter.name: str(exporter.addresses[0].network_address) for exporter in intent.exporters}
    for each in recorded.moments:
        end, at = (addresses[each.exporter], 40_000 + each.connection), midnight + each.at
        match each.what:
            case tape.What.OPEN:
                wire.open(at, end)
            case tape.What.BYTES:
                wire.say(at, end, each.octets)
            case tape.What.CLOSE:
                wire.close(at, end)
            case tape.What.RESET:
                wire.close(at, end, RST)
    wire.packets = [packet for packet in wire.packets if packet[0] >= midnight + since]
    return wire


def story(told: Sequence[Event]) -> list[tuple[str, str]]:
    return [(str(event.at), event.text) for event in told]


def test_the_lab_s_recording_as_a_capture_tells_the_recording_s_story(lab: Intent, tmp_path: Path) -> None:
    recorded, told = run(lab, recordings([str(STORY_TAPE)], lab))
    outcome, heard = run(lab, recordings([captured(lab).save(tmp_path / "lab.pcap")], lab))
    assert story(heard) == story(told)
    assert outcome.incidents == recorded.incidents
    assert len(outcome.incidents) == 3
    assert set(outcome.exporters) == set(recorded.exporters)
    assert (outcome.damaged, outcome.strangers) == (0, ())


def test_a_capture_that_begins_later_tells_what_it_saw_change_and_nothing_else(lab: Intent, tmp_path: Path) -> None:
    outcome, _ = run(lab, recordings([captured(lab, since=10).save(tmp_path / "late.pcap")], lab))
    kinds = {kind for kind, _, _ in opened(outcome)}
    assert {"missing", "unexpected-origin", "blind"} <= kinds
    assert kinds <= {"missing", "redundancy-low", "ecmp-shrunk", "backup-active", "unexpected-origin", "blind"}
    early, _ = run(lab, recordings([captured(lab, since=60).save(tmp_path / "later.pcap")], lab))
    assert {kind for kind, _, _ in opened(early)} <= {"unexpected-origin", "blind"}


def played(intent: Intent, folder: Path, wire: Wire, name: str = "", **more: object) -> tuple[Outcome, list[Event]]:
    return run(intent, recordings([f"{name}{wire.save(folder / 'x.pcap')}"], intent), **more)


GOBGP = ("127.0.0.1", 40_001)


def test_packet_times_are_the_times(intent: Intent, tmp_path: Path) -> None:
    wire = Wire()
    wire.open(AT, GOBGP)
    wire.say(AT, GOBGP, b"".join(HEALTHY))
    wire.say(AT + 7000, GOBGP, LOSS[4])
    wire.say(AT + 7060, GOBGP, LOSS[5])
    wire.say(AT + 7100, GOBGP, LOSS[6])
    outcome, _ = played(intent, tmp_path, wire)
    [incident] = outcome.incidents
    assert incident.since.timestamp() == AT + 7000
    assert incident.outage == timedelta(seconds=60)


def test_what_the_capture_lacks_is_unknown_and_counted(intent: Intent, tmp_path: Path) -> None:
    def wire(captured: bool) -> Wire:
        made = Wire()
        made.open(AT, GOBGP)
        made.say(AT, GOBGP, b"".join(HEALTHY))
        made.say(AT + 100, GOBGP, LOSS[4], captured=captured)
        for second in (101, 103, 105):
            made.say(AT + second, GOBGP, initiation("gobgp"))
            made.acknowledge(AT + second, GOBGP)
        return made

    outcome, told = played(intent, tmp_path, wire(False), linger=timedelta(seconds=60))
    assert opened(outcome) == []
    assert outcome.damaged == 1
    assert any("the capture lacks" in event.text for event in told)
    outcome, told = played(intent, tmp_path, wire(True), linger=timedelta(seconds=60))
    assert [kind for kind, _, _ in opened(outcome)] == ["missing-everywhere"]
    assert outcome.damaged == 0


def test_an_exporter_is_known_by_its_address_or_by_the_name_that_is_given(intent: Intent, tmp_path: Path) -> None:
    other = ("192.0.2.7", 40_001)
    wire = Wire()
    wire.open(AT, other)
    wire.say(AT, other, b"".join(HEALTHY))
    with pytest.raises(Unplayable, match=r"BMP from 192\.0\.2\.7, which is no exporter's address.*gobgp"):
        played(intent, tmp_path, wire)
    outcome, _ = played(intent, tmp_path, wire, "gobgp=")
    assert outcome.exporters == ("gobgp",)
    assert outcome.counted.routes == 1
    wire.open(AT, GOBGP)
    wire.say(AT, GOBGP, b"".join(HEALTHY))
    outcome, _ = played(intent, tmp_path, wire)
    assert (outcome.exporters, [str(each) for each in outcome.strangers]) == (("gobgp",), ["192.0.2.7"])
    with pytest.raises(Unplayable, match="'nobody'"):
        played(intent, tmp_path, wire, "nobody=")


def test_a_capture_without_bmp_is_refused(intent: Intent, tmp_path: Path) -> None:
    wire = Wire()
    wire.open(AT, GOBGP)
    wire.say(AT, GOBGP, b"GET / HTTP/1.1\r\n\r\n" * 10)
    with pytest.raises(Unplayable, match="without BMP"):
        played(intent, tmp_path, wire)


def test_captures_that_follow_each_other_are_one_story(intent: Intent, tmp_path: Path) -> None:
    wire = Wire()
    wire.open(AT, GOBGP)
    wire.say(AT, GOBGP, b"".join(HEALTHY))
    wire.say(AT + 100, GOBGP, LOSS[4])
    first, second = Wire(wire.packets[:-1]), Wire(wire.packets[-1:])
    made: Recordings = recordings(
        [first.save(tmp_path / "1.pcap"), f"gobgp={second.save(tmp_path / '2.pcap')}"], intent
    )
    outcome, _ = run(intent, made, linger=timedelta(seconds=30))
    assert [kind for kind, _, _ in opened(outcome)] == ["missing-everywhere"]
