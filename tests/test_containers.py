"""The container files, as far as that goes without a container engine: they say what the code says.

That they build and run is tried by hand, as docs/decisions/0008-containers.md tells.
"""

import json
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.config import load
from tests import needs

DOCKERFILE = (needs.ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((needs.ROOT / "pyproject.toml").read_text())
COMPOSE: dict[str, Any] = YAML(typ="safe").load((needs.ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
GOBGP = tomllib.loads((needs.ROOT / "examples" / "gobgpd.toml").read_text())


def instructions(stage: str) -> list[tuple[str, str]]:
    """Instructions of a stage of the Dockerfile, each with its words."""
    lines = DOCKERFILE.replace("\\\n", "").splitlines()
    pairs = [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word.isupper()]
    start = next(n for n, (word, rest) in enumerate(pairs) if word == "FROM" and rest.endswith(f" AS {stage}"))
    end = next((n for n in range(start + 1, len(pairs)) if pairs[n][0] == "FROM"), len(pairs))
    return pairs[start + 1 : end]


def words(stage: str, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(stage) if word == instruction]


def test_every_package_of_the_wheel_is_copied_and_nothing_else_is() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = ["requirements.lock", "pyproject.toml", "README.md", "LICENSE"]
    copied = [word for each in words("build", "COPY") for word in each.split()[:-1]]
    assert sorted(copied) == sorted([*files, *packages])
    assert all((needs.ROOT / word).exists() for word in copied)


def test_what_is_compiled_is_the_installed_package() -> None:
    """numba's cache goes by path: beside the sources, Python would take those."""
    before = instructions("build")[: next(n for n, each in enumerate(instructions("build")) if "bmp.warm" in each[1])]
    assert [rest for word, rest in before if word == "WORKDIR"][-1] == "/"


def test_the_cache_of_the_build_is_copied_to_where_the_running_image_may_write() -> None:
    [built], [running] = (
        [each.split("=")[1].split()[0] for each in words(stage, "ENV")] for stage in ("build", "catchment")
    )
    [entry] = words("catchment", "ENTRYPOINT")
    folder = running.rpartition("/")[0]
    assert json.loads(entry)[2].startswith(f"cp -rp {built} {folder}/ && exec catchment")
    assert running.rpartition("/")[2] == built.rpartition("/")[2]
    assert SERVICES["catchment"]["tmpfs"] == [folder]


def test_ports_and_paths_are_those_of_the_defaults_and_of_the_compose_file() -> None:
    listen = load(needs.ROOT / "examples" / "contoso.yaml").listen
    assert words("catchment", "EXPOSE") == [f"{listen.bmp.port} {listen.http.port}"]
    [command] = words("catchment", "CMD")
    assert json.loads(command) == ["run", "-c", "/etc/catchment/catchment.yaml", "--data", "/data"]
    assert SERVICES["catchment"]["volumes"] == [
        "./catchment.yaml:/etc/catchment/catchment.yaml:ro", "catchment-data:/data",
    ]  # fmt: skip
    assert "'/data/catchment.sock'" in words("catchment", "HEALTHCHECK")[0]
    [gobgp] = words("gobgp", "ENTRYPOINT")
    [mounted] = SERVICES["gobgp"]["volumes"]
    assert mounted == f"./gobgpd.toml:{json.loads(gobgp)[2]}:ro"
    assert GOBGP["bmp-servers"][0]["config"]["port"] == listen.bmp.port


@pytest.mark.parametrize("service", ["catchment", "gobgp"])
def test_nothing_that_runs_has_a_privilege(service: str) -> None:
    told = SERVICES[service]
    assert words(service, "USER") == ["65534:65534"]
    assert (told["read_only"], told["cap_drop"], told["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert not told.keys() & {"cap_add", "privileged", "user", "pid", "devices"}
    assert told["image"].endswith(f":{PROJECT['project']['version']}")
    assert told["build"] == {"context": ".", "target": service}


def test_gobgp_listens_on_no_port_for_which_it_would_need_a_privilege() -> None:
    assert GOBGP["global"]["config"]["port"] == -1
    assert all("transport" not in each for each in GOBGP["neighbors"]), "it dials"


def test_gobgps_example_lets_nothing_in_or_out() -> None:
    policy = {"default-import-policy": "reject-route", "default-export-policy": "reject-route"}
    assert GOBGP["global"]["apply-policy"]["config"] == policy
