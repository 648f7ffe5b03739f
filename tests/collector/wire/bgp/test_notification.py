"""NOTIFICATION in words."""

import pytest
from hypothesis import given

from collector.wire.bgp.encode import encode_notification
from collector.wire.bgp.notification import Notification, decode_notification
from collector.wire.errors import Malformed
from tests.collector.wire.strategies import notifications


@given(notifications)
def test_decoding_undoes_encoding(value: Notification) -> None:
    assert decode_notification(encode_notification(value)) == value
    assert str(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Notification(4, 0), "Hold Timer Expired"),
        (Notification(6, 4, b"\x03now"), 'Cease/Administrative Reset: "now"'),
        (Notification(6, 2, b"\xffshort"), 'Cease/Administrative Shutdown: "short"'),
        (Notification(6, 2), "Cease/Administrative Shutdown"),
        (Notification(6, 3, b"\x03now"), "Cease/Peer De-configured"),
        (Notification(6, 10), "Cease/BFD Down"),
        (Notification(3, 99), "UPDATE Message Error/subcode 99"),
        (Notification(77, 1), "code 77/subcode 1"),
    ],
)
def test_codes_and_communications_are_words(value: Notification, words: str) -> None:
    assert str(value) == words


@pytest.mark.parametrize("body", [b"", b"\6"])
def test_a_notification_without_its_codes_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match=f"this one has {len(body)} octets"):
        decode_notification(body)
