"""Points of every measurement of the contract, with every tag and every field, as line protocol."""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

from anycast.finding import Kind, Severity
from anycast.intent import Rung
from anycast.kinds import KINDS
from anycast.series import MEASUREMENTS, Field, Measurement, Type

EVERY = 10
"""Seconds between points of a series."""
LASTS = 180
"""Seconds that all of them span."""
FEW = 500
_SEVERITIES = tuple(str(severity) for severity in Severity)
_KINDS = tuple(str(kind) for kind in KINDS)
VALUES: Mapping[str, tuple[str, ...]] = {
    "action": ("announced", "withdrawn", "changed"),
    "cause": _KINDS,
    "exporter": ("ams-ce1", "lon-ce1", "gobgp"),
    "kind": ("udp", "http"),
    "leg": ("weu-nva1", "weu-nva2", "192.0.2.1"),
    "prefix": ("10.250.0.10/32", "fd00:250::10/128"),
    "region": ("weu", "neu", "-"),
    "rung": tuple(Rung)[1:7],
    "service": ("web", "dns"),
    "severity": _SEVERITIES,
    "site": ("ams", "lon"),
    "statistic": ("rib-in", "rejected"),
    "step": ("opened", "closed"),
    "vantage": ("ams-ce1 pre", "weu-rs0", "weu-rs1"),
}
"""Values of tags."""


def lines(end: int) -> bytes:
    """Every measurement, up to and with `end` (seconds since the epoch), in nanoseconds."""
    return "\n".join(_lines(end)).encode()


def series(measurement: Measurement) -> Iterator[Mapping[str, str]]:
    """Tags of some series: every combination of values where those are few, else each with several others."""
    values = [_values(measurement, tag) for tag in measurement.tags]
    if prod(map(len, values)) <= FEW:
        yield from (dict(zip(measurement.tags, each, strict=True)) for each in product(*values))
        return
    for number in range(4 * max(map(len, values))):
        yield {
            tag: each[number // (1 + place % 2) % len(each)]
            for place, (tag, each) in enumerate(zip(measurement.tags, values, strict=True))
        }


def _values(measurement: Measurement, tag: str) -> tuple[str, ...]:
    if tag == "kind" and measurement.name in ("finding", "findings"):
        return tuple(Kind)
    return VALUES[tag]


def _lines(end: int) -> Iterator[str]:
    for measurement in MEASUREMENTS.values():
        for tags in series(measurement):
            named = "".join(f",{tag}={_escaped(value)}" for tag, value in tags.items())
            for number, at in enumerate(range(end - LASTS, end + 1, EVERY)):
                fields = ",".join(f"{name}={_value(field, number)}" for name, field in measurement.fields.items())
                yield f"{measurement.name}{named} {fields} {at * 10**9}"


def _value(field: Field, number: int) -> str:
    if field.type is Type.TEXT:
        return '"some text"'
    if field.codes:
        return f"{field.codes[number % len(field.codes)][0]}i"
    return f"{number + 1}i" if field.type is Type.INTEGER else f"{(number + 1) / 100}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
