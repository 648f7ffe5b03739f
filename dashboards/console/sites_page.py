"""The page of all sites: a matrix of sites and services, agents, and how sites came to rest."""

from datetime import UTC, datetime

from nicegui import ui

from anycast.ports import Reading
from dashboards.console.attendance import agents
from dashboards.console.episodes import episodes
from dashboards.console.frame import bar, styled
from dashboards.console.live import Live
from dashboards.console.markup import tag
from dashboards.console.matrix import matrix

EVERY = 1.0  # seconds between looks


def sites_page(reading: Reading) -> None:
    """Build the page for one browser, and keep it true."""
    styled()
    live = Live()
    with ui.element("div").classes("console"):
        live.add("top", "top")
        live.add("matrix")
        for name in ("agents", "episodes"):
            live.add(name, "card")

    def look() -> None:
        now, landing = datetime.now(UTC), reading.catchments
        live.put("top", bar("/catchment") + tag("span", "quiet", f"as of {now:%H:%M:%S} UTC"))
        live.put("matrix", matrix(landing.now(), landing.landing, now))
        live.put("agents", tag("h2", "", "Agents") + agents(landing.agents(), now))
        live.put("episodes", tag("h2", "", "Convergence") + episodes(landing.episodes()))

    look()
    ui.timer(EVERY, look, immediate=False)
