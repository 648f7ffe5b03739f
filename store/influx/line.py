"""Points as line protocol, column by column: the key (measurement and tags) once a series, the fields once a point.

What is written is what influxdb-client's `Point` writes, to the octet (tests/store/influx/test_line.py), for names that
are fit to be written. Names that routers gave are made fit first: no server agrees with another on what a backslash or
a control character in a tag means.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from anycast.point import Point, Value
from anycast.series import MEASUREMENTS, NONE, Type

LONGEST_TAG: Final = 128
LONGEST_TEXT: Final = 4096
"""Characters; what is longer ends in an ellipsis."""
SERIES: Final = 65_536
"""Keys that are kept ready."""
MOST: Final = 2**63
"""Whole numbers are below this, and not below its negative."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_IN_KEY: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_IN_NAME: Final = str.maketrans({",": r"\,", " ": r"\ "})
_IN_TEXT: Final = str.maketrans({'"': r"\"", "\\": r"\\"})


def fit_tag(text: str) -> str:
    """Make a name fit for a tag: not empty, no control character, no backslash, and not too long."""
    said = _CONTROL.sub("\ufffd", text).replace("\\", "/")
    return _cut(said, LONGEST_TAG) or NONE


def fit_text(text: str) -> str:
    """Make a text fit for a field: lines become one, other control characters are replaced, and it is cut."""
    return _cut(_CONTROL.sub("\ufffd", re.sub(r"[\t\r\n]+", " ", text)), LONGEST_TEXT)


@lru_cache(SERIES)
def key(measurement: str, tags: tuple[str, ...]) -> str:
    """Write measurement and tags (their values, in the order of the measurement), sorted by the tags' names."""
    names = MEASUREMENTS[measurement].tags
    pairs = sorted(zip(names, map(fit_tag, tags), strict=True))
    return ",".join((measurement.translate(_IN_NAME), *(f"{name}={value.translate(_IN_KEY)}" for name, value in pairs)))


def fields(values: Mapping[str, Value | None]) -> str:
    """Write fields, sorted by name; empty when there is nothing to write."""
    written = ((name, _value(value)) for name, value in sorted(values.items()))
    return ",".join(f"{name}={value}" for name, value in written if value)


def fields_of(point: Point) -> str:
    """Write the fields of a point, each of the type in the contract: a server keeps the first that it sees."""
    kinds = MEASUREMENTS[point.measurement].fields
    return fields({name: _typed(kinds[name].type, value) for name, value in point.fields.items()})


def _typed(kind: Type, value: Value | None) -> Value | None:
    if value is None or kind is Type.TEXT:
        return value
    return float(value) if kind is Type.FLOAT else int(value)


def line(point: Point) -> str:
    """Write one point; empty when it has no field to write."""
    said = fields_of(point)
    return f"{key(point.measurement, point.tags)} {said} {point.at}" if said else ""


def _value(value: Value | None) -> str:
    match value:
        case str():
            return f'"{fit_text(value).translate(_IN_TEXT)}"'
        case int():
            return f"{int(value)}i" if -MOST <= value < MOST else ""
        case float():
            return repr(float(value)).removesuffix(".0") if math.isfinite(value) else ""
        case None:
            return ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
