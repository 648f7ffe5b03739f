"""Buckets give what they are told to give, to each source and to all."""

import pytest

from collector.probe.identity.refused import Cause, Refused
from collector.probe.responder.rates import SECOND, Bucket, Rates


def test_a_bucket_gives_a_seconds_worth_at_once_and_then_its_rate() -> None:
    bucket = Bucket(10, 0)
    assert [bucket.take(0) for _ in range(11)] == [True] * 10 + [False]
    assert not bucket.take(SECOND // 20)
    assert bucket.take(SECOND // 5)
    assert sum(bucket.take(100 * SECOND) for _ in range(100)) == 10


def test_a_slow_bucket_gives_one_all_the_same() -> None:
    bucket = Bucket(0.1, 0)
    assert bucket.take(0)
    assert not bucket.take(9 * SECOND)
    assert bucket.take(11 * SECOND)


def test_one_source_does_not_use_up_anothers_share() -> None:
    rates = Rates(2, 100, 0)
    for source in ("a", "a", "b", "b"):
        rates.take(source, 0)
    with pytest.raises(Refused, match="a asks more than 2 times") as error:
        rates.take("a", 0)
    assert error.value.cause is Cause.RATE
    rates.take("c", 0)


def test_all_together_have_a_limit() -> None:
    rates = Rates(10, 3, 0)
    for source in "abc":
        rates.take(source, 0)
    with pytest.raises(Refused, match="all sources"):
        rates.take("d", 0)


def test_sources_are_bounded() -> None:
    rates = Rates(1, 1e6, 0, most=2)
    for source in "abc":
        rates.take(source, 0)
    with pytest.raises(Refused):
        rates.take("c", 0)
    rates.take("a", 0)  # was forgotten
