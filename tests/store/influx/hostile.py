"""Points of every measurement with all of their fields, and with names and texts that mean harm."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from anycast.point import Point, Value
from anycast.series import MEASUREMENTS, Field, Type
from store.influx import line
from store.schema import SUBMITTED

NAMES = (
    "weu", "nva 1", "a,b", "a=b", 'quo"te', "back\\slash", "end\\", "new\nline", "tab\tin", "nul\0", "é😀", "#", "-",
    "'single'", "a\\,b", "a\\ b", "x" * 300, "\u2028", " lead", "trail ", "1", "true", "${x}", "; drop", "=", "\\", "",
)  # fmt: skip
TEXTS = (
    "65010 65010", 'say "no"', "back\\slash", "end\\", 'end\\"', "two\nlines", "a,b=c d", "", "nul\0", "é😀", "1",
    "',;--", "\\n", '"', "\\\\", "i=5i,j=6", "x" * 5000,
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What was written, as it must be read back: by measurement, tags, field and time."""

    table: pa.RecordBatch
    values: Mapping[tuple[str, frozenset[tuple[str, str]], str, int], Value]


def written(seed: int, each: int, now: int) -> Written:
    """`each` points of every measurement, in the hour before `now` (seconds), each at a millisecond of its own."""
    chance, rows, values = random.Random(seed), [], {}
    for number, point in enumerate(_points(chance, each)):
        at = now * 1_000_000_000 - number * 1_000_000
        fields = line.fields_of(point)
        rows.append((at, point.measurement, line.key(point.measurement, point.tags), fields))
        names = MEASUREMENTS[point.measurement].tags
        tags = frozenset(zip(names, map(line.fit_tag, point.tags), strict=True))
        for name, value in point.fields.items():
            assert value is not None
            fit = line.fit_text(value) if isinstance(value, str) else value
            values[point.measurement, tags, name, at] = fit
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SUBMITTED["points"], strict=True)]
    return Written(pa.RecordBatch.from_arrays(arrays, schema=SUBMITTED["points"]), values)


def _points(chance: random.Random, each: int) -> Iterator[Point]:
    for kind in MEASUREMENTS.values():
        for _ in range(each):
            tags = tuple(chance.choice(NAMES) for _ in kind.tags)
            fields = {name: _value(chance, field) for name, field in kind.fields.items()}
            yield Point(kind.name, tags, fields, 0)


def _value(chance: random.Random, field: Field) -> Value:
    match field.type:
        case Type.TEXT:
            return chance.choice(TEXTS)
        case Type.INTEGER:
            return chance.choice((0, 1, -1, chance.randrange(10**6), chance.randrange(2**50)))
        case Type.FLOAT:
            return chance.choice((0.0, 1.0, round(chance.random(), 9), round(chance.uniform(0, 1e5), 6), 1e-9))
