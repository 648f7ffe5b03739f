"""The command line's way to the running daemon: HTTP over its Unix socket."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from anycast.plain import Plain


class NoDaemon(Exception):
    """No daemon answers on the socket; the message says what to do."""


class DaemonRefused(Exception):
    """The daemon answered with an error; the message is its own."""


class Client:
    """Asks the daemon whose data folder is given."""

    def __init__(self, data: Path, timeout: float = 10.0) -> None:
        self.path = socket_path(data)
        self._timeout = timeout

    def get(self, path: str, **query: str | int | list[str] | None) -> Plain:
        """GET a JSON answer. Raises NoDaemon or DaemonRefused."""
        given = {key: value for key, value in query.items() if value is not None}
        return self._answer("GET", f"{path}?{urlencode(given, doseq=True)}" if given else path)

    def post(self, path: str) -> Plain:
        """POST without a body; an answer of 409 is returned, not raised, for it says why."""
        return self._answer("POST", path, accepted=(200, 409))

    def follow(self, after: int = 0) -> Iterator[Plain]:
        """The event stream, one event at a time, until the daemon ends it."""
        connection = self._connect(timeout=None)
        try:
            connection.request("GET", f"/api/v1/events?after={after}")
            with connection.getresponse() as stream:
                for line in stream:
                    if line.startswith(b"data: ") and line.endswith(b"\n"):  # else it broke off in it
                        yield json.loads(line[6:])
        except (OSError, http.client.HTTPException):
            return  # a daemon that was killed ends its stream, too
        finally:
            connection.close()

    def _answer(self, method: str, path: str, accepted: tuple[int, ...] = (200,)) -> Plain:
        connection = self._connect(self._timeout)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
        except TimeoutError as error:
            raise NoDaemon(f"the daemon at {self.path} did not answer within {self._timeout:.0f} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoDaemon(f"the daemon at {self.path} hung up before it answered; is it stopping?") from error
        finally:
            connection.close()
        if response.status not in accepted:
            raise DaemonRefused(_reason(response.status, body))
        try:
            return json.loads(body)
        except ValueError as error:
            raise DaemonRefused(f"what listens at {self.path} answers no JSON; is it Catchment?") from error

    def _connect(self, timeout: float | None) -> "_UnixConnection":
        connection = _UnixConnection(str(self.path), timeout)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NoDaemon(f"no daemon answers at {self.path}{_why(error)}") from error
        return connection


def socket_path(data: Path) -> Path:
    """Where a daemon with this data folder listens; `data` may be the socket itself, if it is configured elsewhere."""
    return data if data.is_socket() else data / "catchment.sock"


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError() | ConnectionRefusedError() | NotADirectoryError():
            return "; start one with `catchment run -c FILE`, or name its data folder with --data"
        case PermissionError():
            return ": you may not; ask as the user that runs it"
        case TimeoutError():
            return ": it is too busy to take a connection"
        case _:
            return f": {error.strerror or error}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _reason(status: int, body: bytes) -> str:
    try:
        shown = json.loads(body)
        return str(shown.get("error") or shown.get("detail") or shown)
    except (ValueError, AttributeError):
        return f"HTTP {status}"
