"""The delay line counts its own lateness, and a late run is void."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab import lateness
from lab.lateness import Lateness, Report, between, void


def report(*late_us: int, started: float = 1.0) -> Report:
    counted = Lateness()
    for late in late_us:
        counted.add(late * 1000)
    return counted.report(started, 2.0, 0.001, "fifo")


def test_percentiles_are_upper_edges_of_bins_and_never_flatter() -> None:
    counted = report(*range(1, 1001))
    assert counted.frames == 1000
    assert 500 <= counted.p50_us <= 510
    assert 990 <= counted.p99_us <= 1000
    assert counted.max_us == 1000


def test_a_prompt_run_is_fit_and_a_late_one_is_void() -> None:
    assert void(report(*[100] * 99, 5000)) is None
    late = void(report(*[100] * 98, 5000, 5000))
    assert late is not None
    assert "99th percentile 5000 us" in late


def test_what_is_later_than_the_last_bin_is_not_made_earlier() -> None:
    assert report(50_000, 60_000).p50_us == 60_000


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"frames": 0}, "no frame"), ({"dropped": 3}, "lost 3"), ({"unfinished": 2}, "offloads")],
)
def test_a_run_that_was_not_a_wire_is_void(changed: dict[str, int], words: str) -> None:
    fit = report(10, 20)
    assert void(fit) is None
    assert words in str(void(replace(fit, **changed)))  # type: ignore[arg-type]


def test_a_run_is_judged_by_its_own_frames() -> None:
    counted = Lateness()
    for _ in range(10):
        counted.add(9_000_000)
    before = counted.report(1.0, 2.0, 0.5, "fifo")
    for _ in range(10):
        counted.add(50_000)
    after = counted.report(1.0, 3.0, 0.7, "fifo")
    assert void(after) is not None
    run = between(before, after)
    assert void(run) is None
    assert (run.frames, run.p99_us, run.cpu_us) == (10, 60, 200_000)


def test_reports_of_two_lines_cannot_be_subtracted() -> None:
    with pytest.raises(ValueError, match="restarted"):
        between(report(1, started=1.0), report(1, started=2.0))


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = report(10, 20, 30_000)
    written.write(tmp_path / "late.json")
    assert lateness.read(tmp_path / "late.json") == written
