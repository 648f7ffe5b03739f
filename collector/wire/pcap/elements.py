"""Elements of a capture file: what the BMP exporters and the BGP speakers in it said.

A BMP exporter is named by its address until it names itself. Of a BGP session each side is told of as the other heard
it: `router` is the hearing side, `peer` the sending one, and the view is Adj-RIB-In, pre-policy. Times are the
capture's: that of the packet with which a message was whole.
"""

from collections import Counter
from collections.abc import Iterator

from collector.wire.bmp.elements import skipped
from collector.wire.cutting import Damaged
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.pcap.conversations import LIMITS, Conversations, Limits
from collector.wire.pcap.files import packets
from collector.wire.pcap.fragments import Segments
from collector.wire.pcap.packets import FRAGMENTS


def pcap_elements(file: Readable, limits: Limits = LIMITS) -> Iterator[Element]:
    """Yield the elements of an (uncompressed) pcap or pcapng file, in order, and notes on what was passed over.

    Raises Malformed where reading the file does, after all that came out of it.
    """
    talks, segments, passed = Conversations(limits), Segments(), Counter[str]()
    at, place, failure = None, 0, None
    try:
        for packet in packets(file):
            place = packet.offset
            if isinstance(packet, Damaged):
                yield skipped(Element(ElementType.MALFORMED, at), packet.reason, place, packet.raw)
                continue
            at = packet.time or at
            found = segments.take(packet)
            if isinstance(found, str):
                passed[found] += 1
            elif found is not None:
                yield from talks.take(found, packet.time, place)
    except Malformed as error:
        failure = error
    yield from talks.end(at, place)
    passed[FRAGMENTS] += segments.lost
    yield from _notes(talks, passed)
    if failure is not None:
        raise failure


def _notes(talks: Conversations, passed: Counter[str]) -> Iterator[Element]:
    said = [f"{count} {what}" for what, count in sorted(passed.items()) if count]
    if talks.passed.streams:
        told = f"{talks.passed.streams} connections that are neither BMP nor BGP, {talks.passed.octets} octets in all"
        said.append(told)
    if talks.passed.room:
        said.append(f"{talks.passed.room} connections closed because too many were open")
    if talks.passed.repeated:
        said.append(f"{talks.passed.repeated} octets that were sent again, or before the capture began")
    if said:
        yield Element(ElementType.NOTE, detail="passed over: " + "; ".join(said))
