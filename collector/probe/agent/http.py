"""HTTP requests, each over a connection of its own: is the application there, who is it, and how fast?"""

import asyncio
import os
from dataclasses import dataclass, field, replace
from typing import Final

import aiohttp

from anycast.probe import Identity, Outcome, Proof
from collector.probe.agent.bucket import SECOND
from collector.probe.agent.kit import Asks, Kit
from collector.probe.agent.web import Line, Web, failed, names
from collector.probe.config.values import Matcher
from collector.probe.identity import http
from collector.probe.identity.datagram import Reply, Request
from collector.probe.identity.keys import Keys
from collector.probe.identity.matching import Heard, Unmatched, matched
from collector.probe.identity.refused import Refused
from collector.probe.taken import Taken

LARGEST: Final = 1 << 20
"""Octets of a body that are read; a longer one is not read to its end."""
_EMPTY: Final = Identity()


@dataclass(slots=True)
class _Answer:
    """What came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    body: bytearray = field(default_factory=bytearray)
    asked: int = 0
    """When the handshake was done, monotonic ns."""
    first: int = 0
    """When its head was there."""


class Page:
    """Requests to one target, again and again."""

    def __init__(
        self, kit: Kit, keys: Keys, asks: Asks, web: Web, matcher: Matcher | None, statuses: tuple[int, ...], every: int
    ) -> None:
        """Without a matcher the identity protocol's own headers are asked for, under the first of `keys`."""
        self.every = every
        self._kit, self._keys, self._asks, self._web = kit, keys, asks, web
        self._matcher, self._statuses = matcher, statuses
        self._run = int.from_bytes(os.urandom(4), "big")
        self._sequence = 0

    def fire(self) -> None:
        """Send one request."""
        if self._kit.tasks.full:
            self._kit.unsent(self._asks, f"{len(self._kit.tasks)} requests are under way")
        else:
            self._kit.tasks.start(self._probe())

    async def _probe(self) -> None:
        kit, asks, line = self._kit, self._asks, Line()
        asked = asyncio.ensure_future(self._ask(line))
        mono, wall = kit.clock.mono(), kit.clock.wall()
        try:
            done, _ = await asyncio.wait({asked}, timeout=kit.timeout / SECOND)
            if not done:
                silent = Taken(mono, wall, asks.probe, asks.target, Outcome.SILENT, port=line.port)
                kit.deliver(replace(silent, connect=line.handshake))
                done, _ = await asyncio.wait({asked}, timeout=kit.late / SECOND)
                if done:
                    kit.deliver(replace(self._judged(asked, line, mono, wall), outcome=Outcome.LATE))
            else:
                kit.deliver(self._judged(asked, line, mono, wall))
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    async def _ask(self, line: Line) -> tuple[_Answer, Request | None, int, int]:
        """Return what came, what was asked under a key, the time at which it was over, and our port."""
        answer, request = _Answer(), self._request()
        key = next(iter(self._keys), None)
        headers = http.ask(request, key) if request is not None and key is not None else {}
        async with self._web.session(line) as session, await self._web.get(session, headers) as response:
            answer.first, answer.asked, port = self._kit.clock.mono(), line.since, line.port
            answer.status, answer.names = response.status, names(response)
            answer.headers = {name.lower(): value for name, value in response.headers.items()}
            while len(answer.body) < LARGEST and (piece := await response.content.readany()):
                answer.body += piece
            return answer, request, self._kit.clock.mono(), port

    def _request(self) -> Request | None:
        key = next(iter(self._keys), None)
        if self._matcher is not None or key is None:
            return None
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        nonce = int.from_bytes(os.urandom(8), "big")
        return Request(key.id, self._run, nonce, self._kit.clock.mono(), self._asks.service, sequence=self._sequence)

    def _judged(
        self, asked: "asyncio.Future[tuple[_Answer, Request | None, int, int]]", line: Line, mono: int, wall: int
    ) -> Taken:
        began, asks = (line.opened[-1].began if line.opened else 0) or mono, self._asks
        taken = Taken(mono, wall, asks.probe, asks.target, Outcome.ANSWERED, port=line.port, connect=line.handshake)
        error = asked.exception()
        if isinstance(error, aiohttp.ClientError | OSError | ValueError):
            how, why = failed(error)
            took = None if how in (Outcome.UNSENT, Outcome.SILENT) else self._kit.clock.mono() - began
            return replace(taken, outcome=how, rtt=took, detail=why)
        answer, request, ended, port = asked.result()
        first = answer.first - (line.since or began)
        taken = replace(taken, port=port, rtt=ended - began, first_byte=first, status=answer.status)
        good = answer.status in self._statuses if self._statuses else answer.status < 500
        if not good:
            return replace(taken, outcome=Outcome.BROKEN, detail=f"status {answer.status}")
        return self._proven(taken, answer, request)

    def _proven(self, taken: Taken, answer: _Answer, request: Request | None) -> Taken:
        try:
            if self._matcher is not None:
                who = matched(self._matcher, Heard(answer.headers, bytes(answer.body), answer.names))
                return replace(taken, identity=who, proof=Proof.MATCHED)
            return taken if request is None else self._authenticated(taken, answer, request)
        except (Refused, Unmatched) as error:
            return replace(taken, outcome=Outcome.INVALID, detail=str(error))

    def _authenticated(self, taken: Taken, answer: _Answer, request: Request) -> Taken:
        asked_at = answer.asked or taken.mono
        value = answer.headers.get(http.ANSWER.lower())
        if value is None:
            raise Unmatched(f"there is no header {http.ANSWER}")
        reply = http.answered(value, self._keys)
        if reply.request != request:
            raise Unmatched("the identity does not repeat our request")
        return replace(
            taken,
            identity=reply.identity,
            proof=Proof.AUTHENTICATED,
            forward=reply.received - (taken.wall + (asked_at - taken.mono)),
            held=reply.answered - reply.received,
            far_ttl=reply.far_ttl,
            seen="" if reply.port == taken.port else _place(reply),
        )


def _place(reply: Reply) -> str:
    return f"[{reply.address}]:{reply.port}" if reply.address.version == 6 else f"{reply.address}:{reply.port}"
