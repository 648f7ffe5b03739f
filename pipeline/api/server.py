"""One application on two doors: a TCP address for browsers, a Unix socket for the command line."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

LONGEST_PATH = 107  # bytes of a Unix socket's path (unix(7): sun_path is 108 with its NUL)


class Server:
    """Serves until stopped."""

    def __init__(self, app: FastAPI, host: str, port: int, unix: Path) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=3, ws="websockets-sansio"
        )
        self._server = _Quiet(config)
        self._sockets = [_tcp(host, port), _unix(unix)]
        self._path = unix
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where browsers look."""
        host, port = self._sockets[0].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Begin to serve; returns when it does."""
        self._task = asyncio.create_task(self._server.serve(sockets=self._sockets), name="http")
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End within three seconds, whoever still listens."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._path.unlink(missing_ok=True)


class _Quiet(uvicorn.Server):
    """Leaves the signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port} for the page: {error.strerror}") from error
    opened.listen(128)
    return opened


def _unix(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise OSError(f"the path of the Unix socket is over {LONGEST_PATH} bytes: {path}; use a shorter data folder")
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        path.unlink(missing_ok=True)
        opened.bind(str(path))
    except OSError as error:
        opened.close()
        said = f"cannot listen on the Unix socket {path} for the command line: {error.strerror}"
        raise OSError(error.errno, said) from error
    finally:
        os.umask(before)
    opened.listen(128)
    return opened
