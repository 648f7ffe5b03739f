"""What the running collector sees, for `catchment learn`: sessions from the view, all routes from the journal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from analyzers.state import Standing
from analyzers.view import View
from anycast.observation import Announced, Rib, Session, Source
from anycast.situation import FeedStatus
from pipeline.config import Listen
from pipeline.config.models import ListenPart
from pipeline.config.seen import Seen, SeenExporter, SeenRoute, SeenSession


def seen(view: View, feeds: Sequence[FeedStatus], present: Iterable[Announced], listen: Listen) -> Seen:
    """Gather; exporters that never connected are left out, for nothing is known of them."""
    routes: dict[Source, list[SeenRoute]] = defaultdict(list)
    for route in present:
        routes[route.source].append(SeenRoute(route.prefix, route.attributes, route.path_id))
    found = {"bmp": str(listen.bmp), "http": str(listen.http)}
    return Seen(
        tuple(_exporter(feed, view, routes) for feed in feeds if feed.connected),
        {key: address for key, address in found.items() if address != ListenPart.model_fields[key].default},
    )


def _exporter(feed: FeedStatus, view: View, routes: dict[Source, list[SeenRoute]]) -> SeenExporter:
    of_it = [session for session in view.peerings if session.router == feed.exporter]
    return SeenExporter(
        address=ip_address(feed.address),
        name=feed.exporter,
        sessions=tuple(seen for session in of_it for seen in _views(session, view, routes)),
    )


def _views(session: Session, view: View, routes: dict[Source, list[SeenRoute]]) -> Iterable[SeenSession]:
    """Every view of a session that has routes; the first one when none has."""
    peering = view.peerings[session]
    ribs = [source.rib for source in routes if source.session == session] or [Rib.ADJ_IN_PRE]
    for rib in ribs:
        yield SeenSession(
            peer=session.peer,
            rib=rib,
            local=peering.local,
            remote=peering.remote,
            up=peering.standing is Standing.UP,
            routes=tuple(routes.get(Source(session, rib), ())),
        )
