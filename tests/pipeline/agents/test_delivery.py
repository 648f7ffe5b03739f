"""Agent killed, centre killed, link cut: every result that was taken is in the journal afterwards, once and in order.

Real processes, killed at random. A result counts as taken when the agent's spool has it.
"""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pipeline.agents import link
from tests.pipeline.agents.site import Place, accounted, stop, truth, wait_for

pytestmark = pytest.mark.timeout(300)
ONE_BATCH = 120
"""More results than one batch of these agents holds: what a kill may leave in the spool and out of the truth."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where nobody can get to, too: root's agent becomes nobody, and pytest's own folders are its user's alone."""
    made = Path(tempfile.mkdtemp(prefix="catchment-"))
    os.chmod(made, 0o755)
    yield made / "place"
    shutil.rmtree(made)


@pytest.fixture
def place(folder: Path) -> Iterator[Place]:
    made = Place(folder)
    yield made
    made.end()


def complete(place: Place, *files: Path, kills: int = 0) -> None:
    """Check the journal against what was taken: each once, in order; what the truth lacks is a batch for each kill."""
    found = accounted(place, *files)
    assert not found.twice
    assert not found.missing, f"{len(found.missing)} of {found.taken} results are missing"
    assert not found.disordered
    assert found.untold <= kills * ONE_BATCH
    assert found.taken > 100


def eventually(true: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)


def test_an_agent_killed_again_and_again_loses_nothing_that_it_took(place: Place) -> None:
    place.centre()
    file, chance, kills = place.agent_file(), random.Random(1), 5
    for _ in range(kills):
        agent = place.agent(file)
        before = len(truth(file))
        eventually(lambda least=before: len(truth(file)) > least)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 0.8))
        stop(agent, signal.SIGKILL)
    before = len(truth(file))
    agent = place.agent(file)
    eventually(lambda: len(truth(file)) > before + 100)
    assert stop(agent) == 0
    assert "the centre has everything" in wait_for(file.with_suffix(".log"), "stopped;")
    complete(place, file, kills=kills)


def test_a_centre_killed_again_and_again_has_each_result_once(place: Place) -> None:
    centre = place.centre()
    file, chance = place.agent_file(), random.Random(2)
    agent = place.agent(file, rate=300)
    eventually(lambda: len(truth(file)) > 0)
    for _ in range(5):
        time.sleep(chance.uniform(0.2, 1.5))
        stop(centre, signal.SIGKILL)
        centre = place.centre()
    eventually(lambda: len(place.journal()) >= len(truth(file)) - 300)
    assert stop(agent) == 0
    complete(place, file)
    assert stop(centre) == 0


def test_both_killed_at_random_leave_each_result_once(place: Place) -> None:
    centre, file, chance, kills = place.centre(), place.agent_file(), random.Random(3), 0
    agent = place.agent(file, rate=200)
    eventually(lambda: len(truth(file)) > 0)
    for _ in range(8):
        time.sleep(chance.uniform(0.1, 0.8))
        if chance.random() < 0.5:
            stop(agent, signal.SIGKILL)
            kills += 1
            agent = place.agent(file, rate=200)
        else:
            stop(centre, signal.SIGKILL)
            centre = place.centre()
    eventually(lambda: len(truth(file)) > 500)
    time.sleep(2)
    assert stop(agent) == 0
    complete(place, file, kills=kills)


def test_what_was_taken_while_the_centre_was_away_comes_late_in_order_and_once(place: Place) -> None:
    file = place.agent_file()
    agent = place.agent(file)
    wait_for(file.with_suffix(".log"), "results wait in the spool")
    time.sleep(3)
    stop(agent)
    assert f"{len(truth(file))} results wait in the spool" in wait_for(file.with_suffix(".log"), "stopped;")
    place.centre()
    again = place.agent(file)
    wait_for(file.with_suffix(".log"), "of before wait in the spool")
    time.sleep(2)
    assert stop(again) == 0
    complete(place, file)


def test_two_agents_of_one_site_are_told_apart_and_lose_nothing(place: Place) -> None:
    place.centre()
    files = [place.agent_file(data="one"), place.agent_file(data="two")]
    agents = [place.agent(file) for file in files]
    eventually(lambda: all(len(truth(file)) > 200 for file in files))
    for agent in agents:
        assert stop(agent) == 0
    complete(place, *files)
    assert len({run for _, run, *_ in place.journal()}) == 2


def test_a_second_agent_on_one_data_folder_is_refused(place: Place) -> None:
    file = place.agent_file()
    place.agent(file)
    wait_for(file.with_suffix(".log"), "reporting to")
    second = place.agent(file)
    assert second.wait(30) == 1
    assert "another agent works in" in file.with_suffix(".log").read_text()


def test_a_spool_over_its_quota_says_what_it_dropped_and_keeps_the_newest(place: Place) -> None:
    file = place.agent_file(quota="600kB")
    agent = place.agent(file, rate=8_000)
    wait_for(file.with_suffix(".log"), "the spool is full")
    time.sleep(2)
    place.centre()
    eventually(lambda: bool(place.journal()))
    time.sleep(3)
    assert stop(agent) == 0
    names, taken = [name for *_, name in place.journal()], truth(file)
    assert len(names) == len(set(names)) < len(taken)
    assert names[-1] == taken[-1]
    logged = [line.split() for line in file.with_suffix(".log").read_text().splitlines()]
    assert sum(int(words[6]) for words in logged if words[:4] == ["the", "spool", "is", "full:"]) == len(taken) - len(
        names
    )
    reported = [line.split() for line in (place.folder / "centre.log").read_text().splitlines()]
    assert sum(int(words[2]) for words in reported if words[:2] == ["agents", "dropped"]) == len(taken) - len(names)


@pytest.mark.skipif(os.geteuid() != 0, reason="cutting a link needs root")
def test_a_cut_link_costs_nothing(folder: Path) -> None:
    name = f"cat{os.getpid()}"
    place = Place(folder, host=link.CENTRE, prefix=link.within(name))
    try:
        link.lay(name)
        place.centre()
        file = place.agent_file()
        agent = place.agent(file, rate=200)
        eventually(lambda: len(place.journal()) > 100)
        for _ in range(2):
            link.cut(name)
            wait = len(truth(file)) + 1_000
            eventually(lambda least=wait: len(truth(file)) > least)  # type: ignore[misc]
            link.mend(name)
            eventually(lambda: len(place.journal()) > len(truth(file)) - 400)
        assert stop(agent) == 0
        complete(place, file)
    finally:
        place.end()
        link.remove(name)
