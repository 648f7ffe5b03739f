"""docs/metrics.md, made of the collectors themselves: `python -m pipeline.metrics_document` writes it anew."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from anycast.ports import Landing
from anycast.situation import Situation
from collector.bmp.status import StationStatus
from pipeline.gauges import Gauges
from pipeline.landing_metrics import LandingCollector
from pipeline.metrics import AgentsCollector, ArchiveCollector, PresentCollector
from pipeline.own import Own
from pipeline.own_metrics import OwnCollector, SinkCollector, StationCollector

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
_NEVER: Final = datetime(2026, 1, 1, tzinfo=UTC)
_STATION: Final = StationStatus((), (), 0, {}, 0, 0, 0, 0, 0, 0)
_OWN: Final = Own("", True, _NEVER, True, 0, 0, False, 0, 0, {})
_HEAD: Final = """# Metrics

`GET /metrics` on the console's port gives the present in Prometheus' text format: made when it is asked for, from what
the console shows, so there is nothing stale in it. Like the API it asks for no password and listens on loopback; a
scraper on another machine comes through a proxy that knows it.

```yaml
scrape_configs:
  - job_name: catchment
    static_configs: [{targets: ["127.0.0.1:8470"]}]
rule_files: [catchment.rules.yml]
```

[dashboards/prometheus/catchment.rules.yml](../dashboards/prometheus/catchment.rules.yml) has alert rules, and beside it
their tests for `promtool`. A label has few values: names of the intent, sessions that routers report, at most 10,000,
and the legs that agents see, at most 32 of a service at a site. What is unknown is left out, or has a code of its own
where that matters. Every process has Prometheus' own `process_*` metrics besides (memory, file descriptors, processor
time, start).

This page is written by `python -m pipeline.metrics_document`, from the code that answers.
"""


class _Nowhere:
    """Nothing lands anywhere."""

    def now(self) -> tuple[()]:
        return ()

    def agents(self) -> tuple[()]:
        return ()


def collectors() -> tuple[tuple[str, Collector], ...]:
    """Every collector with a heading, over a present in which there is nothing."""
    return (
        ("Services, routes, sessions, feeds, findings", PresentCollector(_situation, tuple, dict)),
        ("Where sites land", LandingCollector(cast(Landing, _Nowhere()))),
        ("What agents report", AgentsCollector(lambda: ({}, 0))),
        ("The station", StationCollector(lambda: _STATION)),
        ("The archive, where there is one", ArchiveCollector(lambda: 0)),
        ("Catchment itself", OwnCollector(lambda: _OWN)),
        ("Servers of time series, where there are some", SinkCollector(tuple)),
    )


def families() -> Iterator[tuple[str, Metric, tuple[str, ...]]]:
    """Every metric family with its heading and the names of its labels."""
    for heading, collector in collectors():
        for family in collector.collect():
            yield heading, family, tuple(family._labelnames)  # type: ignore[attr-defined]
    for family in _measured().registry.collect():
        if family.name.startswith("catchment_"):
            names = {name for sample in family.samples for name in sample.labels if name != "le"}
            yield "Latencies and attempts", family, tuple(sorted(names))


def names() -> set[str]:
    """Every name that a sample may have."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return {f"{family.name}{end}" for _, family, _ in families() for end in suffixes.get(family.type, ("",))}


def document() -> str:
    """The page."""
    return "\n".join((_HEAD, *_sections(families())))


def _sections(found: Iterable[tuple[str, Metric, tuple[str, ...]]]) -> Iterator[str]:
    last = ""
    for heading, family, labels in found:
        if heading != last:
            yield from (*(("",) if last else ()), f"## {heading}", "", "| metric | kind | labels | what it tells |")
            yield "|---|---|---|---|"
            last = heading
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield f"| `{name}` | {family.type} | {', '.join(labels) or '-'} | {family.documentation} |"
    yield ""


def _situation() -> Situation:
    return Situation(_NEVER, (), (), ())


def _measured() -> Gauges:
    made = Gauges()
    made.jobs.labels("", "")
    made.notifications.labels("", "")
    return made


if __name__ == "__main__":
    PATH.write_text(document())
    sys.stdout.write(f"wrote {PATH}\n")
