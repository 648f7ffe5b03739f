"""Prefixes as the columns hold them, and the SQL conditions that find them. Values are parameters, never text."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from anycast.prefix import Prefix

_WORD: Final = (1 << 64) - 1


class Match(StrEnum):
    """Which prefixes a question about a prefix is about."""

    EXACT = "exact"
    INSIDE = "inside"
    """The prefix and all more specific ones."""
    COVERING = "covering"
    """The prefix and all that cover it, the default route included."""
    TOUCHING = "touching"
    """Inside or covering."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on route rows, and its parameters."""

    sql: str
    parameters: dict[str, int]


def columns(prefix: Prefix) -> tuple[int, int, int, int]:
    """Return family, prefix_high, prefix_low and length of a prefix."""
    bits = int(prefix.network_address) << (96 if prefix.version == 4 else 0)
    return prefix.version, bits >> 64, bits & _WORD, prefix.prefixlen


def prefix_of(family: int, high: int, low: int, length: int) -> Prefix:
    """Return the prefix that columns hold."""
    if family == 4:
        return IPv4Network((IPv4Address(high >> 32), length))
    return IPv6Network((IPv6Address(high << 64 | low), length))


def condition(prefix: Prefix, match: Match, name: str = "p") -> Condition:
    """Return the condition that finds route rows of `prefix`; `name` keeps the parameters of several apart."""
    match match:
        case Match.EXACT:
            return _exact(prefix, name)
        case Match.INSIDE:
            return _inside(prefix, name)
        case Match.COVERING:
            return _covering(prefix, name)
        case Match.TOUCHING:
            inside, covering = _inside(prefix, name), _covering(prefix, name)
            return Condition(f"({inside.sql} or {covering.sql})", inside.parameters | covering.parameters)


def _exact(prefix: Prefix, name: str) -> Condition:
    family, high, low, length = columns(prefix)
    sql = (
        f"(family = ${name}_family::UTINYINT and prefix_high = ${name}_high::UBIGINT"
        f" and prefix_low = ${name}_low::UBIGINT and length = ${name}_length::UTINYINT)"
    )
    values = {"family": family, "high": high, "low": low, "length": length}
    return Condition(sql, {f"{name}_{key}": value for key, value in values.items()})


def _inside(prefix: Prefix, name: str) -> Condition:
    family, high, low, length = columns(prefix)
    last = int(prefix.broadcast_address) << (96 if family == 4 else 0)
    to_low = _WORD if length <= 64 else last & _WORD
    values = {"family": family, "high": high, "to_high": last >> 64, "low": low, "to_low": to_low, "length": length}
    sql = (
        f"(family = ${name}_family::UTINYINT and length >= ${name}_length::UTINYINT"
        f" and prefix_high between ${name}_high::UBIGINT and ${name}_to_high::UBIGINT"
        f" and prefix_low between ${name}_low::UBIGINT and ${name}_to_low::UBIGINT)"
    )
    return Condition(sql, {f"{name}_{key}": value for key, value in values.items()})


def _covering(prefix: Prefix, name: str) -> Condition:
    parts = [_exact(prefix.supernet(new_prefix=length), f"{name}_{length}") for length in range(prefix.prefixlen + 1)]
    values = {key: value for part in parts for key, value in part.parameters.items()}
    return Condition("(" + " or ".join(part.sql for part in parts) + ")", values)
