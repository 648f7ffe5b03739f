"""The list of series in docs/timeseries.md, made from the contract: `python -m pipeline.points.document` prints it."""

import sys
from collections.abc import Iterator
from typing import Final

from anycast.series import MEASUREMENTS, Field, Measurement, Type, Unit, texts

MARK: Final = "<!-- made from anycast/series.py: python -m pipeline.points.document -->"
_UNITS: Final = {Unit.SECONDS: "s", Unit.RATIO: "0 to 1", Unit.BYTES: "octets", Unit.PER_SECOND: "a second"}


def document() -> str:
    """Return the section, from the mark to the end of the page."""
    return "\n".join((MARK, "", *_texts(), *(line for each in MEASUREMENTS.values() for line in _section(each))))


def _texts() -> Iterator[str]:
    by_measurement: dict[str, list[str]] = {}
    for name, field in texts():
        by_measurement.setdefault(name, []).append(f"`{field}`")
    yield "VictoriaMetrics stores no texts. These are not sent to it:"
    yield ""
    yield from (f"- `{name}`: {', '.join(fields)}" for name, fields in by_measurement.items())
    yield ""


def _section(measurement: Measurement) -> Iterator[str]:
    tags = ", ".join(f"`{tag}`" for tag in measurement.tags) or "none"
    yield f"### {measurement.name}"
    yield ""
    yield f"{measurement.said} *{str(measurement.when).capitalize()}.* Tags: {tags}."
    yield ""
    yield "| field | type | what it is |"
    yield "|---|---|---|"
    yield from (_row(name, field) for name, field in measurement.fields.items())
    yield ""


def _row(name: str, field: Field) -> str:
    unit = f", {_UNITS[field.unit]}" if field.unit in _UNITS else ""
    kind = "text" if field.type is Type.TEXT else f"{field.type}{unit}"
    codes = ": " + ", ".join(f"{code} {word}" for code, word in field.codes) if field.codes else ""
    return f"| `{name}` | {kind} | {field.said.removesuffix('.') if codes else field.said}{codes} |"


if __name__ == "__main__":
    sys.stdout.write(document())
