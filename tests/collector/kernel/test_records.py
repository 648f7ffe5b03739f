"""Compiled code for MRT records: no read past the end, and no attribute taken unseen that the plain decoder checks."""

import io
import random

from collector.files.buffer import Buffer
from collector.files.mrt import MrtFile
from collector.kernel.attributes import CHECKED
from collector.wire.bgp.attributes import FLAGS, RULES
from tests.collector.files import samples as m
from tests.collector.kernel.test_decode import Guarded


def run(data: bytes, memory: Guarded, ended: bool) -> int:
    """Let compiled code at records behind a peer table, in memory that ends at a guard page; returns its rows."""
    lane = MrtFile(Buffer(io.BytesIO(m.PEERS)), 1 << 13)
    for _ in lane.read():
        pass
    lane._buffer._data = memory.put(data)
    lane._buffer._start, lane._buffer._end = 0, len(data)
    lane._ended = ended
    lane._run()
    return lane._filling.count


def test_the_plain_decoder_checks_no_attribute_that_compiled_code_takes_unseen() -> None:
    checked = {int(code) for code in (*RULES, *FLAGS) if code < 64}
    assert checked == set(CHECKED)


def test_nothing_is_read_past_the_end() -> None:
    """Records cut anywhere, and octets that lie, with the input's end at a guard page."""
    memory, draw = Guarded(1 << 17), random.Random(11)
    taken = 0
    for record in (*m.ORDINARY.values(), *m.UNUSUAL.values()):
        for _ in range(8):
            lying = bytearray(record)
            lying[draw.randrange(len(record))] = draw.choice((0, 1, 127, 128, 254, 255))
            for data in (record[: draw.randrange(len(record) + 1)], bytes(lying), record):
                taken += run(data, memory, draw.random() < 0.5)
    assert taken > 1000
