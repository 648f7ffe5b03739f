"""Where a notification must never go, and where it may."""

import pytest

from alerts.notify.addresses import refusal


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "168.63.129.16",
        "fe80::1",
        "fe80::1%1",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
    ],
)
@pytest.mark.parametrize("beyond", [True, False])
def test_no_receiver_is_at_a_metadata_link_local_or_impossible_address(address: str, beyond: bool) -> None:
    reason = refusal(address, beyond)
    assert reason is not None
    assert address in reason


@pytest.mark.parametrize("address", ["10.1.2.3", "192.0.2.7", "fd12::1", "2001:db8::1", "64:ff9b::10.1.2.3"])
def test_a_receiver_may_be_beyond_this_machine_where_that_is_allowed(address: str) -> None:
    assert refusal(address, True) is None
    reason = refusal(address, False)
    assert reason is not None
    assert "plain_http" in reason


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("beyond", [True, False])
def test_a_receiver_may_be_on_this_machine(address: str, beyond: bool) -> None:
    assert refusal(address, beyond) is None


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match=r"ops\.example"):
        refusal("ops.example", True)
