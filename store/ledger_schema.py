"""The ledger's file: its tables, its version, and how it is opened.

Times are RFC 3339 in UTC with microseconds, which sort as text; findings, attributes and facts are JSON as
`anycast.plain` writes them. A person can read all of it with `sqlite3`.
"""

import os
import sqlite3
from pathlib import Path

VERSION = 1
"""Of the tables below. A change of them adds a step to UPGRADES and raises this."""

APPLICATION = 0x43544C47  # "CTLG": tells a ledger from any other SQLite file

TABLES = """
CREATE TABLE records (               -- findings as they stand, one row for each time a key went wrong
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    pending_at TEXT NOT NULL,
    opened_at TEXT,                  -- null for what never opened
    cleared_at TEXT,
    muted_by TEXT,
    finding TEXT NOT NULL
) STRICT;
CREATE INDEX records_state ON records (state, cleared_at);

CREATE TABLE transitions (           -- every step the ledger took
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    record TEXT NOT NULL,
    snapshot TEXT NOT NULL           -- the record after it
) STRICT;
CREATE INDEX transitions_record ON transitions (record, number);

CREATE TABLE events (                -- the timeline
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    text TEXT NOT NULL,
    severity TEXT,
    service TEXT,
    prefix TEXT,
    region TEXT,
    site TEXT,
    vantage TEXT,
    finding TEXT,
    not_before TEXT
) STRICT;
CREATE INDEX events_at ON events (at);
CREATE INDEX events_prefix ON events (prefix, at) WHERE prefix IS NOT NULL;
CREATE INDEX events_finding ON events (finding) WHERE finding IS NOT NULL;

CREATE TABLE outbox (                -- what is owed, and what became of it
    number INTEGER PRIMARY KEY,      -- order of telling
    id TEXT NOT NULL UNIQUE,
    receiver TEXT NOT NULL,
    record TEXT NOT NULL,
    step TEXT NOT NULL,
    created TEXT NOT NULL,
    snapshot TEXT NOT NULL,          -- the record as it is told
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt TEXT,
    last_error TEXT NOT NULL DEFAULT '',
    settled_at TEXT
) STRICT;
CREATE INDEX outbox_owed ON outbox (receiver, record, number) WHERE state = 'owed';
CREATE INDEX outbox_record ON outbox (record, receiver);

CREATE TABLE watched (               -- routes that are present in the view, for a restart
    router TEXT NOT NULL,
    peer TEXT NOT NULL,              -- empty for a Loc-RIB
    peer_type INTEGER NOT NULL,
    distinguisher TEXT NOT NULL,     -- hexadecimal: 64 bits without a sign do not fit SQLite's integers
    rib TEXT NOT NULL,
    prefix TEXT NOT NULL,
    path_id INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (router, peer, peer_type, distinguisher, rib, prefix, path_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (                 -- whatever else a restart needs, by name
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

UPGRADES: dict[int, str] = {0: TABLES}
"""From a version to the next: what to execute. 0 is the empty file."""


class LedgerError(Exception):
    """The ledger's file cannot be used; the sentence says which file, why, and what would be right."""


class LedgerNewer(LedgerError):
    """It was written by a newer Catchment."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the ledger for its one writer; make it, readable by its owner alone, or bring it up to this version."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"the ledger {path} cannot be written: {error}; it must be a file we own") from error
    try:
        _check(connection, path)
        # FULL: in WAL mode anything less forgets the last commits when the power fails, and we have told of them.
        connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;")
        _upgrade(connection)
    except sqlite3.Error as error:
        connection.close()
        raise LedgerError(f"the ledger {path} cannot be used: {error}; restore it from a backup") from error
    except LedgerError:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the ledger for reading beside its writer, from any process and, once opened, from any thread."""
    if not path.is_file():
        raise LedgerError(f"there is no ledger at {path}; `catchment run` makes one in its data folder")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        _check(connection, path)
        connection.execute("PRAGMA busy_timeout = 5000")
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise LedgerError for a file of another kind or of a newer version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise LedgerError(f"{path} is a database, but not a ledger of Catchment; name another file")
    if version > VERSION:
        raise LedgerNewer(
            f"the ledger {path} is of version {version}, written by a newer Catchment; this one reads up to version "
            f"{VERSION}: run the newer one, or name another data folder"
        )


def _upgrade(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    while version < VERSION:
        script = f"BEGIN IMMEDIATE; {UPGRADES[version]} PRAGMA application_id = {APPLICATION};"
        version += 1
        connection.executescript(f"{script} PRAGMA user_version = {version}; COMMIT;")
