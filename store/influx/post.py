"""One request: lines to a server, by influxdb-client's v2 write API, within limits of our own.

What the client leaves open is closed here: no request is sent on to where a server points, none is tried again behind
our back, an answer is read up to a limit, and what is compressed is compressed quickly. To InfluxDB 1 the same request
goes under its older address.
"""

import base64
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import urllib3
from influxdb_client import InfluxDBClient  # type: ignore[attr-defined]
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from store.influx.answer import LONGEST, Answer, Verdict, answered
from store.influx.lines import Lines
from store.influx.token import TokenError, read_token
from store.influx.where import ServerKind, Where

BODY: Final = 16 << 10
"""Octets of an answer that are read."""
LEVEL: Final = 1
"""Of compression: half the octets of line protocol go at the first level, and most of the time at the others."""
PATH_1: Final = "/write"
GRACE: Final = 2.0
"""Seconds beyond the time limit after which a server that dribbles is cut off: the limit itself is one of each read."""


class Post:
    """Sends to one server. Use it from one thread at a time."""

    def __init__(self, where: Where, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Connect to nothing yet. Raises TokenError."""
        self._where, self._clock = where, clock
        self._token = read_token(where.token_file) if where.token_file else ""
        self._pool = _Pool(where, self._token)
        client: Any = InfluxDBClient(
            url=where.url,
            token=self._token,
            org=where.org,
            timeout=int(where.timeout.total_seconds() * 1000),
        )
        client.api_client.rest_client.pool_manager = self._pool
        self._write = client.write_api(write_options=SYNCHRONOUS)

    def send(self, lines: Lines) -> Answer:
        """Send lines in one request, and judge the answer."""
        try:
            with self._pool.cut_off(self._where.timeout.total_seconds() + GRACE):
                self._write.write(self._where.bucket, self._where.org, lines.body())
        except ApiException as error:
            if not error.status:  # the client's way to tell of TLS
                why = " ".join(str(error.reason).split())[:LONGEST]
                return Answer(Verdict.HELD, f"the server is not believed ({why}); name its authority as `ca_file`")
            headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
            found = answered(int(error.status), headers, (error.body or "").encode(), self._clock())
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            found = Answer(Verdict.AGAIN, f"the server was not reached: {_why(error)}")
        else:
            status = self._pool.status  # the client takes any 2xx for a success, a login page, too
            found = answered(status, {}, b"", self._clock())
        if self._pool.broken:
            found = Answer(Verdict.AGAIN, "the server was not reached: no whole answer in time")
        return replace(found, said=self._without_secret(found.said))

    def stale(self) -> bool:
        """Whether the token file says another token now."""
        try:
            return self._where.token_file is not None and read_token(self._where.token_file) != self._token
        except TokenError:
            return False

    def cut(self) -> None:
        """Break off what is under way. From any thread."""
        self._pool.cut()

    def close(self) -> None:
        """Let go of connections."""
        self._pool.clear()

    def _without_secret(self, said: str) -> str:
        return said.replace(self._token, "***") if self._token else said


class _Pool(urllib3.PoolManager):
    """Connections, and how each request goes out and its answer is read."""

    def __init__(self, where: Where, token: str) -> None:
        ca_file = str(where.ca_file) if where.ca_file else None
        super().__init__(num_pools=1, maxsize=1, retries=False, cert_reqs="CERT_REQUIRED", ca_certs=ca_file)
        self._where, self._token = where, token
        self._connection: urllib3.connection.HTTPConnection | None = None
        self.pool_classes_by_scheme = _watched(self._connected)
        self.status = 0
        """Of the last answer."""
        self.broken = False
        """Whether the last answer was cut off."""

    def _connected(self, connection: urllib3.connection.HTTPConnection) -> None:
        self._connection = connection

    @contextmanager
    def cut_off(self, seconds: float) -> Iterator[None]:
        """Break the connection when what is done meanwhile takes longer."""
        self.broken = False
        timer = threading.Timer(seconds, self.cut)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """Break the connection."""
        self.broken = True
        if self._connection is not None and self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def request(self, method: str, url: str, **how: Any) -> Any:  # type: ignore[override]
        headers, body = dict(how.pop("headers")), how.pop("body")
        if self._where.kind is ServerKind.INFLUXDB_1:
            url = _address_1(url)
            headers.pop("Authorization", None)
            if self._token:
                headers["Authorization"] = "Basic " + base64.b64encode(self._token.encode()).decode()
        if self._where.gzip:
            headers["Content-Encoding"] = "gzip"
            body = _compressed(body)
        headers["Accept-Encoding"] = "identity"
        how |= {"preload_content": False, "redirect": False, "retries": False}
        given = super().request(method, url, body=body, headers=headers, **how)
        answer = _Bounded(given, time.monotonic() + self._where.timeout.total_seconds())
        self.status = answer.status
        return answer


class _Bounded:
    """An answer of which no more than a little was read, in no more than a little time."""

    def __init__(self, given: urllib3.BaseHTTPResponse, deadline: float) -> None:
        self.status, self.reason = given.status, given.reason
        self.headers: Mapping[str, str] = given.headers
        body, whole = b"", False
        while len(body) < BODY and time.monotonic() < deadline:
            piece = given.read1(BODY - len(body), decode_content=False)
            if not piece:
                whole = True
                break
            body += piece
        given.release_conn() if whole else given.close()
        self.data = body.decode(errors="replace").encode()


def _watched(connected: Callable[[urllib3.connection.HTTPConnection], None]) -> dict[str, Any]:
    """Pools whose connections are told of."""

    class Plain(urllib3.connection.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected(self)

    class Secure(urllib3.connection.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            connected(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _compressed(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def _address_1(url: str) -> str:
    """The address of InfluxDB 1 for that of the v2 API: a bucket is a database, or `database/retention-policy`."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    database, _, policy = asked["bucket"][0].partition("/")
    query = {"db": database, "precision": "n"} | ({"rp": policy} if policy else {})
    path = parts.path.removesuffix("/api/v2/write") + PATH_1
    return parts._replace(path=path, query=urlencode(query)).geturl()


def _why(error: Exception) -> str:
    """What went wrong, without the objects that urllib3 names."""
    match error:
        case urllib3.exceptions.NewConnectionError() | urllib3.exceptions.NameResolutionError():
            return re.sub(r"^\[Errno -?\d+\] ", "", str(error).rpartition(": ")[2])
        case urllib3.exceptions.TimeoutError():
            return "no answer in time"
        case urllib3.exceptions.SSLError():
            return f"TLS: {error}"
        case urllib3.exceptions.ProtocolError():
            return "the connection broke off"
    return f"{type(error).__name__}: {error}"
