"""What a query names, and whether the contract has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anycast.series import MEASUREMENTS, Type


@dataclass(slots=True)
class Names:
    """The names that one query rests on."""

    measurement: str = ""
    fields: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)


class Unknown(Exception):
    """A query names what nobody writes."""


class Unread(Exception):
    """A query that the reader does not understand: it would hold nothing."""


def hold(names: Names) -> None:
    """Raise Unknown where a name is not in anycast/series.py."""
    measurement = MEASUREMENTS.get(names.measurement)
    if measurement is None:
        raise Unknown(f"there is no measurement {names.measurement!r}")
    for name in sorted(names.fields - set(measurement.fields)):
        raise Unknown(f"{names.measurement} has no field {name!r}")
    for name in sorted(names.tags - set(measurement.tags)):
        raise Unknown(f"{names.measurement} has no tag {name!r}")
    if not names.fields and not names.tags:
        raise Unread("it names neither field nor tag")


def by_metric() -> Mapping[str, tuple[str, str]]:
    """Measurement and field of each name in VictoriaMetrics; texts have none there."""
    return {
        f"{measurement.name}_{name}": (measurement.name, name)
        for measurement in MEASUREMENTS.values()
        for name, each in measurement.fields.items()
        if each.type is not Type.TEXT
    }


def numeric_fields() -> set[tuple[str, str]]:
    """Every field that is a number."""
    return set(by_metric().values())
