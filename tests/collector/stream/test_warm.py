"""After warming up, nothing is compiled any more."""

from collector.kernel import json_lines, json_prefixes
from collector.stream import catchment_batches
from collector.stream.warm import warm
from tests.collector.stream.samples import opened, stream
from tests.collector.stream.test_lines import written


def test_what_was_warmed_up_is_what_is_called() -> None:
    warm()
    compiled = json_lines.lines, json_prefixes.prefixes
    before = [set(each.signatures) for each in compiled]
    assert all(len(signatures) == 1 for signatures in before)
    assert b"".join(written(stream(50)))
    assert sum(map(len, catchment_batches(opened(stream(50))))) > 50
    assert [set(each.signatures) for each in compiled] == before
