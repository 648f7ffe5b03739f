"""A responder's rules with ordinary values, and a clock that stands still."""

from ipaddress import ip_address, ip_network

from collector.probe.identity.keys import Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.responder.answering import Answering, Asker
from collector.probe.responder.rates import Rates
from tests.collector.probe.identity.asking import KEYS, WHO

ALLOW = (ip_network("127.0.0.0/8"), ip_network("10.20.0.0/16"), ip_network("fd00::/8"), ip_network("::1/128"))


def rules(*, source: float = 2000, total: float = 20_000, keys: Keys = KEYS, nonces: Nonces | None = None) -> Answering:
    """Those of weu-nva1, which serves dns."""
    answering = Answering(Nonces() if nonces is None else nonces, Rates(source, total, 0))
    answering.follow(WHO, frozenset(("dns",)), keys, ALLOW)
    return answering


def asker(address: str = "10.20.0.5") -> Asker:
    """Somebody who asked at 1000 ns of the responder's wall clock."""
    return Asker(ip_address(address), 40_001, 1_000, 61)
