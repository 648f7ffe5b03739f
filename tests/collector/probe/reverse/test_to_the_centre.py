"""From a ping on an NVA to what the centre knows of a host at a site without an agent, over TLS, each by its token."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.probe.identity.keyfile import make_key
from tests import needs
from tests.collector.probe.reverse.two_nvas import ANYCAST, HOST, NVAS, Network, two_nvas

pytestmark = pytest.mark.lab
CENTRE = "10.10.1.1"  # the router, as weu-nva1 sees it
INTENT = """\
catchment: 1
listen: {agents: "0.0.0.0:8471"}
agents: {certificate: ./centre.pem, key: ./centre.key}
data: ./data
services: {web: {prefix: 10.250.0.10/32, regions: {weu: active, eus: active}}}
regions:
  weu:
    route_server: {instances: {weu-rs0: 10.10.255.4, weu-rs1: 10.10.255.5}}
    nvas: {weu-nva1: {address: 10.10.1.4, asn: 65010, agent: {token_file: ./weu-nva1.token}}}
    recognise: {communities: ["12076:51002"]}
  eus:
    route_server: {instances: {eus-rs0: 10.11.255.4, eus-rs1: 10.11.255.5}}
    nvas: {eus-nva1: {address: 10.11.1.4, asn: 65020, agent: {token_file: ./eus-nva1.token}}}
    recognise: {communities: ["12076:51004"]}
sites: {cph: {routers: {cph-ce1: 10.20.0.1}, tiers: [[weu], [eus]]}}
exporters: {gobgp: {addresses: [127.0.0.1], collector: true}, cph-ce1: {addresses: [10.20.0.1]}}
receivers: {ops: {webhook: "http://127.0.0.1:9009/hook"}}
"""


@pytest.fixture
def network() -> Iterator[Network]:
    needs.root()
    needs.tool("ip", "iproute2")
    with two_nvas() as made:
        yield made


def catchment(folder: Path, *words: str) -> str:
    argv = (sys.executable, "-m", "pipeline", *words)
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


def enrolled(folder: Path, nva: str) -> None:
    """What an operator does for an NVA: a token, and the file."""
    catchment(folder, "agents", "enrol", nva, "-c", "catchment.yaml", "--host", CENTRE)
    (folder / f"{nva}.yaml").write_text(
        f"reverse: 1\nregion: {nva[:3]}\nnva: {nva}\nuser: nobody\ndata: /run/catchment-{folder.name}-{nva}\n"
        f"centre: {{url: 'https://{CENTRE}:8471', token_file: ./{nva}.agent-token, ca_file: ./centre.pem}}\n"
        f"keys: {{100: ./fleet.key}}\naddresses: [{ANYCAST}]\nhosts: ./hosts.txt\nevery: 5s\n"
    )


def test_the_centre_knows_where_a_host_of_a_site_without_an_agent_lands(network: Network, tmp_path: Path) -> None:
    (tmp_path / "catchment.yaml").write_text(INTENT)
    (tmp_path / "hosts.txt").write_text(f"{HOST} cph\n")
    make_key(tmp_path / "fleet.key")
    for nva in NVAS:
        enrolled(tmp_path, nva)
    argv = (sys.executable, "-m", "tests.collector.probe.reverse.centre", str(tmp_path / "catchment.yaml"))
    centre = network.start("router", *argv)
    running = [centre]
    try:
        assert centre.stderr is not None
        assert any("listening for agents" in line for line in centre.stderr)
        for nva in NVAS:
            file = str(tmp_path / f"{nva}.yaml")
            running.append(network.start(nva, sys.executable, "-m", "pipeline", "reverse", "-c", file))
        time.sleep(8)
        network.lead("eus-nva1")
        time.sleep(7)
        for process in (*running[1:], centre):
            process.terminate()
            process.wait(30)
        assert centre.stdout is not None
        said: dict[str, Any] = json.loads(centre.stdout.read())
    finally:
        for process in running:
            process.kill()
            process.communicate()
        for nva in NVAS:
            shutil.rmtree(f"/run/catchment-{tmp_path.name}-{nva}", ignore_errors=True)
    [host] = said["hosts"]
    assert (host["site"], host["host"], host["service"]) == ("cph", HOST, "web")
    assert (host["region"], host["nva"], host["before"]) == ("eus", "eus-nva1", "weu")
    assert said["kept"] >= 4
