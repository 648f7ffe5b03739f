"""docs/probing.md, "Transport": its figures and its table of keys, held against the code."""

import json

from collector.probe import batch, batching, spool, uplink
from pipeline.agents import clocks, ingest, marks, rates, server
from tests import needs
from tests.collector.probe.test_batch import FULL
from tests.collector.probe.test_batch import batch as a_batch

PAGE = (needs.ROOT / "docs" / "probing.md").read_text(encoding="utf-8")
SECTION = " ".join(PAGE.partition("## Transport")[2].partition("\n## ")[0].split())


def test_every_key_of_a_batch_is_in_the_table() -> None:
    document = json.loads(batch.plain(a_batch(), [FULL]))
    for key in (*document, *document["health"]):
        assert f"`{key}`" in SECTION, key


def test_its_figures_are_those_of_the_code() -> None:
    figures = {
        f"up to {batch.MOST_MEMBERS} of one run": True,
        f"{uplink.MOST} batches at a time": True,
        f"{batch.LARGEST >> 20} MiB at most, decompressed {batch.DECOMPRESSED >> 20} MiB": True,
        f"more than {batch.RATIO} times its size (beyond {batch.FREE >> 10} KiB)": True,
        f"a batch {batch.MOST_ROWS:,} rows": True,
        f"an eighth of a small quota, {spool.FILE >> 20} MiB of a large one": spool.PARTS == 8,
        f"after {uplink.SOONEST:g} to {uplink.LATEST:g} s, {uplink.PATIENT:g} s where": True,
        f"`Retry-After` says, {uplink.LONGEST_WAIT:g} s at most": True,
        f"sends {rates.A_SECOND:g} requests a second at most": True,
        "a body has ten seconds to come": server.BODY == 10,
        f"header comes in {server.IDLE:g} s is closed, and so are those beyond {server.MOST_CONNECTIONS}": True,
        f"remembers {marks.MOST_RUNS:,} runs of a site": True,
        "more than ten seconds is `late`": ingest.FRESH == 10 * clocks.SECOND,
        "the least of the last two minutes": clocks.PIECE * clocks.PIECES == 120 * clocks.SECOND,
        "set by more than half a second": clocks.STEPPED == clocks.SECOND // 2,
        "4 a second": batching.INTERVAL == 0.25,
        "every ten seconds; else left out": batching.TARGETS == 10,
    }
    for said, holds in figures.items():
        assert said in SECTION, said
        assert holds, said
