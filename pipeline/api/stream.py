"""Server-sent events (WHATWG HTML, 9.2): one message an event, and a comment now and then to keep it open."""

import asyncio
import json
from collections.abc import AsyncIterator

from anycast.plain import to_plain
from anycast.situation import Event

KEEP_ALIVE = 15.0  # seconds


async def server_sent(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Write events as the stream's messages, with the event's number as its id."""
    yield b"retry: 2000\n\n"
    waiting = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=KEEP_ALIVE)
            if not done:
                yield b": still here\n\n"
                continue
            event = waiting.result()
            if event is None:
                return
            waiting = asyncio.ensure_future(anext(events, None))
            body = json.dumps(to_plain(event), separators=(",", ":"))
            yield f"id: {event.number}\nevent: {event.kind}\ndata: {body}\n\n".encode()
    finally:
        waiting.cancel()
