"""Lines of line protocol held against the contract: no measurement, tag, field or type that is not in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from anycast.series import MEASUREMENTS, Type
from tests.store.influx.server import parted

_FIELD = re.compile(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]+)(?:,|$)')


@dataclass(frozen=True, slots=True)
class Read:
    """One line, read back."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | str]
    at: int


def read(line: str) -> Read:
    """Read a line back, and hold it against the contract."""
    key, fields, at = parted(line)
    measurement, *pairs = re.split(r"(?<!\\),", key)
    tags = {name: re.sub(r"\\(.)", r"\1", value) for name, _, value in (pair.partition("=") for pair in pairs)}
    kind = MEASUREMENTS[measurement]
    assert set(tags) == set(kind.tags), line
    assert list(tags) == sorted(tags), line
    assert all(tags.values()), line
    found: dict[str, float | str] = {}
    for name, text in _FIELD.findall(fields):
        found[name] = _value(kind.fields[name].type, text)
        codes = kind.fields[name].codes
        assert not codes or found[name] in {code for code, _ in codes}, line
    assert found, line
    return Read(measurement, tags, found, int(at))


def _value(type_: Type, text: str) -> float | str:
    match type_:
        case Type.TEXT:
            assert text.startswith('"'), text
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        case Type.INTEGER:
            assert re.fullmatch(r"-?\d+i", text), text
            return int(text[:-1])
        case Type.FLOAT:
            return float(text)
