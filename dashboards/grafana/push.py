"""Dashboards into a Grafana that runs: what differs is written, by uid; what is the same is left alone."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grafana_client import GrafanaApi

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.connection import Missing, PushError, asked
from dashboards.grafana.render import Setting, rendered

FOLDER = "Catchment"
_MESSAGE = "catchment dashboards push"
_THEIRS = ("id", "version")
"""What Grafana counts by itself, and no part of a dashboard."""
Json = dict[str, Any]


class What(StrEnum):
    """What becomes, or would become, of a dashboard or folder."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One dashboard."""

    uid: str
    title: str
    what: What
    differs: tuple[str, ...] = ()
    """What is not the same there, in words."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of it."""

    folder: str
    """Its uid."""
    folder_was: What
    dashboards: tuple[Pushed, ...]

    @property
    def differs(self) -> bool:
        """Whether anything was not there as it should be."""
        return self.folder_was is not What.SAME or any(each.what is not What.SAME for each in self.dashboards)


def push(api: GrafanaApi, setting: Setting, folder: str = FOLDER, dry: bool = False) -> Outcome:
    """Put every dashboard into a folder, which is made where it is missing. `dry`: only say what differs.

    Raises PushError. What was written before a refusal stays; another run does the rest.
    """
    uid = folder_uid(folder)
    was = _folder(api, uid, folder, dry)
    return Outcome(uid, was, tuple(_dashboard(api, json.loads(rendered(b, setting)), uid, dry) for b in BOARDS))


def folder_uid(title: str) -> str:
    """Uid of the folder of a title. Raises PushError where nothing of it can stand in a uid."""
    uid = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
    if not uid:
        raise PushError(f"{title!r} is no name for a folder: it needs a letter or a digit")
    return uid


def differences(ours: Json, theirs: Json) -> tuple[str, ...]:
    """What a dashboard of ours and the one that is there have not in common, in words."""
    keys = sorted((ours.keys() | theirs.keys()) - {*_THEIRS, "panels"})
    said = [key for key in keys if ours.get(key) != theirs.get(key)]
    return (*said, *_panels(_by_title(ours), _by_title(theirs)))


def _panels(ours: dict[str, Json], theirs: dict[str, Json]) -> Iterator[str]:
    for title, panel in ours.items():
        if title not in theirs:
            yield f"panel {title} is missing there"
        elif theirs[title] != panel:
            yield f"panel {title}"
    yield from (f"panel {title} is only there" for title in theirs if title not in ours)


def _by_title(board: Json) -> dict[str, Json]:
    """Panels and rows by title, in order; a folded row without its panels, which are told one by one."""
    found: dict[str, Json] = {}
    panels = board.get("panels")
    for panel in panels if isinstance(panels, list) else ():
        within = panel.get("panels") or []
        found[str(panel.get("title"))] = {**panel, "panels": [each.get("id") for each in within]}
        found |= {str(each.get("title")): each for each in within}
    return found


def _folder(api: GrafanaApi, uid: str, title: str, dry: bool) -> What:
    try:
        _known(asked(f"folder {uid}", lambda: api.folder.get_folder(uid)), "uid")
        return What.SAME
    except Missing:
        if not dry:
            asked(f"making the folder {title}", lambda: api.folder.create_folder(title, uid))
        return What.NEW


def _dashboard(api: GrafanaApi, ours: Json, folder: str, dry: bool) -> Pushed:
    uid, title = ours["uid"], ours["title"]
    try:
        there = _known(asked(f"dashboard {uid}", lambda: api.dashboard.get_dashboard(uid)), "dashboard")
    except Missing:
        there = None
    differs = _compared(ours, there, folder)
    what = What.NEW if there is None else What.CHANGED if differs else What.SAME
    if what is not What.SAME and not dry:
        # With the version that we compared with: Grafana refuses where somebody was quicker, and nothing is lost.
        known = {} if there is None else {"version": there["dashboard"].get("version")}
        body = {"dashboard": {**ours, **known}, "folderUid": folder, "message": _MESSAGE, "overwrite": False}
        asked(f"writing the dashboard {uid}", lambda: api.dashboard.update_dashboard(body))
    return Pushed(uid, title, what, differs)


def _compared(ours: Json, there: Json | None, folder: str) -> tuple[str, ...]:
    if there is None:
        return ()
    home = there.get("meta", {}).get("folderUid", "")
    moved = () if home == folder else (f"it is in the folder {home or 'of no name'}",)
    return (*moved, *differences(ours, there["dashboard"]))


def _known(answer: object, key: str) -> Json:
    if not isinstance(answer, dict) or not isinstance(answer.get("meta", {}), dict) or key not in answer:
        raise PushError("the answer is none of Grafana's; is this its address?")
    if key == "dashboard" and not isinstance(answer[key], dict):
        raise PushError("the answer is none of Grafana's; is this its address?")
    return answer
