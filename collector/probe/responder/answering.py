"""Whether a request is answered, and with what. No socket and no clock in here: `now` is monotonic ns.

In this order: who may ask at all, whose MAC is right, which service, which nonce, how often, what fits. Nothing is
remembered, and no rate is used up, before the MAC was checked: a flood under an agent's address does not take the
agent's share, and costs one hash each.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from anycast.prefix import Address, Prefix
from anycast.probe import Identity
from collector.probe.identity.datagram import Reply, Request, decode_request, encode_reply
from collector.probe.identity.http import answer as header
from collector.probe.identity.http import asked as from_header
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.identity.refused import Cause, Refused
from collector.probe.responder.allow import Allow
from collector.probe.responder.rates import Rates


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked and when, as the system saw it."""

    address: Address
    port: int
    received: int
    """T2: wall clock, ns."""
    ttl: int = 0


class Answering:
    """The rules of one responder; nonces and rates outlive a change of keys or names."""

    def __init__(self, nonces: Nonces, rates: Rates) -> None:
        self._nonces, self._rates = nonces, rates
        self.follow(Identity(), frozenset(), Keys(), ())

    def follow(self, identity: Identity, services: frozenset[str], keys: Keys, allow: Iterable[Prefix]) -> None:
        """Answer by these rules from now on."""
        self._identity, self._services, self._keys, self._allow = identity, services, keys, Allow(allow)
        self._nonces.keep(frozenset(key.id for key in keys))

    def limit(self, rates: Rates) -> None:
        """Take other rates."""
        self._rates = rates

    def admit(self, address: str) -> Address:
        """Return a source's address; raises Refused when it is not allowed to ask."""
        found = self._allow.find(address)
        if found is None:
            raise Refused(Cause.SOURCE, f"{address} is not in the allow-list")
        return found

    def answer(self, data: bytes, asker: Asker, now: int, answered: int) -> tuple[bytes, Key]:
        """Return the reply to a datagram, as long as it, and the key of both; raises Refused. `answered` is T3."""
        request, key = decode_request(data, self._keys)
        self._take(request, asker, now)
        return encode_reply(self._reply(request, asker, answered), key, len(data)), key

    def answer_header(self, value: str, asker: Asker, now: int, answered: int, room: int) -> tuple[str, Key]:
        """Return the answering header's value, of at most `room` characters, and the key; raises Refused."""
        request, key, size = from_header(value, self._keys)
        self._take(request, asker, now)
        return header(self._reply(request, asker, answered), key, min(size, room * 3 // 4)), key

    def _take(self, request: Request, asker: Asker, now: int) -> None:
        if request.service and request.service not in self._services:
            raise Refused(Cause.SERVICE, f"{request.service} is not among the services here")
        self._nonces.check(request, now)
        self._rates.take(str(asker.address), now)
        self._nonces.note(request, now)

    def _reply(self, request: Request, asker: Asker, answered: int) -> Reply:
        return Reply(request, asker.received, answered, asker.ttl, asker.address, asker.port, self._identity)
