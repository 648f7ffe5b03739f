"""Which routes enter the judged lane: those that touch a watched prefix, and everything of a session watched whole."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Any

import numpy as np

from anycast.observation import Session
from anycast.prefix import Prefix
from collector.batch import Array, RouteBatch

_ONES = (1 << 64) - 1


def nobody(session: Session) -> bool:
    """Watch no session whole."""
    return False


class Watch:
    """A filter over `RouteBatch`es. Immutable: to watch something else, hand in another one."""

    def __init__(self, prefixes: Iterable[Prefix] = (), whole: Callable[[Session], bool] = nobody) -> None:
        """`whole` says which sessions are watched whole; it is asked once a session."""
        from collector.kernel.select import touching

        self._touching = touching
        self.prefixes = tuple(prefixes)
        self.whole = whole
        self._four = _ranges(4, self.prefixes)
        self._six = _ranges(6, self.prefixes)

    def rows(self, batch: RouteBatch, whole: Array) -> Array:
        """Return the numbers of the watched rows, rising (int64).

        A row is watched when its prefix is equal to, inside, or covering a watched one, or when its session is in
        `whole`, a sorted uint32 array of session ids.
        """
        picked = np.empty(len(batch), np.int64)
        columns = batch.family, batch.prefix_high, batch.prefix_low, batch.length, batch.session
        count = self._touching(*columns, self._four, self._six, whole, picked)
        return picked[:count]


def _ranges(version: int, prefixes: tuple[Prefix, ...]) -> Array:
    """First and last address of what the prefixes of a version cover together, as the columns spell addresses."""
    networks: list[Any] = [prefix for prefix in prefixes if prefix.version == version]
    covered: Iterable[IPv4Network | IPv6Network] = collapse_addresses(networks)
    shift = 128 - (32 if version == 4 else 128)
    spans = [
        (int(network.network_address) << shift, (int(network.broadcast_address) + 1 << shift) - 1)
        for network in covered
    ]
    words = [(first >> 64, first & _ONES, last >> 64, last & _ONES) for first, last in spans]
    return np.array(words, np.uint64).reshape(-1, 4)
