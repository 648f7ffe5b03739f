"""An InfluxDB that somebody names in CATCHMENT_TEST_INFLUX_URL: a bucket of our own there, gone when the test is over.

CATCHMENT_TEST_INFLUX_TOKEN is its token (`name:password` of InfluxDB 1), CATCHMENT_TEST_INFLUX_ORG the organisation of
InfluxDB 2 (the first one when left out).
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of InfluxDB 2, or a database of InfluxDB 1 or 3."""

    url: str
    name: str
    headers: Mapping[str, str]

    def write(self, lines: bytes) -> None:
        """Write line protocol in nanoseconds, as all versions take it. Raises HTTPError."""
        _asked(self, "POST", f"/write?{urlencode({'db': self.name, 'precision': 'ns'})}", lines)


@contextmanager
def bucket(url: str) -> Iterator[Bucket]:
    """Make a bucket with a name that nobody has; remove it in the end."""
    token = os.environ.get("CATCHMENT_TEST_INFLUX_TOKEN", "")
    headers = {"Authorization": f"Token {token}"} if token else {}
    made = Bucket(url.rstrip("/"), f"catchment-test-{secrets.token_hex(4)}", headers)
    organisations = _found(made, "GET", "/api/v2/orgs")
    if organisations is None:
        with _database(made):
            yield made
        return
    wanted = os.environ.get("CATCHMENT_TEST_INFLUX_ORG")
    org = next(each["id"] for each in organisations["orgs"] if wanted in (None, each["name"]))
    told = json.dumps({"orgID": org, "name": made.name, "retentionRules": []}).encode()
    ident = json.loads(_asked(made, "POST", "/api/v2/buckets", told))["id"]
    try:
        yield made
    finally:
        _asked(made, "DELETE", f"/api/v2/buckets/{ident}")


@contextmanager
def _database(made: Bucket) -> Iterator[None]:
    """InfluxDB 1 makes and drops databases by InfluxQL; InfluxDB 3 makes one when it is written to."""
    _found(made, "POST", _said(f'CREATE DATABASE "{made.name}"'))
    try:
        yield
    finally:
        if _found(made, "POST", _said(f'DROP DATABASE "{made.name}"')) is None:
            _found(made, "DELETE", f"/api/v3/configure/database?{urlencode({'db': made.name})}")


def _said(query: str) -> str:
    return f"/query?{urlencode({'q': query})}"


def _found(made: Bucket, method: str, path: str) -> Any:
    """An answer as JSON; None where that version has no such thing."""
    try:
        body = _asked(made, method, path)
    except HTTPError as error:
        if error.code in (400, 404, 405):
            return None
        raise
    return json.loads(body) if body else {}


def _asked(made: Bucket, method: str, path: str, body: bytes | None = None) -> bytes:
    request = Request(made.url + path, body, dict(made.headers), method=method)
    with urlopen(request, timeout=60) as answer:
        read: bytes = answer.read()
        return read
