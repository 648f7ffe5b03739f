"""What each side of the connections in a capture sent, put together by the product's own reader."""

from pathlib import Path

from collector.wire.cutting import Damaged
from collector.wire.pcap.files import packets
from collector.wire.pcap.packets import SYN, End, Segment, segment
from collector.wire.pcap.tcp import Direction, Gap


def streams(path: Path) -> dict[tuple[End, End], bytes]:
    """Return the octets of each direction of each connection; the capture has no gaps and no damage."""
    joined: dict[tuple[End, End], bytes] = {}
    directions: dict[tuple[End, End], Direction] = {}
    with path.open("rb") as file:
        for packet in packets(file):
            assert not isinstance(packet, Damaged)
            part = segment(packet.link, packet.data)
            assert isinstance(part, Segment), part
            ends = part.source, part.target
            direction = directions.setdefault(ends, Direction())
            flow = direction.syn(part.sequence, part.payload) if part.flags & SYN else iter(())
            if part.payload and not part.flags & SYN:
                flow = direction.add(part.sequence, part.payload, packet.time)
            for item in flow:
                assert not isinstance(item, Gap)
                joined[ends] = joined.get(ends, b"") + item
    return joined
