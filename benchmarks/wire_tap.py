"""A packet capture of our own beside the prober: which echo or identity request left when, and when its reply came.

python -m benchmarks.wire_tap INTERFACE SECONDS FILE

Writes [what, ns of leaving, ns of coming] for each pair, by the kernel's stamps on an AF_PACKET socket (packet(7));
`what` is `icmp` and the address asked, or `udp` and our port.
"""

import json
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

from collector.probe.wire.ancillary import SO_TIMESTAMPNS, SPACE, stamp_and_ttl
from collector.probe.wire.ip import decode_header
from collector.wire.errors import Malformed

ALL: Final = 3
OUTGOING: Final = 4
ROOM: Final = 1 << 25
ICMP, UDP = 1, 17


def key(packet: bytes) -> tuple[str, bool] | None:
    """Return what pairs a request with its reply, and whether this is the request; None for anything else."""
    try:
        header = decode_header(packet)
    except Malformed:
        return None
    rest = packet[header.size :]
    if header.protocol == ICMP and len(rest) >= 24 and rest[0] in (0, 8):
        asks = rest[0] == 8
        there = header.destination if asks else header.source
        return f"icmp {there} {rest[8:24].hex()}", asks
    if header.protocol == UDP and rest[8:12] in (b"CTMQ", b"CTMA"):
        asks = rest[8:12] == b"CTMQ"
        ours = struct.unpack_from("!H", rest, 0 if asks else 2)[0]
        return f"udp {ours} {rest[20:28].hex()}", asks
    return None


def main() -> int:
    """Capture for some seconds."""
    interface, seconds, file = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL))
    tap.setsockopt(socket.SOL_SOCKET, 33, ROOM)
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.bind((interface, ALL))
    tap.settimeout(0.2)
    left: dict[str, int] = {}
    pairs: list[tuple[str, int, int]] = []
    end = time.monotonic() + seconds
    print("listens", flush=True)
    while time.monotonic() < end:
        try:
            packet, ancillary, _, _ = tap.recvmsg(512, SPACE)
        except TimeoutError:
            continue
        found = key(packet)
        if found is None:
            continue
        what, asks = found
        stamp, _ = stamp_and_ttl(ancillary)
        if asks:
            left[what] = stamp
        elif what in left:
            pairs.append((" ".join(what.split()[:2]), left.pop(what), stamp))
    file.write_text(json.dumps(pairs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
