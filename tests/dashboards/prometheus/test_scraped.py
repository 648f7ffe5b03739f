"""A real Prometheus scrapes a real daemon with our rules loaded: what is wrong fires, and what is not does not."""

import json
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.pipeline.watched import Watched, running
from tests.rig import eventually

PAGE = re.compile(r"the page is http://127\.0\.0\.1:(\d+)")
CONFIG = """\
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: catchment
    static_configs: [{{targets: ["127.0.0.1:{page}"]}}]
"""


class Prometheus:
    """One server on loopback, with its data in a folder of the test's."""

    def __init__(self, folder: Path, page: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        rules = needs.ROOT / "dashboards" / "prometheus" / "catchment.rules.yml"
        (folder / "prometheus.yml").write_text(CONFIG.format(rules=rules, page=page))
        argv = [
            *(needs.tool("prometheus"), f"--config.file={folder}/prometheus.yml"),
            *(f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}"),
        ]
        self._log = (folder / "prometheus.log").open("wb")
        self.child = subprocess.Popen(argv, stdout=self._log, stderr=self._log)

    def ask(self, path: str) -> Any:
        """What its API answers; None while it does not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    @property
    def firing(self) -> set[str]:
        """Names of alerts that fire."""
        told = self.ask("alerts") or {"alerts": []}
        return {each["labels"]["alertname"] for each in told["alerts"] if each["state"] == "firing"}

    def close(self) -> None:
        """End it."""
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(20)
        self._log.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def prometheus(watched: Watched, tmp_path: Path) -> Iterator[Prometheus]:
    page = eventually(lambda: PAGE.search(watched.log.read_text()), 30, what="the page's address")
    assert page
    made = Prometheus(tmp_path, int(page[1]))
    try:
        yield made
    finally:
        made.close()


def test_a_service_that_is_gone_fires_and_one_that_is_there_does_not(watched: Watched, prometheus: Prometheus) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == watched.presence("eus") == "present", what="both present")
    eventually(lambda: (prometheus.ask("targets") or {}).get("activeTargets"), 30, what="a Prometheus")

    def seen(query: str) -> float | None:
        found = (prometheus.ask(f"query?query={query}") or {"result": []})["result"]
        return float(found[0]["value"][1]) if found else None

    eventually(lambda: seen("catchment_service_regions_present") == 2, 30, what="two regions, as scraped")
    assert not prometheus.firing & {"CatchmentServiceDown", "CatchmentCriticalFinding"}
    for region in ("weu", "eus"):
        watched.withdraw(region)
    gone = {"CatchmentServiceDown", "CatchmentCriticalFinding"}
    eventually(lambda: prometheus.firing >= gone, 30, what="alerts about what is gone")
    watched.advertise("weu")
    watched.advertise("eus")
    eventually(lambda: not prometheus.firing & gone, 40, what="quiet again")
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert len(rules) > 30
