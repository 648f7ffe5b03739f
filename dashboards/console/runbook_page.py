"""A runbook, where findings link to it."""

import re
from pathlib import Path

from nicegui import ui

from anycast.finding import Kind
from anycast.kinds import KINDS
from dashboards.console.frame import bar, styled
from dashboards.console.markup import tag, text

FOLDERS = (Path(__file__).with_name("runbooks"), Path(__file__).parents[2] / "docs" / "runbooks")
"""Where an installation has them, and where the sources do."""
_ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]*\)")
"""Links within the documents, which are not served."""


def runbook_page(kind: str) -> None:
    """Build the page."""
    styled()
    with ui.element("div").classes("console"):
        ui.html(bar(""), sanitize=False).classes("top")
        with ui.element("div").classes("card runbook"):
            if kind not in set(Kind):
                ui.html(tag("p", "quiet", f"There is no kind of finding {text(kind)}."), sanitize=False)
                return
            written = runbook(kind)
            if written is None:
                about = KINDS[Kind(kind)]
                words = (
                    tag("h2", "", text(kind))
                    + tag("p", "", text(about.meaning))
                    + tag("p", "action", text(about.action))
                )
                ui.html(words, sanitize=False)
            else:
                ui.markdown(written, sanitize=False)  # our own words


def runbook(kind: str) -> str | None:
    """Return the text of a kind's runbook; None where it is not at hand."""
    for folder in FOLDERS:
        path = folder / f"{kind}.md"
        if path.is_file():
            return _ELSEWHERE.sub(r"\1", path.read_text(encoding="utf-8"))
    return None
