"""Who may ask: programs, and pages of our own. Not a page of somebody else's in a browser on this machine.

A browser sends requests wherever any page tells it to. It always says by which name it found us (Host), and, in every
request that could change something or be read by the page, where the page is from (Origin). So a page of another origin
is refused (cross-site request forgery, also over WebSocket), and so is a name that is not this machine's: it would be
one that somebody else's DNS points here, to make his page seem ours (DNS rebinding).
"""

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
Place = tuple[str, int]
"""A host in lower case without brackets, and a port."""


class Guard:
    """Lets requests through to `app`, or answers why not."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        """`names` are those by which people reach the page through a proxy, beside this machine's own."""
        self._app, self._names = app, {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI 3)."""
        refused = self.refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused[1][:120]})
        else:
            status, sentence = refused
            await JSONResponse({"error": sentence}, status)(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for a request that is not let through; None for one that is."""
        headers = [(name.lower(), value.decode("latin-1").strip()) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        own = hosts[0] if len(hosts) == 1 else ""
        here = place(f"{scope.get('scheme', 'http')}://{own}") if own else None
        if len(hosts) > 1 or (own and (here is None or not self._ours(here[0], scope))):
            shown = own if here is not None else "the Host of this request"
            return 421, f"{shown!r} is not a name of this machine; ask for its address, or for localhost"
        for origin in origins:
            asking = place(origin)
            if asking is None or (asking != here and asking[0] not in self._names):
                return (
                    403,
                    f"a page of {origin!r} may not ask here; open Catchment's own page, or ask without a browser",
                )
        return None

    def _ours(self, host: str, scope: Scope) -> bool:
        if host == "localhost" or host in self._names:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        arrived = scope.get("server") or ("", None)
        return address.is_loopback or str(address) == str(arrived[0]).partition("%")[0]


def place(url: str) -> Place | None:
    """Host and port of an origin or of an address made from a Host header; None for what has neither."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in PORTS or parts.username is not None or parts.path or parts.query:
        return None
    return host, PORTS[parts.scheme] if port is None else port
