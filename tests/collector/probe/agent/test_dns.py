"""CHAOS queries to real name servers and to peers that misbehave."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from anycast.probe import Identity, Outcome, Probe, Proof
from collector.probe.config.values import DnsProbe, Matcher, Part, Probes
from tests import needs
from tests.collector.probe.agent.probers import HERE, asked, datagrams, probing

WEU = Identity("weu", "nva-weu-1")
MATCHER = Matcher(Part.ANSWER, "", {"nva-weu-1.example": WEU})


def queries(port: int, **other: object) -> Probes:
    return Probes(dns=DnsProbe(every=0.1, port=port, **other))  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HERE, 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def nsd(tmp_path: Path) -> Iterator[int]:
    """A real NSD that says who it is; its port."""
    port, program = free_port(), needs.tool("nsd")
    configuration = tmp_path / "nsd.conf"
    configuration.write_text(
        f"""
server:
    ip-address: {HERE}@{port}
    username: ""
    chroot: ""
    zonesdir: "{tmp_path}"
    pidfile: ""
    xfrdfile: ""
    xfrdir: "{tmp_path}"
    zonelistfile: "{tmp_path}/zones.list"
    identity: "nva-weu-1.example"
    nsid: "ascii_nva-weu-1.example"
    server-count: 1
remote-control:
    control-enable: no
"""
    )
    with subprocess.Popen([program, "-d", "-c", str(configuration)], stderr=subprocess.PIPE) as process:
        try:
            _answers(port)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[int]:
    """A real Knot DNS that says who it is; its port."""
    port, program = free_port(), needs.tool("knotd", "knot")
    configuration = tmp_path / "knot.conf"
    configuration.write_text(
        f"""
server:
    rundir: "{tmp_path}"
    listen: {HERE}@{port}
    identity: "weu|nva-weu-1||7"
    nsid: "nva-weu-1.example"
database:
    storage: "{tmp_path}"
log:
  - target: stderr
    any: error
"""
    )
    with subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.PIPE) as process:
        try:
            _answers(port)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> None:
    """Wait until a server answers."""
    query = dns.message.make_query("id.server", "TXT", "CH").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect((HERE, port))
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                sock.send(query)
                sock.recv(1000)
                return
            except OSError:
                time.sleep(0.1)
    pytest.fail("the name server does not answer")


async def test_nsd_is_known_by_its_text(nsd: int) -> None:
    async with probing(asked(queries(nsd, identity=MATCHER))) as agent:
        results = await agent.until(Probe.DNS, count=4)
    assert {(one.outcome, one.identity, one.proof, one.status, one.ttl) for one in results} == {
        (Outcome.ANSWERED, WEU, Proof.MATCHED, 0, 64)
    }
    assert all(one.rtt and 0 < one.rtt < 300_000_000 for one in results)
    assert len({one.port for one in results}) > 1


async def test_knot_is_known_by_the_parts_of_its_text(knot: int) -> None:
    async with probing(asked(queries(knot))) as agent:
        [result, *_] = await agent.until(Probe.DNS)
    assert (result.outcome, result.identity) == (Outcome.ANSWERED, Identity("weu", "nva-weu-1", "", "7"))


async def test_a_name_that_nsd_does_not_serve_is_known_by_nsid_or_refused(nsd: int) -> None:
    async with probing(asked(queries(nsd, name="nobody.example", identity=MATCHER))) as agent:
        [result, *_] = await agent.until(Probe.DNS)
    assert result.outcome is Outcome.BROKEN
    assert result.status == 5


async def test_somebody_else_is_invalid_and_with_nobody_expected_is_as_good() -> None:
    async with datagrams(lambda data: [(0, said(data, "elsewhere"))]) as port:
        async with probing(asked(queries(port, identity=MATCHER))) as agent:
            [expected, *_] = await agent.until(Probe.DNS)
        async with probing(asked(queries(port))) as agent:
            [anybody, *_] = await agent.until(Probe.DNS)
    assert (expected.outcome, expected.identity) == (Outcome.INVALID, None)
    assert (anybody.outcome, anybody.identity) == (Outcome.ANSWERED, Identity(instance="elsewhere"))


def said(query: bytes, text: str, identifier: int | None = None) -> bytes:
    answer = dns.message.make_response(dns.message.from_wire(query))
    answer.answer.append(dns.rrset.from_text("id.server.", 0, "CH", "TXT", f'"{text}"'))
    if identifier is not None:
        answer.id = identifier
    return answer.to_wire()


async def test_a_guess_at_the_identifier_does_not_keep_the_answer_from_coming() -> None:
    def both(data: bytes) -> list[tuple[float, bytes]]:
        wrong = int.from_bytes(data[:2], "big") ^ 1
        return [(0, said(data, "elsewhere", wrong)), (0.02, said(data, "nva-weu-1.example"))]

    async with datagrams(both) as port, probing(asked(queries(port, identity=MATCHER))) as agent:
        results = await agent.until(Probe.DNS, count=3)
    assert {one.identity for one in results} == {WEU}


async def test_noise_is_broken() -> None:
    async with datagrams(lambda data: [(0, data[:2] + b"\xff" * 40)]) as port, probing(asked(queries(port))) as agent:
        results = await agent.until(Probe.DNS, count=3)
    assert {one.outcome for one in results} == {Outcome.BROKEN}


async def test_a_late_answer_is_silent_first_and_amended_then() -> None:
    async with (
        datagrams(lambda data: [(0.5, said(data, "nva-weu-1.example"))]) as port,
        probing(asked(queries(port, identity=MATCHER))) as agent,
    ):
        late = await agent.until(Probe.DNS, Outcome.LATE, count=2)
    assert {one.mono for one in late} <= {one.mono for one in agent.of(Probe.DNS, Outcome.SILENT)}


async def test_a_closed_port_is_refused_and_no_socket_is_left_open() -> None:
    async with probing(asked(queries(free_port()))) as agent:
        [result, *_] = await agent.until(Probe.DNS)
    assert (result.outcome, result.detail) == (Outcome.REFUSED, f"port unreachable, says {HERE}")
    assert agent.prober.sockets == 0
