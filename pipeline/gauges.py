"""Metrics that only the moment knows (latencies, lag); everything countable is read from its owner when asked."""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Gauges:
    """One registry a daemon, so that two in one test do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.longest_lag = 0.0
        """Seconds; whoever samples it puts it back to 0."""
        self.last_judging: float | None = None
        """Seconds that the last round of all analyzers took; None before the first."""
        ProcessCollector(registry=self.registry)
        self.judged_seconds = Histogram(
            "catchment_judged_seconds",
            "From an observation's bytes leaving the socket to its conclusions being committed.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.judge_seconds = Histogram(
            "catchment_judge_seconds", "One round of all analyzers.", buckets=_BUCKETS, registry=self.registry
        )
        self.loop_lag_seconds = Histogram(
            "catchment_loop_lag_seconds",
            "How late the event loop woke a sleeper.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.commit_failures = Counter(
            "catchment_ledger_commit_failures",
            "Commits of conclusions that failed and were tried again.",
            registry=self.registry,
        )
        self.unwritten = Counter(
            "catchment_journal_unwritten", "Submissions that the journal did not take.", registry=self.registry
        )
        self.journal_commit_seconds = Histogram(
            "catchment_journal_commit_seconds",
            "One group commit of the journal.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.notifications = Counter(
            "catchment_notifications",
            "Attempts to tell a receiver, by outcome: delivered, owed (tried again later), dead (given up).",
            ["receiver", "outcome"],
            registry=self.registry,
        )
        self.jobs = Counter(
            "catchment_job_runs", "Runs of scheduled jobs by outcome.", ["job", "outcome"], registry=self.registry
        )

    async def watch_loop(self, every: float = 0.02) -> None:
        """Measure the event loop's lag until cancelled."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(every)
            late = max(0.0, time.monotonic() - before - every)
            self.longest_lag = max(self.longest_lag, late)
            self.loop_lag_seconds.observe(late)
