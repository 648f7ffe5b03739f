"""The door for agents: HTTPS on a port of its own, one request a body, everything bounded.

    PUT /agents/v1/batches/{run}/{sequence}    with a site's token; 200 when it is on disk
    GET /agents/v1/health                      200 while we take results

Who has no token costs us a handshake and a header. A connection on which nothing complete comes for half a minute is
closed; so are those beyond the most that we keep.
"""

import asyncio
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.web_request import BaseRequest

from collector.probe.batch import CONTENT_TYPE, LARGEST
from pipeline.agents.clocks import Now, Stamp
from pipeline.agents.ingest import Answer, Asked, Ingest
from pipeline.agents.rates import Rates
from pipeline.agents.tokens import Tokens

log = logging.getLogger(__name__)
MOST_CONNECTIONS: Final = 512
IDLE: Final = 30.0
"""Seconds in which a connection must bring a whole header."""
BODY: Final = 10.0
"""Seconds in which a body must come."""
ANSWER: Final = 8.0
"""Seconds in which results must be on disk; an agent gives up after ten, and comes again."""
HANDSHAKE: Final = 10.0
SWEEP: Final = 5.0
TOLD: Final = 60.0
"""Seconds between two lines of the log about requests without a token that is known."""
_PATH: Final = re.compile(r"/agents/v1/batches/([0-9a-f]{16})/([0-9]{1,18})")
_STAMP: Final = re.compile(r"([0-9a-f-]{1,40}) ([0-9]{1,19}) ([0-9]{1,19})")
_FURTHEST: Final = 1 << 62


class CertificateError(ValueError):
    """The certificate or its key cannot be used; the message is a sentence for the operator."""


def certified(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what agents know us by. Raises CertificateError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (certificate, key):
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            said = f"{path} cannot be read: {error.strerror}; `catchment agents enrol` makes it"
            raise CertificateError(said) from None
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        said = f"{certificate} and {key} are no certificate and its key: {getattr(error, 'reason', None) or error}"
        raise CertificateError(said) from None
    return context


class Door:
    """Serves until stopped."""

    def __init__(self, ingest: Ingest, tokens: Tokens, context: ssl.SSLContext, now: Callable[[], Now]) -> None:
        self.tokens, self._context = tokens, context
        self._ingest, self._now = ingest, now
        self._rates = Rates()
        self._server = web.Server(
            self._handle, access_log=None, keepalive_timeout=IDLE, auto_decompress=False, lingering_time=2.0
        )
        self._busy: set[object] = set()
        self._since: dict[object, float] = {}
        """When each connection came, or had its last answer."""
        self._listening: socket.socket | None = None
        self._handshakes: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._told = 0.0
        self.refused = 0
        """Requests without a token that is known."""

    async def start(self, where: socket.socket | tuple[str, int]) -> str:
        """Listen; returns where. Raises OSError."""
        opened = self._listening = where if isinstance(where, socket.socket) else _listening(*where)
        self._tasks = [asyncio.create_task(self._accept(opened)), asyncio.create_task(self._sweep())]
        host, port = opened.getsockname()[:2]
        return f"{host} port {port}"

    async def stop(self) -> None:
        """Take no more, answer what is on its way, and close."""
        going = [*self._tasks, *self._handshakes]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()
        await self._ingest.finish()
        await self._server.shutdown(2.0)

    async def _accept(self, listening: socket.socket) -> None:
        """Let connections in; those whose handshake is not over count, too."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                opened, _ = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("no connection can be taken for agents: %s", error)
                await asyncio.sleep(1.0)
                continue
            if len(self._handshakes) + len(self._server.connections) >= MOST_CONNECTIONS:
                opened.close()
                continue
            task = asyncio.create_task(self._shake_hands(opened))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, opened: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._server, opened, ssl=self._context, ssl_handshake_timeout=HANDSHAKE)
        except (OSError, ssl.SSLError):  # whoever it was speaks no TLS, or does not believe us
            opened.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = time.monotonic()
            living = self._server.connections
            self._since = {each: self._since.get(each, now) for each in living}
            for each in self._stale(living, now):
                if (transport := getattr(each, "transport", None)) is not None:
                    transport.abort()

    def _stale(self, living: Iterable[object], now: float) -> list[object]:
        return [each for each in living if each not in self._busy and now - self._since[each] > IDLE]

    async def _handle(self, request: BaseRequest) -> web.Response:
        now = self._now()
        connection = request.protocol
        self._busy.add(connection)
        try:
            answer = await self._answer(request, now)
        finally:
            self._busy.discard(connection)
            self._since[connection] = time.monotonic()
        response = web.Response(
            status=answer.status, body=json.dumps(answer.said).encode(), content_type="application/json"
        )
        if answer.retry_after is not None:
            response.headers["Retry-After"] = str(answer.retry_after)
        if answer.status in (400, 401, 408, 411, 413, 415, 431):
            response.force_close()  # what is left of the body is not read
        return response

    async def _answer(self, request: BaseRequest, now: Now) -> Answer:
        if request.path == "/agents/v1/health":
            return Answer(200, {"ok": True}) if request.method == "GET" else _refused(405, "only GET is for health")
        place = _PATH.fullmatch(request.path)
        if place is None:
            return _refused(404, "batches go to /agents/v1/batches/{run}/{sequence}")
        if request.method != "PUT":
            return _refused(405, "batches are PUT")
        site = self._whose(request)
        if site is None:
            return _refused(401, "the token is not known here")
        if not self._rates.allow(site):
            return Answer(429, {"refused": "more requests than a site may send"}, 1)
        stamp = _stamp(request.headers.get("Catchment-Clock", ""))
        oldest = request.headers.get("Catchment-Oldest", "")
        if stamp is None or not (oldest == "" or (oldest.isascii() and oldest.isdigit() and len(oldest) < 19)):
            return _refused(400, "Catchment-Clock is not `boot mono wall`, or Catchment-Oldest no number")
        body = await _body(request)
        if isinstance(body, Answer):
            return body
        run, sequence = place.group(1), int(place.group(2))
        asked = Asked(site, run, sequence, stamp, int(oldest) if oldest else None, body, now)
        try:
            async with asyncio.timeout(ANSWER):
                return await self._ingest.take(asked)
        except TimeoutError:
            return Answer(503, {"refused": "the journal is behind"}, 1)

    def _whose(self, request: BaseRequest) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        site = self.tokens.site_of(token.strip()) if scheme.lower() == "bearer" else None
        if site is None:
            self.refused += 1
            if time.monotonic() - self._told > TOLD:
                self._told = time.monotonic()
                log.warning("an agent at %s reports with a token that no site has", request.remote)
        return site


async def _body(request: BaseRequest) -> bytes | Answer:
    """Read a body within its bounds; what it is answered when it is out of them."""
    if request.headers.get("Content-Encoding"):
        return _refused(415, "a batch is gzip by itself; Content-Encoding is not for it")
    if request.content_type not in (CONTENT_TYPE, "application/octet-stream"):
        return _refused(415, f"a batch is of type {CONTENT_TYPE}")
    if request.content_length is not None and request.content_length > LARGEST:
        return _refused(413, f"a body has {LARGEST} octets at most")
    found = bytearray()
    try:
        async with asyncio.timeout(BODY):
            async for piece in request.content.iter_any():
                found += piece
                if len(found) > LARGEST:
                    return _refused(413, f"a body has {LARGEST} octets at most")
    except TimeoutError:
        return _refused(408, f"the body did not come within {BODY:.0f} s")
    return bytes(found)


def _stamp(text: str) -> Stamp | None:
    found = _STAMP.fullmatch(text)
    if found is None or int(found.group(2)) > _FURTHEST or int(found.group(3)) > _FURTHEST:
        return None
    return Stamp(found.group(1), int(found.group(2)), int(found.group(3)))


def _refused(status: int, said: str) -> Answer:
    return Answer(status, {"refused": said})


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port} for agents: {error.strerror}") from error
    opened.listen(128)
    opened.setblocking(False)
    return opened
