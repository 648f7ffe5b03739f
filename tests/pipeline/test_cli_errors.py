"""What the machine refuses is said with where it was, and what would be right."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest

from pipeline.api.server import _unix
from pipeline.cli.shown import ADVICE, sentence
from pipeline.memory import open_memory
from tests.pipeline.terminal import catchment
from tests.pipeline.watched import INTENT


def _intent(folder: Path, port: int = 0) -> str:
    path = folder / "mine.yaml"
    path.write_text(INTENT.format(bmp=port or 1, hook="http://127.0.0.1:9/"))
    return str(path)


def test_a_data_folder_that_is_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("")
    said = catchment("run", "-c", _intent(tmp_path), "--data", str(file))
    assert said.code == 2
    assert f"the data folder {file} cannot be made, for there is a file; name a folder with --data" in said.err
    said = catchment("history", "--data", str(file))
    assert said.code == 2
    assert f"{file} is no folder; name the data folder with --data" in said.err


async def test_a_data_folder_that_may_not_be_used_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *asked: False)  # root may do anything
    with pytest.raises(OSError, match=r"cannot be used: Permission denied; name one that this user may write to"):
        await open_memory(tmp_path / "data")


def test_a_port_that_is_taken_says_who_tells_by_whom(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = sentence(asyncio.run(_refused(taken.getsockname()[1])))
    assert "already in use" in said
    assert "`ss -ltnp` names it" in said


async def _refused(port: int) -> OSError:
    try:
        await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", port)
    except OSError as error:
        return error
    raise AssertionError("the port was free")


def test_a_unix_socket_that_cannot_be_made_says_where_and_what_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"Unix socket .*nowhere/catchment.sock for the command line") as raised:
        _unix(tmp_path / "nowhere" / "catchment.sock")
    assert "name another" in sentence(raised.value)


@pytest.mark.parametrize("number", ADVICE)
def test_whatever_the_system_refuses_comes_with_its_path_and_advice(number: int) -> None:
    said = sentence(OSError(number, os.strerror(number), "/some/where"))
    assert said == f"/some/where: {os.strerror(number)}; {ADVICE[number]}"
    assert sentence(OSError(errno.EIO, "Input/output error", "/some/where")) == "/some/where: Input/output error"


@pytest.mark.parametrize("also", [("--from", "1h"), ("--to", "1h")])
def test_a_moment_and_a_stretch_of_time_are_not_asked_for_at_once(tmp_path: Path, also: tuple[str, str]) -> None:
    said = catchment("history", "10.250.0.10/32", "--at", "1h", *also, "--data", str(tmp_path))
    assert said.code == 2
    assert "--at asks for one moment, --from and --to for a stretch of time: give one or the other" in said.err
