"""Each detector alone: what it sees, what it does not, and that one hour of noise is within its bound."""

from random import Random

from analyzers.probing.detectors import CERTAIN, Cusum, PageHinkley, RankTest


def ranked(base: list[float]) -> RankTest:
    test = RankTest(64, 10.0)
    test.rebase(base)
    return test


def noise(seed: int, count: int, mean: float = 0.0) -> list[float]:
    random = Random(seed)
    return [random.gauss(mean, 1.0) for _ in range(count)]


def test_the_rank_test_is_sure_of_a_shift_and_of_nothing_else() -> None:
    for mean, side in ((0.0, 0), (1.5, 1), (-1.5, -1)):
        test = ranked(noise(1, 120))
        for n, value in enumerate(noise(2, 64, mean)):
            test.take(n * 0.1, value)
        z = test.z(6.4)
        assert (z > CERTAIN) is (side > 0)
        assert (z < -CERTAIN) is (side < 0)


def test_the_rank_test_looks_at_no_more_than_its_last_seconds() -> None:
    test = ranked(noise(1, 120))
    for n in range(64):
        test.take(n * 0.1, 9.0)
    assert test.z(6.4) > CERTAIN
    assert test.z(17.0) == 0.0


def test_the_rank_test_does_not_speak_without_base_or_with_few_samples() -> None:
    for base, samples in ((8, 64), (120, 8)):
        test = ranked(noise(1, base))
        for n in range(samples):
            test.take(n * 0.1, 9.0)
        assert test.z(6.4) == 0.0


def test_equal_values_are_in_the_middle_of_their_equals() -> None:
    test = ranked([1.0] * 120)
    for n in range(64):
        test.take(n * 0.1, 1.0)
    assert abs(test.z(6.4)) < 1e-9


def test_cusum_adds_up_what_lies_above_its_slack_and_forgets_what_does_not() -> None:
    up, down, small = Cusum(), Cusum(), Cusum()
    for _ in range(10):
        up.take(1.5)
        down.take(-1.5)
        small.take(0.4)
    assert (up.says, down.says, small.says) == (1, -1, 0)
    for _ in range(60):
        up.take(0.0)
    assert up.says == 0


def test_one_window_alone_is_no_proof_to_cusum_nor_to_page_and_hinkley() -> None:
    cusum, hinkley = Cusum(), PageHinkley()
    cusum.take(1000.0)
    hinkley.take(1000.0)
    assert (cusum.says, hinkley.says) == (0, 0)
    cusum.take(1000.0)
    hinkley.take(1000.0)
    assert (cusum.says, hinkley.says) == (1, 1)


def test_page_and_hinkley_take_longer_for_less() -> None:
    windows = []
    for deviation in (1.0, 2.0, 8.0):
        hinkley, count = PageHinkley(), 0
        while hinkley.says == 0:
            hinkley.take(deviation)
            count += 1
        windows.append(count)
    assert windows == [41, 14, 3]


def test_what_was_proven_for_long_is_soon_disproven() -> None:
    cusum, hinkley = Cusum(), PageHinkley()
    for _ in range(10_000):
        cusum.take(8.0)
        hinkley.take(8.0)
    windows = 0
    while cusum.says or hinkley.says:
        cusum.take(0.0)
        hinkley.take(0.0)
        windows += 1
    assert windows < 60
