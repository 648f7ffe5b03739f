"""The batch: what is written is read as it was, and any other bytes are refused with a sentence."""

import gzip
import json
import math
import zlib
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.probe import Identity, Outcome, Probe, Proof, Target, TargetKind
from collector.probe.batch import (
    COLUMNS,
    DECOMPRESSED,
    LARGEST,
    MOST_MEMBERS,
    MOST_ROWS,
    OLDEST,
    Batch,
    Refused,
    decode,
    encode,
    plain,
    sealed,
)
from collector.probe.taken import Health, Taken

NOW = 5_000_000_000_000
TARGETS = (
    Target("web", TargetKind.SERVICE, ip_address("10.250.0.10"), circuit="er1"),
    Target("weu-nva1", TargetKind.NVA, ip_address("fd00::4"), "weu", "weu-nva1"),
    Target("named", TargetKind.APPLICATION),
)


def batch(**changed: Any) -> Batch:
    start: dict[str, Any] = {
        "site": "ams", "run": "0123456789abcdef", "sequence": 7, "boot": "b-1", "mono": NOW, "wall": 1_700 * NOW,
        "host": "probe1", "health": Health(5, 0.25, 2, 90, -3, ("No CAP_NET_RAW, so no traces.",)), "targets": TARGETS,
    }  # fmt: skip
    return Batch(**(start | changed))


def taken(**changed: Any) -> Taken:
    start: dict[str, Any] = {
        "mono": NOW - 100, "wall": 1_700 * NOW, "probe": Probe.UDP, "target": "web", "outcome": Outcome.ANSWERED,
    }  # fmt: skip
    return Taken(**(start | changed))


FULL = taken(
    flow=3, port=20003, rtt=1_200_000, identity=Identity("weu", "weu-nva1", "web-1", "g7"), proof=Proof.AUTHENTICATED,
    forward=-5, held=900, connect=4, first_byte=5, ttl=61, far_ttl=60, seen="10.90.0.9:20003", status=200, value=1.5,
    hops=("10.90.0.1", "*", "10.10.1.4"), detail="said 10.90.0.1", tainted=True,
)  # fmt: skip


def test_a_batch_is_read_as_it_was_written() -> None:
    silent = taken(outcome=Outcome.SILENT)
    [read] = decode(encode(batch(dropped=4), [FULL, silent]))
    assert (read.site, read.run, read.sequence, read.boot) == ("ams", "0123456789abcdef", 7, "b-1")
    assert (read.mono, read.wall, read.host, read.dropped, read.rows) == (NOW, 1_700 * NOW, "probe1", 4, 2)
    assert read.health == batch().health
    assert read.targets == TARGETS
    assert {name: values[0] for name, values in read.columns.items()} == {
        "mono": NOW - 100, "wall": 1_700 * NOW, "probe": "udp", "target": "web", "outcome": "answered", "flow": 3,
        "port": 20003, "rtt": 1_200_000, "region": "weu", "nva": "weu-nva1", "instance": "web-1", "generation": "g7",
        "proof": "authenticated", "forward": -5, "held": 900, "connect": 4, "first_byte": 5, "ttl": 61, "far_ttl": 60,
        "seen": "10.90.0.9:20003", "status": 200, "value": 1.5, "hops": "10.90.0.1 * 10.10.1.4",
        "detail": "said 10.90.0.1", "tainted": True,
    }  # fmt: skip
    assert read.columns["outcome"][1] == "silent"
    assert read.columns["rtt"][1] is None
    assert read.columns["flow"][1] == -1


def test_a_column_in_which_all_is_usual_is_left_out_and_comes_back() -> None:
    document = json.loads(plain(batch(), [taken(), taken()]))
    assert document["columns"].keys() == {"mono", "wall", "probe", "target", "outcome"}
    [read] = decode(encode(batch(), [taken(), taken()]))
    assert read.columns.keys() == COLUMNS.keys()
    assert read.columns["proof"] == ["none", "none"]


def test_a_batch_without_results_is_a_sign_of_life() -> None:
    [read] = decode(encode(batch(targets=()), []))
    assert (read.rows, read.targets, read.columns["mono"]) == (0, (), [])


def test_several_batches_of_a_run_go_in_one_body_in_order() -> None:
    body = b"".join(encode(batch(sequence=number), [taken(ttl=number)]) for number in (5, 6, 7))
    assert [(each.sequence, each.columns["ttl"]) for each in decode(body)] == [(5, [5]), (6, [6]), (7, [7])]
    for second in (batch(sequence=9), batch(sequence=8, run="f" * 16), batch(sequence=8, site="nyc")):
        with pytest.raises(Refused, match="not of one run"):
            decode(encode(batch(), []) + encode(second, []))
    many = b"".join(encode(batch(sequence=number), []) for number in range(1, MOST_MEMBERS + 2))
    with pytest.raises(Refused, match=f"more than {MOST_MEMBERS} batches"):
        decode(many)


def spoilt(**changed: Any) -> bytes:
    document = json.loads(plain(batch(), [FULL, taken()]))
    for path, value in changed.items():
        holder, *inner = path.split("__")
        if inner:
            document[holder][inner[0]] = value
        else:
            document[holder] = value
    return sealed(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "its end is missing"),
        (b"hello", "not gzip"),
        (encode(batch(), [FULL])[:-9], "its end is missing"),
        (encode(batch(), [FULL]) + b"\0", "not gzip"),
        (sealed(b"{"), "not JSON"),
        (sealed(b"[" * 100_000), "not JSON"),
        (sealed(b"[]"), "no JSON object"),
        (sealed(b"\xff"), "not JSON"),
        (spoilt(version=2), "the batch has version '2'; version 1 is taken here"),
        (spoilt(site="../x"), "`site` is '../x', which is not right there"),
        (spoilt(run="xyz"), "`run` is 'xyz'"),
        (spoilt(sequence=0), "`sequence` is '0'"),
        (spoilt(sequence=True), "`sequence` is 'True'"),
        (spoilt(mono=-1), "`mono` is '-1'"),
        (spoilt(interval=0), "it lies between 0.01 and 60"),
        (spoilt(host="a\nb"), "`host` is"),
        (spoilt(rows=MOST_ROWS + 1), "`rows` is"),
        (spoilt(rows=3), "the column mono does not have 3 values"),
        (spoilt(health=None), "`health` is no JSON object"),
        (spoilt(health__tainted=1.5), "`tainted` is '1.5'"),
        (spoilt(health__lacking=["x"] * 33), "`lacking` is no list of at most 32 sentences"),
        (spoilt(targets=[1]), "a target is no JSON object"),
        (spoilt(targets=[{"name": "a", "kind": "x"}]), "a target's kind or address is not right"),
        (spoilt(targets=[{"name": "a", "kind": "nva", "region": 5}]), "region, NVA or circuit is not right"),
        (spoilt(targets=[{"name": "a" * 64, "kind": "nva"}]), "`name` is"),
        (spoilt(columns=[]), "`columns` is no JSON object"),
        (spoilt(columns__more=[1, 1]), "there is no column 'more'"),
        (spoilt(columns__probe=None), "the column probe does not have 2 values"),
        (spoilt(columns__probe=["udp", "smtp"]), "a value in the column probe is not right there"),
        (spoilt(columns__probe=["udp", []]), "a value in the column probe"),
        (spoilt(columns__port=[1, 65536]), "a value in the column port"),
        (spoilt(columns__port=[1, None]), "a value in the column port"),
        (spoilt(columns__port=[1, 1.0]), "a value in the column port"),
        (spoilt(columns__tainted=[0, 1]), "a value in the column tainted"),
        (spoilt(columns__rtt=[-1, None]), "a value in the column rtt"),
        (spoilt(columns__value=[1e300, None]), "a value in the column value"),
        (spoilt(columns__value=[math.inf, None]), "Infinity is no number"),
        (spoilt(columns__detail=["x" * 501, ""]), "a value in the column detail"),
        (spoilt(columns__target=["a", "b\x1b[31m"]), "a value in the column target"),
        (spoilt(columns__mono=[NOW + 1, NOW]), "taken after its batch was closed"),
        (spoilt(columns__mono=[NOW - OLDEST - 1, NOW]), "more than an hour before"),
        (b"x" * (LARGEST + 1), f"{LARGEST} at most are taken"),
        (gzip.compress(b" " * 300_000), "more than 250 times as many"),
        (sealed(json.dumps([str(n) for n in range(1_000_000)]).encode())[:LARGEST], "not|more than"),
    ],
)  # fmt: skip
def test_other_bytes_are_refused_with_a_sentence(body: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        decode(body)


def test_a_bomb_is_put_away_before_it_is_large() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(64)) + packer.flush()
    assert len(bomb) < LARGEST
    with pytest.raises(Refused, match=f"more than {DECOMPRESSED} octets"):
        decode(bomb)


@given(st.binary(max_size=400))
def test_any_bytes_are_batches_or_refused(raw: bytes) -> None:
    for body in (raw, sealed(raw)):
        with pytest.raises(Refused):
            decode(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(json.loads(plain(batch(), [FULL])).keys())), st.sampled_from(sorted(COLUMNS)), JSON)
def test_any_value_anywhere_is_taken_or_refused(key: str, column: str, value: Any) -> None:
    for changed in ({key: value}, {f"columns__{column}": value}, {f"columns__{column}": [value, value]}):
        try:
            decode(spoilt(**changed))
        except Refused:
            continue


wild = st.integers() | st.none()
TAKEN = st.builds(
    Taken,
    mono=st.integers(-(1 << 70), 1 << 70), wall=st.integers(-(1 << 70), 1 << 70), probe=st.sampled_from(Probe),
    target=st.text(max_size=80), outcome=st.sampled_from(Outcome), flow=st.integers(), port=st.integers(), rtt=wild,
    identity=st.none() | st.builds(Identity, st.text(), st.text(), st.text(), st.text()), proof=st.sampled_from(Proof),
    forward=wild, held=wild, connect=wild, first_byte=wild, ttl=st.integers(), far_ttl=st.integers(), seen=st.text(),
    status=st.integers(), value=st.none() | st.floats(), hops=st.lists(st.text(max_size=50), max_size=40).map(tuple),
    detail=st.text(max_size=600), tainted=st.booleans(),
)  # fmt: skip


@given(st.lists(TAKEN, max_size=4), st.floats(), st.lists(st.text(), max_size=40))
def test_whatever_an_agent_took_is_never_refused(results: list[Taken], part: float, lacking: list[str]) -> None:
    health = Health(lag=-1, tainted=part, step=1 << 80, lacking=tuple(lacking))
    [read] = decode(encode(batch(health=health), results))
    assert read.rows == len(results)
    assert [str(each.outcome) for each in results] == list(read.columns["outcome"])
