"""Backups of a data folder: of one moment, taken while the daemon writes, and proven before they are used.

Theory of operation. The ledger is copied first, by SQLite's own backup, in one read transaction that holds up no
commit. Then the journal: every segment that is not sealed is opened, and where it ends is noted; the writer's next
sign of life says that all up to there is committed, for one thread appends, commits and gives the sign. An open file
stays whatever sealing does to its name. So the journal has all that the ledger's conclusions and cursors rest on, and a
little more. Sealed files never change. A manifest with every file's size and SHA-256 comes last: without it a backup is
none.
"""

from store.backup.manifest import BackupError, Manifest
from store.backup.reading import restore, verify
from store.backup.writing import backup

__all__ = ["BackupError", "Manifest", "backup", "restore", "verify"]
