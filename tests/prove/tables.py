"""Our state beside the routers' own tables: every service's prefix at every vantage, with its attributes."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from lab import truth
from lab.topology import SERVICES, Lab, Role
from pipeline.client import Client

WATCHED = IPv4Network("10.250.0.0/16")
"""Holds every service of the lab."""

Where = tuple[str, str]
"""Vantage and prefix."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What both sides can say of a route."""

    as_path: str
    next_hop: str
    communities: tuple[str, ...]
    local_pref: int | None
    med: int | None


def ours(client: Client) -> dict[Where, Shown]:
    """Return what Catchment holds as present."""
    rows = client.get("/api/v1/routes", prefix=str(WATCHED))["routes"]
    return {(row["vantage"], row["prefix"]): _ours(row) for row in rows if row["presence"] == "present"}


def unknown(client: Client) -> list[Where]:
    """Return the routes of which Catchment does not know whether they are there."""
    rows = client.get("/api/v1/routes", prefix=str(WATCHED))["routes"]
    return [(row["vantage"], row["prefix"]) for row in rows if row["presence"] == "unknown"]


def _ours(row: dict[str, Any]) -> Shown:
    held = row["attributes"]
    return Shown(
        held["as_path"],
        held["next_hop"],
        tuple(sorted(held.get("communities", ()))),
        held.get("local_pref"),
        held.get("med"),
    )


def theirs(lab: Lab) -> dict[Where, Shown]:
    """Return what the routers themselves say: gobgp's Adj-RIB-In, and each edge router's by vtysh."""
    rows = [*truth.adj_in_of_collector(lab)]
    for node in lab.of(Role.EDGE):
        rows += truth.adj_in_of_edge(lab, node.name)
    names = dict(_vantages(lab))
    return {(names[row.router, row.peer], row.prefix): _theirs(row) for row in rows if _is_watched(row.prefix)}


def _vantages(lab: Lab) -> Iterator[tuple[tuple[str, str], str]]:
    """What Catchment calls each session: by router and address of the peer."""
    for session in lab.sessions_of("collector"):
        yield ("collector", str(session.listener.address)), f"gobgp/{session.listener.node}"
    for node in lab.of(Role.EDGE):
        for session in lab.sessions_of(node.name):
            far = session.far(node.name)
            role = lab.by_name[far.node].role
            named = role in (Role.MSEE, Role.VPN)
            name = f"{node.place}-{far.node}" if named else f"{node.name}/*/{far.address}"
            yield (node.name, str(far.address)), name


def _is_watched(prefix: str) -> bool:
    return any(IPv4Network(prefix).overlaps(service.prefix) for service in SERVICES)


def _theirs(row: truth.Row) -> Shown:
    path = " ".join(map(str, row.as_path))
    return Shown(path, row.next_hop, tuple(sorted(row.communities)), row.local_pref, row.med)


def differences(lab: Lab, client: Client) -> list[str]:
    """Return a sentence for each difference between our state and the routers' tables; none when all is equal."""
    held, real = ours(client), theirs(lab)
    wrong = [f"{where} is unknown" for where in unknown(client)]
    for where in sorted(held.keys() | real.keys()):
        if held.get(where) != real.get(where):
            wrong.append(f"{where}: we have {held.get(where)}, the router has {real.get(where)}")
    return wrong
