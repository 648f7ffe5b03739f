"""Whoever is refused is counted; the log is not his."""

import logging

import pytest

from collector.bmp.refused import LINES, STRANGERS, WINDOW, Refused

WHY = "it is no exporter of the intent"


def test_ten_thousand_callers_are_a_few_lines_and_a_sum(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refused()
    with caplog.at_level(logging.WARNING):
        for number in range(10_000):
            refused.add(f"10.0.{number // 250}.{number % 250}", WHY, 100.0 + number / 1000)
        assert len(caplog.messages) == LINES
        refused.add("192.0.2.1", WHY, 100.0 + WINDOW)
    assert f"{10_000 - LINES:,} more connections were refused, of 10,001 in all" in caplog.messages
    assert "refused a connection from 192.0.2.1: it is no exporter of the intent" in caplog.messages
    assert refused.count == 10_001
    assert len(refused.strangers) == STRANGERS


def test_a_caller_that_comes_again_and_again_is_named_once_and_then_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refused()
    with caplog.at_level(logging.WARNING):
        for number in range(121):
            refused.add("192.0.2.1", WHY, 100.0 + number)
    named, *sums = caplog.messages
    assert "192.0.2.1" in named
    assert len(sums) == 2
    assert refused.strangers == {"192.0.2.1": 121}


def test_a_quiet_log_hears_of_a_new_caller_at_once(caplog: pytest.LogCaptureFixture) -> None:
    refused = Refused()
    with caplog.at_level(logging.WARNING):
        refused.add("192.0.2.1", WHY, 0.0)
        refused.add("192.0.2.2", WHY, 1.0)
    assert len(caplog.messages) == 2
