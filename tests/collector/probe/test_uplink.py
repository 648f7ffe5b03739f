"""The way to the centre: in order, held while it is refused, and why is said once."""

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.web_request import BaseRequest

from collector.probe import uplink as under_test
from collector.probe.batching import Desk
from collector.probe.config.values import Centre
from collector.probe.spool import Frame, Spool
from collector.probe.uplink import Uplink, UplinkError, read_token, trust

RUN = "0123456789abcdef"
TOKEN = "catchment_secret-of-the-site"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def certificate(folder: Path, name: str, subject: str) -> tuple[Path, Path]:
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout {key} -out {pem}"
    subprocess.run([*words.split(), "-subj", "/CN=centre", "-addext", f"subjectAltName={subject}"],
                   check=True, capture_output=True)  # fmt: skip
    return pem, key


@dataclass
class FakeCentre:
    """Answers as it is told, and keeps what came."""

    port: int
    ca: Path
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the next answers; 200 when there are none."""
    came: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)

    async def handle(self, request: BaseRequest) -> web.Response:
        """Take one request."""
        self.came.append((request.path, await request.read(), dict(request.headers)))
        self.connections.add(request.transport)
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        return web.Response(status=status, headers=headers, text='{"refused": "because"}')

    @property
    def taken(self) -> list[bytes]:
        """Bodies."""
        return [body for _, body, _ in self.came]


@dataclass
class Way:
    """An uplink with its spool."""

    spool: Spool
    desk: Desk
    uplink: Uplink
    centre: FakeCentre
    token: Path

    async def append(self, *sequences: int, size: int = 4) -> None:
        """Put batches into the spool."""
        for sequence in sequences:
            frame = Frame(RUN, sequence, 1, 0, bytes([sequence % 256]) * size)
            await self.desk.ask(lambda spool, frame=frame: spool.append(frame))  # type: ignore[misc]
        self.desk.appended.set()


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[FakeCentre]:
    pem, key = certificate(tmp_path, "centre", "IP:127.0.0.1")
    made = FakeCentre(0, pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server = web.Server(made.handle)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=context)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await server.shutdown(1)


@pytest.fixture
async def way(tmp_path: Path, centre: FakeCentre, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Way]:
    monkeypatch.setattr(under_test, "SOONEST", 0.01)
    (tmp_path / "token").write_text(TOKEN + "\n")
    settings = Centre(f"https://127.0.0.1:{centre.port}", tmp_path / "token", centre.ca)
    spool = Spool(tmp_path / "spool", 1 << 30)
    desk = Desk(spool)
    uplink = Uplink(settings, read_token(settings.token), trust(settings), desk)
    running = asyncio.create_task(uplink.run())
    yield Way(spool, desk, uplink, centre, settings.token)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await desk.close()


async def test_what_waits_goes_in_order_over_one_connection(way: Way) -> None:
    await way.append(1)
    await eventually(lambda: len(way.centre.came) == 1)
    await way.append(2)
    await eventually(lambda: len(way.centre.came) == 2)
    assert way.centre.taken == [b"\1" * 4, b"\2" * 4]
    [path, _, headers] = way.centre.came[1]
    assert path == f"/agents/v1/batches/{RUN}/2"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Catchment-Oldest"] == "2"
    assert len(headers["Catchment-Clock"].split()) == 3
    assert len(way.centre.connections) == 1
    await eventually(lambda: way.spool.waiting == 0)


async def test_a_backlog_goes_several_batches_at_once(way: Way) -> None:
    way.centre.answers = [(503, {"Retry-After": "1"})]
    await way.append(1)
    await eventually(lambda: len(way.centre.came) == 1)
    await way.append(*range(2, 41))
    await eventually(lambda: way.spool.waiting == 0)
    assert b"".join(way.centre.taken[1:]) == b"".join(bytes([n]) * 4 for n in range(1, 41))
    assert len(way.centre.came) == 3, "the one that was refused, 32 and 8"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 418, 429, 500, 503])
async def test_what_is_refused_is_held_and_said_once(way: Way, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "collector.probe.uplink")
    way.centre.answers = [(status, {})] * 3
    await way.append(1)
    await eventually(lambda: way.spool.waiting == 0)
    assert way.centre.taken == [b"\1" * 4] * 4
    said = [record.message for record in caplog.records]
    assert len(said) == 2, said
    assert f"({status}" in said[0]
    assert "results wait in the spool" in said[0]
    assert "takes results again" in said[1]
    assert TOKEN not in caplog.text


async def test_a_batch_that_is_refused_among_others_is_found_and_held_and_those_before_it_go(way: Way) -> None:
    way.centre.answers = [(503, {"Retry-After": "1"}), (422, {}), (200, {}), (422, {}), (422, {}), (200, {})]
    await way.append(1)
    await eventually(lambda: len(way.centre.came) == 1)
    await way.append(2, 3)
    await eventually(lambda: way.spool.waiting == 0)
    one, two, three = (bytes([n]) * 4 for n in (1, 2, 3))
    assert way.centre.taken == [one, one + two + three, one, two + three, two, two, three]


async def test_a_centre_that_asks_for_time_gets_it(way: Way) -> None:
    way.centre.answers = [(429, {"Retry-After": "1"})]
    loop = asyncio.get_running_loop()
    await way.append(1)
    await eventually(lambda: len(way.centre.came) == 1)
    begun = loop.time()
    await eventually(lambda: way.spool.waiting == 0)
    assert loop.time() - begun >= 0.9


async def test_a_token_that_is_not_known_is_read_again(way: Way) -> None:
    way.centre.answers = [(401, {})]
    way.token.write_text("another")
    await way.append(1)
    await eventually(lambda: way.spool.waiting == 0)
    assert [headers["Authorization"] for *_, headers in way.centre.came] == [f"Bearer {TOKEN}", "Bearer another"]


async def test_a_centre_that_is_not_there_is_waited_for(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "collector.probe.uplink")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        object.__setattr__(way.uplink._centre, "url", f"https://127.0.0.1:{taken.getsockname()[1]}")
        await way.append(1)
        await eventually(lambda: "cannot be reached" in caplog.text)
    object.__setattr__(way.uplink._centre, "url", f"https://127.0.0.1:{way.centre.port}")
    await eventually(lambda: way.spool.waiting == 0)
    assert way.centre.taken == [b"\1" * 4]


@pytest.mark.parametrize("subject", ["IP:127.0.0.1", "DNS:other.example"])
async def test_another_certificate_and_another_host_are_not_believed(
    tmp_path: Path, centre: FakeCentre, caplog: pytest.LogCaptureFixture, subject: str
) -> None:
    """Either we pin another certificate, or the one that we pin is for another host."""
    pem, key = certificate(tmp_path, "other", subject)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server = web.Server(centre.handle)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    pinned = centre.ca if subject.startswith("IP") else pem
    settings = Centre(f"https://127.0.0.1:{port}", tmp_path / "token", pinned)
    spool = Spool(tmp_path / "spool2", 1 << 20)
    desk = Desk(spool)
    running = asyncio.create_task(Uplink(settings, TOKEN, trust(settings), desk).run())
    await desk.ask(lambda spool: spool.append(Frame(RUN, 1, 1, 0, b"x")))
    desk.appended.set()
    await eventually(lambda: "a certificate that we do not believe" in caplog.text)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (centre.came, spool.waiting) == ([], 1)
    await desk.close()
    listening.close()
    await server.shutdown(1)


async def test_at_the_end_what_waits_goes_if_the_centre_takes_it(tmp_path: Path, centre: FakeCentre) -> None:
    settings = Centre(f"https://127.0.0.1:{centre.port}", tmp_path / "token", centre.ca)
    desk = Desk(Spool(tmp_path / "spool3", 1 << 20))
    uplink = Uplink(settings, TOKEN, trust(settings), desk)
    for number in range(1, 50):
        frame = Frame(RUN, number, 1, 0, b"x")
        await desk.ask(lambda spool, frame=frame: spool.append(frame))  # type: ignore[misc]
    await uplink.drain(5.0)
    assert await desk.ask(lambda spool: spool.waiting) == 0
    centre.answers = [(503, {"Retry-After": "9"})] * 9
    await desk.ask(lambda spool: spool.append(Frame(RUN, 50, 1, 0, b"x")))
    begun = asyncio.get_running_loop().time()
    await uplink.drain(0.5)
    assert asyncio.get_running_loop().time() - begun < 3
    assert await desk.ask(lambda spool: spool.waiting) == 1
    await desk.close()


def test_a_token_file_holds_a_token_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(f"\n{TOKEN}\n")
    assert read_token(path) == TOKEN
    for text in ("", "\n", "a b", "a\nb", "ä", "x" * 5000):
        path.write_text(text)
        with pytest.raises(UplinkError) as caught:
            read_token(path)
        assert not text.strip() or text.strip() not in str(caught.value)
    with pytest.raises(UplinkError, match="cannot be read: No such file"):
        read_token(tmp_path / "nothing")


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nonsense")
    for name in ("ca", "nothing"):
        with pytest.raises(UplinkError, match="holds no certificate that can be believed"):
            trust(Centre("https://a", tmp_path / "t", tmp_path / name))
