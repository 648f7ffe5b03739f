"""Dashboards in a Grafana: pushed, every query of every panel asked through it, every panel drawn, all of it removed.

Always against a server that behaves like Grafana; against a real one where CATCHMENT_TEST_GRAFANA_URL names it, with
CATCHMENT_TEST_GRAFANA_TOKEN, or CATCHMENT_TEST_GRAFANA_USER as `name:password`. Its database is one on this machine, or
the InfluxDB of CATCHMENT_TEST_INFLUX_URL (tests/servers/given.py), which Grafana must reach by that URL, too.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from grafana_client import GrafanaApi

from dashboards.grafana.boards import BOARDS
from dashboards.grafana.connection import Missing, asked, connected
from dashboards.grafana.model import Variant
from dashboards.grafana.push import What, push
from dashboards.grafana.render import Setting
from tests.dashboards.grafana.asked import Json, boards, panels
from tests.dashboards.grafana.fake_grafana import TOKEN, grafana
from tests.dashboards.grafana.filled_in import ALL, length
from tests.dashboards.grafana.points import EVERY, LASTS, lines
from tests.servers.given import Bucket, bucket
from tests.servers.influx import influx, victoria

END = int(time.time()) // 60 * 60 - 60
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class There:
    """A Grafana with a data source of ours that is full."""

    api: GrafanaApi
    variant: Variant
    source: str
    """Uid of the data source."""


@contextmanager
def database(variant: Variant, folder: Path) -> Iterator[Json]:
    """A database full of points, as a data source says where it is."""
    given = os.environ.get("CATCHMENT_TEST_INFLUX_URL")
    if variant is Variant.METRICSQL:
        with victoria(folder) as server:
            assert server.write(lines(END))[0] == 204
            yield {"type": "prometheus", "url": server.url, "jsonData": {"httpMethod": "POST", "timeInterval": "10s"}}
    elif given:
        with bucket(given) as made:
            made.write(lines(END))
            yield _source(made)
    else:
        with influx(folder) as old:
            old.make("catchment")
            assert old.write("catchment", lines(END))[0] == 204
            yield _source(Bucket(old.url, "catchment", {}))


def _source(made: Bucket) -> Json:
    source: Json = {"type": "influxdb", "url": made.url, "jsonData": {"dbName": made.name, "httpMode": "POST"}}
    for word in made.headers.values():
        source["jsonData"]["httpHeaderName1"] = "Authorization"
        source["secureJsonData"] = {"httpHeaderValue1": word}
    return source


def real() -> GrafanaApi:
    """The Grafana that is named. Skips where none is."""
    url = os.environ.get("CATCHMENT_TEST_GRAFANA_URL")
    if not url:
        pytest.skip("left out: no Grafana is named in CATCHMENT_TEST_GRAFANA_URL")
    name, _, password = os.environ.get("CATCHMENT_TEST_GRAFANA_USER", "").partition(":")
    api = connected(url, os.environ.get("CATCHMENT_TEST_GRAFANA_TOKEN") or (name, password))
    for uid in (variant.uid(board.name) for variant in Variant for board in BOARDS):
        assert not _is_there(api, uid), f"that Grafana has {uid} already; this test would remove it"
    return api


def _is_there(api: GrafanaApi, uid: str) -> bool:
    try:
        return bool(asked(uid, lambda: api.dashboard.get_dashboard(uid)))
    except Missing:
        return False


@pytest.fixture(params=["fake", "real"])
def api(request: pytest.FixtureRequest) -> Iterator[GrafanaApi]:
    if request.param == "real":
        yield real()
        return
    with grafana() as server:
        yield connected(server.url, TOKEN)


@pytest.fixture(params=Variant)
def there(request: pytest.FixtureRequest, api: GrafanaApi, tmp_path: Path) -> Iterator[There]:
    source = f"catchment-test-{secrets.token_hex(4)}"
    with database(request.param, tmp_path) as told:
        body = {"name": source, "uid": source, "access": "proxy", "isDefault": False, **told}
        asked("making a data source", lambda: api.client.POST("/datasources", json=body))
        try:
            yield There(api, request.param, source)
        finally:
            asked("removing it", lambda: api.client.DELETE(f"/datasources/uid/{source}"))


def test_every_panel_shows_something_in_a_grafana(there: There) -> None:
    title = f"Catchment test {secrets.token_hex(4)}"
    setting = Setting(there.variant)
    outcome = push(there.api, setting, title)
    try:
        assert {each.what for each in outcome.dashboards} == {What.NEW}
        assert not push(there.api, setting, title).differs
        count = 0
        for board in boards(there.variant):
            for panel in panels(board):
                count += 1
                assert values(there, panel) > 0, f"{board['title']} / {panel['title']}"
        assert count > 100
        drawn(there)
    finally:
        asked("removing the folder", lambda: there.api.folder.delete_folder(outcome.folder))
    with pytest.raises(Missing):
        asked("gone", lambda: there.api.dashboard.get_dashboard(outcome.dashboards[0].uid))


def test_a_query_with_a_wrong_name_shows_nothing_so_values_do_prove_something(there: There) -> None:
    panel = next(panel for board in boards(there.variant) for panel in panels(board))
    wrong = [
        target | {key: target[key].replace("health", "wrong") for key in ("query", "expr") if key in target}
        for target in panel["targets"]
    ]
    assert values(there, panel) > 0
    assert values(there, panel | {"targets": wrong}) == 0


def values(there: There, panel: Json) -> int:
    """How many values the queries of a panel bring, asked as a browser asks Grafana."""
    step = max(EVERY, length(panel["interval"]))
    body = {
        "from": f"{(END - LASTS) * 1000}",
        "to": f"{END * 1000}",
        "queries": [_filled_in(target, there, step) for target in panel["targets"]],
    }
    answer = asked(panel["title"], lambda: there.api.client.POST("/ds/query", json=body))
    found = 0
    for target in panel["targets"]:
        result = answer["results"][target["refId"]]
        assert not result.get("error"), f"{panel['title']}: {result['error']}"
        found += sum(
            value is not None
            for frame in result["frames"]
            for column in frame["data"]["values"][1:]
            for value in column
        )
    return found


def _filled_in(target: Json, there: There, step: int) -> Json:
    """What a browser fills in before it asks; the macros are left to Grafana."""
    said = dict(target) | {"intervalMs": step * 1000, "maxDataPoints": 500}
    said["datasource"] = {"type": there.variant.source, "uid": there.source}
    for key in ("query", "expr"):
        for name in ("service", "site", "region", "kind"):
            if key in said:
                said[key] = said[key].replace(f"${{{name}:regex}}", ALL).replace(f'"${name}"', f'"{ALL}"')
                said[key] = said[key].replace("${__to}", f"{END * 1000}")
    return said


def drawn(there: There) -> None:
    """Have every panel drawn on light and on dark, where that Grafana has an image renderer."""
    settings: dict[str, Any] = asked("settings", lambda: there.api.client.GET("/frontend/settings"))
    if not settings.get("rendererAvailable"):
        return
    session: requests.Session = there.api.client.s
    base = there.api.client.url.removesuffix("/api")
    for board in boards(there.variant):
        for panel in panels(board):
            for theme in ("light", "dark"):
                looked = {"from": (END - LASTS) * 1000, "to": END * 1000, "var-datasource": there.source}
                more = {"panelId": panel["id"], "width": 800, "height": 400, "theme": theme}
                url = f"{base}/render/d-solo/{board['uid']}/x?{urlencode(looked | more)}"
                image = session.get(url, auth=there.api.client.auth, timeout=120)
                assert image.status_code == 200, f"{panel['title']}: {image.status_code}"
                assert image.content.startswith(PNG), panel["title"]
                assert len(image.content) > 2000, panel["title"]
