"""The systemd units: as little as each needs, scored by systemd itself, and what they start is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

UNITS = sorted((needs.ROOT / "deploy").glob("*.service"))
MOST = 20
"""Tenths of the exposure that systemd reckons, of 100: `OK` begins below 50."""
RIGHTS = {"catchment": "", "catchment-agent": "CAP_NET_RAW", "catchment-responder": ""}


def _settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def _exposed(unit: Path, most: int = MOST) -> "subprocess.CompletedProcess[str]":
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("left out: no systemd-analyze here, which scores the units")
    argv = [analyze, "security", "--offline=true", f"--threshold={most}", str(unit)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_reckons_little_exposure(unit: Path) -> None:
    done = _exposed(unit)
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_without_its_walls_a_unit_is_told_to_be_exposed(unit: Path, tmp_path: Path) -> None:
    walls = "Protect|Private|Restrict|SystemCall|Capability|Ambient|NoNew|User|Group"
    bare = re.sub(rf"(?m)^({walls})\w*=.*\n", "", unit.read_text())
    (tmp_path / unit.name).write_text(bare)
    assert _exposed(tmp_path / unit.name).returncode != 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_it_runs_as_a_user_of_its_own_with_no_right_but_the_one_that_it_needs(unit: Path) -> None:
    told = _settings(unit)
    assert told["User"] == told["Group"] == [unit.stem]
    assert told["CapabilityBoundingSet"] == told["AmbientCapabilities"] == [RIGHTS[unit.stem]]
    assert told["NoNewPrivileges"] == ["yes"]
    assert told["ProtectSystem"] == ["strict"]
    made = (needs.ROOT / "deploy" / "sysusers.conf").read_text()
    assert re.search(rf"^u {unit.stem} - ", made, re.MULTILINE)
    assert {"MemoryMax", "TasksMax", "LimitNOFILE"} <= told.keys()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_it_starts_is_a_command_that_there_is(unit: Path) -> None:
    [start] = _settings(unit)["ExecStart"]
    program, command, *options = start.split()
    assert program == "/opt/catchment/bin/catchment"
    argv = [sys.executable, "-m", "pipeline", command, "--help"]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    assert all(option in told for option in options if option.startswith("-"))


def test_there_is_a_unit_for_each_of_the_three() -> None:
    assert {unit.stem for unit in UNITS} == RIGHTS.keys()
