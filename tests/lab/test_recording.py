"""The recording of the lab that is shipped: whole, small, of the story that is told, and of nobody's machine.

Counts come from `walked` below, which reads BMP (RFC 7854) and BGP (RFC 4271) with struct alone and shares no line with
the collector.
"""

import asyncio
import gzip
import json
import os
import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from collector.wire.bmp.elements import bmp_elements
from collector.wire.element import Element, ElementType
from lab import lifecycle, recording, space, tape
from lab.recording import Recorder
from lab.story import STORY, Step
from lab.tape import STORY_TAPE, Act, Moment, Tape, What
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, Lab
from tests import needs

TYPES = {0: "routes", 1: "statistics", 2: "down", 3: "up", 4: "begin", 5: "end"}
COUNTED = {  # by `walked`, of the recording of 2026-11-23
    ("ams-ce1", 1): {"begin": 1, "up": 5, "routes": 30, "statistics": 15, "announced": 18, "withdrawn": 2},
    ("nyc-ce1", 2): {"begin": 1, "up": 8, "routes": 49, "statistics": 32, "announced": 29, "withdrawn": 4},
    ("gobgp", 3): {"begin": 1, "up": 10, "routes": 82, "statistics": 80, "announced": 68, "withdrawn": 4},
    ("ams-ce1", 4): {"begin": 1, "up": 5, "routes": 26, "announced": 16},
}
SAID = {  # what our decoder calls the same things
    ElementType.FEED: "begin",
    ElementType.STATE: "up",
    ElementType.STATISTICS: "statistics",
    ElementType.ANNOUNCEMENT: "announced",
    ElementType.WITHDRAWAL: "withdrawn",
}


@pytest.fixture(scope="module")
def recorded() -> Tape:
    return tape.read()


def streams(recorded: Tape) -> dict[tuple[str, int], bytes]:
    """The octets of each connection, by exporter and number."""
    found: dict[tuple[str, int], bytes] = {}
    for moment in recorded.moments:
        key = (moment.exporter, moment.connection)
        found[key] = found.get(key, b"") + moment.octets
    return found


def walked(stream: bytes) -> Iterator[tuple[str, str]]:
    """Read a BMP stream by hand: (type of message, ""), and ("announced" or "withdrawn", prefix) for each route."""
    while stream:
        version, length, kind = struct.unpack_from("!BIB", stream)
        assert version == 3
        assert length <= len(stream)
        yield TYPES[kind], ""
        if kind == 0:
            yield from _update(stream[6 + 42 : length])
        stream = stream[length:]


def _update(message: bytes) -> Iterator[tuple[str, str]]:
    length, kind, withdrawn = struct.unpack_from("!HBH", message, 16)
    assert (length, kind) == (len(message), 2)
    (attributes,) = struct.unpack_from("!H", message, 21 + withdrawn)
    yield from (("withdrawn", prefix) for prefix in _prefixes(message[21 : 21 + withdrawn]))
    yield from (("announced", prefix) for prefix in _prefixes(message[23 + withdrawn + attributes :]))


def _prefixes(octets: bytes) -> Iterator[str]:
    while octets:
        size = (octets[0] + 7) // 8
        yield f"{socket.inet_ntoa(octets[1 : 1 + size].ljust(4, bytes(1)))}/{octets[0]}"
        octets = octets[1 + size :]


def decoded(stream: bytes) -> list[Element]:
    return list(bmp_elements([(None, stream)]))


def test_it_is_small() -> None:
    assert STORY_TAPE.stat().st_size < 100_000


def test_it_has_as_many_messages_and_routes_as_a_walk_with_struct_counts(recorded: Tape) -> None:
    counts = {key: dict(Counter(word for word, _ in walked(stream))) for key, stream in streams(recorded).items()}
    assert counts == COUNTED


def test_our_decoder_reads_all_of_it_and_finds_the_same(recorded: Tape) -> None:
    for key, stream in streams(recorded).items():
        elements = decoded(stream)
        counts = Counter(SAID[element.type] for element in elements if element.type in SAID)
        assert counts == {word: count for word, count in COUNTED[key].items() if word != "routes"}
        assert {element.type for element in elements} - set(SAID) == {ElementType.END_OF_RIB}
        ours = [(SAID[each.type], str(each.prefix)) for each in elements if each.prefix is not None]
        assert ours == [(word, prefix) for word, prefix in walked(stream) if prefix]


def test_a_recording_that_lacks_an_octet_would_be_noticed(recorded: Tape) -> None:
    stream = streams(recorded)["gobgp", 3]
    assert ElementType.MALFORMED in {element.type for element in decoded(stream[:-1])}
    with pytest.raises(AssertionError):
        list(walked(stream[:-1]))


def test_it_is_of_the_story_that_is_told(recorded: Tape) -> None:
    meant = [step for step in STORY if step.verb is not None]
    assert [(act.verb, act.arguments) for act in recorded.acts] == [(step.verb, step.arguments) for step in meant]
    late = [act.at - recorded.story - step.at for act, step in zip(recorded.acts, meant, strict=True)]
    assert all(0 <= seconds < 0.5 for seconds in late), late
    assert recorded.end - recorded.story > STORY[-1].at


def test_it_says_what_the_story_says_when_the_story_says_it(recorded: Tape) -> None:
    """The withdrawal is two NVAs' within a second, the hijack AS 65999's; and one feed alone is lost, by a reset."""
    withdraw, back, hijack, end, cut, again = recorded.acts
    web = ("withdrawn", "10.250.0.10/32")

    def sent(exporter: str, after: Act, before: float) -> list[tuple[str, str]]:
        found = [moment for moment in recorded.moments if after.at <= moment.at < before]
        return [row for moment in found if moment.exporter == exporter for row in walked(moment.octets)]

    assert sent("gobgp", withdraw, back.at).count(web) == 4
    assert sent("gobgp", back, hijack.at).count(("announced", "10.250.0.10/32")) >= 4
    assert ("announced", "10.250.0.10/32") in sent("nyc-ce1", hijack, end.at)
    assert web in sent("nyc-ce1", end, cut.at)
    lost = [(moment.exporter, moment.what) for moment in recorded.moments if moment.what in (What.CLOSE, What.RESET)]
    assert lost == [("ams-ce1", What.RESET)]
    [reset] = [moment for moment in recorded.moments if moment.what is What.RESET]
    assert cut.at < reset.at < cut.seen_at
    assert not [each for each in recorded.moments if each.exporter == "ams-ce1" and reset.at < each.at < again.at]


def test_nothing_in_it_is_of_the_machine_it_was_made_on(recorded: Tape) -> None:
    names = {element.router for stream in streams(recorded).values() for element in decoded(stream)}
    assert names == {"GoBGP", "ams-ce1", "nyc-ce1"}
    octets = b"".join(moment.octets for moment in recorded.moments)
    nodes = {node.name for node in Lab().nodes}
    assert hosts(octets) <= nodes | {recording.HOST}
    words = {word.decode() for word in re.findall(rb"[A-Za-z][\w./ -]{4,}", octets) if word.isascii()}
    assert words <= nodes | {"GoBGP", "FRRouting 8.4.4"}
    assert all("/" not in act.seen.replace("10.250.0.10/32", "") for act in recorded.acts)


def hosts(octets: bytes) -> set[str]:
    """Host names in OPENs: capability 73 (FQDN), which is a host's length and name, and a domain's."""
    found = set()
    for match in re.finditer(rb"\x49([\x03-\x40])", octets):
        length, host = match[1][0], octets[match.end()]
        if host + 2 <= length and host + octets[match.end() + 1 + host] + 2 == length:
            found.add(octets[match.end() + 1 : match.end() + 1 + host].decode("ascii", "replace"))
    return found


def test_a_host_name_in_an_open_would_be_found() -> None:
    assert hosts(b"\x02\x12\x49\x10\x0dsomebodys-box\x01x\x41") == {"somebodys-box"}


def test_what_is_written_is_read_again_and_gives_the_same_file(recorded: Tape, tmp_path: Path) -> None:
    tape.write(recorded, tmp_path / "again.jsonl.gz")
    assert tape.read(tmp_path / "again.jsonl.gz") == recorded
    assert (tmp_path / "again.jsonl.gz").read_bytes() == STORY_TAPE.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[1:], "does not say"),
        (lambda lines: [lines[0].replace('"version": 1', '"version": 2'), *lines[1:]], "version 1, in its first line"),
        (lambda lines: lines[:-1], "is not whole"),
        (lambda lines: [line for line in lines if '"story"' not in line], "is not whole"),
        (lambda lines: [lines[0], lines[1].replace('"open"', '"opens"'), *lines[2:]], "line 2 is no line"),
        (lambda lines: [lines[0], lines[1].replace('"at"', '"on"'), *lines[2:]], "line 2 is no line"),
        (lambda lines: [lines[0], "{", *lines[2:]], "is no recording of the lab"),
        (lambda lines: [], "is no recording of the lab"),
    ],
)
def test_a_damaged_file_is_refused_with_a_sentence(tmp_path: Path, spoil: object, said: str) -> None:
    lines = gzip.decompress(STORY_TAPE.read_bytes()).decode().splitlines()
    assert callable(spoil)
    path = tmp_path / "spoilt.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(spoil(lines)).encode()))
    with pytest.raises(ValueError, match=said):
        tape.read(path)


def test_a_file_that_is_cut_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(STORY_TAPE.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"cut\.jsonl\.gz is no recording"):
        tape.read(path)


def test_every_line_is_json_with_a_time_and_in_order() -> None:
    first, *rest = [json.loads(line) for line in gzip.decompress(STORY_TAPE.read_bytes()).splitlines()]
    assert first["format"] == tape.FORMAT
    assert [line["at"] for line in rest] == sorted(line["at"] for line in rest)
    assert rest[-1]["what"] == "end"


async def test_the_recorder_writes_down_who_dialled_what_came_and_how_it_ended() -> None:
    recorder = Recorder({"127.0.0.1": "one", "127.0.0.2": "two"})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = asyncio.create_task(recorder.listen(listener))
        where = listener.getsockname()
        _, one = await asyncio.open_connection(*where, local_addr=("127.0.0.1", 0))
        one.write(b"first")
        await _until(recorder, 2)
        _, two = await asyncio.open_connection(*where, local_addr=("127.0.0.2", 0))
        await _until(recorder, 3)
        assert recorder.open == {"one", "two"}
        two.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        two.transport.abort()
        await _until(recorder, 4)
        one.close()
        await _until(recorder, 5)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    assert [replace(moment, at=0) for moment in recorder.moments] == [
        Moment(0, "one", 1, What.OPEN),
        Moment(0, "one", 1, What.BYTES, b"first"),
        Moment(0, "two", 2, What.OPEN),
        Moment(0, "two", 2, What.RESET),
        Moment(0, "one", 1, What.CLOSE),
    ]
    assert recorder.open == set()


async def _until(recorder: Recorder, count: int) -> None:
    async with asyncio.timeout(5):
        while len(recorder.moments) < count:
            await asyncio.sleep(0.01)


@pytest.mark.lab
@pytest.mark.timeout(180)
def test_a_recording_made_now_has_the_withdrawal_and_what_the_witness_said(tmp_path: Path) -> None:
    needs.root()
    needs.tool("bgpd", "frr")
    needs.tool("bird", "bird2")
    needs.tool("gobgpd")
    lab = Lab(f"rt{os.getpid()}")  # two runs of the tests on one machine do not meet
    story = (Step(0, "It begins."), Step(1, "Withdrawn.", "withdraw", ("weu", "web")), Step(4, "And back.", "heal"))
    lifecycle.down(lab)
    lifecycle.up(lab)
    try:
        with space.listening_socket(lab.namespace("collector"), COLLECTOR_ADDRESS, BMP_PORT) as listener:
            made = asyncio.run(recording.record(lab, listener, lambda _: None, story))
    finally:
        lifecycle.down(lab)
    tape.write(made, tmp_path / "made.jsonl.gz")
    assert tape.read(tmp_path / "made.jsonl.gz") == made
    assert set(made.exporters) == {"gobgp", "ams-ce1", "nyc-ce1"}
    assert [(act.verb, act.arguments) for act in made.acts] == [("withdraw", ("weu", "web")), ("heal", ())]
    assert all(f"FIB monitor of {lab.prefix}weu-gw" in act.seen for act in made.acts)
    gone = [m for m in made.moments if m.exporter == "gobgp" and ("withdrawn", "10.250.0.10/32") in walked(m.octets)]
    assert gone
    assert all(made.acts[0].at < moment.at < made.acts[1].at for moment in gone)
