"""What every page has: its styles, its name, and the way to the others."""

from pathlib import Path
from urllib.parse import quote

from nicegui import ui

from dashboards.console.markup import join, tag, text

STYLES = tuple(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("style.css", "catchment.css"))
PAGES = (("/", "Services"), ("/catchment", "Sites"))


def styled() -> None:
    """Give the page its styles."""
    for style in STYLES:
        ui.add_css(style)


def bar(here: str) -> str:
    """The name, and links to the pages; `here` is the path of this one."""
    links = join(_link(path, name, path == here) for path, name in PAGES)
    return tag("h1", "", "Catchment") + tag("nav", "", links)


def _link(path: str, name: str, current: bool) -> str:
    marked = {"aria_current": "page"} if current else {}
    return tag("a", "", text(name), href=path, **marked)


def pair_path(site: str, service: str) -> str:
    """Where one service at one site is shown."""
    return f"/catchment/{quote(site, safe='')}/{quote(service, safe='')}"


def runbook_path(kind: str) -> str:
    """Where a kind's runbook is shown."""
    return f"/runbooks/{quote(kind, safe='')}"
