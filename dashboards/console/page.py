"""The pages. The first of them follows the daemon: the browser is sent what changed, twice a second at most."""

from collections import deque
from collections.abc import Callable
from datetime import UTC

from fastapi import FastAPI
from nicegui import background_tasks, ui

from anycast.counted import counted
from anycast.finding import State
from anycast.ports import Reading
from anycast.situation import Event, FeedStatus, Health, Situation
from dashboards.console.findings import findings
from dashboards.console.frame import bar, styled
from dashboards.console.live import Live
from dashboards.console.markup import join, tag, text
from dashboards.console.pair_page import USUAL, PairPage
from dashboards.console.runbook_page import runbook_page
from dashboards.console.services import services
from dashboards.console.sites_page import sites_page
from dashboards.console.timeline import KEPT, timeline

EVERY = 0.5  # seconds between looks


def mount(app: FastAPI, reading: Reading, mode: Callable[[], str]) -> None:
    """Put the console's pages on `app`, the first at `/`. `mode` says what is being watched (`live`, `recording`)."""

    @ui.page("/", title="Catchment")
    def console() -> None:
        _Page(reading, mode).build()

    @ui.page("/catchment", title="Sites - Catchment")
    def sites() -> None:
        sites_page(reading)

    @ui.page("/catchment/{site}/{service}", title="Catchment")
    def pair(site: str, service: str, window: str = USUAL) -> None:
        PairPage(reading, site, service, window).build()

    @ui.page("/runbooks/{kind}", title="Runbook - Catchment")
    def runbook(kind: str) -> None:
        runbook_page(kind)

    ui.run_with(app, title="Catchment", dark=None, show_welcome_message=False)


class _Page:
    """One browser's page."""

    def __init__(self, reading: Reading, mode: Callable[[], str]) -> None:
        self._reading, self._mode = reading, mode
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._live = Live()

    def build(self) -> None:
        """Lay the page out, fill it, and keep it true."""
        styled()
        with ui.element("div").classes("console"):
            self._live.add("top", "top")
            with ui.element("div").classes("columns"):
                with ui.element("div").classes("panel"):
                    self._live.add("services", "services")
                with ui.element("div").classes("panel"):
                    self._live.add("feeds", "feeds")
                    self._live.add("findings")
                    self._live.add("timeline", "happened")
        self._look()
        ui.timer(EVERY, self._look)
        follower = background_tasks.create(self._follow(), name="console timeline")
        ui.context.client.on_delete(lambda: follower.cancel() and None)

    async def _follow(self) -> None:
        async for event in self._reading.events():
            self._events.append(event)

    def _look(self) -> None:
        now = self._reading.situation()
        records = self._reading.findings(State.PENDING, State.OPEN)
        opened = sum(record.state is State.OPEN for record in records)
        self._live.put("top", top(now, opened, self._mode()))
        self._live.put("services", services(now, self._reading.catchments.now()))
        self._live.put("feeds", feeds(now))
        self._live.put("findings", tag("h2", "", "Findings") + findings(records))
        self._live.put("timeline", tag("h2", "", "Timeline") + timeline(self._events))


def top(now: Situation, open_findings: int, mode: str) -> str:
    """The headline: how many services are in which state, and of when this is."""
    counts = ((health, sum(s.health is health for s in now.services)) for health in Health)
    states = join(tag("span", f"health {health}", f"{count} {health}") for health, count in counts if count)
    when = tag("span", "quiet", f"as of {now.at.astimezone(UTC):%H:%M:%S} UTC")
    found = tag("span", "quiet", counted(open_findings, "open finding"))
    return bar("/") + states + found + when + tag("span", "quiet", f"mode: {text(mode)}")


def feeds(now: Situation) -> str:
    """Each exporter's feed, for whoever is blind sees nothing wrong."""
    return tag("span", "quiet", "feeds") + join(
        tag(
            "span",
            f"cell {'present' if feed.connected else 'unknown'}",
            f"{'●' if feed.connected else '?'} {text(feed.exporter)}",
            title=_carried(feed),
            data_feed=feed.exporter,
        )
        for feed in now.feeds
    )


def _carried(feed: FeedStatus) -> str:
    numbers = f"{counted(feed.messages, 'message')}, {counted(feed.routes, 'route')}"
    return f"{feed.address}: {numbers}. {feed.detail}"
