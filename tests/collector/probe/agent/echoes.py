"""A host that answers echo requests as it should not: python -m tests.collector.probe.agent.echoes HOW OWN OTHER

HOW: twice, late (half a second), changed (the payload), elsewhere (from OTHER), foreign (errors of others' probes).
"""

import socket
import struct
import sys
import threading
import time

from collector.probe.wire.checksum import checksum


def reply(request: bytes) -> bytes:
    """Turn an echo request into its reply."""
    bare = b"\0\0\0\0" + request[4:]
    return b"\0\0" + checksum(bare).to_bytes(2, "big") + bare[4:]


def changed(request: bytes) -> bytes:
    """Spoil the last octet of the payload."""
    return reply(request[:-1] + bytes((request[-1] ^ 1,)))


def foreign(packet: bytes) -> bytes:
    """Say that somebody else's echo could not be delivered, with a number that is ours."""
    head = bytearray(packet[:28])
    head[24:26] = struct.pack("!H", (int.from_bytes(head[24:26], "big") + 1) & 0xFFFF)
    bare = struct.pack("!BBHI", 3, 1, 0, 0) + bytes(head)
    return bare[:2] + checksum(bare).to_bytes(2, "big") + bare[4:]


def main() -> None:
    """Answer until killed."""
    how, own, other = sys.argv[1:4]
    ears = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    mouths = {}
    for address in (own, other):
        mouths[address] = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        mouths[address].bind((address, 0))
    sys.stdout.write("answers\n")
    sys.stdout.flush()
    while True:
        packet, (source, _) = ears.recvfrom(2048)
        request = packet[20:]
        if request[0] != 8:
            continue
        if how == "foreign":
            mouths[own].sendto(foreign(packet), (source, 0))
        answer, mouth = (changed if how == "changed" else reply)(request), mouths[other if how == "elsewhere" else own]
        for _ in range(2 if how == "twice" else 1):
            if how == "late":
                threading.Timer(0.5, mouth.sendto, (answer, (source, 0))).start()
            else:
                mouth.sendto(answer, (source, 0))
                time.sleep(0.001)


if __name__ == "__main__":
    main()
