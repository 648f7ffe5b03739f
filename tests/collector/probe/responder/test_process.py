"""The responder as people start it: a process with a file, keys that rotate, and counters."""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from collector.probe.identity.datagram import Request, decode_reply, encode_request
from collector.probe.identity.keyfile import make_key, read_key
from collector.probe.identity.keys import Key, Keys

ROOT = os.geteuid() == 0


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Running:
    folder: Path
    udp: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    echo: int = field(default_factory=lambda: free_port(socket.SOCK_STREAM))
    process: "subprocess.Popen[str] | None" = None

    def write(self, keys: str, rest: str = "") -> Path:
        path = self.folder / "responder.yaml"
        listen = f'{{udp: ["127.0.0.1:{self.udp}"], echo: ["127.0.0.1:{self.echo}"]}}'
        path.write_text(
            f"responder: 1\nregion: weu\nnva: weu-nva1\ngeneration: g1\nservices: [dns]\nlisten: {listen}\n"
            f"keys: {{{keys}}}\nallow: [127.0.0.0/8]\n{rest}"
        )
        path.chmod(0o644)
        return path

    def start(self, *more: str) -> None:
        argv = (sys.executable, "-m", "pipeline", "responder", "-c", str(self.folder / "responder.yaml"), "--json")
        self.process = subprocess.Popen((*argv, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.heard("answers as")

    def heard(self, words: str) -> dict[str, Any]:
        """Wait for a line of the log."""
        assert self.process is not None
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if words in line:
                return dict(json.loads(line))
        raise AssertionError(f"it never said {words!r}")

    def status(self) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGUSR1)
        return dict(json.loads(self.process.stdout.readline()))

    def asked(self, key: Key, nonce: int) -> str | None:
        """The generation that a request is answered with."""
        request = Request(key.id, 1, nonce, time.monotonic_ns(), "dns")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.settimeout(0.5)
            ours.sendto(encode_request(request, key), ("127.0.0.1", self.udp))
            try:
                return decode_reply(ours.recv(2000), Keys((key,))).identity.generation
            except TimeoutError:
                return None

    def key(self, number: int) -> Key:
        return Key(number, "ams", read_key(self.folder / f"k{number}"))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    tmp_path.chmod(0o755)
    for number in (1, 2):
        make_key(tmp_path / f"k{number}")
        if ROOT:
            os.chown(tmp_path / f"k{number}", pwd.getpwnam("nobody").pw_uid, -1)
    beside = Path(tempfile.gettempdir())
    for parent in tmp_path.parents:
        if ROOT and parent.stat().st_uid == 0 and beside in parent.parents:
            parent.chmod(0o755)
    found = Running(tmp_path)
    yield found
    if found.process is not None:
        found.process.kill()
        found.process.communicate()


def test_it_answers_rotates_its_keys_and_tells_what_it_did(running: Running) -> None:
    old, new = running.key(1), running.key(2)
    running.write("1: {file: k1, site: ams}")
    running.start()
    assert running.asked(old, 1) == "g1"
    assert running.asked(new, 2) is None

    both = "1: {file: k1, site: ams}, 2: {file: k2, site: ams}"
    path = running.write(both)
    path.write_text(path.read_text().replace("g1", "g2"))
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    running.heard("2 keys, generation g2")
    assert (running.asked(old, 3), running.asked(new, 4)) == ("g2", "g2")

    running.write("2: {file: k2, site: ams}")
    running.process.send_signal(signal.SIGHUP)
    running.heard("1 keys")
    assert (running.asked(old, 5), running.asked(new, 6)) == (None, "g1")

    running.write("2: {file: k3, site: ams}")
    running.process.send_signal(signal.SIGHUP)
    assert "k3 cannot be read" in running.heard("all stays as it was")["message"]
    assert running.asked(new, 7) == "g1"

    status = running.status()
    assert status["keys"] == {"1": 2, "2": 3}
    assert status["dropped"] == {"udp.unknown-key": 2}
    assert (status["nva"], status["answered"]) == ("weu-nva1", {"udp": 5})
    running.process.terminate()
    assert running.process.wait(10) == 0


@pytest.mark.skipif(not ROOT, reason="only root has something to give away")
def test_root_is_given_away_after_binding(running: Running) -> None:
    running.write("1: {file: k1, site: ams}")
    running.start()
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    nobody = pwd.getpwnam("nobody")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert lines["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert lines["Groups"].strip() == ""
    assert int(lines["CapEff"], 16) == int(lines["CapPrm"], 16) == 0
    assert int(lines["VmRSS"].split()[0]) < 100_000


@pytest.mark.skipif(not ROOT, reason="only root can read what its later self cannot")
def test_a_key_that_could_not_be_read_again_is_told_at_the_start(running: Running) -> None:
    os.chown(running.folder / "k1", 0, -1)
    running.write("1: {file: k1, site: ams}")
    argv = (sys.executable, "-m", "pipeline", "responder", "-c", str(running.folder / "responder.yaml"))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "k1 cannot be read: Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("rest", "code", "said"),
    [("user: nobody-of-that-name\n", 2, "there is no user nobody-of-that-name"), ("speed: 1\n", 1, "speed: is no key")],
)
def test_what_keeps_it_from_running_is_a_sentence(running: Running, rest: str, code: int, said: str) -> None:
    running.write("1: {file: k1, site: ams}", rest)
    argv = (sys.executable, "-m", "pipeline", "responder", "-c", str(running.folder / "responder.yaml"))
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert said in done.stderr
