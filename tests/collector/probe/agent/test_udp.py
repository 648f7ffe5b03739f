"""UDP with an identity, against the real responder and peers that misbehave, on loopback."""

import asyncio
import socket
import time
from dataclasses import replace
from ipaddress import ip_address

from anycast.probe import ROTATING, Identity, Outcome, Probe, Proof, TargetKind
from collector.probe.config.values import MtuProbe, Probes, UdpProbe
from collector.probe.identity.datagram import Reply, Request, decode_request, encode_reply, encode_request
from collector.probe.identity.keys import Keys
from tests.collector.probe.agent.probers import (
    HERE,
    KEY,
    KEYS,
    OTHER_KEY,
    SOURCE,
    WHO,
    asked,
    datagrams,
    probing,
    responder,
)


def flows(port: int, flows: int = 2, every: float = 0.1, rotating: float = 0.0) -> Probes:
    return Probes(udp=UdpProbe(port, SOURCE, flows, every, rotating))


def answer(data: bytes, *, who: Identity = WHO, service: str | None = None) -> bytes:
    """A right reply to a request, by whomever."""
    request, key = decode_request(data, KEYS)
    if service is not None:
        request = replace(request, service=service)
    return encode_reply(Reply(request, 1, 1, 64, ip_address(HERE), SOURCE, who), key, len(data))


async def test_each_fixed_flow_keeps_its_port_and_hears_who_answers_under_the_key() -> None:
    async with responder() as ports, probing(asked(flows(ports.udp, 3))) as agent:
        results = await agent.until(Probe.UDP, Outcome.ANSWERED, count=12)
    assert {(one.flow, one.port) for one in results} == {(0, SOURCE), (1, SOURCE + 1), (2, SOURCE + 2)}
    assert {(one.identity, one.proof, one.ttl, one.far_ttl, one.seen) for one in results} == {
        (WHO, Proof.AUTHENTICATED, 64, 64, "")
    }
    assert all(one.rtt and one.held is not None and 0 <= one.held < one.rtt < 300_000_000 for one in results)
    assert all(one.forward is not None and 0 < one.forward < 300_000_000 for one in results)


async def test_rotating_probes_take_a_new_port_each() -> None:
    async with responder() as ports, probing(asked(flows(ports.udp, 1, 1.0, 50.0))) as agent:
        await agent.until(Probe.UDP, Outcome.ANSWERED, count=25)
        rotating = [one for one in agent.of(Probe.UDP, Outcome.ANSWERED) if one.flow == ROTATING]
    assert len({one.port for one in rotating}) > len(rotating) * 0.9


async def test_ipv6_is_asked_as_ipv4_is() -> None:
    async with responder(address="::1") as ports, probing(asked(flows(ports.udp), "::1")) as agent:
        results = await agent.until(Probe.UDP, Outcome.ANSWERED, count=4)
    assert {(one.identity, one.ttl, one.seen) for one in results} == {(WHO, 64, "")}


async def test_a_control_is_asked_for_no_service() -> None:
    async with responder("another") as ports:
        nva = asked(flows(ports.udp), name="nva-weu-1", kind=TargetKind.NVA)
        async with probing(nva) as agent:
            assert await agent.until(Probe.UDP, Outcome.ANSWERED)


async def test_a_service_that_the_responder_does_not_have_is_silent() -> None:
    async with responder("another") as ports, probing(asked(flows(ports.udp))) as agent:
        results = await agent.until(Probe.UDP, count=3)
    assert {(one.outcome, one.rtt, one.identity) for one in results} == {(Outcome.SILENT, None, None)}


async def test_where_nobody_listens_the_port_is_refused_by_name() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind((HERE, 0))
        port = nobody.getsockname()[1]
    async with probing(asked(flows(port))) as agent:
        results = await agent.until(Probe.UDP, count=6)
    assert {(one.outcome, one.detail) for one in results} == {(Outcome.REFUSED, f"port unreachable, says {HERE}")}


async def test_a_reply_under_another_key_is_invalid() -> None:
    async with responder(keys=KEYS) as ports, datagrams(lambda data: [(0, forged(data))]) as port:
        async with probing(asked(flows(port, 1))) as agent:
            results = await agent.until(Probe.UDP, count=3)
        async with probing(asked(flows(ports.udp, 1))) as agent:
            assert {one.outcome for one in await agent.until(Probe.UDP, count=3)} == {Outcome.ANSWERED}
    assert {(one.outcome, one.identity) for one in results} == {(Outcome.INVALID, None)}
    assert "MAC" in results[0].detail


def forged(data: bytes) -> bytes:
    """What somebody without the key can send."""
    right = bytearray(answer(data))
    right[-16:] = OTHER_KEY.mac(bytes(right[:-16]))
    return bytes(right)


async def test_a_reply_for_another_service_is_invalid() -> None:
    async with (
        datagrams(lambda data: [(0, answer(data, service="other"))]) as port,
        probing(asked(flows(port, 1))) as agent,
    ):
        results = await agent.until(Probe.UDP, count=2)
    assert {one.outcome for one in results} == {Outcome.INVALID}


async def test_an_old_reply_said_again_is_no_answer() -> None:
    kept: list[bytes] = []

    def replays(data: bytes) -> list[tuple[float, bytes]]:
        kept.append(answer(data))
        return [(0, kept[0])]

    async with datagrams(replays) as port, probing(asked(flows(port, 1))) as agent:
        results = await agent.until(Probe.UDP, count=4)
        assert [one.outcome for one in results] == [Outcome.ANSWERED] + [Outcome.SILENT] * (len(results) - 1)
        invalid = await agent.until(Probe.UDP, Outcome.INVALID, count=2)
    assert {(one.proof, one.identity) for one in invalid} == {(Proof.NONE, None)}
    assert "replayed" in invalid[0].detail


async def test_a_reply_to_another_run_is_replayed() -> None:
    other = encode_request(Request(KEY.id, 1, 1, time.monotonic_ns(), "dns"), KEY)
    async with datagrams(lambda data: [(0, answer(other))]) as port, probing(asked(flows(port, 1))) as agent:
        results = await agent.until(Probe.UDP, count=3)
    assert {one.outcome for one in results} == {Outcome.INVALID}


async def test_three_copies_of_an_answer_are_one_answer() -> None:
    async with (
        datagrams(lambda data: [(0, answer(data)), (0, answer(data)), (0.05, answer(data))]) as port,
        probing(asked(flows(port, 2, 0.1))) as agent,
    ):
        results = await agent.until(Probe.UDP, count=10)
        sent = agent.prober.health().sent
    assert {one.outcome for one in results} == {Outcome.ANSWERED}
    assert sent - 2 <= len(results) <= sent


async def test_a_late_answer_is_silent_first_and_amended_then() -> None:
    async with datagrams(lambda data: [(0.6, answer(data))]) as port, probing(asked(flows(port, 1, 0.4))) as agent:
        late = await agent.until(Probe.UDP, Outcome.LATE, count=2)
        silent = agent.of(Probe.UDP, Outcome.SILENT)
    assert {one.mono for one in late} <= {one.mono for one in silent}
    assert all(one.rtt and 600_000_000 <= one.rtt < 700_000_000 and one.identity == WHO for one in late)
    assert agent.of(Probe.UDP, Outcome.ANSWERED) == []


async def test_an_answer_after_both_limits_is_nothing() -> None:
    async with (
        datagrams(lambda data: [(0.6, answer(data))]) as port,
        probing(asked(flows(port, 1, 0.2)), late=0.2) as agent,
    ):
        await agent.until(Probe.UDP, Outcome.SILENT, count=5)
    assert agent.of(Probe.UDP, Outcome.LATE, Outcome.ANSWERED) == []


async def test_our_port_as_a_translator_made_it_is_told() -> None:
    async with (
        datagrams(lambda data: [(0, answer(data))]) as port,
        probing(asked(Probes(udp=UdpProbe(port, SOURCE + 7, 1, 0.1, 0.0)))) as agent,
    ):
        results = await agent.until(Probe.UDP, Outcome.ANSWERED)
    assert results[0].seen == f"{HERE}:{SOURCE}"


async def test_noise_from_the_target_is_invalid_and_does_not_stop_the_agent() -> None:
    async with (
        datagrams(lambda data: [(0, b""), (0, b"x" * 1472), (0, answer(data))]) as port,
        probing(asked(flows(port, 1))) as agent,
    ):
        results = await agent.until(Probe.UDP, count=4)
    assert {one.outcome for one in results} == {Outcome.INVALID}


async def test_a_taken_source_port_is_unsent_and_says_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", SOURCE))
        async with responder() as ports, probing(asked(flows(ports.udp, 2))) as agent:
            [unsent, *_] = await agent.until(Probe.UDP, Outcome.UNSENT)
            answered = await agent.until(Probe.UDP, Outcome.ANSWERED)
    assert (unsent.flow, unsent.detail) == (0, "Address already in use, says our own kernel")
    assert {one.flow for one in answered} == {1}


async def test_sizes_are_answered_as_long_as_they_were_asked() -> None:
    lengths: list[int] = []

    def measured(data: bytes) -> list[tuple[float, bytes]]:
        lengths.append(len(data))
        return [(0, answer(data))]

    async with datagrams(measured) as port:
        probes = Probes(udp=UdpProbe(port, SOURCE, 1, 60.0, 0.0), mtu=MtuProbe(0.2, (1372, 1500)))
        async with probing(asked(probes)) as agent:
            results = await agent.until(Probe.MTU, Outcome.ANSWERED, count=4)
    assert {one.value for one in results} == {1372.0, 1500.0}
    assert {1344, 1472} <= set(lengths)


async def test_without_a_key_no_identity_is_asked_for_and_that_is_said() -> None:
    async with probing(asked(flows(9)), keys=Keys()) as agent:
        await asyncio.sleep(0.3)
        assert agent.prober.health().lacking == ("no UDP identity of svc: there is no key to ask with",)
    assert agent.taken == []


def test_the_nonce_stands_where_an_error_that_quotes_a_request_is_searched_for_it() -> None:
    request = Request(1, 2, 0x1122334455667788, 4, "svc")
    assert int.from_bytes(encode_request(request, KEY)[12:20], "big") == request.nonce
