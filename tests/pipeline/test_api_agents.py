"""A whole daemon and a real agent: what it reports is told, charted and counted, and so is that it is gone."""

import http.client
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.client import Client, _UnixConnection
from tests.pipeline.agents.site import Place
from tests.rig import eventually


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="catchment-"))
    os.chmod(folder, 0o755)
    made = Place(folder / "place")
    yield made
    made.end()
    shutil.rmtree(folder)


def agents(client: Client) -> dict[str, Any]:
    return {each["name"]: each for each in client.get("/api/v1/agents")["agents"]}


def metrics(client: Client) -> list[str]:
    connection = _UnixConnection(str(client.path), 10)
    try:
        connection.request("GET", "/metrics")
        answer: http.client.HTTPResponse = connection.getresponse()
        return answer.read().decode().splitlines()
    finally:
        connection.close()


def test_what_an_agent_reports_is_told_charted_and_counted_and_so_is_its_end(place: Place) -> None:
    place.centre("pipeline run -c")
    client = Client(place.folder / "data")
    eventually(lambda: client.path.exists(), 30, what="the daemon's socket")
    assert {name: each["state"] for name, each in agents(client).items()} == {"ams": "never", "nyc": "never"}
    agent = place.agent(place.agent_file())
    eventually(lambda: agents(client)["ams"]["state"] == "heard", 30, what="ams heard")
    ams = agents(client)["ams"]
    assert (ams["meant"], ams["dropped"], ams["targets"]) == (True, 0, 1)
    assert ams["batch"] > 4
    assert 'catchment_agent_up{site="ams"} 1.0' in metrics(client)
    assert 'catchment_agent_up{site="nyc"} 0.0' in metrics(client)
    began = time.monotonic()
    chart = client.get("/api/v1/probes/smoke", site="ams", target="web", **{"from": "1m"})
    assert time.monotonic() - began < 2
    assert chart["probe"] == "icmp"
    assert sum(each["sent"] for each in chart["bins"]) > 100
    [row, *_] = client.get("/api/v1/probes", site="ams", **{"from": "1m"}, limit=1)["probes"]
    assert (row["site"], row["kind"], row["result"]["probe"]) == ("ams", "service", "icmp")
    [each] = client.get("/api/v1/catchment", site="ams")["catchment"]
    assert (each["agent"], each["fit"]) == ("heard", "not-probed"), "an echo proves no region"
    agent.send_signal(signal.SIGKILL)
    eventually(lambda: agents(client)["ams"]["state"] == "lost", 30, what="ams lost")
    [each] = client.get("/api/v1/catchment", site="ams")["catchment"]
    assert (each["agent"], each["fit"]) == ("lost", "unseen")
    assert 'catchment_agent_up{site="ams"} 0.0' in metrics(client)
    log = (place.folder / "centre.log").read_text()
    assert "Traceback" not in log
    assert "job charts" not in log
