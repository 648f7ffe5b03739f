"""How soon a command answers: whole processes, one after the other, with a Python that does nothing as the floor."""

import gzip
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.inputs import REAL
from benchmarks.timed import PYTHON, plain_environment, timed
from benchmarks.tools import CATCHMENT
from tests.prove.figures import percentile

Turns = dict[str, list[str]]


def starts(folder: Path, repeats: int, say: Callable[[str], None]) -> dict[str, object]:
    """Return median seconds, of the clock and of the processor, of each command with everything cached."""
    env = plain_environment(folder)
    with tempfile.TemporaryDirectory(prefix="catchment-cold-") as name:
        commands = _commands(Path(name))
        found: dict[str, list[tuple[float, float]]] = {what: [] for what in commands}
        for number in range(repeats + 1):
            say(f"cold starts, {number} of {repeats}")
            for what, argv in commands.items():
                took = timed(argv, env=env, ok=(0, 1))
                if number:  # before that, byte code is written
                    found[what].append((took.wall, took.cpu))
    return {"repeats": repeats} | {
        what: {
            "wall_s": round(percentile([wall for wall, _ in pairs], 0.5), 3),
            "cpu_s": round(percentile([cpu for _, cpu in pairs], 0.5), 3),
            "wall_least_s": round(min(wall for wall, _ in pairs), 3),
        }
        for what, pairs in found.items()
    }


def _commands(folder: Path) -> Turns:
    decode = [str(CATCHMENT), "decode", "--quiet"]
    commands = {"python": [PYTHON, "-c", "pass"], "help": [str(CATCHMENT), "--help"]}
    capture = (
        Path(os.environ.get("CATCHMENT_CAPTURES", Path(__file__).parents[2] / "shared" / "captures")) / "mrt" / REAL[0]
    )
    if capture.is_file():
        plain = folder / "capture.mrt"
        plain.write_bytes(gzip.decompress(capture.read_bytes()))
        commands |= {
            "decode_jsonl": [*decode, str(plain)],
            "decode_bgpdump": [*decode, "--format", "bgpdump", str(plain)],
        }
    return commands
