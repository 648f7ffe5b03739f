"""The HTTP API, version 1: what the daemon knows, as JSON, and an event stream. Reads only, but for reload."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol

from fastapi import FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from anycast.finding import State
from anycast.plain import Plain, parse_stamp, to_plain
from anycast.ports import Reading
from anycast.prefix import Prefix, parse_prefix
from anycast.situation import Event
from pipeline.api.stream import server_sent

LONGEST_RANGE = timedelta(days=31)  # one history answer; ask again for more
MOST_ROWS = 10_000


class Operating(Reading, Protocol):
    """What the API needs of the daemon beyond reading."""

    def status(self) -> Mapping[str, Plain]:
        """Version, mode, start, lag and counters of the daemon itself."""
        ...

    def recent(self, after: int) -> tuple[Event, ...]:
        """Events numbered above `after` that are still in memory, oldest first."""
        ...

    def routes(self, prefix: Prefix) -> list[Plain]:
        """Watched routes that touch `prefix`, from every vantage, with presence."""
        ...

    async def seen(self) -> Plain:
        """What `catchment learn` needs."""
        ...

    async def reload(self) -> list[str]:
        """Read the intent file again, all or nothing; returns the problems (none when it took effect)."""
        ...

    def ready(self) -> str | None:
        """Why the daemon is not ready; None when it is."""
        ...

    def metrics(self) -> bytes:
        """Prometheus text."""
        ...


def build(engine: Operating, title_version: str) -> FastAPI:
    """Make the application; the console mounts itself on it."""
    app = FastAPI(title="Catchment", version=title_version, docs_url="/api/docs", openapi_url="/api/openapi.json")
    app.add_exception_handler(ValueError, _bad_value)
    _health(app, engine)
    _present(app, engine)
    _past(app, engine)
    return app


async def _bad_value(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=422)


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
        """The daemon itself, its feeds and its sessions."""
        now = engine.situation()
        return {**engine.status(), "feeds": to_plain(now.feeds), "sessions": to_plain(now.sessions)}

    @app.get("/api/v1/services", tags=["present"])
    async def services() -> Plain:
        """Every service prefix by region and site, in three-valued presence."""
        now = engine.situation()
        return {"at": to_plain(now.at), "services": to_plain(now.services)}

    @app.get("/api/v1/routes", tags=["present"])
    async def routes(prefix: Annotated[str, Query(max_length=64)]) -> Plain:
        """Watched routes equal to, inside or covering a prefix, now."""
        return {"prefix": prefix, "routes": engine.routes(parse_prefix(prefix))}

    @app.get("/api/v1/findings", tags=["present"])
    async def findings(state: Annotated[list[State] | None, Query()] = None) -> Plain:
        """Findings, newest first; `state` may be given several times and is pending and open by default."""
        states = state or [State.PENDING, State.OPEN]
        return {"findings": [to_plain(record) | {"key": record.finding.key} for record in engine.findings(*states)]}

    @app.get("/api/v1/seen", tags=["present"], include_in_schema=False)
    async def seen() -> Plain:
        return await engine.seen()

    @app.post("/api/v1/reload", tags=["present"])
    async def reload() -> Response:
        """Read the intent file again: all of it takes effect, or nothing does and every problem is named."""
        problems = await engine.reload()
        return JSONResponse({"reloaded": not problems, "problems": problems}, 409 if problems else 200)


def _past(app: FastAPI, engine: Operating) -> None:
    @app.get("/api/v1/history", tags=["past"])
    async def history(
        prefix: Annotated[str | None, Query(max_length=64)] = None,
        start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 1000,
    ) -> Plain:
        """What happened, oldest first; the last day by default, at most 31 days at once."""
        until = parse_stamp(end) if end else datetime.now(UTC)
        since = parse_stamp(start) if start else until - timedelta(days=1)
        if since >= until or until - since > LONGEST_RANGE:
            raise HTTPException(422, f"from must be before to, and at most {LONGEST_RANGE.days} days before it")
        rows = await engine.history(parse_prefix(prefix) if prefix else None, since, until, limit)
        return {"from": to_plain(since), "to": to_plain(until), "events": to_plain(tuple(rows))}

    @app.get("/api/v1/timeline", tags=["past"])
    async def timeline(after: Annotated[int, Query(ge=0)] = 0) -> Plain:
        """The newest events at once, for those who would rather ask than follow."""
        return {"events": to_plain(engine.recent(after))}

    @app.get("/api/v1/events", tags=["past"])
    async def events(
        last_event_id: Annotated[str | None, Header()] = None, after: Annotated[int, Query(ge=0)] = 0
    ) -> Response:
        """A server-sent event stream of the timeline; `Last-Event-ID` or `after` resumes it."""
        first = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
        return StreamingResponse(_lines(engine, first), media_type="text/event-stream")


async def _lines(engine: Operating, after: int) -> AsyncIterator[bytes]:
    async for chunk in server_sent(engine.events(after)):
        yield chunk
