"""The page, and how it follows the daemon: the browser is sent what changed, twice a second at most."""

from collections import deque
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from fastapi import FastAPI
from nicegui import background_tasks, ui

from anycast.counted import counted
from anycast.finding import State
from anycast.ports import Reading
from anycast.situation import Event, FeedStatus, Health, Situation
from dashboards.console.findings import findings
from dashboards.console.markup import join, tag, text
from dashboards.console.services import services
from dashboards.console.timeline import KEPT, timeline

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
EVERY = 0.5  # seconds between looks


def mount(app: FastAPI, reading: Reading, mode: Callable[[], str]) -> None:
    """Put the console on `app` at `/`. `mode` says what is being watched (`live`, `recording`)."""

    @ui.page("/", title="Catchment")
    def console() -> None:
        _Page(reading, mode).build()

    ui.run_with(app, title="Catchment", dark=None, show_welcome_message=False)


class _Page:
    """One browser's page."""

    def __init__(self, reading: Reading, mode: Callable[[], str]) -> None:
        self._reading, self._mode = reading, mode
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._shown: dict[str, str] = {}

    def build(self) -> None:
        """Lay the page out, fill it, and keep it true."""
        ui.add_css(STYLE)
        with ui.element("div").classes("console"):
            self._top = _html("top")
            with ui.element("div").classes("columns"):
                with ui.element("div").classes("panel"):
                    self._services = _html("services")
                with ui.element("div").classes("panel"):
                    self._feeds = _html("feeds")
                    self._findings = _html("")
                    self._timeline = _html("happened")
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
        self._put("top", self._top, top(now, sum(r.state is State.OPEN for r in records), self._mode()))
        self._put("services", self._services, services(now))
        self._put("feeds", self._feeds, feeds(now))
        self._put("findings", self._findings, tag("h2", "", "Findings") + findings(records))
        self._put("timeline", self._timeline, tag("h2", "", "Timeline") + timeline(self._events))

    def _put(self, name: str, element: ui.html, content: str) -> None:
        """Send only what differs from what the browser has."""
        if self._shown.get(name) != content:
            self._shown[name] = content
            element.set_content(content)


def _html(classes: str) -> ui.html:
    return ui.html("", sanitize=False).classes(classes)  # everything foreign went through markup.text


def top(now: Situation, open_findings: int, mode: str) -> str:
    """The headline: how many services are in which state, and of when this is."""
    counts = ((health, sum(s.health is health for s in now.services)) for health in Health)
    states = join(tag("span", f"health {health}", f"{count} {health}") for health, count in counts if count)
    when = tag("span", "quiet", f"as of {now.at.astimezone(UTC):%H:%M:%S} UTC")
    found = tag("span", "quiet", counted(open_findings, "open finding"))
    return tag("h1", "", "Catchment") + states + found + when + tag("span", "quiet", f"mode: {text(mode)}")


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
