"""What is decoded: one generated table in three encodings, and real captures, kept in the temporary folder."""

import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import benchmarks.table

PREFIXES_A_SET = 20 / 3
"""1M prefixes in 150,000 sets of attributes."""
SEED = 1
REAL = ("rrc15.updates.20100227.1600.gz", "rrc00.updates.19990903.1041.gz")


@dataclass(frozen=True, slots=True)
class Input:
    """A plain file."""

    name: str
    """As in the evidence's keys."""
    about: str
    path: Path
    bmp: bool
    generated: bool
    times: int = 1
    """How many times a capture is in it."""


def inputs(routes: int, say: Callable[[str], None]) -> list[Input]:
    """Make what is not there yet; `routes`: about how many routes each has."""
    folder = Path(tempfile.gettempdir()) / f"catchment-benchmarks-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = [_generated(form, folder, routes, say) for form in benchmarks.table.FORMS]
    captures = Path(os.environ.get("CATCHMENT_CAPTURES", Path(__file__).parents[2] / "shared" / "captures")) / "mrt"
    for name in REAL:
        if (captures / name).is_file():
            found.append(_repeated(captures / name, folder, routes, say))
        else:
            say(
                f"capture {name} is left out: it is not in {captures.name}/ of the folder that CATCHMENT_CAPTURES names"
            )
    return found


def _generated(form: str, folder: Path, routes: int, say: Callable[[str], None]) -> Input:
    with Path(benchmarks.table.__file__).open("rb") as code:
        version = f"{abs(hash_of(code.read())):08x}"
    path = folder / f"{form}-{routes}-{SEED}-{version}.bin"
    if not path.exists():
        say(f"making {form}, {routes:,} routes")
        part = path.with_suffix(f".{os.getpid()}")
        sets = max(1, round(routes / PREFIXES_A_SET))
        words = (form, part, "--prefixes", routes, "--sets", sets, "--seed", SEED)
        subprocess.run([sys.executable, "-m", "benchmarks.table", *map(str, words)], check=True)
        part.rename(path)
    about = {
        "table-dump-v2": "generated table as MRT, TABLE_DUMP_V2",
        "updates": "the same as MRT, BGP4MP_ET updates",
        "bmp": "the same as BMP",
    }[form]
    return Input(form.replace("-", "_"), about, path, form == "bmp", True)


def hash_of(code: bytes) -> int:
    """Tell versions of a file apart."""
    import zlib

    return zlib.crc32(code)


def _repeated(capture: Path, folder: Path, routes: int, say: Callable[[str], None]) -> Input:
    """A capture again and again in one file, for it is too short to measure: MRT files may be joined."""
    collector = capture.name.partition(".")[0]
    times = max(1, routes // 55_000)
    path = folder / f"{capture.name.removesuffix('.gz')}-{times}.bin"
    if not path.exists():
        say(f"joining {capture.name} {times} times")
        part = path.with_suffix(f".{os.getpid()}")
        plain = gzip.decompress(capture.read_bytes())
        with part.open("wb") as file:
            file.writelines([plain] * times)
        part.rename(path)
    word = f"{times} times" if times > 1 else "once"
    return Input(collector, f"RIPE RIS {capture.name.removesuffix('.gz')}, {word}", path, False, False, times)
