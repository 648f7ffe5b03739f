"""What the kernel is told about a router's connection, here and where it knows fewer options."""

import socket
import sys
from collections.abc import Iterator

import pytest

from collector.bmp.connection import acknowledged, watch_over

LINUX = ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT", "TCP_INFO")
"""Names of options that macOS lacks."""


@pytest.fixture
def router() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        yield made


def test_a_silent_router_is_given_up_within_25_seconds(router: socket.socket) -> None:
    watch_over(router)
    first = getattr(socket, "TCP_KEEPIDLE" if sys.platform.startswith("linux") else "TCP_KEEPALIVE")
    options = first, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT
    idle, interval, count = (router.getsockopt(socket.IPPROTO_TCP, option) for option in options)
    assert router.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    assert idle + count * interval == 25
    if sys.platform.startswith("linux"):
        assert router.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000  # ms


def test_without_the_options_of_linux_a_connection_is_watched_over_all_the_same(
    router: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = router.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
    for name in LINUX:
        monkeypatch.delattr(socket, name, raising=False)
    watch_over(router)
    assert router.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
    assert router.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3 != before
    assert acknowledged(router, 1) == 0
