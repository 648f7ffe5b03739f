"""What a gap in our sight leaves behind: no false alarm, nothing told twice, and a state that equals the routers' own.

On the lab: BMP of all three exporters reset, or cut silently; the collector's GoBGP killed and started again; Catchment
stopped, or killed, and started again. Around it nothing happens, or a region really withdraws a service during the gap,
or had done so before and people were told. The moments are random. See tests/prove/gaps.py for what is compared.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.prove.figures import Proven, Target, load
from tests.prove.gaps import GAPS, Mode, cycle
from tests.prove.labs import watched_lab
from tests.prove.partial import Partial

NAME = "resync"
SEED = 20262
ROUNDS = 2
CYCLES = [(gap, mode) for _ in range(ROUNDS) for gap in GAPS for mode in Mode]
COUNTED = ("differences", "false", "lacking", "repeated")


def prove(say: Callable[[str], None]) -> Proven:
    """Run every cycle."""
    partial = Partial(NAME, "cycles")
    if len(partial.repeats) < len(CYCLES):
        with watched_lab("pvsync") as watched:
            for number in range(len(partial.repeats), len(CYCLES)):
                gap, mode = CYCLES[number]
                account = cycle(watched, gap, mode, random.Random(SEED + number))
                partial.add(asdict(account) | {"load": load()})
                say(f"{number + 1} of {len(CYCLES)}: {gap}, {mode}: {account.seconds:g} s, {len(account.wrong)} wrong")
                for sentence in account.wrong:
                    say(f"   {sentence}")
    return _proven(partial.repeats)


def _proven(rows: list[dict[str, Any]]) -> Proven:
    wrong = {name: sum(len(row[name]) for row in rows) for name in COUNTED}
    by_gap = Counter(row["gap"] for row in rows)
    figures = {
        "cycles": len(rows),
        "resynchronisations": sum(row["feeds"] for row in rows),
        "withdrawn_in_the_gap": sum(row["mode"] == Mode.DURING for row in rows),
        "cycles_by_gap": {name.replace("-", "_"): count for name, count in by_gap.items()},
        "load_average": max(row["load"] for row in rows),
        **wrong,
    }
    words = {
        "differences": "routes that differ from the routers' own tables",
        "false": "false alarms and false changes",
        "lacking": "true changes that were not said, or not with both ends of the gap",
        "repeated": "notifications told twice",
    }
    return Proven(SEED, figures, tuple(Target(words[name], wrong[name], exactly=0) for name in COUNTED))
