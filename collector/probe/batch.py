"""The batch: what an agent took within a quarter of a second, as bytes that both ends share.

One batch is one gzip member around one JSON object: who and when, how the agent did, and the results as columns, so
that equal values lie together. A column in which every row has the same usual value is left out. A body of a request
is one member, or several of one run one behind the other: that is how a backlog goes fast.

Any bytes are batches or a `Refused` that says why: sizes, ratios, rows, types, lengths and ranges are bounded here, so
that nothing behind needs to look again. What `encode` writes is always taken by `decode`: words are cut and numbers
are clipped on the way out, for a batch that the centre refuses would hold up all that comes after it.
"""

import json
import math
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import repeat
from typing import Any, Final

from anycast.probe import ROTATING, Outcome, Probe, Proof, Target, TargetKind
from collector.probe.taken import Health, Taken
from collector.written.words import NAME

VERSION: Final = 1
CONTENT_TYPE: Final = "application/vnd.catchment.batch+gzip"
LARGEST: Final = 1 << 20
"""Octets of a body."""
DECOMPRESSED: Final = 8 << 20
"""Octets of all members of a body together."""
RATIO: Final = 250
"""How often larger a member may become; JSON columns of probes stay under 40."""
FREE: Final = 256 << 10
"""Octets that any member may become, however small it was."""
MOST_MEMBERS: Final = 64
MOST_ROWS: Final = 4_096
MOST_TARGETS: Final = 1_000
MOST_LACKING: Final = 32
OLDEST: Final = 3_600_000_000_000
"""How long before its batch a result was taken at most, ns: a download, a trace or a canary lasts."""
SPAN: Final = 1 << 62
"""No time or duration, in ns, is further from 0: a hundred years and more."""
RUN: Final = re.compile(r"[0-9a-f]{16}")
BOOT: Final = re.compile(r"[0-9a-f-]{1,40}")


class Refused(ValueError):
    """Bytes that are no batch; the message says why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. Results are columns by name; each is as long as the others, and all that `COLUMNS` names are there."""

    site: str
    run: str
    """Random for each start of an agent, 16 hexadecimal digits."""
    sequence: int
    """Number in its run, from 1."""
    boot: str
    """The kernel's boot id: what a monotonic clock belongs to."""
    mono: int
    """CLOCK_MONOTONIC when the batch was closed, ns."""
    wall: int
    """The wall clock at the same moment, ns since 1970."""
    host: str = ""
    interval: float = 0.25
    dropped: int = 0
    """Results that were given up since the batch before."""
    health: Health = field(default_factory=Health)
    targets: tuple[Target, ...] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """How one column goes over the wire: what is usual in it, how it is checked and how it is made to fit."""

    usual: Any
    fits: Callable[[list[Any]], bool]
    cut: Callable[[Any], Any]


def _whole(low: int, high: int, usual: int | None = 0, *, null: bool = False) -> Column:
    types = {int, type(None)} if null else {int}

    def fits(values: list[Any]) -> bool:
        if not set(map(type, values)) <= types:
            return False
        numbers = [value for value in values if value is not None] if null else values
        return not numbers or (min(numbers) >= low and max(numbers) <= high)

    return Column(usual, fits, lambda value: None if value is None else min(max(int(value), low), high))


def _text(longest: int) -> Column:
    def fits(values: list[Any]) -> bool:
        if not set(map(type, values)) <= {str}:
            return False
        return max(map(len, values), default=0) <= longest and "".join(values).isprintable()

    return Column("", fits, lambda value: clean(value, longest))


def _word(words: type[Probe] | type[Outcome] | type[Proof], usual: str | None) -> Column:
    known = frozenset(map(str, words))

    def fits(values: list[Any]) -> bool:
        return set(map(type, values)) <= {str} and known.issuperset(values)

    return Column(usual, fits, str)


def _number() -> Column:
    def fits(values: list[Any]) -> bool:
        return set(map(type, values)) <= {int, float, type(None)} and all(
            value is None or (abs(value) <= SPAN and math.isfinite(value)) for value in values
        )

    return Column(None, fits, lambda value: value if value is not None and abs(value) <= SPAN else None)


def _flag() -> Column:
    return Column(False, lambda values: set(map(type, values)) <= {bool}, bool)


_duration = _whole(0, SPAN, None, null=True)
COLUMNS: Final[Mapping[str, Column]] = {
    "mono": _whole(0, SPAN),
    "wall": _whole(0, SPAN),
    "probe": _word(Probe, None),
    "target": _text(63),
    "outcome": _word(Outcome, None),
    "flow": _whole(ROTATING, 0xFFFF, ROTATING),
    "port": _whole(0, 0xFFFF),
    "rtt": _duration,
    "region": _text(63),
    "nva": _text(63),
    "instance": _text(128),
    "generation": _text(128),
    "proof": _word(Proof, str(Proof.NONE)),
    "forward": _whole(-SPAN, SPAN, None, null=True),
    "held": _whole(-SPAN, SPAN, None, null=True),
    "connect": _duration,
    "first_byte": _duration,
    "ttl": _whole(0, 255),
    "far_ttl": _whole(0, 255),
    "seen": _text(64),
    "status": _whole(0, 0xFFFF),
    "value": _number(),
    "hops": _text(2_000),
    "detail": _text(500),
    "tainted": _flag(),
}
NEEDED: Final = ("mono", "wall", "probe", "target", "outcome")
IDENTITY: Final = ("region", "nva", "instance", "generation")
HEALTH: Final[Mapping[str, Column]] = {
    "lag": _whole(0, SPAN),
    "unsent": _whole(0, SPAN),
    "sent": _whole(0, SPAN),
    "step": _whole(-SPAN, SPAN),
}
TARGET: Final[Mapping[str, int]] = {"region": 63, "nva": 63, "circuit": 63, "service": 63}


def clean(text: str, longest: int) -> str:
    """Return text without what cannot be shown, at most so long."""
    return text[:longest] if text.isprintable() else "".join(c for c in text if c.isprintable())[:longest]


def encode(batch: Batch, taken: Sequence[Taken]) -> bytes:
    """Write a batch with these results (`batch.columns` is not looked at); at most MOST_ROWS of them."""
    assert len(taken) <= MOST_ROWS
    return sealed(plain(batch, taken))


def sealed(document: bytes) -> bytes:
    """Compress a batch's JSON."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(document) + packer.flush()


def plain(batch: Batch, taken: Sequence[Taken]) -> bytes:
    """Return the JSON of a batch with these results."""
    health = batch.health
    document: dict[str, Any] = {
        "version": VERSION,
        "site": batch.site,
        "run": batch.run,
        "sequence": batch.sequence,
        "boot": batch.boot,
        "mono": batch.mono,
        "wall": batch.wall,
        "host": clean(batch.host, 253),
        "interval": batch.interval,
        "dropped": batch.dropped,
        "health": {name: column.cut(getattr(health, name)) for name, column in HEALTH.items()}
        | {
            "tainted": health.tainted if 0.0 <= health.tainted <= 1.0 else 1.0,
            "lacking": [clean(said, 500) for said in health.lacking[:MOST_LACKING]],
        },
        "rows": len(taken),
        "columns": dict(_columns(taken, batch.mono)),
    }
    if batch.targets:
        document["targets"] = [_target(target) for target in batch.targets[:MOST_TARGETS]]
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _columns(taken: Sequence[Taken], closed: int) -> Iterator[tuple[str, list[Any]]]:
    for name, column in COLUMNS.items():
        if name in IDENTITY:
            values = [getattr(each.identity, name) if each.identity is not None else "" for each in taken]
        elif name == "hops":
            values = [" ".join(each.hops) for each in taken]
        elif name == "mono":
            values = [min(max(each.mono, closed - OLDEST, 0), closed) for each in taken]
        else:
            values = [getattr(each, name) for each in taken]
        if values and (name in NEEDED or any(value != column.usual for value in values)):
            yield name, values if column.fits(values) else [column.cut(value) for value in values]


def _target(target: Target) -> dict[str, str]:
    shown = {"name": target.name, "kind": str(target.kind)}
    if target.address is not None:
        shown["address"] = str(target.address)
    return shown | {name: value for name in TARGET if (value := getattr(target, name)) is not None}


def decode(body: bytes) -> list[Batch]:
    """Read a body: the batches in it, one or more. Raises Refused."""
    if len(body) > LARGEST:
        raise Refused(f"the body has {len(body)} octets; {LARGEST} at most are taken")
    batches: list[Batch] = []
    left = DECOMPRESSED
    while body or not batches:
        if len(batches) == MOST_MEMBERS:
            raise Refused(f"the body has more than {MOST_MEMBERS} batches")
        document, body = _member(body, left)
        left -= len(document)
        batches.append(_batch(document))
    first = batches[0]
    for number, batch in enumerate(batches):
        if (batch.site, batch.run, batch.sequence) != (first.site, first.run, first.sequence + number):
            raise Refused("the batches of a body are not of one run, one behind the other")
    return batches


def _member(body: bytes, left: int) -> tuple[bytes, bytes]:
    """The first gzip member, decompressed, and what follows it."""
    unpacker = zlib.decompressobj(31)
    try:
        document = unpacker.decompress(body, left + 1)
    except zlib.error as error:
        raise Refused(f"the body is not gzip: {error}") from None
    if len(document) > left:
        raise Refused(f"the body decompresses to more than {DECOMPRESSED} octets")
    if not unpacker.eof:
        raise Refused("the body is not gzip: its end is missing")
    size = len(body) - len(unpacker.unused_data)
    if len(document) > max(FREE, RATIO * size):
        raise Refused(f"{size} octets decompress to {len(document)}, more than {RATIO} times as many")
    return document, unpacker.unused_data


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _batch(raw: bytes) -> Batch:
    try:
        document = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"a batch is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise Refused("a batch is no JSON object")
    if document.get("version") != VERSION:
        raise Refused(f"the batch has version {str(document.get('version'))[:20]!r}; version {VERSION} is taken here")
    mono = _one(document, "mono", _whole(0, SPAN))
    rows = _one(document, "rows", _whole(0, MOST_ROWS))
    return Batch(
        site=_matched(document, "site", re.compile(NAME)),
        run=_matched(document, "run", RUN),
        sequence=_one(document, "sequence", _whole(1, SPAN)),
        boot=_matched(document, "boot", BOOT),
        mono=mono,
        wall=_one(document, "wall", _whole(0, SPAN)),
        host=_one(document, "host", _text(253)),
        interval=_between(document, "interval", 0.01, 60.0),
        dropped=_one(document, "dropped", _whole(0, SPAN)),
        health=_health(document.get("health")),
        targets=_targets(document.get("targets", [])),
        columns=_filled(document.get("columns"), rows, mono),
        rows=rows,
    )


def _one(document: Mapping[str, Any], name: str, column: Column) -> Any:
    value = document.get(name)
    if value is None or not column.fits([value]):
        raise Refused(f"`{name}` is {str(value)[:60]!r}, which is not right there")
    return value


def _matched(document: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(f"`{name}` is {str(value)[:60]!r}, which is not right there")
    return value


def _between(document: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(f"`{name}` is {str(value)[:60]!r}; it lies between {low:g} and {high:g}")
    return float(value)


def _health(document: Any) -> Health:
    if not isinstance(document, dict):
        raise Refused("`health` is no JSON object")
    lacking = document.get("lacking")
    if not isinstance(lacking, list) or len(lacking) > MOST_LACKING or not _text(500).fits(lacking):
        raise Refused(f"`lacking` is no list of at most {MOST_LACKING} sentences")
    tainted = _between(document, "tainted", 0.0, 1.0)
    return Health(
        tainted=tainted, lacking=tuple(lacking), **{name: _one(document, name, how) for name, how in HEALTH.items()}
    )


def _targets(document: Any) -> tuple[Target, ...]:
    if not isinstance(document, list) or len(document) > MOST_TARGETS:
        raise Refused(f"`targets` is no list of at most {MOST_TARGETS}")
    return tuple(map(_read_target, document))


def _read_target(document: Any) -> Target:
    if not isinstance(document, dict):
        raise Refused("a target is no JSON object")
    words = {name: document.get(name) for name in TARGET}
    if any(
        value is not None and not _text(longest).fits([value])
        for value, longest in zip(words.values(), TARGET.values(), strict=True)
    ):
        raise Refused("a target's region, NVA or circuit is not right")
    address = document.get("address")
    try:
        kind = TargetKind(str(document.get("kind")))
        at = None if address is None else ip_address(_matched(document, "address", re.compile(r"[0-9a-fA-F.:]{2,45}")))
    except ValueError as error:
        raise Refused(f"a target's kind or address is not right: {str(error)[:100]}") from None
    return Target(_one(document, "name", _text(63)), kind, at, **words)


def _filled(document: Any, rows: int, mono: int) -> dict[str, Sequence[Any]]:
    """Every column that there is, checked; those left out are usual in every row."""
    if not isinstance(document, dict):
        raise Refused("`columns` is no JSON object")
    if unknown := document.keys() - COLUMNS.keys():
        raise Refused(f"there is no column {min(unknown)[:60]!r}")
    found: dict[str, Sequence[Any]] = {}
    for name, column in COLUMNS.items():
        values = document.get(name)
        if values is None and not (rows and name in NEEDED):
            found[name] = list(repeat(column.usual, rows))
        elif not isinstance(values, list) or len(values) != rows:
            raise Refused(f"the column {name} does not have {rows} values")
        elif not column.fits(values):
            raise Refused(f"a value in the column {name} is not right there")
        else:
            found[name] = values
    times = found["mono"]
    if rows and not mono - OLDEST <= min(times) <= max(times) <= mono:
        raise Refused("a result was taken after its batch was closed, or more than an hour before")
    return found
