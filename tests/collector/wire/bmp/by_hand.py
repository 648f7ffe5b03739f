"""BMP read without any of our code: just the lengths, which are all it takes to count prefixes."""

from collections import Counter
from collections.abc import Iterator

Family = tuple[int, int]


def announced(stream: bytes, safi: int, path_ids: bool = False) -> Counter[Family]:
    """Count what the MP_REACH_NLRIs of a stream announce of one SAFI, all of it behind path ids or nothing."""
    found: Counter[Family] = Counter()
    for update in _updates(stream):
        for code, value in _attributes(update):
            if code == 14:
                family = int.from_bytes(value[:2], "big"), value[2]
                if family[1] == safi:
                    found[family] += sum(1 for _ in _prefixes(value[5 + value[3] :], 4 if path_ids else 0))
    return found


def _updates(stream: bytes) -> Iterator[bytes]:
    """Bodies of the UPDATEs of the Route Monitorings."""
    at = 0
    while at < len(stream):
        size = int.from_bytes(stream[at + 1 : at + 5], "big")
        if stream[at + 5] == 0:
            pdu = stream[at + 48 : at + size]
            yield pdu[19 : int.from_bytes(pdu[16:18], "big")]
        at += size


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2 + int.from_bytes(body[:2], "big")
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    at += 2
    while at < end:
        head = 4 if body[at] & 0x10 else 3
        size = int.from_bytes(body[at + 2 : at + head], "big")
        yield body[at + 1], body[at + head : at + head + size]
        at += head + size


def _prefixes(data: bytes, front: int) -> Iterator[int]:
    at = 0
    while at < len(data):
        yield data[at + front]
        at += front + 1 + (data[at + front] + 7) // 8
    assert at == len(data), "path ids, or no prefixes at all"
