"""What the journal's folder needs of the system."""

import subprocess
import sys
from pathlib import Path

from store.folder import Folder
from tests import needs

WITHOUT_FDATASYNC = """
import os, sys
from pathlib import Path
del os.fdatasync
import store.ledger, store.reader, store.retention, store.seal, store.writer
from store.journal import Journal
from tests.store.made import at, route, routes
journal = Journal(Path(sys.argv[1]))
journal.append([routes(route(0))], at(0))
assert journal.commit() == 1
journal.close()
"""


def test_the_store_works_on_a_system_without_fdatasync(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_FDATASYNC, str(tmp_path)], cwd=needs.ROOT, check=True)


def test_a_probe_of_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.prepare()
    folder.probe()
    assert list(folder.scratch.iterdir()) == []
