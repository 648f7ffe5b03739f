"""The same datagrams for who asks again and again: what does not change is made once, and looked at once.

A request differs from the one before in its nonce, T1, sequence and MAC. Its reply repeats everything but the first
word, so it need not be taken apart to be compared, only its own part and its MAC.
"""

from struct import Struct
from typing import NamedTuple

from anycast.prefix import Address
from anycast.probe import Identity
from collector.probe.identity.datagram import (
    _ANSWER,
    _BODY,
    _HEAD,
    LONGEST,
    Request,
    _address,
    _identity,
    encode_request,
)
from collector.probe.identity.keys import MAC_SIZE, Key
from collector.probe.identity.refused import Cause, Refused

NONCE = slice(12, 20)  # where it stands in both directions
_CHANGES = Struct(">8sQHI")  # nonce, T1, flow, sequence: the end of the head
_WORD = 4


class Answer(NamedTuple):
    """What a reply says beyond its request; fields as of `datagram.Reply`."""

    received: int
    answered: int
    far_ttl: int
    address: Address
    port: int
    identity: Identity


class Repeated:
    """Requests of one flow for one service, of one size and run, under one key."""

    def __init__(self, request: Request, key: Key, size: int) -> None:
        """The nonce, T1 and sequence of `request` do not matter. Raises ValueError as `encode_request` does."""
        whole = encode_request(request, key, size)
        self._key = key
        self._covered = bytearray(whole[:-MAC_SIZE])
        self._flow = int.from_bytes(whole[28:30], "big")
        self._body = _HEAD.size + 1 + len(request.service)
        self._names = self._body + _BODY.size
        self._least = self._names + 4 + MAC_SIZE

    def ask(self, nonce: bytes, sent: int, sequence: int) -> bytes:
        """Return the next request: `nonce` of 8 octets, `sent` T1 in ns, `sequence` of 32 bits."""
        _CHANGES.pack_into(self._covered, NONCE.start, nonce, sent, self._flow, sequence)
        covered = bytes(self._covered)
        return covered + self._key.mac(covered)

    def answered(self, data: bytes, asked: bytes) -> Answer:
        """Authenticate the reply to a request of ours; raises Refused."""
        if not self._least <= len(data) <= LONGEST:
            raise Refused(Cause.TRUNCATED, f"{len(data)} octets are not between {self._least} and {LONGEST}")
        if data[:_WORD] != _ANSWER or data[_WORD : self._body] != asked[_WORD : self._body]:
            raise Refused(Cause.UNASKED, "it does not repeat what was asked")
        end = len(data) - MAC_SIZE
        self._key.check(memoryview(data)[:end], data[end:])
        far_ttl, port, seen, received, answered = _BODY.unpack_from(data, self._body)
        return Answer(received, answered, far_ttl, _address(seen), port, _identity(data[self._names : end]))
