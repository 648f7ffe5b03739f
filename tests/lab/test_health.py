"""The health check withdraws after three bad answers in a row and announces after two good ones."""

import asyncio

import pytest

from lab import health
from lab.health import Judge, Turn


def turns(answers: str) -> list[tuple[int, Turn]]:
    judge = Judge()
    judged = ((index, judge.feed(answer == "+")) for index, answer in enumerate(answers))
    return [(index, turn) for index, turn in judged if turn is not None]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("+++++", []),
        ("--+--+--", []),
        ("---", [(2, Turn.WITHDRAW)]),
        ("------", [(2, Turn.WITHDRAW)]),
        ("---+-+-", [(2, Turn.WITHDRAW)]),
        ("---++", [(2, Turn.WITHDRAW), (4, Turn.ANNOUNCE)]),
        ("---++--+---", [(2, Turn.WITHDRAW), (4, Turn.ANNOUNCE), (10, Turn.WITHDRAW)]),
    ],
)
def test_three_bad_withdraw_and_two_good_announce(answers: str, expected: list[tuple[int, Turn]]) -> None:
    assert turns(answers) == expected


async def answer_with(line: bytes) -> tuple[asyncio.Server, int]:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(line)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_only_a_200_is_good() -> None:
    for line, good in ((b"HTTP/1.1 200 OK\r\n\r\n", True), (b"HTTP/1.1 503 Out\r\n\r\n", False), (b"", False)):
        server, port = await answer_with(line)
        assert (await health.check("127.0.0.1", port) is None) is good
        server.close()


async def test_an_application_that_is_gone_or_hangs_is_bad_and_the_reason_is_said() -> None:
    server, port = await answer_with(b"")
    server.close()
    assert "Connect call failed" in str(await health.check("127.0.0.1", port))

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    hanging = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    assert await health.check("127.0.0.1", port, 0.1) == "no answer within 0.1 s"
    hanging.close()
