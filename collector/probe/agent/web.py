"""HTTP towards an address that the agent's file names, whatever a resolver would say, each request timed on its own.

The URL's host is what the Host header and the TLS handshake say; the connection goes to the target's address. Only a
target without an address is looked up, by the system's resolver, and that is not a part of any time that is told.
"""

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import aiohttp
from yarl import URL

from anycast.prefix import Address
from anycast.probe import Outcome

_UNREACHABLE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN))
_RESET: Final = frozenset((errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED))
_UNSENT: Final = frozenset((errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL))


class Timed(socket.socket):
    """A socket that knows when its handshake began and ended, monotonic ns; 0 where it has not."""

    began = ended = 0

    def connect(self, address: Any) -> None:
        """Begin."""
        self.began = time.monotonic_ns()
        super().connect(address)

    def getsockopt(self, *arguments: Any) -> Any:
        """asyncio asks for the error that a handshake ended with, and so tells that it did."""
        if arguments[:2] == (socket.SOL_SOCKET, socket.SO_ERROR) and not self.ended:
            self.ended = time.monotonic_ns()
        return super().getsockopt(*arguments)

    @property
    def handshake(self) -> int | None:
        """How long it took, ns; None while it is not done."""
        return self.ended - self.began if self.ended else None


class Shown(aiohttp.ClientResponse):
    """An answer that keeps the certificate it came under: an empty body lets go of the connection at once."""

    certificate: Mapping[str, Any] = MappingProxyType({})

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Begin to read the answer."""
        if connection.transport is not None:
            self.certificate = connection.transport.get_extra_info("peercert") or {}
        return await super().start(connection)


class Line:
    """The sockets of one request or one connection; normally one."""

    def __init__(self) -> None:
        self.opened: list[Timed] = []

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Open a socket, for aiohttp."""
        family, kind, protocol, _, _ = info
        sock = Timed(family, kind | socket.SOCK_CLOEXEC, protocol)
        sock.setblocking(False)
        self.opened.append(sock)
        return sock

    @property
    def handshake(self) -> int | None:
        """ns; None while it is not done."""
        return self.opened[-1].handshake if self.opened else None

    @property
    def since(self) -> int:
        """When the handshake ended; 0 while it has not."""
        return self.opened[-1].ended if self.opened else 0

    @property
    def port(self) -> int:
        """Our own; 0 while there is none."""
        try:
            return int(self.opened[-1].getsockname()[1]) if self.opened else 0
        except OSError:
            return 0


@dataclass(frozen=True, slots=True)
class Web:
    """One URL at one address."""

    url: URL
    address: Address | None
    host: str
    """What the Host header and TLS say."""
    context: ssl.SSLContext | bool
    """How certificates are checked; True is as the system does."""

    @asynccontextmanager
    async def session(self, line: Line, keep: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a session with one connection at most; `keep` lets it last from request to request."""
        connector = aiohttp.TCPConnector(
            limit=1,
            force_close=not keep,
            keepalive_timeout=3600 if keep else aiohttp.helpers.sentinel,
            use_dns_cache=False,
            ssl=self.context,
            socket_factory=line.socket,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
            auto_decompress=False,
            response_class=Shown,
            trust_env=False,
        ) as session:
            yield session

    async def get(
        self, session: aiohttp.ClientSession, headers: dict[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        """Send one request; return when the answer's head is there."""
        address = self.address or await self._looked_up()
        port = self.url.port
        asked = self.host if port in (None, 80, 443) and self.url.is_default_port() else f"{self.host}:{port}"
        return await session.get(
            self.url.with_host(str(address)),
            headers={"Host": asked, "Accept-Encoding": "identity"} | (headers or {}),
            server_hostname=self.host if self.url.scheme == "https" else None,
            allow_redirects=False,
        )

    async def _looked_up(self) -> Address:
        assert self.url.host is not None, "the reader of the file lets no URL without a host pass"
        found = await asyncio.get_running_loop().getaddrinfo(self.url.host, None, type=socket.SOCK_STREAM)
        return ip_address(found[0][4][0])


def web(url: str, address: Address | None, host: str = "", ca: Path | None = None) -> Web:
    """Build a Web. Raises OSError or ssl.SSLError when `ca` cannot be read."""
    parsed = URL(url)
    context: ssl.SSLContext | bool = True
    if parsed.scheme == "https" and ca is not None:
        context = ssl.create_default_context(cafile=str(ca))
    return Web(parsed, address, host or parsed.host or "", context)


def names(response: aiohttp.ClientResponse) -> tuple[str, ...]:
    """Return the names that the certificate of an answer is for: DNS names, else the common name; none without TLS."""
    found = response.certificate if isinstance(response, Shown) else {}
    alternative = tuple(name for kind, name in found.get("subjectAltName", ()) if kind == "DNS")
    common = tuple(value for part in found.get("subject", ()) for key, value in part if key == "commonName")
    return alternative or common


def failed(error: Exception) -> tuple[Outcome, str]:
    """Say how a request ended that failed."""
    if isinstance(error, socket.gaierror):
        return Outcome.UNSENT, f"the name is not found: {error.strerror}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Outcome.UNSENT, f"the name is not found: {error.os_error.strerror}"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError | ssl.SSLError):
        return Outcome.BROKEN, f"the TLS handshake failed: {_short(error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Outcome.BROKEN, "the connection was closed before an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return Outcome.BROKEN, f"the body was cut: {_short(error)}"
    number = error.errno if isinstance(error, OSError) else None
    for numbers, how in (
        ({errno.ECONNREFUSED}, Outcome.REFUSED),
        (_RESET, Outcome.RESET),
        (_UNREACHABLE, Outcome.UNREACHABLE),
        (_UNSENT, Outcome.UNSENT),
        ({errno.ETIMEDOUT}, Outcome.SILENT),
    ):
        if number in numbers:
            return how, os.strerror(number or 0)
    return Outcome.BROKEN, _short(error)


def _short(error: Exception) -> str:
    while isinstance(error, aiohttp.ClientConnectorCertificateError):
        error = error.certificate_error
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)[:200]
    return (str(error) or type(error).__name__)[:200]
