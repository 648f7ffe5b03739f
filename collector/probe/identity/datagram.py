"""The datagrams of the identity protocol (docs/probing.md, "Identity", draws them). Pure: bytes in, values out.

A request ends in a MAC over everything before it, and so does its reply, under the same key. The two begin with
different words, so neither can pass for the other. A reply is as long as its request: nothing is amplified, and the way
back carries what the way there did.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct, error

from anycast.prefix import Address
from anycast.probe import ROTATING, Identity
from collector.probe.identity.keys import MAC_SIZE, Key, Keys
from collector.probe.identity.refused import Cause, Refused

VERSION = 1
SIZE = 256  # octets of a request unless it is told otherwise: room for any reply with names of ordinary length
LONGEST = 1472  # octets: what an IPv4 packet of 1500 carries
LONGEST_SERVICE = 63  # octets
LONGEST_NAME = 63  # octets of each part of an identity

_ASK, _ANSWER = b"CTMQ", b"CTMA"
_HEAD = Struct(">4sBBHIQQHI")  # word, version, flags, key id, run, nonce, T1, flow, sequence
_BODY = Struct(">BH16sQQ")  # far TTL, port and address as seen, T2, T3
_ROTATING = 0xFFFF
SHORTEST = _HEAD.size + 1 + MAC_SIZE
_REMEMBERED = 1 << 10  # names and addresses that authenticated replies said: they are the same again and again
_MAPPED = b"\0" * 10 + b"\xff\xff"  # RFC 4291, section 2.5.5.2


@dataclass(frozen=True, slots=True)
class Request:
    """A question: who are you, and for this service?"""

    key: int
    run: int
    """Random for each start of the client, 32 bits: `sent` is compared within a run only."""
    nonce: int
    """Random for each request, 64 bits."""
    sent: int
    """T1: the client's own clock, ns. It must never step back within a run: CLOCK_MONOTONIC, not the wall's."""
    service: str = ""
    """As the intent names it; empty to ask a control at its unicast address."""
    flow: int = ROTATING
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: everything of the request, and who gave it."""

    request: Request
    received: int
    """T2: when the request came, by the responder's wall clock, ns since 1970."""
    answered: int
    """T3: when the reply was made, by the same clock."""
    far_ttl: int
    """TTL or hop limit with which the request came; 0 where the system did not say."""
    address: Address
    """The client's address as the responder saw it."""
    port: int
    identity: Identity


def encode_request(request: Request, key: Key, size: int = SIZE) -> bytes:
    """Encode a request of `size` octets in all; ValueError when it does not fit or a field is out of its range."""
    assert request.key == key.id, "the key is the one that the request names"
    filled = _head(_ASK, request) + _text(request.service)
    return _sealed(filled, key, size)


def decode_request(data: bytes, keys: Keys) -> tuple[Request, Key]:
    """Decode and authenticate a request, and say under which key it came; raises Refused."""
    _, key = _opened(data, _ASK, keys)
    request, _ = _request(data)
    return request, key


def encode_reply(reply: Reply, key: Key, size: int) -> bytes:
    """Encode a reply of exactly `size` octets, which must be its request's; raises Refused when it does not fit."""
    request, who = reply.request, reply.identity
    body = _BODY.pack(reply.far_ttl, reply.port, _packed(reply.address), reply.received, reply.answered)
    names = b"".join(map(_text, (who.region, who.nva, who.instance, who.generation)))
    filled = _head(_ANSWER, request) + _text(request.service) + body + names
    if len(filled) + MAC_SIZE > size:
        raise Refused(Cause.ROOM, f"the reply needs {len(filled) + MAC_SIZE} octets and the request has {size}")
    return _sealed(filled, key, size)


def decode_reply(data: bytes, keys: Keys) -> Reply:
    """Decode and authenticate a reply; raises Refused. The client knows whether it asked for that."""
    end, _ = _opened(data, _ANSWER, keys)
    request, at = _request(data)
    if at + _BODY.size > end:
        raise Refused(Cause.TRUNCATED, f"the reply ends {at + _BODY.size - end} octets too early")
    far_ttl, port, seen, received, answered = _BODY.unpack_from(data, at)
    at += _BODY.size
    return Reply(request, received, answered, far_ttl, _address(seen), port, _identity(data[at:end]))


def reply_size(service: str, identity: Identity) -> int:
    """Return how many octets a request must have, at least, to be answered with this identity."""
    names = (service, identity.region, identity.nva, identity.instance, identity.generation)
    return _HEAD.size + _BODY.size + sum(1 + len(name) for name in names) + MAC_SIZE


def _head(word: bytes, request: Request) -> bytes:
    flow = _ROTATING if request.flow == ROTATING else request.flow
    if not 0 <= flow <= _ROTATING or (flow == _ROTATING) != (request.flow == ROTATING):
        raise ValueError(f"flow {request.flow} is not between 0 and {_ROTATING - 1}")
    who = (request.key, request.run, request.nonce, request.sent)
    try:
        return _HEAD.pack(word, VERSION, 0, *who, flow, request.sequence)
    except error as why:
        raise ValueError(f"a number of {request} is out of its field's range: {why}") from None


def _sealed(filled: bytes, key: Key, size: int) -> bytes:
    room = size - MAC_SIZE
    if len(filled) > room or size > LONGEST:
        raise ValueError(f"{size} octets are not between the {len(filled) + MAC_SIZE} that it needs and {LONGEST}")
    covered = filled.ljust(room, b"\0")
    return covered + key.mac(covered)


def _opened(data: bytes, word: bytes, keys: Keys) -> tuple[int, Key]:
    """Check everything that comes before the meaning of the fields; say where they end and under which key."""
    if len(data) < SHORTEST:
        raise Refused(Cause.TRUNCATED, f"{len(data)} octets are fewer than the {SHORTEST} of the shortest datagram")
    if len(data) > LONGEST:
        raise Refused(Cause.OVERSIZED, f"{len(data)} octets are more than {LONGEST}")
    if data[:4] != word:
        raise Refused(Cause.FOREIGN, f"it does not begin with {word.decode()}")
    if data[4] != VERSION or data[5]:
        raise Refused(Cause.FOREIGN, f"version {data[4]} with flags {data[5]:#04x} is not version {VERSION} with none")
    key = keys.find(data[6] << 8 | data[7])
    end = len(data) - MAC_SIZE
    key.check(memoryview(data)[:end], data[end:])
    return end, key


def _request(data: bytes) -> tuple[Request, int]:
    """Read the part that both directions have; say where it ends."""
    _, _, _, key, run, nonce, sent, flow, sequence = _HEAD.unpack_from(data)
    service, at = _name(data, _HEAD.size)
    return Request(key, run, nonce, sent, service, ROTATING if flow == _ROTATING else flow, sequence), at


def _text(name: str) -> bytes:
    """Encode a name behind its length; ValueError unless it is printable ASCII of LONGEST_NAME octets at most."""
    if len(name) > LONGEST_NAME or not (name.isascii() and name.isprintable()):
        raise ValueError(f"{name!r} is not printable ASCII of {LONGEST_NAME} octets at most")
    return bytes((len(name),)) + name.encode("ascii")


def _name(data: bytes, at: int) -> tuple[str, int]:
    end = len(data) - MAC_SIZE
    stop = at + 1 + data[at]
    if data[at] > LONGEST_NAME or stop > end:
        raise Refused(Cause.MALFORMED, f"a name of {data[at]} octets at {at} is longer than {LONGEST_NAME} or the rest")
    raw = data[at + 1 : stop]
    if not raw.isascii() or not (name := raw.decode("ascii")).isprintable():
        raise Refused(Cause.MALFORMED, f"the name at {at} is not printable ASCII")
    return name, stop


@lru_cache(maxsize=_REMEMBERED)
def _identity(tail: bytes) -> Identity:
    """Read the four names that an authenticated reply ends with, before its MAC."""
    names, at, tail = [], 0, tail + bytes(MAC_SIZE)
    for _ in range(4):
        name, at = _name(tail, at)
        names.append(name)
    return Identity(*names)


def _packed(address: Address) -> bytes:
    return address.packed if address.version == 6 else _MAPPED + address.packed


@lru_cache(maxsize=_REMEMBERED)
def _address(packed: bytes) -> Address:
    address = IPv6Address(packed)
    return address.ipv4_mapped or address
