"""Line protocol as influxdb-client writes it, whatever a router calls itself."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from influxdb_client.client.write.point import Point as Theirs

from anycast.point import Point, Value
from anycast.series import MEASUREMENTS, Type
from store.influx import line

TAGS = some.one_of(some.text(max_size=200), some.text(alphabet='a ,="\\\n\t\0\x7f\u2028é😀', max_size=40))
TEXTS = some.one_of(some.text(max_size=60), some.text(alphabet='a ,="\\\n\r\0', max_size=60))
VALUES: dict[Type, some.SearchStrategy[Value | None]] = {
    Type.FLOAT: some.none() | some.floats(),
    Type.INTEGER: some.none() | some.integers(-(2**63), 2**63 - 1),
    Type.TEXT: some.none() | TEXTS,
}


@some.composite
def points(draw: some.DrawFn) -> Point:
    """Any point of any measurement."""
    kind = MEASUREMENTS[draw(some.sampled_from(sorted(MEASUREMENTS)))]
    tags = tuple(draw(TAGS) for _ in kind.tags)
    return Point(
        kind.name,
        tags,
        {name: draw(VALUES[field.type]) for name, field in kind.fields.items()},
        draw(some.integers(0, 2**62)),
    )


def theirs(point: Point) -> str:
    """The same point by influxdb-client, of names that were made fit."""
    made: Any = Theirs(point.measurement)  # type: ignore[no-untyped-call]
    made.time(point.at)
    for name, value in zip(MEASUREMENTS[point.measurement].tags, point.tags, strict=True):
        made.tag(name, line.fit_tag(value))
    for name, field in point.fields.items():
        made.field(name, line.fit_text(field) if isinstance(field, str) else field)
    return str(made.to_line_protocol())


@given(points())
def test_every_line_is_what_influxdb_client_writes(point: Point) -> None:
    assert line.line(point).encode() == theirs(point).encode()


@given(points())
def test_a_line_is_one_line_and_its_key_ends_at_the_first_space_that_is_not_escaped(point: Point) -> None:
    written = line.line(point)
    assert "\n" not in written
    assert "\0" not in written
    if written:
        assert written.startswith(line.key(point.measurement, point.tags) + " ")


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("", "-"),
        ("weu nva,1=a", r"weu\ nva\,1\=a"),
        ("edge\\", "edge/"),
        ("a\nb\0c", "a\ufffdb\ufffdc"),
        ('"', '"'),
        ("x" * 200, "x" * 127 + "…"),
    ],
)
def test_names_that_routers_give_are_made_fit_and_escaped(name: str, fit: str) -> None:
    assert line.key("landing", ("ams", name)) == f"landing,service={fit},site=ams"


def test_tags_are_all_there_and_in_the_order_of_their_names() -> None:
    kind = MEASUREMENTS["presence"]
    written = line.key("presence", ("",) * len(kind.tags))
    assert written == "presence," + ",".join(f"{name}=-" for name in sorted(kind.tags))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "v=1i"),
        (2**63, ""),
        (-(2**63), f"v={-(2**63)}i"),
        (1.0, "v=1"),
        (0.1, "v=0.1"),
        (1e-7, "v=1e-07"),
        (math.nan, ""),
        (math.inf, ""),
        (None, ""),
        ("", 'v=""'),
        ('say "a\\b"', 'v="say \\"a\\\\b\\""'),
        ("two\nlines", 'v="two lines"'),
    ],
)
def test_fields_by_their_types(value: Value | None, written: str) -> None:
    assert line.fields({"v": value}) == written


def test_a_point_without_a_field_is_no_line() -> None:
    assert line.line(Point("landing", ("ams", "web"), {"loss": None}, 1)) == ""
