"""After warming up, nothing is compiled any more: not in the first UPDATE, and not in the first large table."""

import subprocess
import sys

CODE = """
from collector.bmp.warm import everything
from collector.kernel import decode, intern, mrt, peers, select, text

entries = (
    decode.decode, intern.intern_one, intern.find, intern.refill, intern.unpack,
    peers.enlist, peers.note, select.touching, mrt.records, text.lines,
)
assert not any(entry.signatures for entry in entries)
everything()
before = [len(entry.signatures) for entry in entries]
assert before == [1] * len(entries), before

from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import run

heads = [s.header(f"10.9.{number}.1") for number in range(40)]
ups = b"".join(s.peer_up(head) + s.end_of_rib(head) for head in heads)
odd = s.monitoring(s.update(attrs=s.attributes(1, extra=s.attribute(99, b"x", 0xC0)), announced=s.nlri("10.0.0.0/8")))
import io
from collector.files.read import read
from tests.collector.files import samples as m
for data in (m.PEERS + b"".join(m.ORDINARY.values()), s.initiation() + s.peer_up() + s.announce("10.0.0.0/8")):
    assert list(read(io.BytesIO(data)))
run(s.initiation() + s.peer_up() + ups + b"".join(s.table(40_000, paths=1)) + odd)
after = {entry.__name__: entry.signatures for entry in entries if len(entry.signatures) > 1}
assert not after, after
"""


def test_nothing_is_compiled_after_warming_up() -> None:
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
