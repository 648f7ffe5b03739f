"""A real HTTP server that takes points as InfluxDB does, and misbehaves as it is told to."""

import gzip
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.store.influx.made import NOON


@dataclass
class Reply:
    """One answer."""

    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    how: Callable[["Handler"], None] | None = None
    """Something else than an answer."""


def refusal(status: int, message: str) -> Reply:
    """An error as InfluxDB 2 words it."""
    body = json.dumps({"code": "invalid", "message": message}).encode()
    return Reply(status, body, {"Content-Type": "application/json"})


def parted(line: str) -> tuple[str, str, str]:
    """Key, fields and time of a line."""
    found = re.fullmatch(r"((?:\\.|[^ \\])+) (.+) (\d+)", line)
    assert found is not None, line
    return found[1], found[2], found[3]


Behaviour = Callable[[list[str]], Reply]


def well(_lines: list[str]) -> Reply:
    """Take everything."""
    return Reply()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        """Take a request, and answer as the server was told to."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
        lines = body.decode().splitlines()
        with self.server.lock:
            self.server.requests.append((time.monotonic(), self.path, dict(self.headers), lines))
            reply = self.server.replies.pop(0)(lines) if self.server.replies else self.server.behaviour(lines)
        if reply.how is not None:
            reply.how(self)
            return
        if reply.status == 204:
            self.server.take(lines)
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """What was taken, and what was asked."""

    daemon_threads = True

    def __init__(self, behaviour: Behaviour = well, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.behaviour = behaviour
        self.replies: list[Behaviour] = []
        """For the next requests, before `behaviour`."""
        self.requests: list[tuple[float, str, dict[str, str], list[str]]] = []
        self.points: dict[tuple[str, str], str] = {}
        """Fields by key and time: what is written again overwrites itself."""
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, lines: list[str]) -> None:
        """Store points."""
        with self.lock:
            for line in lines:
                key, fields, at = parted(line)
                self.points[key, at] = fields

    @property
    def numbers(self) -> list[int]:
        """The numbers of the points that were taken, in order of their times."""
        with self.lock:
            return sorted(int(at) // 10**9 - NOON for _, at in self.points)

    def end(self) -> None:
        """Stop."""
        self.shutdown()
        self.server_close()


def reset(handler: Handler) -> None:
    """Break the connection off with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def silent(handler: Handler) -> None:
    """Never answer."""
    time.sleep(3)
    handler.close_connection = True


def dribble(handler: Handler) -> None:
    """Answer so slowly that no single wait is too long."""
    try:
        for octet in b"HTTP/1.1 204 No Content\r\nX-Some: " + b"x" * 1000:
            handler.wfile.write(bytes([octet]))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        handler.server.replies.append(well)
    handler.close_connection = True


def flood(handler: Handler) -> None:
    """Answer with a body that has no end."""
    handler.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\n\r\n")
    sent = 0
    try:
        while sent < 200 << 20:
            sent += handler.wfile.write(bytes(1 << 16))
    except OSError:
        pass
    handler.server.replies.append(lambda lines: refusal(400, f"{sent} octets went out"))
    handler.close_connection = True
