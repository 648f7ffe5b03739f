"""A server that behaves as Grafana's HTTP API where dashboards are pushed: folders, versions, refusals."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

TOKEN = "glsa_right"
Json = dict[str, Any]


@dataclass(slots=True)
class Grafana:
    """What it holds, and how it behaves."""

    url: str = ""
    folders: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    """By uid: the dashboard with its id and version."""
    homes: dict[str, str] = field(default_factory=dict)
    """By uid of a dashboard: uid of its folder."""
    provisioned: set[str] = field(default_factory=set)
    sources: dict[str, Json] = field(default_factory=dict)
    """Data sources by uid."""
    viewer: bool = False
    """Whether the token may only look."""
    interfering: bool = False
    """Whether somebody else saves each dashboard just before we do."""
    odd: tuple[int, bytes, dict[str, str]] | None = None
    """An answer to everything instead."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of every request."""
    seen: list[str] = field(default_factory=list)
    """What stood in `Authorization`."""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that would change something."""
        return [call for call in self.calls if call[0] != "GET"]


def brought(held: Grafana, query: Json, body: Json) -> Json:
    """What a data source answers, with the macros of its back end filled in; Grafana's own shape of it."""
    source = held.sources.get(query["datasource"]["uid"])
    if source is None:
        return {"status": 404, "error": "data source not found"}
    start, end, step = int(body["from"]) // 1000, int(body["to"]) // 1000, query["intervalMs"] // 1000
    if source["type"] == "influxdb":
        text = query["query"].replace("$timeFilter", f"time >= {start}s and time <= {end}s")
        asked = {"db": source["jsonData"]["dbName"], "epoch": "ms", "q": text.replace("$__interval", f"{step}s")}
        found = _fetched(f"{source['url']}/query?{urlencode(asked)}")["results"][0]
        frames = [_frame(zip(*each["values"], strict=True)) for each in found.get("series", ())]
        return {"status": 400, "error": found["error"]} if "error" in found else {"status": 200, "frames": frames}
    text = query["expr"].replace("$__interval", f"{step}s").replace("$__rate_interval", "40s")
    text = text.replace("$__range", f"{end - start}s")
    path, when = (
        ("query", {"time": end}) if query["instant"] else ("query_range", {"start": start, "end": end, "step": step})
    )
    data = _fetched(f"{source['url']}/api/v1/{path}?{urlencode({'query': text} | when)}")["data"]["result"]
    return {"status": 200, "frames": [_frame(zip(*(e.get("values") or [e["value"]]), strict=True)) for e in data]}


def _frame(columns: Iterable[tuple[object, ...]]) -> Json:
    return {"schema": {}, "data": {"values": [list(column) for column in columns]}}


def _fetched(url: str) -> Json:
    try:
        with urlopen(url, timeout=30) as answer:
            fetched: Json = json.load(answer)
            return fetched
    except HTTPError as error:
        failed: Json = json.load(error)
        return {"results": [failed], "data": {"result": []}}


class _Handler(BaseHTTPRequestHandler):
    grafana: Grafana

    def do_GET(self) -> None:
        self._answered("GET", None)

    def do_DELETE(self) -> None:
        self._answered("DELETE", None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answered("POST", json.loads(body))

    def _answered(self, method: str, body: Json | None) -> None:
        held = self.grafana
        held.calls.append((method, self.path))
        held.seen.append(self.headers.get("Authorization", ""))
        if held.odd is not None:
            status, raw, headers = held.odd
            self._send(status, raw, headers)
            return
        status, answer = self._decided(method, body)
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json; charset=UTF-8"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _decided(self, method: str, body: Json | None) -> tuple[int, Json]:
        held = self.grafana
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if method == "POST" and held.viewer:
            return 403, {
                "message": "You'll need additional permissions to perform this action",
                "accessErrorId": "ACE1",
            }
        path = self.path.removeprefix("/api").removeprefix("/behind/api")
        match method, path.strip("/").split("/"):
            case "GET", ["folders", uid]:
                return (200, held.folders[uid]) if uid in held.folders else (404, {"message": "folder not found"})
            case "POST", ["folders"] if body is not None:
                held.folders[body["uid"]] = {"uid": body["uid"], "title": body["title"], "version": 1}
                return 200, held.folders[body["uid"]]
            case "GET", ["dashboards", "uid", uid]:
                if uid not in held.boards:
                    return 404, {"message": "Dashboard not found"}
                return 200, {"dashboard": held.boards[uid], "meta": {"folderUid": held.homes[uid]}}
            case "POST", ["dashboards", "db"] if body is not None:
                return self._saved(body)
            case "DELETE", ["folders", uid] if uid in held.folders:
                del held.folders[uid]
                held.boards = {name: board for name, board in held.boards.items() if held.homes[name] != uid}
                return 200, {"message": "Folder deleted"}
            case "POST", ["datasources"] if body is not None:
                held.sources[body["uid"]] = body
                return 200, {"datasource": body}
            case "DELETE", ["datasources", "uid", uid] if uid in held.sources:
                del held.sources[uid]
                return 200, {"message": "Data source deleted"}
            case "POST", ["ds", "query"] if body is not None:
                return 200, {"results": {each["refId"]: brought(held, each, body) for each in body["queries"]}}
            case "GET", ["frontend", "settings"]:
                return 200, {"rendererAvailable": False}
        return 404, {"message": "Not found"}

    def _saved(self, body: Json) -> tuple[int, Json]:
        held, board = self.grafana, body["dashboard"]
        uid, before = board["uid"], held.boards.get(board["uid"])
        if uid in held.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if body["folderUid"] not in held.folders:
            return 404, {"message": "folder not found"}
        if before is not None and held.interfering:
            before["version"] += 1
        version = before["version"] if before else 0
        if board.get("version", 0) != version and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": said}
        held.boards[uid] = {**board, "id": len(held.boards) + 1, "version": version + 1}
        held.homes[uid] = body["folderUid"]
        return 200, {"uid": uid, "status": "success", "version": version + 1}

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def grafana() -> Iterator[Grafana]:
    """A server on loopback until the end."""
    held = Grafana()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"grafana": held}))
    server.daemon_threads = True
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
