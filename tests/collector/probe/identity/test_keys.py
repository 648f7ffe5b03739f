"""Keys: two of a site at most, and never shown."""

import hashlib
import hmac

import pytest

from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.refused import Cause, Refused
from tests.collector.probe.identity.asking import KEY, NEXT, SECRET


def test_a_mac_is_hmac_sha256_cut_to_16_octets() -> None:
    assert KEY.mac(b"data") == hmac.new(SECRET, b"data", hashlib.sha256).digest()[:16]
    assert KEY.mac(b"data") == KEY.mac(memoryview(b"data"))


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(KEY) == "Key(7, 'ams')"
    assert not hasattr(KEY, "secret")


def test_a_wrong_mac_is_forged() -> None:
    KEY.check(b"data", KEY.mac(b"data"))
    for mac in (b"", bytes(16), KEY.mac(b"data")[:15], NEXT.mac(b"data")):
        with pytest.raises(Refused, match="not that of key 7") as error:
            KEY.check(b"data", mac)
        assert error.value.cause is Cause.FORGED


@pytest.mark.parametrize(("number", "size"), [(0, 32), (65536, 32), (1, 15), (1, 65)])
def test_what_cannot_be_a_key_is_refused(number: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"is not between|octets, not 16 to 64"):
        Key(number, "ams", bytes(size))


def test_a_site_has_two_keys_at_most() -> None:
    assert len(Keys((KEY, NEXT, Key(9, "lon", SECRET)))) == 3
    with pytest.raises(ValueError, match="ams has more than two keys"):
        Keys((KEY, NEXT, Key(9, "ams", SECRET)))
    with pytest.raises(ValueError, match="7 is given twice"):
        Keys((KEY, KEY))
