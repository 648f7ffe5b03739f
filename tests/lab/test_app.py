"""The application says who answered, and never more than it was asked."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from lab import app

WHO = app.Identity("weu", "weu-nva1", "app1", "7")


def split(response: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in fields), body


def get(path: str = app.PATH, method: str = "GET", version: str = "HTTP/1.1", headers: str = "") -> bytes:
    return f"{method} {path} {version}\r\nHost: x\r\n{headers}\r\n".encode()


def test_an_answer_names_region_nva_instance_and_generation_in_headers_and_body() -> None:
    response, kept = app.respond(get(), WHO)
    status, headers, body = split(response)
    assert status == "HTTP/1.1 200 OK"
    assert kept
    assert json.loads(body) == {"region": "weu", "nva": "weu-nva1", "app": "app1", "generation": "7"}
    assert headers["X-Anycast-Region"] == "weu"
    assert headers["X-Anycast-NVA"] == "weu-nva1"
    assert headers["X-Anycast-App"] == "app1"
    assert headers["X-Anycast-Generation"] == "7"
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize(
    ("request_head", "status", "kept"),
    [
        (get("/other"), "404", True),
        (get(method="POST"), "405", False),
        (b"hello\r\n\r\n", "400", False),
        (get(headers="Connection: close\r\n"), "200", False),
        (get(version="HTTP/1.0"), "200", False),
        (get(version="HTTP/1.0", headers="connection: Keep-Alive\r\n"), "200", True),
        (get(app.PATH + "?n=1"), "200", True),
    ],
)
def test_requests_are_answered_as_http_says(request_head: bytes, status: str, kept: bool) -> None:
    response, stays = app.respond(request_head, WHO)
    assert split(response)[0].split()[1] == status
    assert stays is kept


def test_head_is_get_without_a_body() -> None:
    response, _ = app.respond(get(method="HEAD"), WHO)
    _, headers, body = split(response)
    assert body == b""
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("size", range(app.HEADER.size, 100))
def test_a_reply_is_never_longer_than_its_request(size: int) -> None:
    asked = app.request(b"12345678", 1, 5, size)
    answer = app.reply(asked, WHO, 10, 11)
    assert answer is not None
    assert len(answer) <= len(asked) == size
    assert answer[: app.HEADER.size] == asked[: app.HEADER.size]


def test_a_long_enough_request_learns_who_answered_and_a_short_one_does_not() -> None:
    whole = app.reply(app.request(b"12345678", 1, 5), WHO, 10, 11)
    cut = app.reply(app.request(b"12345678", 1, 5, size=50), WHO, 10, 11)
    assert whole is not None
    assert cut is not None
    assert app.identity_of(whole) == WHO
    assert app.TIMES.unpack_from(whole, app.HEADER.size) == (10, 11)
    assert app.identity_of(cut) is None


@pytest.mark.parametrize("datagram", [b"", b"ANYC", b"x" * 200])
def test_what_is_not_a_request_gets_no_answer(datagram: bytes) -> None:
    assert app.reply(datagram, WHO, 10, 11) is None


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_server_answers_twice_on_one_connection_and_over_udp_and_then_stops() -> None:
    http, udp, stop = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), asyncio.Event()
    server = asyncio.create_task(app.serve(WHO, http, udp, stop, "127.0.0.1"))
    await asyncio.sleep(0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", http)
    for _ in range(2):
        writer.write(get())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(split(head)[1]["Content-Length"])
        assert json.loads(await reader.readexactly(length))["nva"] == "weu-nva1"
    writer.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", udp))
        client.send(app.request(b"12345678", 1, 5))
        answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 2000), 2)
    assert app.identity_of(answer) == WHO
    stop.set()
    await server
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", http)


def test_there_is_something_large_to_download() -> None:
    status, headers, body = split(app.respond(get(app.BULK), WHO)[0])
    assert status == "HTTP/1.1 200 OK"
    assert len(body) == int(headers["Content-Length"]) == app.BULK_OCTETS


def test_a_failing_application_answers_503_and_still_says_who_it_is() -> None:
    response, kept = app.respond(get(), WHO, fails=True)
    status, headers, _ = split(response)
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert headers["X-Anycast-Region"] == "weu"
    assert kept


def test_trouble_strikes_as_often_as_it_says_and_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "trouble.json"
    assert app.read_trouble(file) == app.read_trouble(None) == app.WELL
    file.write_text(json.dumps({"slow": 0.25, "failing": 0.5}))
    half = app.read_trouble(file)
    assert half.slow == 0.25
    assert 350 < sum(half.strikes for _ in range(1000)) < 650
    assert not any(app.WELL.strikes for _ in range(100))
    assert all(app.Trouble(failing=1.0).strikes for _ in range(100))


async def test_a_slow_application_answers_later_and_no_sooner_than_it_was_told() -> None:
    port = tcp_port()
    ails = [app.Trouble(slow=0.3)]
    stop = asyncio.Event()
    running = asyncio.create_task(app.serve(WHO, port, tcp_port(), stop, "127.0.0.1", lambda: ails[0]))
    try:
        assert await ask(port) >= 0.3
        ails[0] = app.WELL
        assert await ask(port) < 0.3
    finally:
        stop.set()
        await running


async def ask(port: int) -> float:
    """Ask who answers, and return the seconds that it took."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    began = asyncio.get_running_loop().time()
    writer.write(get())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    return asyncio.get_running_loop().time() - began


def tcp_port() -> int:
    return free_port(socket.SOCK_STREAM)
