"""The lab in a container: the network up, Catchment on it, one fault after the other, and all of it down again."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from lab.faults import VERBS
from lab.intent import render
from lab.topology import Lab
from pipeline.config import load
from tests import needs
from tests.rig import eventually

SCRIPT = needs.ROOT / "deploy" / "lab.sh"
STAND_IN = """#!/bin/sh
echo "$@" >>"{log}"
case "$2" in
  up) exit {up} ;;
  watch) exec sleep {watch} ;;
esac
"""


@pytest.fixture
def started(tmp_path: Path) -> "Started":
    return Started(tmp_path)


class Started:
    """The script, with a stand-in for `catchment` that writes down what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log = folder, folder / "log"

    def run(self, up: int = 0, watch: int = 60) -> "subprocess.Popen[bytes]":
        """Start it."""
        stand_in = self._folder / "catchment"
        stand_in.write_text(STAND_IN.format(log=self._log, up=up, watch=watch))
        stand_in.chmod(0o755)
        environment = {"PATH": f"{self._folder}:{os.environ['PATH']}", "LAB_CALM": "0.05", "LAB_FAULT": "0.05"}
        return subprocess.Popen(["sh", str(SCRIPT)], env=environment, stderr=subprocess.DEVNULL)

    @property
    def told(self) -> list[str]:
        """The command lines so far."""
        return self._log.read_text().splitlines() if self._log.exists() else []


def test_it_makes_a_fault_and_heals_it_over_and_over_until_it_is_told_to_end(started: Started) -> None:
    child = started.run()
    eventually(lambda: sum(line == "lab heal" for line in started.told) >= 3, 30, what="three faults healed")
    child.send_signal(signal.SIGTERM)
    assert child.wait(15) == 0
    begun = started.told
    assert begun[:2] == ["lab down", "lab up --probes"]
    assert begun[-1] == "lab down"
    [watch] = [line for line in begun if line.startswith("lab watch")]
    assert watch == "lab watch --data /data --host 0.0.0.0 --more /etc/catchment/more.yaml"
    steps = [line for line in begun if line.startswith(("lab fault", "lab heal"))]
    assert all(line.startswith("lab fault ") for line in steps[::2])
    assert all(line == "lab heal" for line in steps[1::2])


def test_it_ends_with_1_where_the_lab_does_not_come_up_or_catchment_ends(started: Started) -> None:
    assert started.run(up=1).wait(15) == 1
    assert not any("watch" in line for line in started.told)
    assert started.run(watch=0).wait(15) == 1
    assert started.told[-1] == "lab down"


def test_every_fault_that_it_makes_is_one_that_there_is() -> None:
    made = re.search(r"for fault in (.+); do", SCRIPT.read_text())
    assert made
    assert len(made[1].split()) >= 8
    assert set(made[1].split()) <= VERBS.keys()


def test_what_stands_at_the_end_of_its_intent_file_is_read_there(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(render(Lab(), host="0.0.0.0") + (SCRIPT.parent / "lab-more.yaml").read_text())
    config = load(path)
    assert config.influx is not None
    [server] = config.influx.servers
    assert server.url == "http://influxdb:8086"
    assert str(server.token_file) == "/run/secrets/influx-token"
