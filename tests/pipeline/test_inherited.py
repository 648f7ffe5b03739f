import os
import socket
import subprocess
import sys

import pytest

from pipeline.inherited import inherited_socket

ASK = """
from pipeline.inherited import inherited_socket
opened = inherited_socket("bmp")
print("none" if opened is None else opened.getsockname()[1])
"""


def _ask(passed: socket.socket | None, **environment: str) -> str:
    """Run a child that has `passed` as descriptor 3, and return what it finds."""
    actions = [] if passed is None else [(os.POSIX_SPAWN_DUP2, passed.fileno(), 3)]
    reader, writer = os.pipe()
    actions.append((os.POSIX_SPAWN_DUP2, writer, 1))
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ASK], os.environ | environment, file_actions=actions)
    os.close(writer)
    with os.fdopen(reader) as output:
        said = output.read()
    os.waitpid(child, 0)
    return said.strip()


def test_a_socket_passed_by_systemds_convention_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert _ask(listening, LISTEN_FDS="1", LISTEN_FDNAMES="bmp") == str(listening.getsockname()[1])


def test_a_socket_of_another_name_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert _ask(listening, LISTEN_FDS="1", LISTEN_FDNAMES="http") == "none"


def test_a_socket_for_another_process_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert _ask(listening, LISTEN_FDS="1", LISTEN_FDNAMES="bmp", LISTEN_PID="1") == "none"


def test_a_promise_that_is_not_kept_is_an_error_with_the_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_FDNAMES", "bmp")
    monkeypatch.setattr("pipeline.inherited.FIRST", 999)
    with pytest.raises(ValueError, match="descriptor 999 as 'bmp', but it is no open socket"):
        inherited_socket("bmp")


def test_without_the_convention_nothing_is_inherited() -> None:
    bare = {key: value for key, value in os.environ.items() if not key.startswith("LISTEN_")}
    said = subprocess.run([sys.executable, "-c", ASK], env=bare, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "none"
