"""bgpdump (Debian's package) as a second decoder: what it prints, and what we would have to print to be its equal."""

import subprocess
from collections import Counter
from pathlib import Path

from anycast.prefix import Address
from anycast.route import Attributes
from collector.wire.element import Element, ElementType
from collector.wire.mrt.values import STATES
from tests import needs

Line = tuple[str, ...]

_ORIGINS = {0: "IGP", 1: "EGP", 2: "INCOMPLETE", None: "INCOMPLETE"}
_CODES = {name: str(code) for code, name in STATES.items()}
_SPELLED = {0xFFFFFF01: "no-export", 0xFFFFFF02: "no-advertise", 0xFFFFFF03: "local-AS"}


def bgpdump(path: Path) -> Counter[Line]:
    """Run `bgpdump -m -l` over an MRT file; its lines, cut into fields."""
    command = [needs.tool("bgpdump"), "-m", "-l", "-v", str(path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Counter(tuple(line.split("|")) for line in printed.splitlines())


def as_bgpdump(element: Element, form: str) -> Line | None:
    """Return an element as `bgpdump -m -l` spells it, `form` being its record type; None for what it passes over."""
    assert element.time is not None
    if element.path_id is not None:
        form += "_AP"
    head = (form, str(int(element.time.timestamp())))
    where = (str(element.peer), str(element.peer_asn))
    route = (str(element.prefix), *([] if element.path_id is None else [str(element.path_id)]))
    match element.type:
        case ElementType.STATE if element.state:
            return (*head, "STATE", *where, _CODES[element.old_state], _CODES[element.state])
        case ElementType.WITHDRAWAL:
            return (*head, "W", *where, *route)
        case ElementType.ANNOUNCEMENT | ElementType.RIB:
            letter = "A" if element.type is ElementType.ANNOUNCEMENT else "B"
            assert element.attributes is not None
            return (*head, letter, *where, *route, *_attributes(element.attributes, form), "")
    return None


def _attributes(value: Attributes, form: str) -> Line:
    aggregator = value.aggregator
    communities = " ".join(_SPELLED.get(item, f"{item >> 16}:{item & 0xFFFF}") for item in value.communities)
    large = " ".join(":".join(map(str, item)) for item in value.large_communities)
    return (
        str(value.as_path),
        _ORIGINS[value.origin],
        _next_hop(value.next_hop),
        str(value.local_pref or 0),
        str(value.med or 0),
        # Lines of the deprecated BGP records have no field for communities that were not sent.
        *([] if form == "BGP" and not communities else [communities, large]),
        "AG" if value.atomic_aggregate else "NAG",
        f"{aggregator.asn} {aggregator.address}" if aggregator else "",
    )


def _next_hop(value: Address | None) -> str:
    if value is None:
        return "255.255.255.255"
    if value.version == 6 and value.ipv4_mapped is not None:
        return f"::ffff:{value.ipv4_mapped}"
    return str(value)
