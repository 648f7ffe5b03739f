"""AS_PATH and AS4_PATH (RFC 4271, 4.3; RFC 5065; RFC 6793)."""

from anycast.route import Asn, AsPath, Segment, SegmentKind
from collector.wire.errors import Malformed

_KINDS = {int(kind): kind for kind in SegmentKind}
_CONFEDERATION = (SegmentKind.CONFED_SEQUENCE, SegmentKind.CONFED_SET)


def decode_as_path(value: bytes, width: int) -> AsPath:
    """Decode an AS_PATH whose AS numbers have `width` octets (2 or 4).

    Raises Malformed on an unknown segment type, an empty segment, or one that overruns the attribute (RFC 7606, 7.2).
    """
    segments = []
    position, end = 0, len(value)
    while position < end:
        if end - position < 2:
            raise Malformed("the AS_PATH ends inside a segment's header", position, value)
        kind, count = _KINDS.get(value[position]), value[position + 1]
        if kind is None:
            raise Malformed(f"AS_PATH segment type {value[position]} is none of 1 to 4", position, value)
        if count == 0:
            raise Malformed("an AS_PATH segment holds no AS number", position, value)
        start, position = position + 2, position + 2 + count * width
        if position > end:
            raise Malformed(
                f"an AS_PATH segment of {count} AS numbers of {width} octets overruns the attribute", start, value
            )
        numbers = (int.from_bytes(value[at : at + width], "big") for at in range(start, position, width))
        segments.append(Segment(kind, tuple(map(Asn, numbers))))
    return AsPath(tuple(segments))


def decode_as4_path(value: bytes, width: int) -> AsPath:
    """Decode an AS4_PATH, always of 4-octet numbers; confederation segments in it are dropped (RFC 6793, 6)."""
    path = decode_as_path(value, 4)
    return AsPath(tuple(segment for segment in path.segments if segment.kind not in _CONFEDERATION))


def merge(as_path: AsPath, as4_path: AsPath) -> AsPath:
    """Put the AS4_PATH behind what the AS_PATH has in front of it (RFC 6793, 4.2.3).

    An AS4_PATH that is longer than the AS_PATH is ignored.
    """
    ahead = as_path.length - as4_path.length
    if ahead < 0 or not as4_path.segments:
        return as_path
    leading: list[Segment] = []
    for segment in as_path.segments:
        if segment.kind in _CONFEDERATION:
            leading.append(segment)  # counts nothing, and stays with what it leads
            continue
        if ahead <= 0:
            break
        taken = segment.asns[:ahead] if segment.kind is SegmentKind.SEQUENCE else segment.asns
        leading.append(Segment(segment.kind, taken))
        ahead -= len(taken) if segment.kind is SegmentKind.SEQUENCE else 1
    return AsPath(_joined((*leading, *as4_path.segments)))


def _joined(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Make one sequence of two that touch, so that a merged path equals the path that was meant."""
    joined: list[Segment] = []
    for segment in segments:
        if joined and segment.kind is joined[-1].kind is SegmentKind.SEQUENCE:
            joined[-1] = Segment(segment.kind, joined[-1].asns + segment.asns)
        else:
            joined.append(segment)
    return tuple(joined)
