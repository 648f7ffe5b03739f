"""Namespaces, in the kernel."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from lab import space
from tests import needs

pytestmark = pytest.mark.lab


@pytest.fixture
def pair() -> Iterator[tuple[str, str]]:
    """Two cabled namespaces, 192.0.2.1 and 192.0.2.2."""
    needs.root()
    names = (f"sp{os.getpid()}-a", f"sp{os.getpid()}-b")
    space.create(names)
    try:
        space.batch([f"link add up0 netns {names[0]} type veth peer name up1 netns {names[1]}"])
        space.batch(["address add 192.0.2.1/24 dev up0", "link set up0 up"], names[0])
        space.batch(["address add 192.0.2.2/24 dev up1", "link set up1 up"], names[1])
        yield names
    finally:
        space.delete(names)


def test_deleted_namespaces_are_gone_and_deleting_again_is_no_error(pair: tuple[str, str]) -> None:
    prefix = pair[0].removesuffix("a")
    assert space.named(prefix) == pair
    space.delete(pair)
    assert space.named(prefix) == ()
    space.delete(pair)


def test_a_failing_command_is_named_with_the_words_of_ip(pair: tuple[str, str]) -> None:
    with pytest.raises(RuntimeError, match=r"nosuch0.*\(link set nosuch0 up\)"):
        space.batch(["link set up0 up", "link set nosuch0 up"], pair[0])


def test_a_listening_socket_inside_is_accepted_from_outside(pair: tuple[str, str]) -> None:
    with space.listening_socket(pair[0], "192.0.2.1", 11019) as listener:
        listener.settimeout(5)
        dialled: list[socket.socket] = []
        dial = threading.Thread(
            target=lambda: dialled.append(
                space.inside(pair[1], lambda: socket.create_connection(("192.0.2.1", 11019), timeout=5))
            )
        )
        dial.start()
        accepted, (peer, _) = listener.accept()
        dial.join()
        assert peer == "192.0.2.2"
        accepted.close()
        dialled[0].close()


def test_entering_leaves_the_caller_where_it_was(pair: tuple[str, str]) -> None:
    ours = os.stat("/proc/thread-self/ns/net").st_ino
    inside = space.inside(pair[0], lambda: os.stat("/proc/thread-self/ns/net").st_ino)
    assert inside != ours
    assert os.stat("/proc/thread-self/ns/net").st_ino == ours


def test_what_fails_inside_is_raised_outside(pair: tuple[str, str]) -> None:
    with pytest.raises(OSError, match="assign requested address"):
        space.listening_socket(pair[0], "198.51.100.1", 1)
    with pytest.raises(FileNotFoundError):
        space.inside("no-such-namespace", os.getpid)


def test_settings_hold_inside_only(pair: tuple[str, str]) -> None:
    space.sysctl(pair[0], {"net.ipv4.fib_multipath_hash_policy": 1})
    said = [space.run(name, ["sysctl", "-n", "net.ipv4.fib_multipath_hash_policy"]).stdout.strip() for name in pair]
    assert said == ["1", "0"]


def test_processes_inside_are_listed_and_ours_is_not(pair: tuple[str, str]) -> None:
    with subprocess.Popen(space.entering(pair[0], ["sleep", "30"])) as child:
        try:
            while child.pid not in space.pids(pair[0]):
                assert child.poll() is None
            assert os.getpid() not in space.pids(pair[0])
        finally:
            child.kill()


def test_switching_offloads_off_names_an_interface_that_is_not_there(pair: tuple[str, str]) -> None:
    space.offloads_off(pair[0], ["up0"])
    with pytest.raises(OSError, match="No such device"):
        space.offloads_off(pair[0], ["nosuch0"])
