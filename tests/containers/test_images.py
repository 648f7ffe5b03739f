"""Our own images, built from the tree and started for real: read-only, not root, and they do their work.

For a machine with a Docker engine and some minutes; the base image is made from Debian's packages by debootstrap, for
none can be pulled everywhere. Containers stand in network namespaces of their own, without a way out.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import needs
from tests.containers.engine import Engine, offline
from tests.pipeline.watched import INTENT
from tests.rig import eventually

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((needs.ROOT / "docker-compose.yml").read_text())
PROJECT = "ctest"
LOCAL = {"bmp": 11019, "hook": "http://127.0.0.1:9009/hook"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with our three images."""
    made = Engine()
    try:
        argv = ["sh", "deploy/wheels.sh", sys.prefix]
        filled = subprocess.run(argv, cwd=needs.ROOT, capture_output=True, text=True, timeout=900)
        assert filled.returncode == 0, filled.stderr[-2000:]
        made.make_base()
        for target in ("catchment", "gobgp", "lab"):
            tag = COMPOSE["services"][target]["image"]
            made.docker("build", "--network=host", "--target", target, "--tag", tag, str(needs.ROOT))
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def project(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as an operator's, but for networks."""
    folder = tmp_path_factory.mktemp("p") / PROJECT
    folder.mkdir()
    shutil.copytree(needs.ROOT / "deploy", folder / "deploy")
    subprocess.run(["sh", "deploy/secrets.sh"], cwd=folder, check=True, capture_output=True)
    intent = INTENT.format(**LOCAL).replace("127.0.0.1:0", "127.0.0.1:8470").replace("127.0.7.2", "127.0.0.1")
    (folder / "catchment.yaml").write_text(intent)
    shutil.copy(needs.ROOT / "examples" / "gobgpd.toml", folder)
    # As JSON, which is YAML of every version: docker-compose 1 takes a bare `no` for false and `472` for a number.
    (folder / "docker-compose.yml").write_text(json.dumps(offline(COMPOSE)))
    try:
        yield folder
    finally:
        engine.compose(folder, "down", "--volumes", "--timeout", "5", check=False)


def _healthy(engine: Engine, name: str, within: float) -> None:
    def well() -> bool:
        state = engine.inspect(name)["State"]
        assert state["Status"] == "running", (state, engine.docker("logs", name).stderr[-3000:])
        return bool(state["Health"]["Status"] == "healthy")

    eventually(well, within, every=1.0, what=f"a healthy {name}")


@pytest.fixture(scope="module")
def catchment(engine: Engine, project: Path) -> str:
    """The running daemon's container."""
    engine.compose(project, "up", "--no-build", "--detach", "catchment", "gobgp")
    name = f"{PROJECT}_catchment_1"
    _healthy(engine, name, 120)
    return name


def _status(engine: Engine, name: str) -> Any:
    return json.loads(engine.docker("exec", name, "catchment", "status", "--json", check=False).stdout)


@contextmanager
def _fed(engine: Engine, name: str) -> Iterator[None]:
    """With a BMP feed from inside the container's network namespace."""
    pid = engine.inspect(name)["State"]["Pid"]
    argv = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-m", "tests.containers.feed", "11019", "127.0.7.1"]
    feed = subprocess.Popen(argv, cwd=needs.ROOT, stdout=subprocess.PIPE)
    try:
        assert feed.stdout is not None
        assert feed.stdout.readline() == b"told\n"
        yield
    finally:
        feed.kill()
        feed.wait()
        assert feed.stdout is not None
        feed.stdout.close()


def test_it_is_nobody_without_a_right_on_a_file_system_that_cannot_be_written(engine: Engine, catchment: str) -> None:
    status = engine.ask("exec", catchment, "cat", "/proc/1/status")
    told = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    assert told["Uid"] == told["Gid"] == ["65534"] * 4
    assert int(told["CapEff"][0], 16) == int(told["CapBnd"][0], 16) == 0
    assert told["NoNewPrivs"] == ["1"]
    for path in ("/x", "/opt/catchment/x", "/etc/x", "/usr/bin/x"):
        tried = engine.docker("exec", catchment, "touch", path, check=False)
        assert tried.returncode != 0
        assert b"ead-only file system" in tried.stderr
    assert engine.docker("exec", catchment, "touch", "/data/x", check=False).returncode == 0, "the volume is its own"
    limits = engine.inspect(catchment)["HostConfig"]
    assert (limits["Memory"], limits["PidsLimit"], limits["NanoCpus"]) == (2 << 30, 256, 2_000_000_000)


def test_what_was_compiled_at_the_build_is_what_runs(engine: Engine, catchment: str) -> None:
    maps = engine.ask("exec", catchment, "cat", "/proc/1/maps")
    assert "/llvmlite/" in maps, "it loads machine code"
    assert "/numba/" not in maps, "and makes none"


def test_it_decodes_a_bmp_feed_and_says_where_the_service_is(engine: Engine, catchment: str) -> None:
    def regions() -> dict[str, str]:
        [service] = _status(engine, catchment)["services"]
        return {each["region"]: each["presence"] for each in service["regions"]}

    assert set(regions().values()) == {"unknown"}
    with _fed(engine, catchment):
        eventually(lambda: regions() == {"weu": "present", "eus": "present"}, 30, what="web in both regions")
    eventually(lambda: set(regions().values()) == {"unknown"}, 30, what="unknown, when nobody speaks any more")


def test_gobgp_beside_it_is_healthy_and_reaches_the_station(engine: Engine, catchment: str) -> None:
    _healthy(engine, f"{PROJECT}_gobgp_1", 60)

    def connected() -> bool:
        return any(each["exporter"] == "ams-ce1" and each["connected"] for each in _status(engine, catchment)["feeds"])

    eventually(connected, 60, what="GoBGP's BMP")


def test_a_frozen_daemon_is_unhealthy_and_one_that_goes_on_is_healthy_again(engine: Engine, catchment: str) -> None:
    pid = engine.inspect(catchment)["State"]["Pid"]
    os.kill(pid, 19)
    try:
        eventually(lambda: engine.inspect(catchment)["State"]["Health"]["Status"] == "unhealthy", 90, every=1.0)
    finally:
        os.kill(pid, 18)
    _healthy(engine, catchment, 60)


def test_a_backup_goes_through_a_pipe_and_comes_back_into_another_volume(engine: Engine, catchment: str) -> None:
    made = engine.docker("exec", catchment, "catchment", "backup", "-").stdout
    image, volume = COMPOSE["services"]["catchment"]["image"], f"{PROJECT}_again"
    run = ("run", "--rm", "--interactive", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL")
    words = ("--volume", f"{volume}:/data", image, "restore", "-", "--json")
    done = engine.docker(*run, *words, given=made)
    assert json.loads(done.stdout)["files"] > 3
    half = made[: len(made) // 2]
    torn = engine.docker(*run, "--volume", f"{volume}2:/data", image, "restore", "-", given=half, check=False)
    assert torn.returncode == 2


def test_it_stops_at_once_and_goes_on_with_what_it_had(engine: Engine, project: Path, catchment: str) -> None:
    before = engine.ask("exec", catchment, "catchment", "history", "--json")
    begun = time.monotonic()
    engine.compose(project, "stop", "catchment")
    assert time.monotonic() - begun < 10
    assert engine.inspect(catchment)["State"]["ExitCode"] == 0
    engine.compose(project, "start", "catchment")
    _healthy(engine, catchment, 120)
    told = [each["text"] for each in json.loads(engine.ask("exec", catchment, "catchment", "history", "--json"))]
    assert {each["text"] for each in json.loads(before)} <= {*told}
    assert len(told) > len(json.loads(before)), "that it was away"


def test_what_grafana_is_provisioned_from_is_written_into_its_volume(engine: Engine, project: Path) -> None:
    done = engine.compose(project, "up", "--no-build", "--exit-code-from", "dashboards", "dashboards", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    words = ("run", "--rm", "--network=none", "--volume", f"{PROJECT}_grafana-provisioning:/p:ro", "--user=472:0")
    found = engine.ask(*words, "--entrypoint=find", COMPOSE["services"]["catchment"]["image"], "/p", "-type", "f")
    assert {Path(each).parts[2] for each in found.split()} >= {"dashboards", "datasources", "alerting"}
    assert any(each.endswith(".json") for each in found.split())


def test_the_lab_comes_up_in_its_container_and_its_catchment_sees_it(engine: Engine, project: Path) -> None:
    engine.compose(project, "up", "--no-build", "--detach", "lab")
    name = f"{PROJECT}_lab_1"
    try:
        _healthy(engine, name, 300)
        assert engine.inspect(name)["HostConfig"]["ReadonlyRootfs"]

        def healths() -> set[str]:
            return {each["health"] for each in _status(engine, name)["services"]}

        eventually(lambda: healths() == {"ok"}, 200, every=1.0, what="every service well")
        pid = engine.inspect(name)["State"]["Pid"]
        ask = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", PAGE]
        assert subprocess.run(ask, capture_output=True, text=True, timeout=30).stdout == "200"
        agents = json.loads(engine.docker("exec", name, "catchment", "agents", "status", "--json", check=False).stdout)
        assert {each["name"] for each in agents["agents"]} >= {"ams", "nyc"}

        def opened() -> bool:
            told = engine.docker("exec", name, "catchment", "history", "--json", check=False).stdout
            steps = [each["text"] for each in json.loads(told or b"[]") if each["what"] == "opened"]
            return any(text.startswith("missing") for text in steps)

        eventually(opened, 240, every=2.0, what="a finding about the first fault, a withdrawal")
    finally:
        logs = engine.docker("logs", "--tail", "60", name, check=False)
        sys.stdout.write((logs.stdout + logs.stderr).decode(errors="replace"))
        engine.compose(project, "stop", "lab", check=False)


PAGE = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8470/readyz', timeout=9).status, end='')"
