"""Columns and interned attributes: the bulk lane's memory."""

import random
import struct

import numpy as np
import pyarrow as pa
import pytest

from anycast.columns import COLUMNS, NANOSECONDS
from anycast.prefix import Family
from collector.batch import AttributeTable, RouteBatch, concatenate, schema
from tests.collector.bmp import streams as s

KEY = bytes(range(16))
BLOB = s.attributes(65001, 64999)


def test_schemas_are_the_contracts() -> None:
    for table, columns in COLUMNS.items():
        assert schema(table).names == [name for name, _ in columns]
        stamps = {name for name, word in columns if word == NANOSECONDS}
        assert {field.name for field in schema(table) if field.type == pa.timestamp("ns", tz="UTC")} == stamps


def batch(*ats: int) -> RouteBatch:
    made = RouteBatch.empty(len(ats))
    for column in made.columns:
        column[:] = 1
    made.at[:] = ats
    return made


def test_batches_join_and_select_in_order() -> None:
    joined = concatenate([batch(1, 2), batch(3)])
    assert joined.at.tolist() == [1, 2, 3]
    assert joined.select(joined.at > 1).at.tolist() == [2, 3]
    assert len(concatenate([])) == 0


def test_a_batch_becomes_arrow_with_nulls_where_the_router_sent_no_time() -> None:
    made = batch(10, 20)
    made.router_time[1] = 0
    arrow = made.to_arrow()
    assert arrow.schema == schema("routes")
    assert arrow.column("router_time").is_null().to_pylist() == [False, True]
    assert arrow.column("at").cast(pa.int64()).to_pylist() == [10, 20]
    arrow.validate(full=True)


def test_equal_blobs_have_one_id_and_are_fresh_once() -> None:
    table = AttributeTable(KEY)
    first, again = table.intern(BLOB, False), table.intern(BLOB, False)
    assert first == again != 0
    fresh = table.fresh()
    assert fresh.schema == schema("attributes")
    assert fresh.to_pylist() == [{"id": first, "two_octet_as": False, "blob": BLOB}]
    assert table.fresh().num_rows == 0


def test_the_width_of_as_numbers_is_part_of_a_blob() -> None:
    table = AttributeTable(KEY)
    wide, narrow = table.intern(s.attributes(1), False), table.intern(s.attributes(1), True)
    assert wide != narrow
    assert table.blob(narrow) == (s.attributes(1), True)


def test_ids_belong_to_the_key() -> None:
    ids = {key: AttributeTable(key).intern(BLOB, False) for key in (KEY, bytes(16))}
    assert AttributeTable(KEY).intern(BLOB, False) == ids[KEY]
    assert ids[KEY] != ids[bytes(16)]


def test_every_length_of_blob_comes_back() -> None:
    table, draw = AttributeTable(KEY), random.Random(5)
    blobs = [draw.randbytes(size) for size in [*range(1, 70), 4_000, 65_535]]
    ids = [table.intern(blob, False) for blob in blobs]
    assert [table.blob(identity)[0] for identity in ids] == blobs
    assert [row["blob"] for row in table.fresh().to_pylist()] == blobs


def test_the_table_grows() -> None:
    table = AttributeTable(KEY)
    ids = [table.intern(struct.pack("!I", number) * 20, False) for number in range(30_000)]
    assert len(set(ids)) == len(table) == 30_000
    assert table.blob(ids[17])[0] == struct.pack("!I", 17) * 20


def test_the_hash_is_siphash_1_3() -> None:
    """Against a second implementation, written from the paper, below."""
    table = AttributeTable(KEY)
    for size in (1, 7, 8, 9, 15, 16, 64, 255, 256):
        blob = bytes(range(256))[:size]
        assert table.intern(blob, False) == siphash_1_3(KEY, blob)


def siphash_1_3(key: bytes, data: bytes) -> int:
    mask = (1 << 64) - 1
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x: int, by: int) -> int:
        return (x << by | x >> 64 - by) & mask

    def sipround() -> None:
        v[0] = (v[0] + v[1]) & mask
        v[1] = turn(v[1], 13) ^ v[0]
        v[0] = turn(v[0], 32)
        v[2] = (v[2] + v[3]) & mask
        v[3] = turn(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & mask
        v[3] = turn(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & mask
        v[1] = turn(v[1], 17) ^ v[2]
        v[2] = turn(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes((len(data) & 255,))
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        sipround()
        v[0] ^= word
    v[2] ^= 255
    for _ in range(3):
        sipround()
    return int(v[0] ^ v[1] ^ v[2] ^ v[3])


def test_colliding_blobs_are_told_apart_and_counted() -> None:
    table = AttributeTable(KEY)
    table.arrays.key[2] = 7  # a hash of three bits
    blobs = [bytes((number,)) * 9 for number in range(40)]
    ids = [table.intern(blob, False) for blob in blobs]
    assert len(set(ids)) == 40
    assert 0 not in ids
    assert ids == [table.intern(blob, False) for blob in blobs]
    assert [table.blob(identity)[0] for identity in ids] == blobs
    assert table.collisions >= 40 - 8


def test_no_collision_is_counted_where_none_is() -> None:
    table = AttributeTable(KEY)
    for number in range(1_000):
        table.intern(struct.pack("!I", number), False)
    assert table.collisions == 0


def test_a_full_table_forgets_and_counts_it() -> None:
    table = AttributeTable(KEY, limit=1_000)
    known = table.intern(BLOB, False)
    while not table.full:
        table.intern(struct.pack("!I", len(table)) * 10, False)
    table.turn(0)
    assert (len(table), table.forgotten) == (0, 1)
    with pytest.raises(KeyError):
        table.blob(known)
    assert table.intern(BLOB, False) == known
    assert table.fresh().num_rows == 1


def test_another_day_forgets_and_the_same_day_does_not() -> None:
    table = AttributeTable(KEY)
    table.turn(20_000)
    table.intern(BLOB, False)
    table.turn(20_000)
    assert len(table) == 1
    table.turn(20_001)
    assert (len(table), table.forgotten) == (0, 0)


def test_attributes_are_decoded_when_asked() -> None:
    table = AttributeTable(KEY)
    identity = table.intern(BLOB, False)
    attributes = table.attributes(identity)
    assert str(attributes.as_path) == "65001 64999"
    assert table.attributes(identity) is attributes
    with pytest.raises(KeyError):
        table.attributes(identity + 1)


def test_a_blob_with_two_next_hops_has_one_for_each_family() -> None:
    blob = s.attributes(65001, extra=s.attribute(14, b"\0\x02\x01\x10" + bytes(15) + b"\x01", 0x80))
    table = AttributeTable(KEY)
    identity = table.intern(blob, False)
    hops = [str(table.attributes(identity, family).next_hop) for family in (Family.IPV4, Family.IPV6)]
    assert hops == ["192.0.2.1", "::1"]


def test_decoded_attributes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.batch.KEPT_DECODED", 10)
    table = AttributeTable(KEY)
    for number in range(1, 30):
        table.attributes(table.intern(s.attributes(number), False))
    assert len(table._decoded) == 10


def test_a_key_has_sixteen_octets() -> None:
    with pytest.raises(ValueError, match="16 octets, not 3"):
        AttributeTable(b"abc")


def test_rows_take_no_python_objects() -> None:
    assert all(column.dtype != np.dtype(object) for column in RouteBatch.empty(1).columns)
