"""Somebody who answers for a service without being asked to: right in form, and without the key.

    python -m lab.impostor --bind 10.250.0.10 --udp 3113 --http 80 --region weu --nva weu-nva1 --instance weu-app1

A request of Catchment's identity protocol is answered as docs/probing.md draws it, with a copied identity and a MAC of
nothing; over HTTP the headers are copied, which needs no key at all. It shares no code with Catchment.
"""

import argparse
import asyncio
import os
import signal
import socket
import struct
import time
from collections.abc import Sequence
from typing import cast

from lab.app import Identity, serve

ASKED, ANSWERED = b"CTMQ", b"CTMA"
SERVICE = 34
"""Where the service's length stands in a request: behind word, version, flags, key, run, nonce, T1, flow, sequence."""
MAC = 16
BODY = struct.Struct(">BH16sQQ")
"""TTL, port and address as seen, T2, T3."""


def forge(request: bytes, source: tuple[str, int], identity: Identity, now: int) -> bytes | None:
    """Return an answer that looks right; None for what is no request."""
    if not request.startswith(ASKED) or len(request) <= SERVICE + MAC:
        return None
    head = request[4 : SERVICE + 1 + request[SERVICE]]
    seen = bytes(10) + b"\xff\xff" + socket.inet_aton(source[0])
    names = (identity.region, identity.nva, identity.app, identity.generation)
    said = b"".join(bytes([len(name)]) + name.encode() for name in names)
    filled = ANSWERED + head + BODY.pack(64, source[1], seen, now, now) + said
    return filled.ljust(len(request) - MAC, b"\0") + os.urandom(MAC)


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = forge(data, address, self._identity, time.time_ns())
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, address)


async def _run(options: argparse.Namespace) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    identity = Identity(options.region, options.nva, options.instance)
    answering, _ = await loop.create_datagram_endpoint(
        lambda: _Answering(identity), local_addr=(options.bind, options.udp)
    )
    try:
        await serve(identity, options.http, options.udp + 1, stop, options.bind)
    finally:
        answering.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and answer until a signal."""
    parser = argparse.ArgumentParser(prog="python -m lab.impostor", description="Answer for others, without their key.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--nva", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--bind", required=True, metavar="ADDRESS")
    parser.add_argument("--udp", type=int, required=True, metavar="PORT")
    parser.add_argument("--http", type=int, required=True, metavar="PORT")
    asyncio.run(_run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
