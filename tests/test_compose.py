"""The compose file, as those who read such files read it; what is wrong with it must be told, too."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests import needs

FILE = needs.ROOT / "docker-compose.yml"
SCHEMA = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
STACK = {"influxdb", "dashboards", "grafana", "alertmanager"}


def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FILE.read_text())
    return loaded


def _valid(file: Mapping[str, Any]) -> bool:
    plain = json.loads(json.dumps(file))
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).is_valid(plain)


def test_it_fits_the_schema_of_the_compose_specification() -> None:
    assert _valid(_file())


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [("grafana", "read_only", []), ("grafana", "reed_only", True), ("influxdb", "ports", "8086"), ("lab", "tmpfs", 1)],
)
def test_the_schema_refuses_what_is_wrong(service: str, key: str, value: object) -> None:
    file = _file()
    file["services"][service][key] = value
    assert not _valid(file)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone, with files of one's own as the first lines of the compose file say."""
    for name in ("docker-compose.yml", ".env"):
        shutil.copy(needs.ROOT / name, tmp_path)
    shutil.copytree(needs.ROOT / "deploy", tmp_path / "deploy")
    shutil.copy(needs.ROOT / "examples" / "contoso.yaml", tmp_path / "catchment.yaml")
    shutil.copy(needs.ROOT / "examples" / "gobgpd.toml", tmp_path)
    subprocess.run(["sh", "deploy/secrets.sh"], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def _told(argv: list[str], project: Path) -> "subprocess.CompletedProcess[str]":
    kept = ("PATH", "HOME")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return subprocess.run(argv, cwd=project, env=environment, capture_output=True, text=True, timeout=60)


def _services(argv: list[str], project: Path) -> set[str]:
    done = _told([*argv, "config", "--services"], project)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def _is_told_what_is_wrong(argv: list[str], project: Path) -> None:
    broken = (project / "docker-compose.yml").read_text().replace("read_only: true", "read_only: {}", 1)
    (project / "docker-compose.yml").write_text(broken)
    done = _told([*argv, "config", "--quiet"], project)
    assert done.returncode != 0
    assert "read_only" in done.stderr


def test_docker_compose_1_29_takes_it(project: Path) -> None:
    argv = [needs.tool("docker-compose")]
    assert _services(argv, project) == {*STACK, "catchment", "gobgp", "lab"}  # it lists those of every profile
    merged = YAML(typ="safe").load(_told([*argv, "config"], project).stdout)
    assert all(each["read_only"] for each in merged["services"].values())
    assert merged["secrets"]["grafana-password"] == {"file": str(project / "secrets" / "grafana-password")}
    _is_told_what_is_wrong(argv, project)


def test_docker_compose_of_today_takes_it(project: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or _told([docker, "compose", "version"], project).returncode != 0:
        pytest.skip("left out: there is no `docker compose` here; its plugin is no package of Debian bookworm")
    argv = [docker, "compose"]
    assert _services(argv, project) == {*STACK, "catchment", "gobgp"}
    assert _services([*argv, "--profile", "lab"], project) == {*STACK, "lab"}
    _is_told_what_is_wrong(argv, project)


def test_secrets_are_random_closed_to_others_and_made_once(project: Path) -> None:
    folder = project / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(made) == 6
    assert len(set(made.values())) == 4
    assert made["influx-token"] == made["catchment-influx-token"] == made["grafana-influx-token"]
    assert all(len(text) == 64 and int(text, 16) for text in made.values())
    if os.geteuid() == 0:
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o400}
        assert (folder / "catchment-influx-token").stat().st_uid == 65534
    (folder / "grafana-key").unlink()
    again = subprocess.run(["sh", "deploy/secrets.sh"], cwd=project, check=True, capture_output=True, text=True)
    assert again.stdout == "made secrets/grafana-key\n"
    now = {path.name: path.read_text() for path in folder.iterdir()}
    assert {name for name in made if made[name] != now[name]} == {"grafana-key"}
    (folder / "influx-token").unlink()
    again = subprocess.run(["sh", "deploy/secrets.sh"], cwd=project, check=True, capture_output=True, text=True)
    assert again.stdout.split()[1::2] == [f"secrets/{each}influx-token" for each in ("", "catchment-", "grafana-")]
    assert not any(text in again.stdout for text in now.values())
