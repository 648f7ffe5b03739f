"""`catchment decode --stats` for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

MOST: Final = 10
"""Peers and origins that are shown; --json has them all."""

_TYPES: Final = {
    "A": "announcements",
    "W": "withdrawals",
    "R": "routes of table dumps",
    "E": "ends of tables",
    "S": "session states",
    "O": "routes of other families",
    "T": "statistics",
    "F": "feeds",
    "M": "malformed messages",
    "N": "notes",
}


def stats_lines(plain: Mapping[str, Any]) -> Iterator[str]:
    """Lines for the counts that `--json` shows whole."""
    rate = f"{plain['routes_per_second']:,} routes/s" if plain["routes"] else "no routes"
    yield from _rows(
        (f"{plain['files']:,}", "files" if plain["files"] != 1 else "file"),
        (f"{plain['octets']:,}", "octets"),
        (f"{plain['messages']:,}", "messages"),
        (f"{plain['elements']:,}", f"elements in {plain['seconds']:.2f} s, {rate}"),
    )
    if plain["first"] is not None:
        yield ""
        yield f"from {plain['first']}"
        yield f"to   {plain['last']}"
    yield from _section("BY TYPE", [(count, f"{kind}  {_TYPES[kind]}") for kind, count in plain["types"].items()])
    yield from _section("BY FAMILY", [(count, family) for family, count in plain["families"].items()])
    yield from _section("BY PEER", [(each["routes"], _peer(each)) for each in plain["peers"]], "routes")
    yield from _section("BY ORIGIN", [(each["routes"], f"AS {each['asn']}") for each in plain["origins"]], "routes")
    yield from _section("MALFORMED", [(count, action) for action, count in plain["malformed"].items()])


def _peer(each: Mapping[str, Any]) -> str:
    behind = f" at {each['router']}" if each["router"] else ""
    return f"{each['peer'] or 'Loc-RIB'} AS {each['asn']}{behind}"


def _section(head: str, rows: Sequence[tuple[int, str]], of: str = "") -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"{head}{f' ({of})' if of else ''}"
    yield from _rows(*((f"{count:,}", text) for count, text in rows[:MOST]))
    if len(rows) > MOST:
        rest = sum(count for count, _ in rows[MOST:])
        yield from _rows((f"{rest:,}", f"and {len(rows) - MOST:,} more; --json lists all"))


def _rows(*rows: tuple[str, str]) -> Iterator[str]:
    return (f"{count:>14}  {text}" for count, text in rows)
