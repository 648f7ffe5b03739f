"""Coarse jobs: they run, a failure is counted and stops nothing, and an age says since when one did not succeed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from pipeline.gauges import Gauges
from pipeline.jobs import Job, Jobs

SOON, OFTEN = timedelta(seconds=0.05), timedelta(seconds=0.1)


async def _nothing() -> None:
    return


async def _until(ask: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not ask():
            await asyncio.sleep(0.02)


def _runs(gauges: Gauges, job: str, outcome: str) -> float:
    return gauges.registry.get_sample_value("catchment_job_runs_total", {"job": job, "outcome": outcome}) or 0.0


def _job(name: str, work: Callable[[], Awaitable[object]]) -> Job:
    return Job(name, OFTEN, work, first=SOON)


async def test_a_job_runs_again_and_again_and_its_age_starts_over() -> None:
    gauges = Gauges()
    jobs = Jobs((_job("upkeep", _nothing),), gauges)
    await asyncio.sleep(0.3)
    assert jobs.ages()["upkeep"] >= 0.3
    jobs.start()
    await _until(lambda: _runs(gauges, "upkeep", "succeeded") >= 3)
    assert jobs.ages()["upkeep"] < 0.3
    jobs.stop()


async def test_a_job_that_fails_is_logged_and_counted_ages_and_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise OSError("the disk is full")

    gauges = Gauges()
    jobs = Jobs((_job("upkeep", fail), _job("prune", _nothing)), gauges)
    with caplog.at_level(logging.ERROR):
        jobs.start()
        await _until(lambda: _runs(gauges, "upkeep", "failed") >= 3 and _runs(gauges, "prune", "succeeded") >= 3)
    jobs.stop()
    assert jobs.ages()["upkeep"] > 0.2 > jobs.ages()["prune"]
    assert "the job upkeep failed" in caplog.text
    assert "the disk is full" in caplog.text
    assert _runs(gauges, "upkeep", "succeeded") == 0


async def test_a_job_that_takes_long_never_meets_itself_and_holds_up_no_other() -> None:
    running, most = 0, 0

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.5)
        running -= 1

    gauges = Gauges()
    jobs = Jobs((_job("upkeep", slow), _job("prune", _nothing)), gauges)
    jobs.start()
    await _until(lambda: _runs(gauges, "upkeep", "succeeded") >= 2)
    jobs.stop()
    assert most == 1
    assert _runs(gauges, "prune", "succeeded") >= 5


async def test_stopping_twice_and_before_a_start_is_nothing() -> None:
    jobs = Jobs((), Gauges())
    jobs.stop()
    jobs.start()
    jobs.stop()
    jobs.stop()
