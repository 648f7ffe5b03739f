"""The value types of an intent file: text in, the vocabulary's values out, and their JSON Schema.

Each reader raises ValueError with a sentence that names the value and what would be right.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from anycast.finding import Kind, Severity
from anycast.intent import Role, Rung, TrafficMode
from anycast.observation import Rib
from anycast.plain import parse_stamp
from anycast.prefix import Address, Prefix, parse_prefix
from anycast.route import Asn, Community, parse_community
from collector.written.words import DURATION, NAME, SIZE, listed, nearest, read_address, read_duration, read_size, shown
from pipeline.config.paths import AS_PATH_LONGEST, as_path_expression
from store.influx.where import ServerKind

VANTAGE_NAME = r"[A-Za-z0-9][A-Za-z0-9._:/*-]{0,127}"

ANY_NAME = "any name"
"""A validation context: the shape of names was looked at already, and is not to hide what they name."""

HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"


def read_prefix(value: object) -> Prefix:
    """Read `10.250.0.10/32`."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a prefix such as 10.250.0.10/32")
    return parse_prefix(value)


def read_source(value: object) -> Prefix:
    """Read an address or a prefix that connections may come from."""
    prefix = read_prefix(value)
    if prefix.prefixlen == 0:
        raise ValueError(f"{value} lets anybody connect; name the router's address, such as 10.90.0.1")
    return prefix


def read_asn(value: object) -> Asn:
    """Read an AS number."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 0xFFFFFFFF:
        raise ValueError(f"{shown(value)} is not an AS number; it is a number from 1 to 4294967295, such as 65010")
    return Asn(value)


def read_community(value: object) -> Community:
    """Read `12076:51004`, quoted or not, or `no-export`."""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > 40:
        raise ValueError(f"{shown(value)} is not a community such as 12076:51004 or no-export")
    return parse_community(str(value))


def read_covered(value: object) -> timedelta:
    """Read what one file of the archive covers: 10 seconds to a day."""
    covered = read_duration(value)
    if not timedelta(seconds=10) <= covered <= timedelta(days=1):
        raise ValueError(f"{shown(value)} does not lie between 10s and 1d, which one file can cover")
    return covered


def read_time(value: object) -> datetime:
    """Read `2026-12-01T22:00:00Z`."""
    if isinstance(value, str) and "T" in value.upper():
        naive = False
        with contextlib.suppress(ValueError, OverflowError):
            naive = datetime.fromisoformat(value).tzinfo is None
            if not naive:
                return parse_stamp(value)
        if naive:
            raise ValueError(f"{value!r} has no zone; write {value}Z for UTC")
    raise ValueError(f"{shown(value)} is not a time such as 2026-12-01T22:00:00Z")


def read_host(value: object) -> str:
    """Read `catchment.example.com`."""
    if not isinstance(value, str) or not re.fullmatch(HOST, value):
        raise ValueError(f"{shown(value)} is not the name of a host such as catchment.example.com")
    return value.lower()


def read_endpoint(value: object) -> tuple[str, int]:
    """Read `127.0.0.1:8470` or `[::1]:8470` as address and port."""
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        address = ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
        if not colon or not (port.isascii() and port.isdigit()) or not 0 <= int(port[:6]) <= 0xFFFF:
            raise ValueError(port)
    except ValueError:
        raise ValueError(f"{shown(value)} is not an address and a port such as 127.0.0.1:8470") from None
    return str(address), int(port)


def read_url(value: object) -> str:
    """Read the http or https URL of a receiver."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not isinstance(value, str) or any(letter.isspace() for letter in value):
        raise ValueError(f"{shown(value)} is not a URL such as https://alerts.example.com/hook")
    return value


def read_server_url(value: object) -> str:
    """Read the http or https URL of a server of time series: no password and no query in it."""
    said = f"{shown(value)} is not a URL such as https://influx.example.com:8086"
    try:
        url = read_url(value)
    except ValueError:
        raise ValueError(said) from None
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a password in it; write that into a file, and name the file as `token_file`")
    if parts.query or parts.fragment:
        raise ValueError(f"{said}; org and bucket have keys of their own")
    return url.rstrip("/").removesuffix("/api/v2/write")


def read_server_kind(value: object) -> ServerKind:
    """Read `influxdb`, `influxdb-1` or `victoria-metrics`."""
    known = [str(kind) for kind in ServerKind]
    if value not in known:
        raise ValueError(f"{shown(value)} is no kind of server; it is {listed(known)}{nearest(str(value), known)}")
    return ServerKind(str(value))


def read_hold_time(value: object) -> int:
    """Read a BGP hold time in seconds: 0, or at least 3 (RFC 4271, 4.2)."""
    if isinstance(value, bool) or not isinstance(value, int) or value in (1, 2) or not 0 <= value <= 0xFFFF:
        raise ValueError(f"{shown(value)} is no hold time; write 3 to 65535 (seconds, without a unit), or 0 for none")
    return value


def _pattern(pattern: str, letters: str) -> Callable[[object, ValidationInfo], str]:
    def read(value: object, info: ValidationInfo) -> str:
        if info.context == ANY_NAME and isinstance(value, str):
            return value
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(
                f"{shown(value)} is no name; a name is made of {letters}, and begins with a letter or digit"
            )
        return value

    return read


def _word(words: type[Kind | Severity | Role | Rung | TrafficMode | Rib], what: str) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        known = [str(word) for word in words]
        if value not in known:
            meant = nearest(str(value), known)
            choice = f"; it is {listed(known)}" if len(known) <= 8 or not meant else ""
            raise ValueError(f"{shown(value)} is no {what}{choice}{meant}")
        return words(value)

    return read


def _typed(read: Callable[..., Any], **schema: Any) -> tuple[PlainValidator, WithJsonSchema]:
    return PlainValidator(read), WithJsonSchema({"type": "string", **schema})


def _words(words: type[Kind | Severity | Role | Rung | TrafficMode | Rib], what: str) -> tuple[Any, Any]:
    return _typed(_word(words, what), enum=[str(word) for word in words])


PrefixField = Annotated[Prefix, *_typed(read_prefix, description="a prefix such as 10.250.0.10/32")]
SourceField = Annotated[Prefix, *_typed(read_source, description="an address, or a prefix of addresses")]
AddressField = Annotated[Address, *_typed(read_address, description="an address such as 10.10.1.4")]
AsnField = Annotated[Asn, *_typed(read_asn, type="integer", minimum=1, maximum=0xFFFFFFFF)]
CommunityField = Annotated[
    Community,
    *_typed(read_community, type=["string", "integer"], description="a community such as 12076:51002 or no-export"),
]
DurationField = Annotated[
    timedelta,
    PlainValidator(read_duration),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": f"^{DURATION}$"}, {"const": 0}]}),
]
CoveredField = Annotated[
    timedelta,
    PlainValidator(read_covered),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION}$"}),
]
SizeField = Annotated[int, *_typed(read_size, pattern=f"^{SIZE}$")]
TimeField = Annotated[datetime, *_typed(read_time, format="date-time")]
EndpointField = Annotated[tuple[str, int], *_typed(read_endpoint, description="address and port: 127.0.0.1:8470")]
HostField = Annotated[str, *_typed(read_host, format="hostname")]
ServerUrlField = Annotated[str, *_typed(read_server_url, format="uri", pattern="^https?://")]
ServerKindField = Annotated[ServerKind, *_typed(read_server_kind, enum=[str(kind) for kind in ServerKind])]
UrlField = Annotated[str, *_typed(read_url, format="uri", pattern="^https?://")]
HoldTimeField = Annotated[
    int,
    PlainValidator(read_hold_time),
    WithJsonSchema({"type": "integer", "anyOf": [{"const": 0}, {"minimum": 3, "maximum": 0xFFFF}]}),
]
AsPathField = Annotated[str, *_typed(as_path_expression, format="regex", maxLength=AS_PATH_LONGEST)]
NameField = Annotated[str, *_typed(_pattern(NAME, "up to 63 letters, digits, '.', '_' and '-'"), pattern=f"^{NAME}$")]
VantageNameField = Annotated[
    str, *_typed(_pattern(VANTAGE_NAME, "up to 128 letters, digits and . _ : / * -"), pattern=f"^{VANTAGE_NAME}$")
]
KindField = Annotated[Kind, *_words(Kind, "kind of finding")]
SeverityField = Annotated[Severity, *_words(Severity, "severity")]
RoleField = Annotated[Role, *_words(Role, "role")]
RungField = Annotated[Rung, *_words(Rung, "rung")]
ModeField = Annotated[TrafficMode, *_words(TrafficMode, "traffic mode")]
RibField = Annotated[Rib, *_words(Rib, "RIB view")]


def _tier(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is no tier; {TIERS}")
    return value


def _tier_list(value: object) -> object:
    """Complain once where none of the entries is a tier."""
    if isinstance(value, list) and value and not any(isinstance(tier, list) for tier in value):
        raise ValueError(f"entry 1, {shown(value[0])}, is no tier; {TIERS}")
    return value


TIERS = "a tier is a list of regions: [[weu], [eus]] prefers weu to eus, [[weu, eus]] uses both at once"

Tiers = Annotated[list[Annotated[list[str], Field(min_length=1), BeforeValidator(_tier)]], BeforeValidator(_tier_list)]
