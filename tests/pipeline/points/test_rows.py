"""Series within their cap, events at times of their own."""

from anycast.point import Point
from anycast.series import OVERFLOW
from pipeline.points.rows import MILLISECOND, REMEMBERED, Rows

AT = 1_795_435_200_000_000_000


def feed(name: str, at: int = AT) -> Point:
    return Point("feed", (name,), {"connected": 1}, at)


def change(at: int, text: str = "", vantage: str = "v") -> Point:
    return Point("change", ("web", "p", "V1", "weu", "-", vantage, "withdrawn"), {"n": 1, "text": text}, at)


def times(rows: Rows, *points: Point) -> list[int]:
    return [at - AT for at in rows.table(points)["at"].cast("int64").to_pylist()]


def test_series_beyond_the_cap_go_into_one_and_are_counted() -> None:
    rows = Rows(2)
    table = rows.table([feed("a"), feed("b"), feed("c"), feed("a"), feed("d")])
    assert table["key"].to_pylist() == [
        "feed,exporter=a", "feed,exporter=b", f"feed,exporter={OVERFLOW}", "feed,exporter=a",
        f"feed,exporter={OVERFLOW}",
    ]  # fmt: skip
    assert rows.overflowed == {"feed": 2}
    rows.forget()
    assert rows.table([feed("d")])["key"].to_pylist() == ["feed,exporter=d"]


def test_each_measurement_has_a_cap_of_its_own() -> None:
    rows = Rows(1)
    rows.table([feed("a"), change(AT)])
    assert rows.overflowed == {}


def test_events_of_one_series_are_a_millisecond_apart_and_others_stay_where_they_are() -> None:
    rows = Rows(10)
    assert times(rows, change(AT), change(AT), change(AT + 1000), change(AT, vantage="w")) == [
        0, MILLISECOND, 2 * MILLISECOND + 1000, 0,
    ]  # fmt: skip
    assert times(rows, change(AT + MILLISECOND), change(AT + 7 * MILLISECOND)) == [3 * MILLISECOND, 7 * MILLISECOND]
    assert times(rows, change(AT - 5 * MILLISECOND)) == [-5 * MILLISECOND]


def test_samples_of_one_series_and_time_are_the_same_point() -> None:
    assert times(Rows(10), feed("a"), feed("a")) == [0, 0]


def test_thousands_at_once_each_have_a_time_and_cost_little() -> None:
    rows = Rows(10)
    found = times(rows, *(change(AT, str(number)) for number in range(REMEMBERED // 2)))
    assert len(set(found)) == len(found) == REMEMBERED // 2
    assert found == sorted(found)


def test_a_point_without_a_field_is_no_row() -> None:
    assert Rows(10).table([Point("landing", ("ams", "web"), {"loss": None}, AT)]).num_rows == 0
    assert Rows(10).table([]).num_rows == 0
