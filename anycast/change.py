"""True differences of a watched route: what the view's fold says happened, and what history shows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anycast.observation import Source
from anycast.prefix import Prefix
from anycast.route import Attributes


class Presence(StrEnum):
    """A route is present, absent, or unknown. Unknown is not absent."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class ChangeKind(StrEnum):
    """What happened to a route."""

    ANNOUNCED = "announced"
    REPLACED = "replaced"
    """Announced again with other attributes: an implicit withdrawal."""
    WITHDRAWN = "withdrawn"


class Cause(StrEnum):
    """How we know of a change."""

    UPDATE = "update"
    """The router sent an UPDATE."""
    PEER_DOWN = "peer-down"
    """The router reported the peer down, and its routes with it."""
    RESYNC = "resync"
    """Found different after we could not see: it happened between `not_before` and `at`."""


@dataclass(frozen=True, slots=True)
class Change:
    """One true difference."""

    at: datetime
    kind: ChangeKind
    cause: Cause
    source: Source
    prefix: Prefix
    path_id: int
    before: Attributes | None
    """None for an announcement of a route that was not there."""
    after: Attributes | None
    """None for a withdrawal."""
    not_before: datetime | None = None
    """For RESYNC: when we last saw the route as it was before."""
