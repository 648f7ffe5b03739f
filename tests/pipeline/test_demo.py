"""The recorded demo: the routers' own bytes through a real daemon, and its story as it must come out, or fail."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lab import state, tape
from lab.story import STORY
from lab.tape import STORY_TAPE, Moment, Tape, What
from pipeline.client import Client, NoDaemon
from pipeline.demo.play import Play, lands
from pipeline.demo.player import Player, loopback
from pipeline.demo.replayed import SPEED, RecordingStage, steps
from pipeline.demo.watcher import GRACE, GUARD
from tests import needs

FAST = 12.0
"""Recorded seconds in one of the test's."""
WEB = "service=web|prefix=10.250.0.10/32"
TOLD = {
    f"missing|{WEB}|region=weu",
    f"backup-active|{WEB}|site=ams",
    f"ecmp-shrunk|{WEB}|site=nyc",
    f"redundancy-low|{WEB}",
    f"unexpected-origin|{WEB}|detail=AS65999",
    "blind|site=ams|exporter=ams-ce1",
}


@dataclass
class Performance:
    """What came of a demo."""

    code: int
    told: list[Any]
    """Messages that the webhook received."""
    happened: list[Any]
    """Events of the daemon's timeline since the story began."""

    def keys(self, status: str) -> list[str]:
        """Keys of what was told with this status, in order."""
        return [message["key"] for message in self.told if message["status"] == status]

    def message(self, status: str, kind: str) -> Any:
        """The one message of a kind with a status."""
        [found] = [each for each in self.told if (each["status"], each["kind"]) == (status, kind)]
        return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def performed(recorded: Tape) -> Performance:
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        port = free_port()
        stage = RecordingStage(recorded, Path(folder), port, speed=FAST)
        play = Play(stage, port)
        code = asyncio.run(play.run(keep=False))
        return Performance(code, play.told, list(play.happened))


@pytest.fixture(scope="module")
def recorded() -> Tape:
    return tape.read()


@pytest.fixture(scope="module")
def story(recorded: Tape) -> Performance:
    return performed(recorded)


def test_the_story_comes_out_and_nothing_else_is_told(story: Performance) -> None:
    assert story.code == 0
    assert sorted(story.keys("opened")) == sorted(TOLD)


def test_everything_that_opened_clears_after_it_opened_and_once(story: Performance) -> None:
    assert sorted(story.keys("cleared")) == sorted(TOLD)
    for key in TOLD:
        statuses = [message["status"] for message in story.told if message["key"] == key]
        assert (statuses[0], statuses[-1]) == ("opened", "cleared")


def test_the_outage_lasts_as_long_as_it_was_recorded(story: Performance, recorded: Tape) -> None:
    withdraw, back, *_ = recorded.acts
    lasted = story.message("cleared", "missing")["duration_seconds"] * FAST
    assert lasted == pytest.approx(back.at - withdraw.at, abs=0.5 * FAST)


def test_while_the_feed_is_cut_only_that_is_told_and_its_return_changes_no_route(story: Performance) -> None:
    whats = [event["what"] for event in story.happened]
    cut = whats.index("feed-lost")
    after = [(event["what"], event["text"]) for event in story.happened[cut:] if event["kind"] in ("finding", "route")]
    assert [what for what, _ in after] == ["pending", "opened", "cleared"]
    assert all(text.startswith("blind ") for _, text in after)
    assert "feed-opened" in whats[cut:]


def test_without_the_withdrawal_the_demo_fails(recorded: Tape, capsys: pytest.CaptureFixture[str]) -> None:
    withdraw, _, hijack, *_ = recorded.acts
    quiet = performed(without(recorded, lambda moment: withdraw.at <= moment.at < hijack.at))
    assert quiet.code == 1
    assert "but nothing told of: missing" in capsys.readouterr().out
    assert set(quiet.keys("opened")) == {key for key in TOLD if key.startswith(("unexpected-origin", "blind"))}


def test_a_finding_that_has_no_cause_in_the_story_fails_the_demo(
    recorded: Tape, capsys: pytest.CaptureFixture[str]
) -> None:
    web, part_of_vdi = b"\x20\x0a\xfa\x00\x0a", b"\x19\x0a\xfa\x08\x00"  # 10.250.0.10/32, 10.250.8.0/25
    hijack, end = recorded.acts[2], recorded.acts[3]

    def other(moment: Moment) -> Moment:
        of_hijack = hijack.at <= moment.at < end.seen_at and moment.exporter != "ams-ce1"
        return replace(moment, octets=moment.octets.replace(web, part_of_vdi)) if of_hijack else moment

    wrong = performed(replace(recorded, moments=tuple(map(other, recorded.moments))))
    assert wrong.code == 1
    out = capsys.readouterr().out
    assert "nothing told of: unexpected-origin" in out
    assert "nothing in the story is a cause for: more-specific" in out


def without(recorded: Tape, gone: Callable[[Moment], bool]) -> Tape:
    left = (each for each in recorded.moments if each.what is not What.BYTES or not gone(each))
    return replace(recorded, moments=tuple(left))


@pytest.fixture(scope="module")
def shown() -> tuple[subprocess.CompletedProcess[str], int]:
    """The demo as a process, its output going to no terminal, for a reader of 80 columns."""
    port = free_port()
    argv = [sys.executable, "-m", "pipeline", "demo", "--recording", "--seconds", "60", "--port", str(port)]
    environment = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"}
    environment |= {SPEED: str(FAST), "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}
    return subprocess.run(argv, capture_output=True, encoding="utf-8", env=environment, timeout=110, check=False), port


def test_the_page_address_and_the_mode_come_first(shown: tuple[subprocess.CompletedProcess[str], int]) -> None:
    done, port = shown
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith(f"▶ page: http://127.0.0.1:{port}   mode: recording")
    assert "recorded on" in second
    assert "a recording was asked for" in done.stdout.replace("\n ", "")
    assert "a recording keeps its own times" in done.stderr


def test_every_sentence_of_the_story_is_said_in_order(shown: tuple[subprocess.CompletedProcess[str], int]) -> None:
    said = [re.sub(r"\s+", " ", each) for each in shown[0].stdout.replace("\n  ", " ").split("▶ ")]
    places = [next(n for n, sentence in enumerate(said) if sentence.startswith(step.say)) for step in STORY]
    assert places == sorted(places)


def test_without_a_terminal_it_is_plain_text_of_80_columns(
    shown: tuple[subprocess.CompletedProcess[str], int],
) -> None:
    lines = shown[0].stdout.splitlines()
    assert len(lines) > 30
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown[0].stdout


def test_a_demo_that_is_told_to_end_takes_its_daemon_with_it(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pipeline", "demo", "--recording", "--port", str(free_port())]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    demo = subprocess.Popen(argv, stdout=subprocess.PIPE, encoding="utf-8", env=environment)
    assert demo.stdout is not None
    with demo.stdout:
        said = next(line for line in demo.stdout if "weu present" in line)
        [data] = tmp_path.glob("catchment-demo-*/data")
        assert Client(data).get("/api/v1/status")
        demo.terminate()
        said += demo.stdout.read()
    assert demo.wait(20) == 130
    assert "Ended; daemon and network are gone." in said
    with pytest.raises(NoDaemon):
        Client(data).get("/api/v1/status")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_killed_takes_its_daemon_with_it_too(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pipeline", "demo", "--recording", "--port", str(free_port())]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    demo = subprocess.Popen(argv, stdout=subprocess.PIPE, encoding="utf-8", env=environment)
    assert demo.stdout is not None
    with demo.stdout:
        assert any("weu present" in line for line in demo.stdout)
        [data] = tmp_path.glob("catchment-demo-*/data")
        pid = int(Client(data).get("/api/v1/status")["pid"])
        demo.kill()
        assert demo.wait(20) == -signal.SIGKILL
    deadline = time.monotonic() + GRACE
    while state.start_time(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert state.start_time(pid) is None, "its daemon still runs"


def test_only_the_end_of_who_holds_its_input_makes_the_guard_end_a_daemon() -> None:
    with subprocess.Popen(["sleep", "60"]) as watched:
        guard = subprocess.Popen(["sh", "-c", GUARD, str(watched.pid)], stdin=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            watched.wait(0.5)
        guard.communicate(timeout=5)
        assert watched.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("seconds", ["-5", "0", "59.9", "nan", "inf"])
def test_a_length_that_no_story_has_is_refused_in_words(seconds: str) -> None:
    argv = [sys.executable, "-m", "pipeline", "demo", "--recording", "--seconds", seconds, "--port", str(free_port())]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"catchment demo: --seconds {float(seconds):g} is no length for the story; name 60 or more\n"
    )


def test_a_site_lands_on_every_region_that_it_hears_of_those_meant_to_be_equal() -> None:
    both, one = [["weu", "eus"]], [["weu"], ["eus"]]
    assert lands({"landed": "eus", "heard": ["eus", "weu"], "intended": both}) == "weu+eus"
    assert lands({"landed": "eus", "heard": ["eus"], "intended": both}) == "eus"
    assert lands({"landed": "weu", "heard": ["eus", "weu"], "intended": one}) == "weu"
    assert lands({"heard": [], "intended": one}) == "unknown"


def test_where_loopback_is_one_address_the_demo_says_which_command_helps() -> None:
    """As on macOS: in a network namespace of its own, whose loopback is 127.0.0.1 and nothing else."""
    needs.root()
    unshare, ip = needs.tool("unshare", "util-linux"), needs.tool("ip", "iproute2")
    alone = f"{ip} link set lo up && {ip} addr del 127.0.0.1/8 dev lo && {ip} addr add 127.0.0.1/32 dev lo"
    demo = f"{alone} && exec {sys.executable} -m pipeline demo --recording"
    done = subprocess.run([unshare, "--net", "sh", "-c", demo], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "sudo ifconfig lo0 alias 127.0.0.2 up && sudo ifconfig lo0 alias 127.0.0.3 up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_recording_of_another_story_is_refused(recorded: Tape) -> None:
    with pytest.raises(ValueError, match=r"make it anew: python -m lab\.recording"):
        steps(replace(recorded, acts=recorded.acts[1:]))


def test_steps_keep_their_recorded_times(recorded: Tape) -> None:
    acts = iter(recorded.acts)
    for step in steps(recorded):
        assert step.at == pytest.approx(next(acts).at - recorded.story if step.verb else step.at)
    assert [step.say for step in steps(recorded)] == [step.say for step in STORY]


class Station:
    """A listening socket that keeps who dialled, what came and how it ended."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes, str]] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        octets, ended = b"", "reset"
        with suppress(ConnectionResetError):
            while chunk := await reader.read(100):
                octets += chunk
            ended = "closed"
        self.calls.append((writer.get_extra_info("peername")[0], octets, ended))
        writer.close()


async def test_the_player_dials_from_an_address_for_each_router_and_ends_as_recorded() -> None:
    moments = (
        Moment(0.0, "a", 1, What.OPEN),
        Moment(0.1, "a", 1, What.BYTES, b"to begin"),
        Moment(0.2, "b", 2, What.OPEN),
        Moment(0.3, "b", 2, What.BYTES, b"b's"),
        Moment(1.1, "a", 1, What.BYTES, b" with"),
        Moment(1.2, "a", 1, What.RESET),
        Moment(1.3, "a", 3, What.OPEN),
        Moment(1.4, "a", 3, What.BYTES, b"again"),
        Moment(1.5, "b", 2, What.CLOSE),
    )
    made, station = Tape("2026-01-31", 1.0, 2.0, moments, ()), Station()
    server = await asyncio.start_server(station.take, "127.0.0.1", 0)
    sources = loopback(made.exporters)
    player = Player(made, server.sockets[0].getsockname(), sources, speed=10)
    await player.tables()
    assert station.calls == []
    began = asyncio.get_running_loop().time()
    await player.story()
    took = asyncio.get_running_loop().time() - began
    await player.stop()
    async with asyncio.timeout(5):
        while len(station.calls) < 3:
            await asyncio.sleep(0.01)
    server.close()
    assert sources == {"a": "127.0.0.1", "b": "127.0.0.2"}
    assert sorted(station.calls) == [
        ("127.0.0.1", b"again", "closed"),
        ("127.0.0.1", b"to begin with", "reset"),
        ("127.0.0.2", b"b's", "closed"),
    ]
    assert took == pytest.approx(0.05, abs=0.2)


async def test_the_player_sends_exactly_what_was_recorded(recorded: Tape) -> None:
    station = Station()
    server = await asyncio.start_server(station.take, "127.0.0.1", 0)
    sources = loopback(recorded.exporters)
    player = Player(recorded, server.sockets[0].getsockname(), sources, speed=1000)
    await player.tables()
    await player.story()
    await player.stop()
    async with asyncio.timeout(5):
        while len(station.calls) < 4:
            await asyncio.sleep(0.01)
    server.close()
    names = {address: exporter for exporter, address in sources.items()}
    sent = sorted((names[address], octets) for address, octets, _ in station.calls)
    connections = {moment.connection: moment.exporter for moment in recorded.moments}
    assert sent == sorted(
        (exporter, b"".join(each.octets for each in recorded.moments if each.connection == number))
        for number, exporter in connections.items()
    )


def test_the_wheel_carries_the_recording(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(argv, cwd=needs.ROOT, check=True, capture_output=True, timeout=100)
    [wheel] = tmp_path.glob("*.whl")
    assert zipfile.ZipFile(wheel).read("lab/recordings/story.jsonl.gz") == STORY_TAPE.read_bytes()
