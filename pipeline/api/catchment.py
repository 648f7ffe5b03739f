"""Where sites' traffic lands: the present as the view has it, the past as the journal has it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Protocol

from fastapi import FastAPI, Query

from anycast.catchment import SiteServiceCatchment
from anycast.charted import Window
from anycast.plain import Plain, to_plain
from anycast.ports import Landing
from anycast.probe import Probe
from pipeline.api.asking import Limit, Unanswerable, between
from pipeline.asked import length
from pipeline.charts import MOST_STEPS
from store.answers import Page
from store.charts import Place
from store.probed import Probed

HOUR: Final = timedelta(hours=1)
LONGEST_ROWS: Final = timedelta(days=1)  # one answer of single results; ask again for more
DEFAULT_STEPS: Final = 120
NICE: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)  # seconds

Name = Annotated[str, Query(max_length=63)]
MaybeName = Annotated[str | None, Query(max_length=63)]
From = Annotated[str | None, Query(alias="from", max_length=40)]
To = Annotated[str | None, Query(alias="to", max_length=40)]
Step = Annotated[str | None, Query(max_length=12)]
Bins = Annotated[int, Query(ge=1, le=MOST_STEPS)]


class Charting(Landing, Protocol):
    """What the API needs beyond what pages do."""

    async def results(
        self, site: str, target: str | None, window: Window, limit: int, after: Place | None = None
    ) -> Page[Probed]:
        """Results one by one, oldest first, those behind `after` where it is given."""
        ...


def catchment_routes(app: FastAPI, landing: Charting) -> None:
    """Put the routes on `app`."""
    _now(app, landing)
    _past(app, landing)
    _results(app, landing)


def _now(app: FastAPI, landing: Charting) -> None:
    @app.get("/api/v1/catchment", tags=["catchment"])
    async def catchment(site: MaybeName = None, service: MaybeName = None) -> Plain:
        """Each service at each site: the regions meant, by BGP, and seen by probes, with shares, latency and legs."""
        found = landing.now(site, service)
        return {"at": to_plain(datetime.now(UTC)), "catchment": [_catchment(each, landing) for each in found]}

    @app.get("/api/v1/catchment/hosts", tags=["catchment"])
    async def hosts(site: MaybeName = None, service: MaybeName = None, limit: Limit = 1000) -> Plain:
        """Where on-premises hosts land, by the NVAs that heard them; `more` when there are more than `limit`."""
        found = landing.hosts(site, service)
        return {"hosts": to_plain(tuple(found[:limit])), "more": len(found) > limit}

    @app.get("/api/v1/agents", tags=["catchment"])
    async def agents() -> Plain:
        """Every agent that reports, did, or is meant to: whether it can be believed now, and what it says of itself."""
        return {"at": to_plain(datetime.now(UTC)), "agents": to_plain(tuple(landing.agents()))}

    @app.get("/api/v1/convergence", tags=["catchment"])
    async def convergence(site: MaybeName = None, service: MaybeName = None, limit: Limit = 1000) -> Plain:
        """How sites came to rest after changes, the newest first; an episode without `ended` goes on."""
        found = [e for e in landing.episodes() if site in (None, e.site) and service in (None, e.service)]
        return {"episodes": to_plain(tuple(found[:limit])), "more": len(found) > limit}


def _catchment(each: SiteServiceCatchment, landing: Landing) -> Plain:
    hosts = dict(landing.landing(each.site, each.service))
    return to_plain(each) | {"fit": str(each.fit), "answering": list(each.answering), "hosts": hosts}


def _past(app: FastAPI, landing: Charting) -> None:
    @app.get("/api/v1/catchment/history", tags=["catchment"])
    async def history(site: Name, service: Name, start: From = None, end: To = None, step: Step = None) -> Plain:
        """Who answered, in steps of `step` (such as 30s or 5m), with 95 % intervals; and the shifts that were told."""
        window = stepped(*between(start, end, timedelta(days=1)), step)
        return to_plain(await landing.shares(site, service, window))

    @app.get("/api/v1/probes/smoke", tags=["catchment"])
    async def smoke(
        site: Name, target: Name, start: From = None, end: To = None, bins: Bins = DEFAULT_STEPS,
        probe: Probe | None = None,
    ) -> Plain:  # fmt: skip
        """Round trips in `bins` equal steps, by region that answered: losses and quantiles, in seconds."""
        first, last = between(start, end, HOUR)
        window = Window(first, last, max((last - first).total_seconds() / bins, 1e-3))
        return to_plain(await landing.smoke(site, target, window, probe))

    @app.get("/api/v1/probes/legs", tags=["catchment"])
    async def legs(site: Name, service: Name, start: From = None, end: To = None, step: Step = None) -> Plain:
        """Loss and median round trip of each leg, in steps of `step` (such as 30s or 5m)."""
        window = stepped(*between(start, end, HOUR), step)
        return to_plain(await landing.legs(site, service, window))


def _results(app: FastAPI, landing: Charting) -> None:
    @app.get("/api/v1/probes", tags=["catchment"])
    async def probes(
        site: Name, target: MaybeName = None, start: From = None, end: To = None, limit: Limit = 1000,
        after: Annotated[str | None, Query(max_length=160)] = None,
    ) -> Plain:  # fmt: skip
        """Results one by one, oldest first; `next` is the `after` of the page behind this one, where there is one."""
        first, last = between(start, end, timedelta(minutes=10), LONGEST_ROWS)
        page = await landing.results(site, target, Window(first, last, 1.0), limit, _place(after))
        more = {"next": _said(page.rows[-1])} if page.more else {}
        return {"from": to_plain(first), "to": to_plain(last), "probes": to_plain(page.rows), **more}


def stepped(start: datetime, end: datetime, step: str | None) -> Window:
    """Return a window with the step that was asked for, or one of about DEFAULT_STEPS.

    Raises Unanswerable for a step that is none, or that makes more than MOST_STEPS.
    """
    seconds = (end - start).total_seconds()
    if step is None:
        return Window(start, end, next((s for s in NICE if seconds / s <= DEFAULT_STEPS), NICE[-1]))
    try:
        asked = length(step)
    except ValueError as error:
        raise Unanswerable(f"step: {error}") from error
    if asked <= timedelta() or seconds / asked.total_seconds() > MOST_STEPS:
        least = max(1, -int(-seconds // MOST_STEPS))
        raise Unanswerable(f"step {step} makes more than {MOST_STEPS} steps; {least}s or more is answered")
    return Window(start, end, asked.total_seconds())


def _said(row: Probed) -> str:
    at = (row.result.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return f"{at}.{row.batch}.{row.number}.{row.run}"


def _place(after: str | None) -> Place | None:
    """Where a page ended, as `next` said."""
    if after is None:
        return None
    parts = after.split(".", 3)
    numbers = [part for part in parts[:3] if part.isascii() and part.isdecimal() and len(part) < 20]
    if len(parts) != 4 or len(numbers) != 3:
        raise Unanswerable(f"after: {after[:40]!r} is no place in this list; give what `next` said")
    at, batch, number = map(int, numbers)
    return at, parts[3], batch, number
