"""Reverse catchment and the responder on real NVAs: one anycast address at two of them, and a route that moves."""

import json
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.probe.batch import decode
from collector.probe.identity.keyfile import make_key
from collector.probe.spool import Spool
from tests import needs
from tests.collector.probe.reverse.two_nvas import ADDRESSES, ANYCAST, ANYCAST6, HOST, HOST6, NVAS, Network, two_nvas

pytestmark = pytest.mark.lab
HEAR = ("-m", "tests.collector.probe.reverse.hear")
ASK = """
import socket, sys, time
from pathlib import Path
from collector.probe.identity.datagram import Request, decode_reply, encode_request
from collector.probe.identity.keyfile import read_key
from collector.probe.identity.keys import Key, Keys
key = Key(1, "ams", read_key(Path(sys.argv[1])))
ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ours.settimeout(2)
ours.connect((sys.argv[2], 31122))  # so that a reply from any other address is not taken
ours.send(encode_request(Request(1, 1, time.time_ns(), time.monotonic_ns(), "dns"), key))
reply = decode_reply(ours.recv(2000), Keys((key,)))
print(reply.identity.nva, reply.address, reply.far_ttl)
"""


@pytest.fixture
def network() -> Iterator[Network]:
    needs.root()
    needs.tool("ip", "iproute2")
    with two_nvas() as made:
        yield made


def heard(network: Network, anycast: str = ANYCAST, host: str = HOST) -> dict[str, list[dict[str, Any]]]:
    """What each NVA hears, while both ping."""
    argv = (sys.executable, *HEAR)
    running = {nva: network.start(nva, *argv, nva, "2.5", anycast, "0.5", host) for nva in NVAS}
    said = {nva: process.communicate(timeout=60) for nva, process in running.items()}
    assert all('"sent": ' in errors for _, errors in said.values()), said
    return {nva: [json.loads(line) for line in lines.splitlines()] for nva, (lines, _) in said.items()}


@pytest.mark.parametrize(("catcher", "anycast", "host"), [(NVAS[0], ANYCAST, HOST), (NVAS[1], ANYCAST6, HOST6)])
def test_the_nva_to_which_the_routes_lead_hears_the_replies_to_both(
    network: Network, catcher: str, anycast: str, host: str
) -> None:
    network.lead(catcher)
    found = heard(network, anycast, host)
    (other,) = (nva for nva in NVAS if nva != catcher)
    assert found[other] == []
    assert {each["sender"] for each in found[catcher]} == set(NVAS)
    assert {(each["target"], each["identity"]["nva"]) for each in found[catcher]} == {(f"ams/{host}", catcher)}
    for each in found[catcher]:
        assert (each["rtt"] is not None) == (each["sender"] == catcher)
        assert each["rtt"] is None or 0 < each["rtt"] < 5_000_000_000  # neighbours may have to be found first


def test_a_host_that_is_silent_is_heard_nowhere(network: Network) -> None:
    network.run("host", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1")
    assert heard(network) == {nva: [] for nva in NVAS}


@pytest.mark.parametrize("translated", [False, True])
def test_an_nva_that_only_routes_or_translates_the_address_hears_all_the_same(
    network: Network, translated: bool
) -> None:
    for nva in NVAS:
        network.ip(nva, "address", "del", f"{ANYCAST}/32", "dev", "lo")
        if translated:
            needs.tool("nft", "nftables")
            chain = f"type nat hook prerouting priority -100\nip daddr {ANYCAST} dnat to 10.99.0.1"
            rules = f"table ip t {{\nchain c {{\n{chain}\n}}\n}}\n"
            network.run(nva, "nft", rules)
    found = heard(network)
    assert found[NVAS[1]] == []
    assert {each["sender"] for each in found[NVAS[0]]} == set(NVAS)


@pytest.fixture
def responders(network: Network, tmp_path: Path) -> Iterator[Path]:
    """A responder on each NVA, on the anycast and on its own address; the key of the site."""
    make_key(tmp_path / "k")
    running = []
    for nva in NVAS:
        file = tmp_path / f"{nva}.yaml"
        file.write_text(
            f"responder: 1\nregion: {nva[:3]}\nnva: {nva}\nservices: [dns]\nuser: root\n"
            f"listen: {{udp: ['0.0.0.0:31122']}}\nkeys: {{1: {{file: ./k, site: ams}}}}\nallow: [10.20.0.0/16]\n"
        )
        running.append(network.start(nva, sys.executable, "-m", "pipeline", "responder", "-c", str(file)))
    for process in running:
        assert process.stderr is not None
        assert "answers as" in process.stderr.readline()
    yield tmp_path / "k"
    for process in running:
        process.terminate()
        process.communicate(timeout=10)


def asked(network: Network, key: Path, address: str, node: str = "host") -> list[str]:
    return network.run(node, sys.executable, "-c", ASK, str(key), address).split()


def test_who_answers_at_the_anycast_address_is_whom_the_routes_lead_to(network: Network, responders: Path) -> None:
    for nva in NVAS:
        network.lead(nva)
        assert asked(network, responders, ANYCAST) == [nva, HOST, "63"]
        for each in NVAS:
            assert asked(network, responders, ADDRESSES[each])[0] == each


def test_a_source_that_is_not_in_the_allow_list_hears_nothing(network: Network, responders: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        asked(network, responders, ADDRESSES["weu-nva1"], node="router")
    assert "TimeoutError" in error.value.stderr
    network.ip("router", "address", "add", "10.20.7.7/32", "dev", "lo")
    assert asked(network, responders, ANYCAST)[0] == "weu-nva1"


def test_the_command_pings_as_an_ordinary_user_and_keeps_what_it_hears_for_the_centre(
    network: Network, tmp_path: Path
) -> None:
    make_key(tmp_path / "fleet.key")
    (tmp_path / "hosts.txt").write_text(f"{HOST} ams\n")
    (tmp_path / "token").write_text("x" * 40)
    tmp_path.chmod(0o755)
    running = []
    for nva in NVAS:
        file = tmp_path / f"{nva}.yaml"
        file.write_text(
            f"reverse: 1\nregion: {nva[:3]}\nnva: {nva}\ncentre: {{url: 'https://127.0.0.1:9', token_file: ./token}}\n"
            f"data: /run/catchment-{network.prefix}-{nva}\nkeys: {{100: ./fleet.key}}\naddresses: [{ANYCAST}]\n"
            f"hosts: ./hosts.txt\nevery: 5s\nuser: nobody\n"
        )
        running.append(network.start(nva, sys.executable, "-m", "pipeline", "reverse", "-c", str(file)))
    folders = [Path(f"/run/catchment-{network.prefix}-{nva}") for nva in NVAS]
    try:
        assert running[0].stderr is not None
        assert "probing 1 targets from weu-nva1" in running[0].stderr.readline()
        time.sleep(7)
        status = Path(f"/proc/{running[0].pid}/status").read_text()
        assert f"Uid:\t{pwd.getpwnam('nobody').pw_uid}\t" in status
        assert f"CapEff:\t{1 << 13:016x}\n" in status  # CAP_NET_RAW alone
        assert int(status.partition("VmRSS:")[2].split()[0]) < 100_000
        for process in running:
            process.terminate()
        said = [process.communicate(timeout=30)[1] for process in running]
        found = {nva: _kept(folder) for nva, folder in zip(NVAS, folders, strict=True)}
    finally:
        for process in running:
            process.kill()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    assert all("Traceback" not in each for each in said), said
    assert found["eus-nva1"] == set()
    assert found["weu-nva1"] == {("reverse", f"ams/{HOST}", "weu", "weu-nva1", ANYCAST, nva) for nva in NVAS}


def _kept(folder: Path) -> set[tuple[Any, ...]]:
    """The results in an agent's spool."""
    spool = Spool(folder / "spool", 1 << 24)
    frames = spool.next(1000, 1 << 24)
    spool.close()
    columns = [batch.columns for frame in frames for batch in decode(frame.body)]
    names = ("probe", "target", "region", "nva", "seen", "detail")
    return {row for each in columns for row in zip(*(each[name] for name in names), strict=True)}
