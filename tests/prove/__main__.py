"""`make prove`: the long counts behind the figures in the docs.

    python -m tests.prove [NAME...] [--fresh] [--list]

Each proof keeps its repeats as it goes (in .prove/) and goes on where it was stopped; --fresh begins anew. A proof
that is done writes docs/evidence/NAME.json and prints a verdict for each of its targets.
"""

import argparse
import sys
import time
from types import ModuleType

from tests import evidence
from tests.prove import (
    agent_delivery,
    detection,
    full_table,
    influx_kills,
    quiet_hour,
    redump,
    resync,
    shares,
    silent_collector,
    ten_tables,
    withdraw_latency,
)
from tests.prove.figures import load
from tests.prove.partial import forget

PROOFS: tuple[ModuleType, ...] = (
    withdraw_latency,
    full_table,
    ten_tables,
    redump,
    silent_collector,
    resync,
    detection,
    shares,
    quiet_hour,
    agent_delivery,
    influx_kills,
)


def main() -> int:
    """Run the proofs asked for; 0 when every target is met."""
    known = {proof.NAME: proof for proof in PROOFS}
    options = argparse.ArgumentParser(prog="python -m tests.prove", description="The long counts behind the figures.")
    options.add_argument("names", nargs="*", metavar="NAME", help=f"proofs: {', '.join(known)}; all by default")
    options.add_argument("--fresh", action="store_true", help="measure anew, instead of going on")
    options.add_argument("--list", action="store_true", help="only list the proofs")
    chosen = options.parse_args()
    if unknown := [name for name in chosen.names if name not in known]:
        options.error(f"there is no proof {', '.join(unknown)}; there are {', '.join(known)}")
    proofs = [known[name] for name in chosen.names] or list(PROOFS)
    if chosen.list:
        for proof in proofs:
            say(f"{proof.NAME}: {(proof.__doc__ or '').splitlines()[0]}")
        return 0
    missed = [proof.NAME for proof in proofs if not run(proof, chosen.fresh)]
    say(f"{len(proofs) - len(missed)} of {len(proofs)} proofs met their targets")
    return int(bool(missed))


def run(proof: ModuleType, fresh: bool) -> bool:
    """Run one proof, keep its evidence, and return whether its targets are met."""
    say(f"\n== {proof.NAME}: {(proof.__doc__ or '').splitlines()[0]}")
    if fresh:
        forget(proof.NAME)
    begun = time.monotonic()
    proven = proof.prove(lambda line: say(f"   {line}"))
    path = evidence.keep(proof.NAME, proven.seed, proven.figures)
    for target in proven.targets:
        say(f"   {target}")
    met = all(target.met for target in proven.targets)
    seconds = time.monotonic() - begun
    say(f"== {proof.NAME}: {'proven' if met else 'NOT proven'} in {seconds:.0f} s, load {load()}; {path}")
    return met


def say(line: str) -> None:
    """Show one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
