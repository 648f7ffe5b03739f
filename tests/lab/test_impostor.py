"""The impostor's answers are right in form and under no key: what a client without keys would take, ours refuses."""

import pytest

from anycast.probe import Identity
from collector.probe.identity import datagram
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.refused import Cause, Refused
from lab import app, impostor

KEY = Key(7, "nyc", b"0123456789abcdef")
WHO = app.Identity("weu", "weu-nva1", "weu-app1")


def asked() -> bytes:
    return datagram.encode_request(datagram.Request(7, 1, 0x1122334455667788, 42, "web", 3, 9), KEY)


def test_a_forged_answer_fails_for_its_code_alone() -> None:
    request = asked()
    answer = impostor.forge(request, ("10.91.1.10", 20003), WHO, 1_000)
    assert answer is not None
    assert len(answer) == len(request)
    with pytest.raises(Refused) as refused:
        datagram.decode_reply(answer, Keys([KEY]))
    assert refused.value.cause is Cause.FORGED
    # Under the right code the same octets would be believed: nothing else is wrong with them.
    covered = answer[: -len(KEY.mac(b""))]
    believed = datagram.decode_reply(covered + KEY.mac(covered), Keys([KEY]))
    assert believed.identity == Identity("weu", "weu-nva1", "weu-app1", "1")
    assert believed.request.nonce == 0x1122334455667788
    assert str(believed.address) == "10.91.1.10"


@pytest.mark.parametrize("data", [b"", b"ANYC" + bytes(200), b"CTMQ", b"CTMQ" + bytes(40)])
def test_what_is_no_request_is_not_answered(data: bytes) -> None:
    assert impostor.forge(data, ("10.91.1.10", 1), WHO, 1) is None
