"""The container files, as far as that goes without a container engine: they say what the code says.

That they build and run is tried by tests/containers, where there is an engine.
"""

import json
import re
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab import packages
from pipeline.config import load
from tests import needs
from tests.containers.runtime import NAMES, there, without

DOCKERFILE = (needs.ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((needs.ROOT / "pyproject.toml").read_text())
COMPOSE: dict[str, Any] = YAML(typ="safe").load((needs.ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
GOBGP = tomllib.loads((needs.ROOT / "examples" / "gobgpd.toml").read_text())
OWN = ("catchment", "gobgp", "dashboards", "lab")
"""Services of our own images; the others' are made elsewhere."""


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
    made = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = ["pyproject.toml", "README.md", "LICENSE", "wheels"]
    copied = [word for each in words("build", "COPY") for word in each.split()[:-1]]
    assert sorted(copied) == sorted([*files, *made])
    assert all((needs.ROOT / word).exists() for word in copied)


def test_what_is_copied_is_what_the_engine_is_sent() -> None:
    told = (needs.ROOT / ".dockerignore").read_text().split()
    sent = {line[1:] for line in told if line.startswith("!")}
    copies = [each for stage in ("build", "lab") for each in words(stage, "COPY")]
    assert told[0] == "*"
    assert sent == {word for each in copies for word in each.split()[:-1]}


def test_nothing_needs_a_newer_builder_than_the_classic_one_or_another_base_than_debian() -> None:
    assert "--mount" not in DOCKERFILE
    assert "<<" not in DOCKERFILE
    bases = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(bases) == DOCKERFILE.count("\nFROM ")
    known = {name for _, name in bases}
    assert {base for base, _ in bases if base not in known} == {"debian:bookworm-slim"}


def test_python_packages_come_from_the_folder_of_wheels_alone_and_by_their_digests() -> None:
    environment = " ".join(words("build", "ENV"))
    assert "PIP_NO_INDEX=1" in environment
    assert "PIP_FIND_LINKS=/wheels" in environment
    installs = [each for each in words("build", "RUN") if "pip install" in each]
    assert len(installs) == 2
    assert "--require-hashes -r /wheels/requirements.txt" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]


def test_what_is_compiled_is_the_installed_package() -> None:
    """numba's cache goes by path: beside the sources, Python would take those."""
    before = instructions("build")[: next(n for n, each in enumerate(instructions("build")) if "bmp.warm" in each[1])]
    assert [rest for word, rest in before if word == "WORKDIR"][-1] == "/"


def test_the_cache_of_the_build_is_copied_to_where_the_running_image_may_write_and_nobody_else() -> None:
    built, running = (
        next(word.partition("=")[2] for each in words(stage, "ENV") for word in each.split() if "NUMBA_CACHE" in word)
        for stage in ("build", "catchment")
    )
    [entry] = words("catchment", "ENTRYPOINT")
    folder = running.rpartition("/")[0]
    assert json.loads(entry)[2].startswith(f"umask 077 && cp -rp {built} {folder}/ && exec catchment")
    assert running.rpartition("/")[2] == built.rpartition("/")[2]
    assert [each.partition(":")[0] for each in SERVICES["catchment"]["tmpfs"]] == [folder]
    assert "chmod -R go-w /opt/catchment" in words("build", "RUN")[-1]


def test_ports_and_paths_are_those_of_the_defaults_and_of_the_compose_file() -> None:
    listen = load(needs.ROOT / "examples" / "contoso.yaml").listen
    assert words("catchment", "EXPOSE") == [f"{listen.bmp.port} {listen.http.port} 8471"]
    [command] = words("catchment", "CMD")
    assert json.loads(command) == ["run", "-c", "/etc/catchment/catchment.yaml", "--data", "/data"]
    assert {"./catchment.yaml:/etc/catchment/catchment.yaml:ro", "catchment-data:/data"} <= {
        *SERVICES["catchment"]["volumes"]
    }
    assert "'/data/catchment.sock'" in words("catchment", "HEALTHCHECK")[0]
    [gobgp] = words("gobgp", "ENTRYPOINT")
    [mounted] = SERVICES["gobgp"]["volumes"]
    assert mounted == f"./gobgpd.toml:{json.loads(gobgp)[2]}:ro"
    assert GOBGP["bmp-servers"][0]["config"]["port"] == listen.bmp.port


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - {"lab"}))
def test_nothing_that_runs_has_a_privilege(service: str) -> None:
    told = SERVICES[service]
    assert (told["read_only"], told["cap_drop"], told["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert not told.keys() & {"cap_add", "privileged", "pid", "devices"}
    if service in OWN:
        assert words(told["build"]["target"], "USER") == ["65534:65534"]
        assert "user" not in told
    else:
        assert int(told["user"].partition(":")[0]) > 0, "not root"


def test_the_lab_alone_is_privileged_and_shares_its_network_with_what_it_writes_to() -> None:
    assert [name for name, told in SERVICES.items() if told.get("privileged")] == ["lab"]
    lab = SERVICES["lab"]
    assert lab["profiles"] == ["lab"]
    assert lab["read_only"] is True
    assert lab["networks"] == ["lab"]
    assert [name for name, told in SERVICES.items() if "lab" in told.get("networks", ())] == ["influxdb", "lab"]
    assert not lab.keys() & {"network_mode", "pid", "devices", "ipc"}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_version_is_pinned_and_every_resource_bounded(service: str) -> None:
    told = SERVICES[service]
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", told["image"])
    if service in OWN:
        assert told["image"].endswith(f":{PROJECT['project']['version']}")
        assert told["build"]["context"] == "."
    assert {"mem_limit", "cpus", "pids_limit", "logging"} <= told.keys()
    assert all("size=" in each for each in told.get("tmpfs", ()))


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - {"dashboards"}))
def test_what_stays_is_watched_for_health(service: str) -> None:
    """Our own images bring their check; `dashboards` ends."""
    stage = {"lab": "catchment"}.get(service, service)
    checked = words(stage, "HEALTHCHECK") if service in OWN else SERVICES[service]["healthcheck"]["test"]
    assert checked
    assert SERVICES["dashboards"]["healthcheck"] == {"disable": True}


def test_ports_are_bound_to_loopback() -> None:
    ports = [port for told in SERVICES.values() for port in told.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def _source(secret: str | dict[str, str]) -> str:
    return secret if isinstance(secret, str) else secret["source"]


def test_secrets_are_files_that_one_command_makes_and_no_commit_takes() -> None:
    script = (needs.ROOT / "deploy" / "secrets.sh").read_text()
    made = dict(re.findall(r"^(?:make|copy) (\S+) (?:\S+ )?(\d+)$", script, re.MULTILINE))
    assert COMPOSE["secrets"] == {name: {"file": f"./secrets/{name}"} for name in made}
    users = {name: str(told.get("user", "65534")).partition(":")[0] for name, told in SERVICES.items()}
    read = {(_source(each), users[name]) for name, told in SERVICES.items() for each in told.get("secrets", ())}
    assert read == set(made.items()), "each is its reader's; to root in the lab all are"
    assert "/secrets/" in (needs.ROOT / ".gitignore").read_text().split()
    spoken = [str(value) for told in SERVICES.values() for value in told.get("environment", {}).items()]
    secret = [each for each in spoken if re.search("PASSWORD|TOKEN|SECRET_KEY", each)]
    assert secret
    assert all("_FILE'" in each and "/run/secrets/" in each for each in secret)


def test_grafana_lets_nobody_in_without_a_name_and_has_no_password_that_others_know() -> None:
    told = SERVICES["grafana"]["environment"]
    assert told["GF_AUTH_ANONYMOUS_ENABLED"] == told["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert told["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana-password"
    assert told["GF_SECURITY_SECRET_KEY__FILE"] == "/run/secrets/grafana-key"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in told


def test_what_is_kept_is_in_volumes() -> None:
    mounted = [each for told in SERVICES.values() for each in told.get("volumes", ())]
    named = {each.partition(":")[0] for each in mounted if not each.startswith((".", "/"))}
    assert named == COMPOSE["volumes"].keys()
    assert all(each.endswith(":ro") for each in mounted if each.startswith("./"))


def test_the_labs_image_installs_what_the_lab_needs_by_its_own_list() -> None:
    [install] = words("lab", "RUN")
    assert "python -m lab.packages --for lab --yes" in install
    assert "lab" in packages.SETS


def test_plain_up_starts_your_own_and_the_labs_profile_starts_the_lab_in_its_place() -> None:
    lines = (needs.ROOT / ".env").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["COMPOSE_PROFILES=own"]
    profiles = {name: told.get("profiles") for name, told in SERVICES.items()}
    assert {name for name, each in profiles.items() if each == ["own"]} == {"catchment", "gobgp"}
    assert {name for name, each in profiles.items() if each == ["lab"]} == {"lab"}
    assert sum(each is None for each in profiles.values()) == 4


def test_gobgp_listens_on_no_port_for_which_it_would_need_a_privilege() -> None:
    assert GOBGP["global"]["config"]["port"] == -1
    assert all("transport" not in each for each in GOBGP["neighbors"]), "it dials"


def test_gobgps_example_lets_nothing_in_or_out() -> None:
    policy = {"default-import-policy": "reject-route", "default-export-policy": "reject-route"}
    assert GOBGP["global"]["apply-policy"]["config"] == policy


def test_a_process_keeps_the_capabilities_that_are_there_and_no_other() -> None:
    told = {"args": ["true"], "capabilities": {"bounding": ["CAP_KILL", "CAP_SYS_ADMIN"], "ambient": []}}
    kept = without(told, {"CAP_KILL"})
    assert kept == {"args": ["true"], "capabilities": {"bounding": ["CAP_KILL"], "ambient": []}}
    assert without(told, {"CAP_KILL", "CAP_SYS_ADMIN"}) == told
    assert there() <= {f"CAP_{name}" for name in NAMES}
