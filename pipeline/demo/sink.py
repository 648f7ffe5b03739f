"""A webhook receiver of the demo's own: prints what an operator would have been sent."""

import json
from collections.abc import Callable

from aiohttp import web

from anycast.plain import Plain


class Sink:
    """Listens on a free port of loopback."""

    def __init__(self, told: Callable[[Plain], None]) -> None:
        self.received: list[Plain] = []
        self._told = told
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; returns the URL to post to."""
        app = web.Application(client_max_size=256 * 1024)
        app.router.add_post("/hook", self._hook)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/hook"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        message = json.loads(await request.read())
        self.received.append(message)
        self._told(message)
        return web.Response(status=204)
