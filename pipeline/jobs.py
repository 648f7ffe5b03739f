"""Coarse jobs on APScheduler, and the age of each one's last success: a run that vanishes is noticed by its absence.

APScheduler 3 drops late runs silently (its default grace is a second, and coalesced runs raise no event), so every job
has an explicit id, coalesces, never overlaps itself, and is watched by the age of its last success.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pipeline.gauges import Gauges

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One job: what runs, and how often."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[object]]
    first: timedelta = timedelta(seconds=30)
    """How long after the start it runs first."""


class Jobs:
    """Runs jobs until stopped."""

    def __init__(self, jobs: tuple[Job, ...], gauges: Gauges) -> None:
        self._jobs, self._gauges = jobs, gauges
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._succeeded = {job.name: time.monotonic() for job in jobs}

    def start(self) -> None:
        """Begin; must be called on the event loop."""
        for job in self._jobs:
            self._scheduler.add_job(
                self._run,
                "interval",
                args=[job],
                seconds=job.every.total_seconds(),
                id=job.name,
                next_run_time=datetime.now(UTC) + job.first,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
                replace_existing=True,
            )
        self._scheduler.start()

    def stop(self) -> None:
        """End; a run that is under way finishes in its thread."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def ages(self) -> dict[str, float]:
        """Seconds since each job last succeeded (since the start, before it first did)."""
        now = time.monotonic()
        return {name: now - at for name, at in self._succeeded.items()}

    def watched(self) -> dict[str, tuple[float, float]]:
        """Of each job: its age as `ages` has it, and the seconds between its runs."""
        every = {job.name: job.every.total_seconds() for job in self._jobs}
        return {name: (age, every[name]) for name, age in self.ages().items()}

    async def _run(self, job: Job) -> None:
        try:
            await job.work()
        except Exception:
            # A job that fails must not end the others; its age and its counter say that it does.
            log.exception("the job %s failed", job.name)
            self._gauges.jobs.labels(job.name, "failed").inc()
        else:
            self._succeeded[job.name] = time.monotonic()
            self._gauges.jobs.labels(job.name, "succeeded").inc()
