"""The way to the centre: what waits in the spool goes by HTTPS, in order, over one connection that is kept.

Nothing is forgotten before the centre has said that it is on its disk. When it cannot be reached, or refuses, what was
taken waits in the spool, and why is said once: not for every attempt. The token is never logged.

    PUT /agents/v1/batches/{run}/{sequence of the first}
    Authorization: Bearer TOKEN
    Catchment-Clock: {boot id} {monotonic ns} {wall ns}     as it is sent: how the centre knows our clocks
    Catchment-Oldest: {sequence}                            nothing older of this run will come
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import aiohttp

from collector.probe.batch import CONTENT_TYPE
from collector.probe.batching import Desk, boot_id
from collector.probe.config.values import Centre
from collector.probe.spool import Frame, Spool

log = logging.getLogger(__name__)
MOST: Final = 32
"""Batches in one request: a backlog of ten minutes is over in some seconds."""
OCTETS: Final = 400_000
"""Of a request with several batches; the centre decompresses 8 MiB at most."""
CONNECT, WHOLE = 4.0, 10.0  # seconds
SOONEST, LATEST = 0.25, 5.0  # seconds between attempts while the network is at fault,
PATIENT: Final = 30.0  # and at most while somebody has to mend something
LONGEST_WAIT: Final = 300.0  # seconds that a centre may ask us to wait
LARGEST_ANSWER: Final = 2_000
LONGEST_TOKEN: Final = 4_096

REFUSALS: Mapping[int, str] = {
    400: "does not understand us",
    401: "does not know our token",
    403: "does not take results of this site by our token",
    404: "takes no results at this address",
    409: "wants a batch that is not here any more",
    413: "finds a batch too large",
    415: "finds a batch encoded in a way it does not know",
    422: "finds a batch wrong",
}


class UplinkError(Exception):
    """The centre cannot be talked to, as the file has it; the message is a sentence for the operator."""


def read_token(path: Path) -> str:
    """Read a token from a file. Raises UplinkError, which never holds a part of it."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_TOKEN + 1)
    except OSError as error:
        raise UplinkError(
            f"the token {path} cannot be read: {error.strerror}; `catchment agents enrol` makes one"
        ) from None
    token = raw.strip()
    if not token or len(raw) > LONGEST_TOKEN or not token.isascii() or not token.decode("ascii").isprintable():
        raise UplinkError(f"{path} holds no token; `catchment agents enrol` makes one")
    if b" " in token:
        raise UplinkError(f"{path} holds more than a token; leave that alone in it")
    return token.decode("ascii")


def trust(centre: Centre) -> ssl.SSLContext:
    """Return whom we believe to be the centre: holders of a certificate by `centre.ca` alone, and for its host.

    Raises UplinkError.
    """
    try:
        context = ssl.create_default_context(cafile=centre.ca)
    except (OSError, ssl.SSLError) as error:
        said = getattr(error, "strerror", None) or error
        raise UplinkError(f"{centre.ca} holds no certificate that can be believed: {said}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Uplink:
    """Sends until cancelled."""

    def __init__(self, centre: Centre, token: str, context: ssl.SSLContext, desk: Desk) -> None:
        self._centre, self._token, self._context, self._desk = centre, token, context, desk
        self._boot = boot_id()
        self._trouble: str | None = None
        self._since = 0.0
        self._attempts = 0
        self._most = MOST

    async def run(self) -> None:
        """Send what waits, and then what comes."""
        connector = aiohttp.TCPConnector(limit=1, ssl=self._context, keepalive_timeout=60.0)
        timeout = aiohttp.ClientTimeout(total=WHOLE, sock_connect=CONNECT)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            frames = await self._desk.ask(self._next)
            while True:
                if frames:
                    frames = await self._send(session, frames)
                else:
                    await self._desk.appended.wait()
                    self._desk.appended.clear()
                    frames = await self._desk.ask(self._next)

    def _next(self, spool: Spool) -> list[Frame]:
        return spool.next(self._most, OCTETS)

    def _gone(self, spool: Spool, frames: list[Frame]) -> list[Frame]:
        spool.taken(frames)
        return self._next(spool)

    async def drain(self, seconds: float) -> None:
        """Send what waits, for so long at most; for the end, when `run` was cancelled."""
        self._attempts = 0
        sending = asyncio.ensure_future(self.run())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._desk.ask(lambda spool: spool.waiting) and self._attempts == 0:
                    await asyncio.sleep(0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, session: aiohttp.ClientSession, frames: list[Frame]) -> list[Frame]:
        """Send some frames, and wait where the next attempt has to; returns what comes next."""
        try:
            taken, wait = await self._attempt(session, frames)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            taken, wait = False, self._unreached(error)
        except asyncio.CancelledError:
            await asyncio.shield(self._desk.ask(Spool.kept))
            raise
        if taken:
            self._well()
            return await self._desk.ask(lambda spool: self._gone(spool, frames))
        await self._desk.ask(Spool.kept)
        await asyncio.sleep(wait)
        return await self._desk.ask(self._next)

    async def _attempt(self, session: aiohttp.ClientSession, frames: list[Frame]) -> tuple[bool, float]:
        first = frames[0]
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": CONTENT_TYPE,
            "Catchment-Clock": f"{self._boot} {time.monotonic_ns()} {time.time_ns()}",
            "Catchment-Oldest": str(first.sequence),
        }
        url = f"{self._centre.url}/agents/v1/batches/{first.run}/{first.sequence}"
        body = b"".join(frame.body for frame in frames)
        async with session.put(url, data=body, headers=headers, allow_redirects=False) as response:
            said = (await response.content.read(LARGEST_ANSWER)).decode("utf-8", "replace")
            if response.status in (200, 204):
                return True, 0.0
            return False, self._refused(response, said, len(frames))

    def _refused(self, response: aiohttp.ClientResponse, said: str, batches: int) -> float:
        """Hold what the centre does not take, and say so."""
        status = response.status
        if status in (413, 422) and batches > 1:
            self._most = 1  # which of them it is
            return 0.0
        shown = "".join(c if c.isprintable() else " " for c in said)[:300].strip()
        if status == 429 or status >= 500:
            asked = _retry_after(response)
            self._say(f"cannot take results now ({status}{': ' + shown if shown else ''})")
            return min(asked, LONGEST_WAIT) if asked else self._backoff(LATEST)
        self._say(f"{REFUSALS.get(status, 'answers in a way that we do not know')} ({status}: {shown})")
        if status == 401:
            self._read_token_again()
        return self._backoff(PATIENT)

    def _unreached(self, error: BaseException) -> float:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            self._say(f"shows a certificate that we do not believe: {error.certificate_error}")
            return self._backoff(PATIENT)
        said = str(error) or type(error).__name__
        self._say(f"cannot be reached: {'no answer in time' if isinstance(error, TimeoutError) else said}")
        return self._backoff(LATEST)

    def _backoff(self, latest: float) -> float:
        """Twice as long each time, and a part of it left to chance: agents that were cut off together come apart."""
        self._attempts += 1
        longest = min(latest, SOONEST * 2 ** min(self._attempts, 16))
        return random.uniform(longest / 2, longest)

    def _read_token_again(self) -> None:
        with suppress(UplinkError):
            self._token = read_token(self._centre.token)

    def _say(self, trouble: str) -> None:
        """Say what is wrong once; an attempt that fails as the one before says nothing."""
        kind = trouble.partition(":")[0]
        if self._trouble is None:
            self._since = time.monotonic()
        if kind != self._trouble:
            log.warning("the centre %s %s; results wait in the spool", self._centre.url, trouble)
        self._trouble = kind

    def _well(self) -> None:
        self._attempts, self._most = 0, MOST
        if self._trouble is not None:
            gone = time.monotonic() - self._since
            log.info("the centre %s takes results again, after %.1f s", self._centre.url, gone)
        self._trouble = None


def _retry_after(response: aiohttp.ClientResponse) -> float:
    said = response.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0
