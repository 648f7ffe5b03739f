"""Requests and replies with ordinary values, to change one thing of."""

from ipaddress import ip_address

from anycast.probe import Identity
from collector.probe.identity.datagram import Reply, Request
from collector.probe.identity.keys import Key, Keys

SECRET = bytes(range(32))
KEY = Key(7, "ams", SECRET)
NEXT = Key(8, "ams", SECRET[::-1])
KEYS = Keys((KEY, NEXT))
WHO = Identity("weu", "weu-nva1", "responder", "g41")


def a_request(
    *,
    key: int = 7,
    run: int = 1,
    nonce: int = 99,
    sent: int = 5,
    service: str = "dns",
    flow: int = 3,
    sequence: int = 0,
) -> Request:
    """A request of the site ams."""
    return Request(key, run, nonce, sent, service, flow, sequence)


def a_reply(request: Request | None = None, identity: Identity = WHO) -> Reply:
    """The reply of weu-nva1."""
    return Reply(request or a_request(), 1_000, 1_500, 61, ip_address("10.20.0.5"), 40_001, identity)
