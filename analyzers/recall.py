"""A snapshot of the view, which may be a moment old, with the routes of the last commit, which are exact."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from anycast.observation import Announced
from anycast.plain import Plain, to_plain

_Place = tuple[str, str, int, int, str]


def with_routes(snapshot: Mapping[str, Plain], present: Iterable[Announced]) -> dict[str, Plain]:
    """Return the snapshot with `present` as the routes of its tables, with their times where it knew them already.

    Routes of a source that the snapshot does not know are left out: they will be seen as new.
    """
    routes: dict[_Place, list[Announced]] = defaultdict(list)
    for route in present:
        session = route.source.session
        peer = "" if session.peer is None else str(session.peer)
        place = session.router, peer, int(session.peer_type), session.distinguisher, str(route.source.rib)
        routes[place].append(route)
    tables = [dict(table) | {"routes": _held(table, routes.get(_place(table), []))} for table in snapshot["tables"]]
    return dict(snapshot) | {"tables": tables}


def _place(table: Mapping[str, Any]) -> _Place:
    return table["router"], table.get("peer", ""), table["type"], table["distinguisher"], table["rib"]


def _held(table: Mapping[str, Any], present: Iterable[Announced]) -> list[Plain]:
    known = {(row["prefix"], row["path_id"]): row for row in table["routes"]}
    return [_row(route, known.get((str(route.prefix), route.path_id))) for route in present]


def _row(route: Announced, known: Mapping[str, Plain] | None) -> Plain:
    attributes, since = to_plain(route.attributes), to_plain(route.at)
    if known is not None and known["attributes"] == attributes:
        return known
    fresh = {"prefix": str(route.prefix), "path_id": route.path_id, "attributes": attributes}
    return fresh | {"since": since, "changed": since}
