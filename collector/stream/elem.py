"""Elements under the names that pybgpstream gives them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from anycast.route import Attributes
from collector.wire.element import Element, ElementType

PYBGPSTREAM: Final = frozenset({ElementType.RIB, ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.STATE})
"""The types of element that pybgpstream has."""

_STATES: Final = {"up": "established", "down": "idle"}


@dataclass(frozen=True)
class BGPElem:
    """One element; `element` is all that is known of it, the rest is what pybgpstream calls it."""

    element: Element

    @property
    def record_type(self) -> str:
        """`rib` for a route of a table dump, else `update`."""
        return "rib" if self.element.type is ElementType.RIB else "update"

    @property
    def type(self) -> str:
        """`R`, `A`, `W` or `S`, and our letters for what pybgpstream has not (see `collector.wire.element`)."""
        return str(self.element.type)

    @property
    def time(self) -> float:
        """Seconds since 1970; 0.0 where nobody said when."""
        return 0.0 if self.element.time is None else self.element.time.timestamp()

    @property
    def project(self) -> str:
        """Empty: files belong to no project."""
        return ""

    @property
    def collector(self) -> str:
        """The same as `router`: who wrote the file."""
        return self.element.router

    @property
    def router(self) -> str:
        """sysName of the BMP exporter, or the address of the side that wrote an MRT file; empty in table dumps."""
        return self.element.router

    @property
    def router_ip(self) -> str:
        """The router's address where that is what is known of it, else empty."""
        return self.element.router if self.element.router.strip("0123456789abcdef.:") == "" else ""

    @property
    def peer_address(self) -> str:
        """The peer's address; empty for a Loc-RIB."""
        return "" if self.element.peer is None else str(self.element.peer)

    @property
    def peer_asn(self) -> int:
        """The peer's AS number; 0 where there is no peer."""
        return self.element.peer_asn or 0

    @cached_property
    def fields(self) -> dict[str, str | set[str]]:
        """`prefix`, `next-hop`, `as-path` and `communities` (a set of `65010:1`), or `old-state` and `new-state`."""
        shown: dict[str, str | set[str]] = {}
        if self.element.prefix is not None:
            shown["prefix"] = str(self.element.prefix)
        if self.element.attributes is not None:
            shown |= _attributes(self.element.attributes)
        if self.element.type is ElementType.STATE:
            shown |= {"old-state": _state(self.element.old_state), "new-state": _state(self.element.state)}
        return shown

    def __str__(self) -> str:
        """One line, as pybgpstream prints it."""
        shown = self.fields
        told = (
            f"{self.record_type}|{self.type}|{self.time:f}|{self.project}|{self.collector}|{self.router}|"
            f"{self.router_ip}|{self.peer_asn}|{self.peer_address}"
        )
        communities = " ".join(sorted(shown["communities"])) if "communities" in shown else None
        rest = (shown.get("prefix"), shown.get("next-hop"), shown.get("as-path"), communities)
        return "|".join((told, *map(str, (*rest, shown.get("old-state"), shown.get("new-state")))))


def _attributes(attributes: Attributes) -> dict[str, str | set[str]]:
    return {
        "next-hop": "" if attributes.next_hop is None else str(attributes.next_hop),
        "as-path": str(attributes.as_path),
        "communities": {f"{each >> 16}:{each & 0xFFFF}" for each in attributes.communities},
    }


def _state(name: str) -> str:
    """As pybgpstream writes the states of RFC 4271: `OPENSENT`; empty where nobody said."""
    return _STATES.get(name, name).upper().replace("-", "")
