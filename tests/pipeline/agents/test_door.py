"""The door for agents: who comes in, how much they may bring, and how long they may take."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest

from anycast.observation import Observation
from collector.probe.batch import CONTENT_TYPE, LARGEST
from pipeline.agents import server
from pipeline.agents.certificate import make, read, write_new
from pipeline.agents.clocks import Now
from pipeline.agents.ingest import Ingest
from pipeline.agents.marks import Marks
from pipeline.agents.rates import AT_ONCE, Rates
from pipeline.agents.server import CertificateError, Door, certified
from pipeline.agents.tokens import TokenError, Tokens, fingerprint, make_token, read_fingerprints
from store.schema import Submission
from tests.pipeline.agents.site import free_port
from tests.pipeline.agents.test_ingest import RUN, START, batch

AMS, NYC = make_token(), make_token()


@dataclass
class Opened:
    """A door on loopback."""

    door: Door
    port: int
    ca: Path
    written: list[Submission] = field(default_factory=list)

    async def put(
        self, body: bytes, token: str = AMS, path: str = f"/agents/v1/batches/{RUN}/1", **headers: str
    ) -> tuple[int, str]:
        """One request; status and what was said."""
        context = ssl.create_default_context(cafile=self.ca)
        sent = {
            "Authorization": f"Bearer {token}",
            "Content-Type": CONTENT_TYPE,
            "Catchment-Clock": f"b {10**12} {START}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
            session.put(f"https://127.0.0.1:{self.port}{path}", data=BytesIO(body), headers=sent) as response,
        ):
            return response.status, await response.text()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    pem, key = make(["127.0.0.1", "centre.example"], datetime.now(UTC))
    write_new(tmp_path / "c.pem", pem, 0o644)
    write_new(tmp_path / "c.key", key, 0o600)
    written: list[Submission] = []

    def submit(submission: Submission) -> "Future[int]":
        written.append(submission)
        done: Future[int] = Future()
        done.set_result(1)
        return done

    def hear(observations: Sequence[Observation]) -> None:
        assert observations

    prints = {site: (bytes.fromhex(fingerprint(token)[7:]),) for site, token in (("ams", AMS), ("nyc", NYC))}
    door = Door(
        Ingest(Marks(), submit, hear, dict), Tokens(prints), certified(tmp_path / "c.pem", tmp_path / "c.key"),
        lambda: Now(START + 10**12, 10**12),
    )  # fmt: skip
    port = free_port()
    await door.start(("127.0.0.1", port))
    yield Opened(door, port, tmp_path / "c.pem", written)
    await door.stop()


async def test_whoever_has_the_sites_token_may_write(opened: Opened) -> None:
    assert await opened.put(batch(1, "a")) == (200, '{"taken": 1}')
    assert len(opened.written) == 1


@pytest.mark.parametrize(
    "token",
    ["", "x", NYC[:-1], make_token(), "ä" * 40, " ", f"{AMS} more"],
    ids=["empty", "short", "cut", "another", "foreign", "blank", "longer"],
)
async def test_whoever_has_none_may_not(opened: Opened, token: str) -> None:
    status, said = await opened.put(batch(1, "a"), token.encode().decode("latin-1"))
    assert (status, said) == (401, '{"refused": "the token is not known here"}')
    assert opened.written == []
    assert opened.door.refused == 1


async def test_another_sites_token_writes_nothing(opened: Opened) -> None:
    status, said = await opened.put(batch(1, "a"), NYC)
    assert status == 403
    assert "the token is of site nyc, and the batch of ams" in said
    assert opened.written == []


async def test_a_token_is_taken_back_while_it_runs(opened: Opened) -> None:
    opened.door.tokens = Tokens({})
    assert (await opened.put(batch(1, "a")))[0] == 401


async def test_another_authority_is_not_believed(opened: Opened, tmp_path: Path) -> None:
    pem, _ = make(["127.0.0.1"], datetime.now(UTC))
    (tmp_path / "other.pem").write_bytes(pem)
    opened.ca = tmp_path / "other.pem"
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await opened.put(batch(1, "a"))


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(opened: Opened) -> None:
    status, said = await opened.put(b"x" * (LARGEST + 1))
    assert (status, f"{LARGEST} octets at most" in said) == (413, True)


async def test_and_while_it_comes_when_its_size_is_not_said(opened: Opened) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    context = ssl.create_default_context(cafile=opened.ca)
    headers = {"Authorization": f"Bearer {AMS}", "Content-Type": CONTENT_TYPE, "Catchment-Clock": f"b 1 {START}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        url = f"https://127.0.0.1:{opened.port}/agents/v1/batches/{RUN}/1"
        async with session.put(url, data=pieces(), headers=headers) as response:
            assert response.status == 413


async def test_what_is_compressed_once_more_or_of_another_kind_is_refused(opened: Opened) -> None:
    assert (await opened.put(batch(1, "a"), Content_Encoding="gzip"))[0] == 415
    assert (await opened.put(batch(1, "a"), Content_Type="text/plain"))[0] == 415


async def test_a_request_without_clocks_or_with_odd_ones_is_not_understood(opened: Opened) -> None:
    for stamp in ("", "b 1", "b x y", f"b {1 << 63} 1", "b -1 1", "b 1 1 1", "B! 1 1"):
        assert (await opened.put(batch(1, "a"), Catchment_Clock=stamp))[0] == 400
    assert (await opened.put(batch(1, "a"), Catchment_Oldest="x"))[0] == 400
    assert opened.written == []


@pytest.mark.parametrize("path", ["/", "/agents/v1/batches/x/1", f"/agents/v1/batches/{RUN}/x", "/api/v1/status"])
async def test_there_is_nothing_else_behind_it(opened: Opened, path: str) -> None:
    assert (await opened.put(b"", path=path))[0] == 404


async def test_health_needs_no_token_and_says_nothing(opened: Opened) -> None:
    context = ssl.create_default_context(cafile=opened.ca)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        async with session.get(f"https://127.0.0.1:{opened.port}/agents/v1/health") as response:
            assert (response.status, await response.json()) == (200, {"ok": True})
        async with session.get(f"https://127.0.0.1:{opened.port}/agents/v1/batches/{RUN}/1") as response:
            assert response.status == 405


async def test_a_site_that_sends_too_often_is_asked_to_wait(opened: Opened) -> None:
    opened.door._rates = Rates(lambda: 0.0)
    for _ in range(int(AT_ONCE)):
        assert opened.door._rates.allow("ams")
    status, _ = await opened.put(batch(1, "a"))
    assert status == 429
    assert (await opened.put(batch(1, "a", site="nyc"), NYC))[0] == 200, "another site does not pay for it"


def test_the_right_to_send_comes_back_with_time() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0])
    assert sum(rates.allow("a") for _ in range(1000)) == 100
    now[0] = 1.0
    assert sum(rates.allow("a") for _ in range(1000)) == 50


async def test_a_slow_body_is_not_waited_for(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY", 0.2)

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(5)
        yield b"y"

    context = ssl.create_default_context(cafile=opened.ca)
    headers = {"Authorization": f"Bearer {AMS}", "Content-Type": CONTENT_TYPE, "Catchment-Clock": f"b 1 {START}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        url = f"https://127.0.0.1:{opened.port}/agents/v1/batches/{RUN}/1"
        async with session.put(url, data=slow(), headers=headers) as response:
            assert response.status == 408


async def test_a_connection_on_which_no_request_comes_is_closed(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE", 0.3)
    monkeypatch.setattr(server, "SWEEP", 0.1)
    opened.door._tasks.append(asyncio.create_task(opened.door._sweep()))
    context = ssl.create_default_context(cafile=opened.ca)
    reader, writer = await asyncio.open_connection("127.0.0.1", opened.port, ssl=context)
    writer.write(b"PUT /agents/v1/batches/")
    closed = False
    async with asyncio.timeout(5):
        while not closed:
            await asyncio.sleep(0.05)
            try:
                writer.write(b"x")  # a header that never ends
                await writer.drain()
                closed = reader.at_eof()
            except (ConnectionError, ssl.SSLError):
                closed = True
    writer.transport.abort()


async def test_no_more_connections_than_are_kept(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    context = ssl.create_default_context(cafile=opened.ca)
    kept = [await asyncio.open_connection("127.0.0.1", opened.port, ssl=context) for _ in range(2)]
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await asyncio.open_connection("127.0.0.1", opened.port, ssl=context)
    for _, each in kept:
        each.transport.abort()
    await asyncio.sleep(0.1)
    assert (await opened.put(batch(1, "a")))[0] == 200, "and when they are gone there is room again"


async def test_connections_without_a_handshake_count_and_time_out(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    monkeypatch.setattr(server, "HANDSHAKE", 0.5)
    silent = [await asyncio.open_connection("127.0.0.1", opened.port) for _ in range(2)]
    await asyncio.sleep(0.1)
    context = ssl.create_default_context(cafile=opened.ca)
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await asyncio.open_connection("127.0.0.1", opened.port, ssl=context)
    await asyncio.sleep(0.8)
    assert (await opened.put(batch(1, "a")))[0] == 200
    for _, each in silent:
        each.transport.abort()


def test_a_token_file_holds_fingerprints_of_one_or_two_tokens(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(f"# ams\n{fingerprint(AMS)}\n{fingerprint(NYC)}\n")
    tokens = Tokens({"ams": read_fingerprints(path)})
    assert [tokens.site_of(each) for each in (AMS, NYC, "x")] == ["ams", "ams", None]
    for text in ("", AMS, "sha256:12", f"{fingerprint(AMS)}\n" * 3, "x" * 5000):
        path.write_text(text)
        with pytest.raises(TokenError, match="does not hold one or two lines"):
            read_fingerprints(path)
    with pytest.raises(TokenError, match="cannot be read: No such file"):
        read_fingerprints(tmp_path / "nothing")


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    pem, key = make(["a.example"], datetime.now(UTC))
    _, other = make(["a.example"], datetime.now(UTC))
    for name, content in (("c", pem), ("k", key), ("o", other), ("x", b"nonsense")):
        write_new(tmp_path / name, content, 0o600)
    assert certified(tmp_path / "c", tmp_path / "k")
    for files, said in ((("nothing", "k"), "cannot be read"), (("c", "o"), "no certificate and its key"),
                        (("x", "k"), "no certificate and its key")):  # fmt: skip
        with pytest.raises(CertificateError, match=said):
            certified(tmp_path / files[0], tmp_path / files[1])
    assert read(tmp_path / "c") == (("a.example",), True)
