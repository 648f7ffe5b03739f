"""The webhook sender against real servers that behave and misbehave."""

import asyncio
import hashlib
import hmac
import logging
import ssl
import subprocess
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.notify.outcome import Delivered, Outcome, Refused, Retry
from alerts.notify.payload import Links
from alerts.notify.webhook import LONGEST_WAIT, WebhookSender, signature, wait_asked
from anycast.intent import Webhook
from tests import needs
from tests.alerts.receivers import (
    Behaviour,
    Receiver,
    answers,
    closes,
    hang,
    huge_body,
    huge_header,
    nonsense,
    receiver,
    reset,
    slow_body,
)
from tests.alerts.samples import at, told

QUICK = timedelta(seconds=1)


def sender(url: str, key: Path | None = None, timeout: timedelta = QUICK, plain_http: bool = False) -> WebhookSender:
    key_file = None if key is None else str(key)
    configured = Webhook("ops", url, timeout=timeout, secret_file=key_file, plain_http=plain_http)
    return WebhookSender(configured, Links(), lambda: at(0))


async def told_by(behave: Behaviour, timeout: timedelta = QUICK) -> tuple[Outcome, Receiver]:
    async with receiver(behave) as server:
        return await sender(server.url, timeout=timeout).send(told()), server


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(status: int) -> None:
    outcome, server = await told_by(answers(status))
    assert outcome == Delivered()
    assert server.requests[0].line == "POST /hook HTTP/1.1"
    assert server.requests[0].headers["content-type"] == "application/json"
    assert server.requests[0].key == "abc.opened"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (answers(500), "it answered 500 Internal Server Error"),
        (answers(502), "it answered 502 Bad Gateway"),
        (answers(429), "it answered 429 Too Many Requests"),
        (answers(599), "it answered 599"),
        (hang, "it did not answer within 1 s"),
        (reset, "it closed the connection without an answer"),
        (closes, "it closed the connection without an answer"),
        (nonsense, "its answer could not be read (ClientResponseError)"),
    ],
)
async def test_what_may_succeed_later_is_tried_again(behave: Behaviour, reason: str) -> None:
    outcome, server = await told_by(behave)
    assert len(server.requests) == 1
    assert outcome == Retry(reason)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 408, 410, 413, 422])
async def test_a_4xx_other_than_429_is_refused_for_good(status: int) -> None:
    outcome, _ = await told_by(answers(status))
    assert isinstance(outcome, Refused)
    assert str(status) in outcome.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_never_followed(status: int) -> None:
    async with receiver(answers(200)) as elsewhere:
        outcome, _ = await told_by(answers(status, f"Location: {elsewhere.url}"))
        assert isinstance(outcome, Refused)
        assert "redirects are not followed" in outcome.reason
        assert elsewhere.url not in outcome.reason
        assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(status: int) -> None:
    outcome, _ = await told_by(answers(status, "Retry-After: 17"))
    assert isinstance(outcome, Retry)
    assert outcome.after == timedelta(seconds=17)


async def test_retry_after_on_other_answers_means_nothing() -> None:
    outcome, _ = await told_by(answers(500, "Retry-After: 17"))
    assert isinstance(outcome, Retry)
    assert outcome.after is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("999999999", LONGEST_WAIT.total_seconds()),
        ("Mon, 23 Nov 2026 03:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 02:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert wait_asked(header, at(0)) == (None if seconds is None else timedelta(seconds=seconds))


async def test_the_status_has_been_said_however_slow_the_body() -> None:
    began = time.monotonic()
    outcome, _ = await told_by(slow_body, timeout=timedelta(seconds=30))
    assert outcome == Delivered()
    assert time.monotonic() - began < 10


async def test_of_a_huge_body_little_is_taken() -> None:
    taken: list[int] = []
    outcome, _ = await told_by(huge_body(taken), timeout=timedelta(seconds=30))
    assert outcome == Delivered()
    assert sum(taken) < 16 << 20, "what the system's socket buffers hold, and no stream"


async def test_a_header_without_end_is_not_taken() -> None:
    outcome, _ = await told_by(huge_header, timeout=timedelta(seconds=5))
    assert isinstance(outcome, Retry)


async def test_nobody_there_is_tried_again() -> None:
    async with receiver(answers(200)) as server:
        url = server.url
    outcome = await sender(url).send(told())
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith("no connection to it: ")


async def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    outcome = await sender("https://nowhere.invalid/", timeout=timedelta(seconds=5)).send(told())
    assert outcome == Retry("its name could not be resolved")


async def test_a_certificate_that_is_not_valid_is_not_talked_to(tmp_path: Path) -> None:
    openssl = needs.tool("openssl")
    argv = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other.example -days 2"
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    subprocess.run([*argv.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    quiet = Receiver(answers(200))
    server = await asyncio.start_server(quiet.serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await sender(f"https://127.0.0.1:{port}/", timeout=timedelta(seconds=5)).send(told())
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith("its certificate is not valid: ")
    assert quiet.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/",
        "https://168.63.129.16/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://2852039166/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://10.1.2.3/",
        "ftp://127.0.0.1/",
        "hook",
        "",
        "http://[",
    ],
)
async def test_urls_that_no_receiver_can_have_are_refused_for_good(url: str) -> None:
    outcome = await sender(url, plain_http=False).send(told())
    assert isinstance(outcome, Refused)
    assert not url or url not in outcome.reason


async def test_a_name_that_resolves_to_metadata_is_not_connected_to() -> None:
    name = "0xa9fea9fe"  # the system's resolver, and every other name server that wants to, says 169.254.169.254
    outcome = await sender(f"https://{name}/", timeout=timedelta(seconds=5)).send(told())
    assert isinstance(outcome, Retry)
    assert "link-local or metadata" in outcome.reason


async def test_plain_http_stays_on_this_machine_unless_it_is_allowed() -> None:
    assert isinstance(await sender("http://192.0.2.1/").send(told()), Refused)
    allowed = await sender("http://192.0.2.1/", plain_http=True).send(told())
    assert isinstance(allowed, Retry), "allowed, but nobody is there"


async def test_localhost_is_this_machine() -> None:
    async with receiver(answers(200)) as server:
        assert await sender(f"http://localhost:{server.port}/").send(told()) == Delivered()


async def test_the_signature_covers_time_and_body_with_the_key_of_the_file(tmp_path: Path) -> None:
    key = tmp_path / "hook.key"
    key.write_text("correct horse\n")
    async with receiver(answers(200)) as server:
        await sender(server.url, key).send(told())
    [request] = server.requests
    sent_at = request.headers["x-catchment-timestamp"]
    expected = hmac.new(b"correct horse", sent_at.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-catchment-signature"] == f"sha256={expected}"
    assert sent_at == str(int(at(0).timestamp()))


def test_another_time_body_or_key_is_another_signature() -> None:
    signatures = {signature(key, sent, body) for key in (b"a", b"b") for sent in ("1", "2") for body in (b"x", b"y")}
    assert len(signatures) == 8


async def test_without_a_key_file_nothing_is_signed() -> None:
    _, server = await told_by(answers(200))
    assert not [name for name in server.requests[0].headers if name.startswith("x-catchment")]


async def test_a_new_key_needs_no_restart(tmp_path: Path) -> None:
    key = tmp_path / "hook.key"
    key.write_text("old")
    async with receiver(answers(200)) as server:
        told_twice = sender(server.url, key)
        await told_twice.send(told())
        key.write_text("new")
        await told_twice.send(told())
    assert len({request.headers["x-catchment-signature"] for request in server.requests}) == 2


@pytest.mark.parametrize("content", [None, "", " \n"])
async def test_a_key_that_cannot_be_read_sends_nothing_unsigned(tmp_path: Path, content: str | None) -> None:
    key = tmp_path / "hook.key"
    if content is not None:
        key.write_text(content)
    async with receiver(answers(200)) as server:
        outcome = await sender(server.url, key).send(told())
    assert isinstance(outcome, Retry)
    assert str(key) in outcome.reason
    assert server.connections == 0


@pytest.mark.parametrize("behave", [answers(200), answers(403), answers(500), reset, hang, nonsense])
async def test_no_secret_is_in_logs_reasons_or_reprs(
    behave: Behaviour, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = tmp_path / "hook.key"
    key.write_text("kEySeCrEt")
    caplog.set_level(logging.DEBUG)
    async with receiver(behave) as server:
        url = server.url.replace("//", "//user:pAsSwOrD@") + "?token=tOkEnSeCrEt"
        configured = Webhook("ops", url, timeout=QUICK, secret_file=str(key))
        hook = WebhookSender(configured, Links(), lambda: at(0))
        outcome = await hook.send(told())
        assert len(server.requests) == 1
        signed = server.requests[0].headers["x-catchment-signature"]
    shown = " ".join((repr(hook), repr(configured), repr(outcome), repr(vars(hook)), caplog.text))
    for secret in ("kEySeCrEt", "pAsSwOrD", "tOkEnSeCrEt", signed):
        assert secret not in shown


async def test_a_repetition_is_the_same_to_the_byte() -> None:
    async with receiver(answers(200)) as server:
        await sender(server.url).send(told())
        await sender(server.url).send(replace(told()))
    first, second = server.requests
    assert (first.key, first.body) == (second.key, second.body)
