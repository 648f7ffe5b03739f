"""docs/replay.md: its examples run, on files that are made here.

`python -m tests.pipeline.replay.docs` writes into the document what the examples print.
"""

import re
import shlex
import tempfile
from pathlib import Path

from lab.intent import render
from lab.tape import STORY_TAPE
from lab.topology import Lab
from tests.collector.wire.pcap.writing import pcap
from tests.needs import ROOT
from tests.pipeline.replay.test_mrt import AT, OTHER, WEB, dump, update
from tests.pipeline.replay.test_pcap import GOBGP, Wire
from tests.pipeline.replay.test_replay import AT as BMP_AT
from tests.pipeline.replay.test_replay import HEALTHY, INTENT, LOSS
from tests.pipeline.terminal import in_pipes

DOCUMENT = ROOT / "docs" / "replay.md"
CONSOLE = re.compile(r"```console\n\$ ((?:COLUMNS=80 )?catchment [^\n]*)\n.*?```\n", re.DOTALL)
YAML = re.compile(r"```yaml\n.*?```\n", re.DOTALL)


def written() -> str:
    """The document as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        _files(Path(folder))
        text = YAML.sub(f"```yaml\n{INTENT.lstrip()}```\n", DOCUMENT.read_text())
        return CONSOLE.sub(lambda found: f"```console\n$ {found[1]}\n{_said(found[1], Path(folder))}```\n", text)


def _said(command: str, folder: Path) -> str:
    """What a command prints in 80 columns, both of its outputs."""
    words, _, tail = command.removeprefix("COLUMNS=80 ").partition(" | tail -")
    said = in_pipes(*shlex.split(words)[1:], folder=folder, COLUMNS="80", NO_COLOR="1")
    lines = (said.out + said.err).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines[-int(tail or len(lines)) :])


def _files(folder: Path) -> None:
    (folder / "mine.yaml").write_text(INTENT)
    (folder / "lab.yaml").write_text(render(Lab()))
    (folder / "story.jsonl.gz").write_bytes(STORY_TAPE.read_bytes())
    (folder / "gobgp.bmp").write_bytes(b"".join(LOSS))
    (folder / "updates.mrt").write_bytes(update(AT, OTHER) + update(AT + 60, withdrawn=WEB) + update(AT + 90, WEB))
    (folder / "other.mrt").write_bytes(update(AT + 60, OTHER) + update(AT + 90, withdrawn=OTHER))
    (folder / "rib.mrt").write_bytes(dump(OTHER))
    wire = Wire()
    wire.open(BMP_AT, GOBGP)
    wire.say(BMP_AT, GOBGP, b"".join(HEALTHY))
    for second, message in ((100.5, LOSS[4]), (130.2, LOSS[5]), (200, LOSS[6])):
        wire.say(BMP_AT + second, GOBGP, message)
    (folder / "bmp.pcap").write_bytes(pcap(wire.packets))


if __name__ == "__main__":
    DOCUMENT.write_text(written())
