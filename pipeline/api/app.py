"""The HTTP API, version 1: what the daemon knows, as JSON, and an event stream. Reads only, but for reload."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute

from anycast.finding import State
from anycast.plain import Plain, to_plain
from anycast.ports import Reading
from anycast.prefix import Prefix, parse_prefix
from anycast.situation import Event, ServiceStatus
from pipeline.api.asking import Limit, Unanswerable, between
from pipeline.api.catchment import Charting, catchment_routes
from pipeline.api.guard import Guard
from pipeline.api.sinks import Sinking, sink_routes
from pipeline.api.stream import server_sent
from pipeline.reloading import Reloaded

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LARGEST = 2**53  # of whole numbers that every JSON reader keeps exact

Text = Annotated[str, Query(max_length=64)]
Number = Annotated[int, Query(ge=0, le=LARGEST)]


class Operating(Reading, Protocol):
    """What the API needs of the daemon beyond reading."""

    @property
    def catchments(self) -> Charting:
        """Where sites' traffic lands, result by result."""
        ...

    def status(self) -> Mapping[str, Plain]:
        """Version, mode, start, intent and counters of the daemon itself."""
        ...

    def recent(self, after: int) -> tuple[Event, ...]:
        """Events numbered above `after` that are still in memory, oldest first."""
        ...

    def routes(self, prefix: Prefix) -> list[Plain]:
        """Watched routes that touch `prefix`, from every vantage, with presence."""
        ...

    async def told(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int
    ) -> tuple[Sequence[Event], bool]:
        """What happened, oldest first; of more than `limit` events the newest, and whether there were more."""
        ...

    async def seen(self) -> Plain:
        """What `catchment learn` needs."""
        ...

    async def reload(self) -> Reloaded:
        """Read the intent file again, all or nothing; returns the problems, and what waits for a restart."""
        ...

    def ready(self) -> str | None:
        """Why the daemon is not ready; None when it is."""
        ...

    def metrics(self) -> bytes:
        """Prometheus text."""
        ...


def build(engine: Operating, title_version: str, names: Collection[str] = (), sinks: Sinking | None = None) -> FastAPI:
    """Make the application; the console mounts itself on it. `names` are those of a proxy before it."""
    # No page that reads the schema: it would load its scripts from somebody else's server.
    app = FastAPI(
        title="Catchment", version=title_version, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    app.add_middleware(Guard, names=names)
    app.add_exception_handler(Unanswerable, _unanswerable)
    app.add_exception_handler(RequestValidationError, _invalid)
    _health(app, engine)
    _present(app, engine)
    _past(app, engine)
    catchment_routes(app, engine.catchments)
    sink_routes(app, sinks)
    for path in ("/api", "/api/{rest:path}", "/healthz", "/readyz", "/metrics"):
        app.router.add_route(path, _nothing, METHODS, include_in_schema=False)
    return app


async def _nothing(request: Request) -> Response:
    """What no endpoint takes: it would go to the console, and that answers with a page."""
    path, method = request.url.path, request.method
    near = [route for route in request.app.routes if isinstance(route, APIRoute) and route.path_regex.match(path)]
    allowed = sorted({way for route in near for way in route.methods or ()})
    if allowed:
        sentence = f"{path} is asked with {' or '.join(allowed)}, not with {method}"
        return JSONResponse({"error": sentence}, 405, {"Allow": ", ".join(allowed)})
    return JSONResponse({"error": f"there is no {path[:200]}; /api/openapi.json names everything that is"}, 404)


async def _unanswerable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=422)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    sentences = (f"{each['loc'][1]}: {each['msg']}, not {str(each['input'])[:64]!r}" for each in error.errors())
    return JSONResponse({"error": "; ".join(sentences)}, status_code=422)


def _health(app: FastAPI, engine: Operating) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> Response:
        """Answer 200 while the process runs its loop."""
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz", tags=["health"])
    async def readyz() -> Response:
        """Answer 200 once the station listens and the memory is open; 503 with the reason before."""
        why = engine.ready()
        return Response("ready\n" if why is None else f"{why}\n", 200 if why is None else 503, media_type="text/plain")

    @app.get("/metrics", tags=["health"])
    async def metrics() -> Response:
        """Prometheus metrics, made at the time of asking."""
        return Response(engine.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _present(app: FastAPI, engine: Operating) -> None:
    @app.get("/api/v1/status", tags=["present"])
    async def status() -> Plain:
        """The daemon itself, its intent file, its feeds and its sessions."""
        now = engine.situation()
        return {**engine.status(), "feeds": to_plain(now.feeds), "sessions": to_plain(now.sessions)}

    @app.get("/api/v1/services", tags=["present"])
    async def services() -> Plain:
        """Every service prefix by region and site, in three-valued presence."""
        now = engine.situation()
        return {"at": to_plain(now.at), "services": [_service(service) for service in now.services]}

    @app.get("/api/v1/routes", tags=["present"])
    async def routes(prefix: Text, limit: Limit = 1000) -> Plain:
        """Watched routes equal to, inside or covering a prefix, now; `more` when there are more than `limit`."""
        asked = _prefix(prefix)
        rows = engine.routes(asked)
        return {"prefix": str(asked), "routes": rows[:limit], "more": len(rows) > limit}

    @app.get("/api/v1/findings", tags=["present"])
    async def findings(state: Annotated[list[State] | None, Query()] = None, limit: Limit = 1000) -> Plain:
        """Findings, newest first; `state` may be given several times and is pending and open by default."""
        found = engine.findings(*(state or (State.PENDING, State.OPEN)))
        shown = [to_plain(record) | {"key": record.finding.key} for record in found[:limit]]
        return {"findings": shown, "more": len(found) > limit}

    @app.get("/api/v1/seen", tags=["present"], include_in_schema=False)
    async def seen() -> Plain:
        return await engine.seen()

    @app.post("/api/v1/reload", tags=["present"])
    async def reload() -> Response:
        """Read the intent file again: all of it takes effect, or nothing does and every problem is named.

        `restart` names what the file gives otherwise than the daemon runs with, and only a restart applies.
        """
        done = await engine.reload()
        restart = [each.plain() for each in done.waiting]
        answer = {"reloaded": not done.problems, "problems": list(done.problems), "restart": restart}
        return JSONResponse(answer, 409 if done.problems else 200)


def _service(service: ServiceStatus) -> Plain:
    """A service, and of each site where it lands: also the regions that share its best path's tier."""
    sites = [to_plain(site) | {"lands_on": list(site.lands_on)} for site in service.sites]
    return to_plain(service) | {"sites": sites}


def _past(app: FastAPI, engine: Operating) -> None:
    @app.get("/api/v1/history", tags=["past"])
    async def history(
        prefix: Annotated[str | None, Query(max_length=64)] = None,
        start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
        limit: Limit = 1000,
    ) -> Plain:
        """What happened, oldest first: of more than `limit` events the newest, and `more`. The last day by default."""
        since, until = between(start, end, timedelta(days=1))
        events, more = await engine.told(_prefix(prefix) if prefix else None, since, until, limit)
        return {"from": to_plain(since), "to": to_plain(until), "events": to_plain(tuple(events)), "more": more}

    @app.get("/api/v1/timeline", tags=["past"])
    async def timeline(after: Number = 0) -> Plain:
        """The newest events at once, for those who would rather ask than follow."""
        return {"events": to_plain(engine.recent(after))}

    @app.get("/api/v1/events", tags=["past"], response_class=StreamingResponse)
    async def events(last_event_id: Annotated[str | None, Header()] = None, after: Number = 0) -> Response:
        """A server-sent event stream of the timeline; `Last-Event-ID` or `after` resumes it."""
        resumed = last_event_id is not None and last_event_id.isascii() and last_event_id.isdecimal()
        first = min(int(last_event_id[:16]), LARGEST) if resumed and last_event_id is not None else after
        return StreamingResponse(
            _lines(engine, first), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )


def _prefix(text: str) -> Prefix:
    try:
        return parse_prefix(text)
    except ValueError as error:
        raise Unanswerable(str(error)) from error


async def _lines(engine: Operating, after: int) -> AsyncIterator[bytes]:
    async for chunk in server_sent(engine.events(after)):
        yield chunk
