"""`catchment backup` and `catchment restore`: the journal and the ledger, there and back."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.cli.shown import complain, counted, data_folder, print_json
from pipeline.version import version
from store.backup import BackupError, Manifest, verify
from store.backup import backup as make
from store.backup import restore as bring
from store.ledger import LedgerError
from store.schema import JournalError

REFUSALS = (BackupError, LedgerError, JournalError, OSError)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, for people and for programs."""

    manifest: Manifest
    where: str
    said: str

    def show(self, as_json: bool) -> None:
        """On standard output, or on standard error where a backup goes to the other."""
        octets, files = self.manifest.octets, len(self.manifest.files)
        if as_json:
            shown = {"where": self.where, "made_at": self.manifest.made_at, "catchment": self.manifest.catchment}
            print_json({**shown, "format": self.manifest.format, "files": files, "octets": octets})
            return
        out = sys.stderr if self.where == "-" else sys.stdout
        out.write(f"{self.said}: {counted(files, 'file')}, {octets / 1e6:.1f} MB, as of {self.manifest.made_at}\n")


def backup(target: Path, data: Path | None, as_json: bool) -> int:
    """Make a backup; 2 when it cannot be made."""
    piped = str(target) == "-"
    if piped and (as_json or sys.stdout.isatty()):
        said = "standard output takes the backup itself: lead it into a file or a pipe, and leave --json out"
        return complain("backup", said)
    try:
        into: Path | IO[bytes] = sys.stdout.buffer if piped else target
        made = make(data_folder(data), into, version())
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return complain("backup", "whoever was to take the backup has hung up")
    except REFUSALS as error:
        return complain("backup", error)
    Done(made, str(target), f"backed up to {target}").show(as_json)
    return 0


def restore(source: Path, data: Path | None, check: bool, as_json: bool) -> int:
    """Bring a backup back, or with `check` only prove it; 2 when that cannot be done."""
    whence: Path | IO[bytes] = sys.stdin.buffer if str(source) == "-" else source
    folder = data_folder(data)
    try:
        found = verify(whence) if check else bring(whence, folder)
    except REFUSALS as error:
        return complain("restore", error)
    said = f"{source} is whole" if check else f"restored into {folder}"
    Done(found, str(source) if check else str(folder), said).show(as_json)
    return 0
