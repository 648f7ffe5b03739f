"""The OPENs that a file of messages holds, for archives whose writer forgot to say that path ids are there.

RFC 8050 gives messages with path ids subtypes of their own. Older writers (BIRD 1.6) know no such subtypes and write
those messages under the plain ones. The bytes alone are never asked whether they hold path ids; but where a message
does not read without them, and the sender's own OPEN in the same file offers them, they are taken, and that is said.
"""

from dataclasses import replace

from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.families import Afi
from collector.wire.bgp.open import Direction, decode_open
from collector.wire.bgp.problems import Problem, Remedy
from collector.wire.bgp.update import Update, decode_update
from collector.wire.mrt.values import BgpMessage

Ends = tuple[object, object, bool]


class Opens:
    """Families for which the sender of a session offered path ids, by session and direction."""

    def __init__(self) -> None:
        self._offers: dict[Ends, frozenset[Afi]] = {}

    def saw(self, message: BgpMessage) -> None:
        """Take an OPEN; raises Malformed when it cannot be read."""
        offered = decode_open(message.body).add_path.items()
        self._offers[_ends(message)] = frozenset(family for family, way in offered if way & Direction.SEND)

    def update(self, message: BgpMessage, context: UpdateContext) -> tuple[Update, frozenset[Afi]]:
        """Decode an UPDATE; returns it with the families whose path ids were read."""
        update = decode_update(message.body, context)
        offered = self._offers.get(_ends(message), frozenset()) - context.add_path
        if not offered or not _skipped(update):
            return update, context.add_path
        again = decode_update(message.body, UpdateContext(context.add_path | offered, context.two_octet))
        if _skipped(again):
            return update, context.add_path
        reason = "the record says that no path ids are there; it reads only with those that the sender's OPEN offers"
        problem = Problem(Remedy.TAKEN_AS_IS, reason, message.body)
        return replace(again, problems=(problem, *again.problems)), context.add_path | offered


def _ends(message: BgpMessage) -> Ends:
    return message.peer.address, message.local.address, message.sent


def _skipped(update: Update) -> bool:
    return any(problem.remedy is Remedy.MESSAGE_SKIPPED for problem in update.problems)
