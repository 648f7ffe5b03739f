"""Tell a receiver by HTTP POST of JSON.

Only the status line of the answer counts. 2xx is delivered. 429 and 5xx, and whatever the network does, may succeed
later. Any other answer cannot, redirects included: following one would hand the finding to whom nobody configured.
Each attempt has its own connection: messages are few, and a connection that has gone stale would look like a failure.
"""

import asyncio
import hashlib
import hmac
import json
import re
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from alerts.notify.addresses import refusal
from alerts.notify.outcome import Delivered, Outcome, Refused, Retry
from alerts.notify.payload import Links, payload
from anycast.intent import Webhook
from anycast.message import Message

BODY_LIMIT = 64 << 10  # bytes of an answer that are read, and thrown away, before the connection is closed
DRAIN = 1.0  # seconds that a receiver has for the body of its answer
LONGEST_WAIT = timedelta(hours=1)  # a receiver that asks for more is asked again after this


class WebhookSender:
    """One webhook receiver. Its repr and its reasons hold neither the URL, which may carry a token, nor the key."""

    def __init__(self, receiver: Webhook, links: Links, clock: Callable[[], datetime]) -> None:
        self._receiver, self._links, self._clock = receiver, links, clock
        self._resolver = _Resolver(self._refused_address)

    def __repr__(self) -> str:
        return f"WebhookSender({self._receiver.name!r})"

    async def send(self, message: Message) -> Outcome:
        """POST once."""
        refused = self._refused_url()
        if refused is not None:
            return Refused(refused)
        body = json.dumps(payload(message, self._links), ensure_ascii=False).encode()
        try:
            return await self._post(body, self._headers(message, body))
        except KeyUnreadable as error:  # an operator can mend it, and then the message still has its worth
            return Retry(str(error))
        except aiohttp.InvalidURL:
            return Refused("its url is not one that HTTP knows")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Retry(self._failure(error))

    async def _post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        connector = aiohttp.TCPConnector(resolver=self._resolver, force_close=True, use_dns_cache=False)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._receiver.timeout.total_seconds()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # what is thrown away is not worth unpacking, and a bomb is not worth meeting
                read_bufsize=BODY_LIMIT,
            ) as session,
            session.post(self._receiver.url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            await _drain(answer)
            return self._judged(answer.status, answer.headers.get("Retry-After"))

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "catchment",
            "Idempotency-Key": message.idempotency_key,
        }
        if self._receiver.secret_file is not None:
            sent_at = str(int(self._clock().timestamp()))
            headers["X-Catchment-Timestamp"] = sent_at
            headers["X-Catchment-Signature"] = signature(read_key(self._receiver.secret_file), sent_at, body)
        return headers

    def _judged(self, status: int, retry_after: str | None) -> Outcome:
        if 200 <= status < 300:
            return Delivered()
        reason = f"it answered {status}{_phrase(status)}"
        if status == 429 or status >= 500:
            asked = wait_asked(retry_after, self._clock()) if status in (429, 503) else None
            return Retry(reason, asked)
        if 300 <= status < 400:
            return Refused(f"{reason}: redirects are not followed; give the receiver its final url")
        return Refused(reason)

    def _refused_url(self) -> str | None:
        """Why the URL as it is written cannot be used; names are judged when they are resolved."""
        try:
            url = URL(self._receiver.url)
        except ValueError:
            return "its url cannot be read; write it as https://host/path"
        if url.scheme not in ("http", "https") or not url.host:
            return "its url is neither http nor https; write it as https://host/path"
        try:
            return self._refused_address(url.host)
        except ValueError:
            return None

    def _refused_address(self, address: str) -> str | None:
        tls = self._receiver.url.lower().startswith("https:")
        return refusal(address, tls or self._receiver.plain_http)

    def _failure(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"it did not answer within {self._receiver.timeout.total_seconds():g} s"
            case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
                return f"its certificate is not valid: {why.verify_message}"
            case aiohttp.ClientSSLError():
                return "TLS could not be agreed on with it"
            case aiohttp.ClientConnectorError(os_error=_Trap() as why):
                return str(why)
            case aiohttp.ClientConnectorDNSError():
                return "its name could not be resolved"
            case aiohttp.ClientConnectorError(os_error=why):
                return f"no connection to it: {why.strerror or type(why).__name__}"
            case aiohttp.ServerDisconnectedError() | ConnectionError():
                return "it closed the connection without an answer"
        return f"its answer could not be read ({type(error).__name__})"


class KeyUnreadable(Exception):
    """The file with the signing key cannot be used; the sentence says which file and why, and never what is in it."""


class _Trap(OSError):
    """A name that resolves to where nothing may be sent."""


class _Resolver(AbstractResolver):
    """Looks names up and leaves out addresses that nothing may be sent to, at the moment of connecting."""

    def __init__(self, refused: Callable[[str], str | None]) -> None:
        self._refused = refused
        # Its own: a name server that hangs must hold up neither other receivers nor others who use the loop's threads.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        judged = [(address[0], self._refused(str(address[0]))) for *_, address in found]
        allowed = [str(address) for address, reason in judged if reason is None]
        if not allowed:
            raise _Trap(f"its name resolves wrongly: {judged[0][1]}")
        return [_resolved(host, port, address) for address in allowed]

    async def close(self) -> None:
        """Nothing is held between look-ups."""


def _resolved(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)


def signature(key: bytes, timestamp: str, body: bytes) -> str:
    """Sign `<timestamp>.<body>`, so that neither can be replaced, nor an old message be sent again as new."""
    return "sha256=" + hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def read_key(path: str) -> bytes:
    """Read a signing key, without the white space around it; at each use, so that a new key needs no restart.

    Raises KeyUnreadable.
    """
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise KeyUnreadable(f"the key file {path} cannot be read: {error.strerror}") from None
    if not key:
        raise KeyUnreadable(f"the key file {path} is empty; put the shared secret in it")
    return key


def wait_asked(header: str | None, now: datetime) -> timedelta | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds or a date; None when it says nothing that can be read."""
    text = (header or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait = timedelta(seconds=int(text))
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), LONGEST_WAIT)


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Take the body off the wire, within limits; how that ends changes nothing, the status has been said."""
    left = BODY_LIMIT
    try:
        async with asyncio.timeout(DRAIN):
            while left > 0 and (chunk := await answer.content.read(left)):
                left -= len(chunk)
    except (TimeoutError, aiohttp.ClientError, OSError):
        answer.close()


def _phrase(status: int) -> str:
    """Our own words for a status: the receiver's could hold anything."""
    return f" {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else ""
