"""How the sinks of time series stand, and what servers refused."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import FastAPI, Query

from anycast.plain import Plain, to_plain
from anycast.sink import Quarantined, SinkStatus
from pipeline.api.asking import Limit

MaybeName = Annotated[str | None, Query(max_length=63)]


class Sinking(Protocol):
    """The sinks of a daemon."""

    def status(self) -> Sequence[SinkStatus]:
        """How each of them stands."""
        ...

    def quarantined(self, name: str | None, limit: int) -> Mapping[str, Sequence[Quarantined]]:
        """The newest lines that servers refused, by sink."""
        ...


def sink_routes(app: FastAPI, sinks: Sinking | None) -> None:
    """Put the routes on `app`; without sinks they answer that there are none."""

    @app.get("/api/v1/influx", tags=["time series"])
    async def influx() -> Plain:
        """Each server that time series are written to: its state, its cursor, how far behind, and its last words."""
        return {"sinks": to_plain(tuple(sinks.status())) if sinks is not None else []}

    @app.get("/api/v1/influx/quarantine", tags=["time series"])
    def quarantine(sink: MaybeName = None, limit: Limit = 100) -> Plain:
        """Points that servers refused, with their reasons, the newest first; of one sink or of all."""
        found = sinks.quarantined(sink, limit) if sinks is not None else {}
        return {"quarantine": {name: to_plain(tuple(lines)) for name, lines in found.items()}}
