"""The command line's way to the daemon, when there is none, when it is stuck, and when it is something else."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.client import Client, DaemonRefused, NoDaemon, socket_path
from tests import needs
from tests.pipeline.terminal import environment


@contextmanager
def _listening(folder: Path, answer: bytes | None) -> Iterator[None]:
    """Something on the socket that takes one connection and answers this; None never answers."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "catchment.sock"))
        server.listen()
        ended = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    ended.wait(10)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def test_no_socket_and_a_socket_that_nobody_serves_are_no_daemon(tmp_path: Path) -> None:
    with pytest.raises(
        NoDaemon, match=r"no daemon answers at .*catchment\.sock; start one with `catchment run -c FILE`"
    ):
        Client(tmp_path).get("/api/v1/status")
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "catchment.sock"))
    with pytest.raises(NoDaemon, match="start one with"):
        Client(tmp_path).get("/api/v1/status")


def test_a_path_that_no_socket_can_have_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoDaemon, match="AF_UNIX path too long"):
        Client(tmp_path / ("x" * 200)).get("/api/v1/status")
    (tmp_path / "file").write_text("")
    with pytest.raises(NoDaemon, match="name its data folder with --data"):
        Client(tmp_path / "file").get("/api/v1/status")


def test_a_daemon_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    with _listening(tmp_path, None), pytest.raises(NoDaemon, match=r"did not answer within 0 s"):
        Client(tmp_path, timeout=0.2).get("/api/v1/status")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"good morning\r\n\r\n"])
def test_a_daemon_that_hangs_up_midway_is_no_traceback(tmp_path: Path, answer: bytes) -> None:
    with _listening(tmp_path, answer), pytest.raises(NoDaemon, match="hung up before it answered"):
        Client(tmp_path).get("/api/v1/status")


def test_something_else_that_answers_is_told_apart(tmp_path: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html"
    with _listening(tmp_path, page), pytest.raises(DaemonRefused, match="answers no JSON; is it Catchment"):
        Client(tmp_path).get("/api/v1/status")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"error": "no such prefix"}', "no such prefix"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b"oops", "HTTP 500"),
    ],
)
def test_a_refusal_is_the_daemons_own_sentence(tmp_path: Path, body: bytes, sentence: str) -> None:
    answer = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with _listening(tmp_path, answer), pytest.raises(DaemonRefused) as caught:
        Client(tmp_path).get("/api/v1/status")
    assert str(caught.value) == sentence


def test_a_stream_that_breaks_ends(tmp_path: Path) -> None:
    events = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\ndata: {"number":1}\r\n'
    with _listening(tmp_path, events):
        assert list(Client(tmp_path).follow()) == []
    (tmp_path / "catchment.sock").unlink()
    whole = b'HTTP/1.1 200 OK\r\n\r\nid: 1\ndata: {"number":1}\n\n'
    with _listening(tmp_path, whole):
        assert list(Client(tmp_path).follow()) == [{"number": 1}]


def test_a_socket_elsewhere_may_be_named_itself(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "other.sock"))
        assert socket_path(tmp_path / "other.sock") == tmp_path / "other.sock"
    assert socket_path(tmp_path) == tmp_path / "catchment.sock"


def test_another_users_daemon_may_not_be_asked_and_that_is_said(tmp_path: Path) -> None:
    needs.root()
    with _listening(tmp_path, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"):
        os.chmod(tmp_path / "catchment.sock", 0o600)
        for folder in (tmp_path, *tmp_path.parents[:3]):
            os.chmod(folder, 0o711)
        ask = (
            "import os\nfrom pathlib import Path\nfrom pipeline.client import Client, NoDaemon\nos.setuid(65534)\n"
            f"try:\n    Client(Path({str(tmp_path)!r})).get('/')\nexcept NoDaemon as error:\n    print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment()
        )
        assert done.stdout.endswith(": you may not; ask as the user that runs it\n")
        assert Client(tmp_path).get("/") == {}
