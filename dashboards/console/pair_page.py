"""One service at one site: where it lands, its legs, its round trips, and the history of each."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nicegui import ui

from anycast.catchment import SiteServiceCatchment
from anycast.charted import LegsChart, SharesChart, SmokeChart, ToldShift, Window
from anycast.finding import Record, State
from anycast.ports import Reading
from dashboards.console.attendance import agents
from dashboards.console.colours import palette
from dashboards.console.episodes import episodes
from dashboards.console.findings import findings
from dashboards.console.frame import bar, pair_path, styled
from dashboards.console.legs import legs
from dashboards.console.live import Live
from dashboards.console.markup import clock, join, tag, text
from dashboards.console.matrix import LEGEND
from dashboards.console.observed import agent_chip, as_of, lands, verdict
from dashboards.console.smoke import smoke
from dashboards.console.strips import shares

log = logging.getLogger(__name__)
EVERY = 1.0  # seconds between looks
SOONEST, LATEST = 4.0, 60.0  # seconds between two charts of one page
WINDOWS: Mapping[str, tuple[str, float, float]] = {
    "10m": ("10 min", 600, 5),
    "1h": ("1 h", 3600, 30),
    "6h": ("6 h", 21_600, 180),
    "24h": ("24 h", 86_400, 600),
}
"""What is shown, its seconds, and the seconds of one step."""
USUAL = "1h"


def window_of(name: str, now: datetime) -> Window:
    """Return the window that ends with the step that goes on, so that steps stay where they are as time passes."""
    _, length, step = WINDOWS.get(name, WINDOWS[USUAL])
    end = datetime.fromtimestamp((now.timestamp() // step + 1) * step, UTC)
    return Window(end - timedelta(seconds=length), end, step)


@dataclass(frozen=True, slots=True)
class Charts:
    """What the journal said."""

    smoke: SmokeChart
    shares: SharesChart
    legs: LegsChart


async def ask(reading: Reading, site: str, service: str, window: Window) -> Charts:
    """Ask for all charts. Raises what the journal raises."""
    landing = reading.catchments
    asked = (landing.smoke(site, service, window), landing.shares(site, service, window))
    taken, shared = await asyncio.gather(*asked)
    return Charts(taken, shared, await landing.legs(site, service, window))


class PairPage:
    """One browser's page."""

    def __init__(self, reading: Reading, site: str, service: str, window: str) -> None:
        self._reading, self._site, self._service = reading, site, service
        self._window = window if window in WINDOWS else USUAL
        self._live = Live()
        self._charts: Charts | None = None
        self._trouble = ""
        self._asking = False
        self._due = 0.0

    def build(self) -> None:
        """Lay the page out, fill it, and keep it true."""
        styled()
        with ui.element("div").classes("console"):
            self._live.add("top", "top")
            if self._found() is None:
                self._live.put("top", bar("/catchment"))
                ui.html(missing(self._site, self._service), sanitize=False)
                return
            for name in ("now", "findings", "smoke", "shares", "legs", "shifts", "agent", "episodes"):
                self._live.add(name, "card")
        self._look()
        self._show({})
        ui.timer(EVERY, self._look, immediate=False)
        ui.timer(EVERY, self._chart)

    def _found(self) -> SiteServiceCatchment | None:
        return next(iter(self._reading.catchments.now(self._site, self._service)), None)

    def _look(self) -> None:
        """Show what is so now."""
        now, landing = datetime.now(UTC), self._reading.catchments
        self._live.put("top", bar("/catchment") + tag("span", "quiet", f"as of {now:%H:%M:%S} UTC"))
        each = self._found()
        if each is None:  # the intent was read again
            self._live.put("now", missing(self._site, self._service))
            return
        colours = palette(region.region for region in each.regions)
        hosts = landing.landing(self._site, self._service)
        self._live.put("now", heading(each, self._window) + lands(each, colours, hosts) + as_of(each, now) + LEGEND)
        self._live.put("legs", tag("h2", "", "Legs") + legs(each, self._charts.legs if self._charts else None))
        self._live.put("findings", tag("h2", "", "Findings here") + findings(here(self._reading, each)))
        ours = [agent for agent in landing.agents() if agent.name == self._site and not agent.nva]
        self._live.put("agent", tag("h2", "", "Its agent") + agents(ours, now))
        mine = [e for e in landing.episodes() if (e.site, e.service) == (self._site, self._service)]
        self._live.put("episodes", tag("h2", "", "Convergence") + episodes(mine))

    async def _chart(self) -> None:
        """Ask the journal when a chart is due; one question after the other."""
        loop = asyncio.get_running_loop()
        if self._asking or loop.time() < self._due or self._found() is None:
            return
        self._asking = True
        window = window_of(self._window, datetime.now(UTC))
        try:
            self._charts, self._trouble = await ask(self._reading, self._site, self._service, window), ""
        except Exception as error:  # a journal that cannot be read takes the charts, and not the page
            log.warning("charts of %s and %s cannot be made: %s", self._site, self._service, error)
            self._trouble = str(error)
        finally:
            self._asking = False
            self._due = loop.time() + min(LATEST, max(SOONEST, window.step / 2))
        each = self._found()
        self._show(palette(region.region for region in each.regions) if each is not None else {})

    def _show(self, colours: Mapping[str, str]) -> None:
        charts, wait = self._charts, tag("p", "quiet", "The journal is asked …")
        if self._trouble:
            wait = tag("p", "severity major", text(f"The journal cannot be asked: {self._trouble}"))
        told = [shift.at for shift in charts.shares.shifts] if charts is not None else []
        length = WINDOWS[self._window][0]
        drawn = (smoke(charts.smoke, colours, told), shares(charts.shares, colours)) if charts else (wait, wait)
        sorry = wait if charts is not None and self._trouble else ""
        self._live.put("smoke", tag("h2", "", f"Round trips, last {length}") + sorry + drawn[0])
        self._live.put("shares", tag("h2", "", f"Who answered, last {length}") + sorry + drawn[1])
        moved = shifts(charts.shares.shifts) if charts is not None else wait
        self._live.put("shifts", tag("h2", "", f"Shifts, last {length}") + moved)


def missing(site: str, service: str) -> str:
    """What is said of a site or a service that there is not."""
    said = text(f"The intent names no service {service} at a site {site}.")
    return tag("p", "quiet", f'{said} <a href="/catchment">All sites</a>')


def heading(each: SiteServiceCatchment, window: str) -> str:
    """Which service at which site, how it lands, and the windows to choose from."""
    how, word = verdict(each)
    choices = (
        tag("a", "", shown, href=f"{pair_path(each.site, each.service)}?window={name}", **_current(name == window))
        for name, (shown, _, _) in WINDOWS.items()
    )
    parts = (
        tag("h2", "", text(f"{each.site} → {each.service}")),
        tag("code", "", text(each.prefix)),
        tag("span", f"state {how}", text(word)),
        agent_chip(each.agent),
        tag("nav", "windows", join(choices)),
    )
    return tag("header", "", join(parts))


def _current(current: bool) -> dict[str, str]:
    return {"aria_current": "true"} if current else {}


def here(reading: Reading, each: SiteServiceCatchment) -> Sequence[Record]:
    """Findings about this service at this site, and those of the whole site or the whole service."""
    found = reading.findings(State.PENDING, State.OPEN)
    about = ((record.finding.subject, record) for record in found)
    return [
        record
        for subject, record in about
        if subject.site in (None, each.site)
        and subject.service in (None, each.service)
        and (subject.site is not None or subject.service is not None)
    ]


def shifts(found: Sequence[ToldShift]) -> str:
    """Shifts, the newest first, each with what explains it."""
    if not found:
        return tag("p", "quiet", "Traffic did not move to another region.")
    return join(
        tag(
            "div",
            f"shift {shift.severity}",
            tag("span", "quiet", f"{clock(shift.at)} UTC ")
            + text(shift.text)
            + (tag("p", "note", text(shift.explained)) if shift.explained else ""),
        )
        for shift in sorted(found, key=lambda shift: shift.at, reverse=True)
    )
