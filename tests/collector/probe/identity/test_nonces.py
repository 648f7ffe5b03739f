"""Each nonce is answered once, whatever the clocks say."""

import pytest

from collector.probe.identity.nonces import Nonces
from collector.probe.identity.refused import Cause, Refused
from tests.collector.probe.identity.asking import a_request

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def cause_of(nonces: Nonces, now: int, **changed: int) -> Cause:
    with pytest.raises(Refused) as error:
        nonces.take(a_request(**changed), now)  # type: ignore[arg-type]
    return error.value.cause


def test_a_nonce_is_answered_once_within_two_seconds() -> None:
    nonces = Nonces()
    nonces.take(a_request(), 0)
    assert cause_of(nonces, 0) is Cause.REPLAYED
    assert cause_of(nonces, 2 * SECOND - 1) is Cause.REPLAYED


def test_a_nonce_is_not_answered_again_after_it_was_forgotten() -> None:
    nonces = Nonces()
    nonces.take(a_request(), 0)
    for later in (2 * SECOND, HOUR, 1000 * HOUR):
        assert cause_of(nonces, later) is Cause.EXPIRED
    assert len(nonces) == 0


def test_an_older_request_of_the_run_is_too_old_by_the_clients_own_clock() -> None:
    nonces = Nonces()
    nonces.take(a_request(nonce=1, sent=100), 0)
    nonces.take(a_request(nonce=2, sent=50), SECOND)  # overtaken on the way, within the window
    assert cause_of(nonces, 2 * SECOND, nonce=3, sent=99) is Cause.EXPIRED
    nonces.take(a_request(nonce=4, sent=101), 2 * SECOND)


@pytest.mark.parametrize("skew", [-HOUR, 0, HOUR, 1000 * HOUR])
def test_the_clocks_of_client_and_responder_need_not_agree(skew: int) -> None:
    nonces = Nonces()
    for index in range(100):
        nonces.take(a_request(nonce=index, sent=2000 * HOUR + skew + index * SECOND), index * SECOND)


def test_a_client_whose_machine_was_paused_is_answered() -> None:
    nonces = Nonces()
    nonces.take(a_request(nonce=1, sent=100), 0)
    nonces.take(a_request(nonce=2, sent=101), HOUR)  # its clock stood still meanwhile


def test_a_client_that_starts_again_with_a_younger_clock_is_answered() -> None:
    nonces = Nonces()
    nonces.take(a_request(nonce=1, sent=HOUR), 0)
    nonces.take(a_request(nonce=2, sent=5, run=2), 10 * SECOND)
    assert cause_of(nonces, 20 * SECOND, nonce=1, sent=HOUR) is Cause.EXPIRED


def test_the_same_nonce_of_another_key_or_run_is_another() -> None:
    nonces = Nonces()
    nonces.take(a_request(), 0)
    nonces.take(a_request(key=8), 0)
    nonces.take(a_request(run=2), 0)


def test_a_full_table_answers_nobody_until_it_forgets() -> None:
    nonces = Nonces(capacity=2)
    nonces.take(a_request(nonce=1), 0)
    nonces.take(a_request(nonce=2), SECOND)
    assert cause_of(nonces, SECOND, nonce=3, sent=6) is Cause.FULL
    assert cause_of(nonces, SECOND, nonce=1) is Cause.REPLAYED
    nonces.take(a_request(nonce=3, sent=6), 2 * SECOND)


def test_runs_are_bounded_and_one_key_does_not_push_out_another() -> None:
    nonces = Nonces(runs=2)
    nonces.take(a_request(key=8), 0)
    for run in range(5):
        nonces.take(a_request(run=run), 0)
    assert cause_of(nonces, 3 * SECOND, key=8) is Cause.EXPIRED
    assert cause_of(nonces, 3 * SECOND, run=4) is Cause.EXPIRED
    nonces.take(a_request(run=0), 3 * SECOND)  # fell out: the price of the bound


def test_keys_that_are_gone_take_their_runs_with_them() -> None:
    nonces = Nonces()
    nonces.take(a_request(), 0)
    assert cause_of(nonces, 3 * SECOND) is Cause.EXPIRED
    nonces.keep(frozenset((8,)))
    nonces.take(a_request(), 3 * SECOND)
