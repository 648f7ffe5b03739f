"""Requests to real servers of HTTP and TLS: identity, statuses, slowness, cuts, resets and certificates."""

import asyncio
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from anycast.probe import Identity, Outcome, Probe, Proof, Target, TargetKind
from collector.probe.config.values import Asked, HttpProbe, Matcher, Part, Probes
from collector.probe.identity.http import PATH
from collector.probe.identity.keys import Keys
from tests import needs
from tests.collector.probe.agent.probers import HERE, KEYS, OTHER_KEY, WHO, asked, probing, responder

KNOWN = {"a.weu.example": Identity("weu", "nva-weu-1")}


def pages(url: str, **other: object) -> Probes:
    return Probes(http=HttpProbe(url, 0.15, **other))  # type: ignore[arg-type]


@asynccontextmanager
async def site(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A real HTTP server; its port."""
    application = web.Application()
    application.router.add_route("GET", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    served = web.TCPSite(runner, HERE, 0, ssl_context=context)
    await served.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """A server of one's own words."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(closing, HERE, 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def test_the_responder_gives_its_identity_under_the_key() -> None:
    async with responder() as ports, probing(asked(pages(f"http://svc.example:{ports.http}{PATH}"))) as agent:
        results = await agent.until(Probe.HTTP, count=3)
    assert {(one.outcome, one.identity, one.proof, one.status, one.seen) for one in results} == {
        (Outcome.ANSWERED, WHO, Proof.AUTHENTICATED, 204, "")
    }
    for one in results:
        assert one.rtt is not None
        assert one.connect is not None
        assert one.first_byte is not None
        assert 0 < one.connect < one.connect + one.first_byte <= one.rtt
        assert one.held is not None
        assert one.forward is not None
        assert 0 < one.forward < one.rtt


async def test_each_request_has_a_connection_of_its_own() -> None:
    async with responder() as ports, probing(asked(pages(f"http://svc.example:{ports.http}{PATH}"))) as agent:
        results = await agent.until(Probe.HTTP, count=5)
    assert len({one.port for one in results}) == len(results)
    assert all(one.port for one in results)


async def test_an_identity_under_another_key_is_invalid() -> None:
    async with (
        responder(keys=Keys((OTHER_KEY,))) as ports,
        probing(asked(pages(f"http://svc.example:{ports.http}{PATH}"))) as agent,
    ):
        results = await agent.until(Probe.HTTP, count=2)
    assert {one.outcome for one in results} == {Outcome.BROKEN}  # it does not answer what it cannot verify


async def test_a_service_without_the_header_is_invalid() -> None:
    async def bare(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async with site(bare) as port, probing(asked(pages(f"http://svc.example:{port}/"))) as agent:
        [result, *_] = await agent.until(Probe.HTTP)
    assert (result.outcome, result.detail, result.proof) == (
        Outcome.INVALID,
        "there is no header Anycast-Id",
        Proof.NONE,
    )


async def test_the_connection_goes_to_the_targets_address_and_the_host_stays_the_urls() -> None:
    heard: list[str] = []

    async def said(request: web.Request) -> web.Response:
        heard.append(request.host)
        return web.Response(headers={"X-Region": "a.weu.example"})

    matcher = Matcher(Part.HEADER, "X-Region", KNOWN)
    async with site(said) as port:
        probes = pages(f"http://svc.invalid:{port}/", identity=matcher)
        async with probing(asked(probes)) as agent:
            [result, *_] = await agent.until(Probe.HTTP)
    assert (result.outcome, result.identity, result.proof) == (
        Outcome.ANSWERED,
        KNOWN["a.weu.example"],
        Proof.MATCHED,
    )
    assert heard[0] == f"svc.invalid:{port}"


@pytest.mark.parametrize(
    ("status", "taken", "outcome"),
    [
        (200, (), Outcome.ANSWERED),
        (404, (), Outcome.ANSWERED),
        (503, (), Outcome.BROKEN),
        (404, (200,), Outcome.BROKEN),
        (503, (503,), Outcome.ANSWERED),
    ],
)
async def test_a_status_is_as_it_should_be_or_not(status: int, taken: tuple[int, ...], outcome: Outcome) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with (
        site(handler) as port,
        probing(asked(pages(f"http://svc.example:{port}/", statuses=taken)), keys=Keys()) as agent,
    ):
        [result, *_] = await agent.until(Probe.HTTP)
    assert (result.outcome, result.status) == (outcome, status)


async def test_a_slow_answer_is_silent_first_with_its_handshake_and_late_then() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.6)
        return web.Response()

    async with site(slow) as port, probing(asked(pages(f"http://svc.example:{port}/")), keys=Keys()) as agent:
        late = await agent.until(Probe.HTTP, Outcome.LATE, count=2)
        silent = agent.of(Probe.HTTP, Outcome.SILENT)
    assert {one.mono for one in late} <= {one.mono for one in silent}
    assert all(one.connect and one.rtt is None for one in silent)
    assert all(one.rtt and 600_000_000 < one.rtt < 900_000_000 for one in late)


async def test_a_body_that_is_cut_is_broken() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    async with raw(cut) as port, probing(asked(pages(f"http://svc.example:{port}/")), keys=Keys()) as agent:
        [result, *_] = await agent.until(Probe.HTTP)
    assert result.outcome is Outcome.BROKEN
    assert "cut" in result.detail


async def test_an_answer_that_is_no_http_is_broken() -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01\x02" * 100 + b"\r\n\r\n")

    async with raw(noise) as port, probing(asked(pages(f"http://svc.example:{port}/")), keys=Keys()) as agent:
        [result, *_] = await agent.until(Probe.HTTP)
    assert result.outcome is Outcome.BROKEN


async def test_a_reset_is_a_reset_and_a_close_without_an_answer_is_broken() -> None:
    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return None

    outcomes = []
    for handler in (resets, closes):
        async with raw(handler) as port, probing(asked(pages(f"http://svc.example:{port}/")), keys=Keys()) as agent:
            [result, *_] = await agent.until(Probe.HTTP)
            outcomes.append(result.outcome)
    assert outcomes == [Outcome.RESET, Outcome.BROKEN]


async def test_a_body_without_an_end_is_not_read_without_an_end() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(400):
            await response.write(b"x" * 65536)
        return response

    async with site(endless) as port, probing(asked(pages(f"http://svc.example:{port}/")), keys=Keys()) as agent:
        results = await agent.until(Probe.HTTP, count=3)
    assert {one.outcome for one in results} == {Outcome.ANSWERED}


async def test_a_closed_port_is_refused() -> None:
    async with probing(asked(pages("http://svc.example:1/")), keys=Keys()) as agent:
        [result, *_] = await agent.until(Probe.HTTP)
    assert result.outcome is Outcome.REFUSED


async def test_a_name_that_is_not_found_says_nothing_of_the_network() -> None:
    target = Asked(Target("saas", TargetKind.APPLICATION), pages("http://nobody.invalid/"))
    async with probing(target, keys=Keys(), timeout=5.0) as agent:
        [result, *_] = await agent.until(Probe.HTTP)
    assert result.outcome is Outcome.UNSENT
    assert "name" in result.detail


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for a.weu.example that is its own authority."""
    openssl, folder = needs.tool("openssl"), tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a.weu.example"),
            *("-addext", "subjectAltName=DNS:a.weu.example,DNS:svc.example"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def quiet(request: web.Request) -> web.Response:
    return web.Response()


async def test_the_names_of_a_certificate_tell_who_answered(authority: Path) -> None:
    matcher = Matcher(Part.CERTIFICATE, "", KNOWN)
    async with site(quiet, tls(authority)) as port:
        probes = pages(f"https://svc.example:{port}/", ca=authority / "cert.pem", identity=matcher)
        async with probing(asked(probes), timeout=2.0) as agent:
            [result, *_] = await agent.until(Probe.HTTP)
    assert (result.outcome, result.identity, result.proof) == (
        Outcome.ANSWERED,
        KNOWN["a.weu.example"],
        Proof.MATCHED,
    )


async def test_a_certificate_for_other_names_or_of_another_authority_is_broken(authority: Path) -> None:
    details = []
    async with site(quiet, tls(authority)) as port:
        for host, ca in (("other.example", authority / "cert.pem"), ("svc.example", None)):
            probes = pages(f"https://{host}:{port}/", ca=ca)
            async with probing(asked(probes), keys=Keys(), timeout=2.0) as agent:
                [result, *_] = await agent.until(Probe.HTTP)
            assert result.outcome is Outcome.BROKEN
            details.append(result.detail)
    assert all(detail.startswith("the TLS handshake failed") for detail in details)
    assert "other.example" in details[0]


async def test_authorities_that_cannot_be_read_are_said_at_the_start(tmp_path: Path) -> None:
    async with probing(asked(pages("https://svc.example/", ca=tmp_path / "none.pem")), keys=KEYS) as agent:
        await asyncio.sleep(0.3)
        [lacking] = agent.prober.health().lacking
    assert "none.pem is not read" in lacking
    assert agent.taken == []
