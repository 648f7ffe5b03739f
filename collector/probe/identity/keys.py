"""Keys under which an identity is asked for and given: one of a site, two while one takes the place of the other."""

import hmac
from collections.abc import Iterable, Iterator
from hashlib import sha256

from collector.probe.identity.refused import Cause, Refused

SHORTEST_SECRET = 16  # octets; RFC 2104, section 3, discourages less than the output, which we cut to as many
LONGEST_SECRET = 64  # octets: the block of SHA-256; a longer one would be hashed first and gain nothing
MAC_SIZE = 16  # octets: half of the hash, the least that RFC 2104, section 5, allows
KEY_IDS = range(1, 1 << 16)
KEYS_PER_SITE = 2
LONGEST_SITE = 63


class Key:
    """One secret, shared by a site's agent and every responder. Shows its number and site, never itself."""

    __slots__ = ("_start", "id", "site")

    def __init__(self, number: int, site: str, secret: bytes) -> None:
        """`number` is the key id on the wire. Raises ValueError, in a sentence, for what cannot be a key."""
        if number not in KEY_IDS:
            raise ValueError(f"key id {number} is not between {KEY_IDS[0]} and {KEY_IDS[-1]}")
        if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
            raise ValueError(f"key {number} has {len(secret)} octets, not {SHORTEST_SECRET} to {LONGEST_SECRET}")
        self.id = number
        self.site = site
        self._start = hmac.new(secret, digestmod=sha256)  # copied for each use: half the cost of a fresh one

    def __repr__(self) -> str:
        return f"Key({self.id}, {self.site!r})"

    def mac(self, data: bytes | memoryview) -> bytes:
        """Compute HMAC-SHA256 (RFC 2104) over `data`, cut to MAC_SIZE octets."""
        digest = self._start.copy()
        digest.update(data)
        return digest.digest()[:MAC_SIZE]

    def check(self, data: bytes | memoryview, mac: bytes) -> None:
        """Raise Refused unless `mac` is that of `data`; takes as long for a wrong one as for a right one."""
        if not hmac.compare_digest(self.mac(data), mac):
            raise Refused(Cause.FORGED, f"the MAC is not that of key {self.id}")


class Keys:
    """The keys that are valid now, by id; of one site at most two."""

    __slots__ = ("_known",)

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Raise ValueError, in a sentence, when an id is given twice or a site has more than two keys."""
        self._known: dict[int, Key] = {}
        sites: dict[str, int] = {}
        for key in keys:
            if key.id in self._known:
                raise ValueError(f"key id {key.id} is given twice")
            sites[key.site] = sites.get(key.site, 0) + 1
            if sites[key.site] > KEYS_PER_SITE:
                raise ValueError(f"site {key.site} has more than two keys; take the one that nobody uses any more out")
            self._known[key.id] = key

    def __iter__(self) -> Iterator[Key]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, number: int) -> Key:
        """Return the key of an id; raises Refused when none is valid."""
        key = self._known.get(number)
        if key is None:
            raise Refused(Cause.KEY, f"key {number} is not valid here")
        return key
