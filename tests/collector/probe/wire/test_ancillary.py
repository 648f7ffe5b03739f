"""What the kernel says beside a datagram: read off real sockets, and any bytes at all."""

import contextlib
import errno
import socket
import struct
import time
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.probe.wire.ancillary import (
    IP_RECVERR,
    IP_RECVTTL,
    IPV6_RECVERR,
    IPV6_RECVHOPLIMIT,
    SO_TIMESTAMPNS,
    SPACE,
    QueuedError,
    queued_error,
    stamp_and_ttl,
)
from collector.probe.wire.tcp_info import SIZE, TcpInfo, decode_tcp_info
from collector.probe.wire.trouble import outcome

ANCILLARY = st.lists(
    st.tuples(st.sampled_from((0, 1, 41)), st.sampled_from((2, 11, 25, 35, 37, 52)), st.binary(max_size=60)),
    max_size=4,
)


@pytest.mark.parametrize(
    ("family", "us", "level", "ttl"),
    [(socket.AF_INET, "127.0.0.1", 0, IP_RECVTTL), (socket.AF_INET6, "::1", 41, IPV6_RECVHOPLIMIT)],
)
def test_a_datagram_comes_with_the_kernels_stamp_and_its_ttl(family: int, us: str, level: int, ttl: int) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as ours:
        ours.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        ours.setsockopt(level, ttl, 1)
        ours.bind((us, 0))
        for _ in range(50):  # the first come before stamping is switched on
            before = time.time_ns()
            ours.sendto(b"hello", ours.getsockname())
            _, ancillary, _, _ = ours.recvmsg(100, SPACE)
            stamp, hops = stamp_and_ttl(ancillary)
            assert before - 50_000_000 < stamp <= time.time_ns()
            assert hops == 64


@pytest.mark.parametrize(
    ("family", "us", "level", "option", "version"),
    [(socket.AF_INET, "127.0.0.1", 0, IP_RECVERR, 4), (socket.AF_INET6, "::1", 41, IPV6_RECVERR, 6)],
)
def test_a_port_where_nobody_listens_is_a_queued_error_with_its_sender(
    family: int, us: str, level: int, option: int, version: int
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as nobody, socket.socket(family, socket.SOCK_DGRAM) as ours:
        nobody.bind((us, 0))
        closed = nobody.getsockname()
        nobody.close()
        ours.setsockopt(level, option, 1)
        ours.connect(closed)
        ours.send(b"our own octets")
        data, ancillary, _, _ = ours.recvmsg(100, SPACE, socket.MSG_ERRQUEUE)
    error = queued_error(ancillary)
    assert data == b"our own octets"
    assert error is not None
    assert (error.version, error.errno, error.offender) == (version, errno.ECONNREFUSED, ip_address(us))
    assert outcome(error.version, error.type, error.code) == "refused"


def test_a_message_without_an_error_is_none() -> None:
    assert queued_error([(1, 35, bytes(16))]) is None
    assert stamp_and_ttl([]) == (0, 0)


def test_an_error_of_our_own_kernel_has_no_sender() -> None:
    error = queued_error([(0, IP_RECVERR, struct.pack("@IBBBBII", errno.EMSGSIZE, 1, 0, 0, 0, 1400, 0) + bytes(16))])
    assert error == QueuedError(4, errno.EMSGSIZE, 1, 0, 0, 1400, 0, None)


def test_the_kernel_measures_a_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        info = decode_tcp_info(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192))
    assert info is not None
    assert 0 < info.rtt < 100_000_000
    assert info.retransmits == 0


@given(st.binary(max_size=200))
def test_any_tcp_info_is_figures_or_nothing(octets: bytes) -> None:
    info = decode_tcp_info(octets)
    assert info is None if len(octets) < SIZE else isinstance(info, TcpInfo)


@given(ANCILLARY)
def test_any_ancillary_data_are_taken_or_passed_over(ancillary: list[tuple[int, int, bytes]]) -> None:
    stamp, ttl = stamp_and_ttl(ancillary)
    assert isinstance(stamp, int)
    assert 0 <= ttl <= 255
    with contextlib.nullcontext(queued_error(ancillary)) as error:
        assert error is None or isinstance(error, QueuedError)
