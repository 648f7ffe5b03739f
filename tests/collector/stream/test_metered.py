"""Messages counted while a file is read, whatever the pieces."""

import pytest

from collector.stream.metered import Messages, Metered
from collector.wire.source import Kind
from tests import needs
from tests.collector.stream.samples import documented, opened


@pytest.mark.parametrize("size", [1, 3, 7, 100, 1 << 20])
def test_messages_are_counted_whatever_the_pieces(size: int) -> None:
    file = Messages(Kind.BMP, opened(documented()))
    while file.read(size):
        pass
    assert (file.messages, file.octets) == (7, len(documented()))


def test_records_of_mrt_are_counted() -> None:
    data = (needs.captures() / "mrt" / "quagga_rib.mrt").read_bytes()
    file, records, at = Messages(Kind.MRT, opened(data)), 0, 0
    while at < len(data):
        at, records = at + 12 + int.from_bytes(data[at + 8 : at + 12], "big"), records + 1
    while file.read(50):
        pass
    assert file.messages == records > 1


def test_octets_are_counted_as_they_are_read() -> None:
    file = Metered(opened(b"12345"))
    assert (file.read(3), file.octets) == (b"123", 3)
    assert (file.read(3), file.octets) == (b"45", 5)
