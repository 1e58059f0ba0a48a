"""The tables of a book. docs/book.md says in words what they hold; a change of them is a new version with a migration.

Names that come from outside (samples, files, reasons) may hold any bytes a file system gives. They are stored as text in UTF-8 where
they are that, and byte by byte where they are not (``stored`` and ``shown``).
"""

from __future__ import annotations

import sqlite3
from typing import Final
from uuid import uuid4

from edge.book.journal_tables import BUT_SAMPLES_GO, HELD_ALREADY, JOURNAL, JOURNAL_TABLES, WRITES_THE_JOURNAL

APPLICATION_ID: Final = 0x45444742
"""``EDGB``, in the file's header: tells a book from another program's database."""

VERSION: Final = 3
"""Of these tables, in the file's header (``user_version``)."""

ANSWERS_FROM: Final = 2
"""The version from which on a book holds what people answered."""

JOURNAL_FROM: Final = 3
"""The version from which on a book holds its journal."""

TABLES: Final = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    began TEXT NOT NULL,
    model TEXT NOT NULL,
    scope TEXT NOT NULL,
    unit TEXT NOT NULL,
    about TEXT NOT NULL,
    binding TEXT NOT NULL
) STRICT;

CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    run_id INTEGER NOT NULL REFERENCES run (id),
    held_by INTEGER REFERENCES run (id),
    name TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 1),
    state TEXT NOT NULL CHECK (state IN ('counting', 'complete', 'interrupted')),
    began TEXT NOT NULL,
    touched TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0,
    fields INTEGER NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    unreadable INTEGER NOT NULL DEFAULT 0,
    cells INTEGER NOT NULL DEFAULT 0,
    counts TEXT NOT NULL DEFAULT '{}',
    set_aside TEXT NOT NULL DEFAULT '{}',
    flag TEXT,
    lost INTEGER NOT NULL DEFAULT 0,
    event TEXT,
    UNIQUE (name, count)
) STRICT;

CREATE TABLE field (
    id INTEGER PRIMARY KEY,
    sample_id INTEGER NOT NULL REFERENCES sample (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 0),
    run_id INTEGER NOT NULL REFERENCES run (id),
    name TEXT NOT NULL,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    reason TEXT,
    readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
    found INTEGER NOT NULL,
    classes INTEGER NOT NULL,
    path TEXT,
    size INTEGER,
    sha256 BLOB,
    height INTEGER,
    width INTEGER,
    kinds TEXT,
    placed INTEGER CHECK (placed IN (0, 1)),
    overlaps TEXT,
    sharpness REAL,
    brightness REAL,
    over_exposed REAL,
    under_exposed REAL,
    fill REAL,
    incomplete INTEGER,
    decode_ms REAL,
    gate_ms REAL,
    find_ms REAL,
    crop_ms REAL,
    classify_ms REAL,
    metadata TEXT,
    appearance TEXT,
    rim REAL,
    outline BLOB,
    signature BLOB,
    typical_finds INTEGER,
    typical_paper BLOB,
    typical_cell BLOB,
    checksum INTEGER NOT NULL,
    UNIQUE (sample_id, number)
) STRICT;

CREATE TABLE cell (
    field_id INTEGER NOT NULL REFERENCES field (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL,
    h INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    class INTEGER NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0 CHECK (seen IN (0, 1)),
    confidence REAL,
    scores BLOB,
    mask BLOB,
    PRIMARY KEY (field_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE crop (
    field_id INTEGER NOT NULL REFERENCES field (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    jpeg BLOB NOT NULL,
    PRIMARY KEY (field_id, n)
) STRICT;

CREATE TABLE view (
    field_id INTEGER PRIMARY KEY REFERENCES field (id) ON DELETE CASCADE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    jpeg BLOB NOT NULL
) STRICT;

CREATE TABLE picture (
    field_id INTEGER PRIMARY KEY REFERENCES field (id) ON DELETE CASCADE,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    suspicious INTEGER NOT NULL CHECK (suspicious IN (0, 1))
) STRICT;

CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    sample_id INTEGER REFERENCES sample (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
"""
"""Of version 1. Tables come before all indices, as VACUUM writes them: a book whose first page is lost is read by a new one's."""

ANSWERS: Final = """
CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL,
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    field INTEGER NOT NULL CHECK (field >= 0),
    n INTEGER NOT NULL CHECK (n >= 0),
    reader TEXT NOT NULL,
    at TEXT NOT NULL,
    model TEXT NOT NULL,
    answer TEXT NOT NULL,
    label TEXT NOT NULL,
    stage TEXT NOT NULL,
    reading INTEGER NOT NULL CHECK (reading >= 0),
    stratum TEXT NOT NULL,
    blind INTEGER NOT NULL CHECK (blind IN (0, 1)),
    seconds REAL,
    source TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (sample_id, uuid)
) STRICT;

CREATE TABLE addition (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL,
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    field INTEGER NOT NULL CHECK (field >= 0),
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    w INTEGER NOT NULL CHECK (w > 0),
    h INTEGER NOT NULL CHECK (h > 0),
    reader TEXT NOT NULL,
    at TEXT NOT NULL,
    model TEXT NOT NULL,
    label TEXT NOT NULL,
    stage TEXT NOT NULL,
    source TEXT NOT NULL,
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    checksum INTEGER NOT NULL,
    UNIQUE (sample_id, uuid)
) STRICT;

CREATE TABLE bundle (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL,
    sample_id INTEGER NOT NULL REFERENCES sample (id),
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    names TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (sample_id, uuid)
) STRICT;
"""
"""Of version 2: what people answered, and what went out to them. Rows are added, and none is ever changed or removed."""

_STAYS = ("decision", "addition", "bundle")

INDICES: Final = """
CREATE INDEX note_of_sample ON note (sample_id);
"""

_TRIGGER = (
    "CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table} {when} "
    "BEGIN SELECT RAISE(ABORT, '{what} are only added'); END"
)
_FIRST = ("run", "sample", "field", "cell", "crop", "view", "picture", "note")

NAMES: Final = (*_FIRST, *_STAYS, *JOURNAL_TABLES)
"""Of the tables; each refers only to those before it."""


def names(version: int) -> tuple[str, ...]:
    """Of the tables of an earlier version, or of this one."""
    later = (*(_STAYS if version >= ANSWERS_FROM else ()), *(JOURNAL_TABLES if version >= JOURNAL_FROM else ()))
    return (*_FIRST, *later)


def make_answers(connection: sqlite3.Connection) -> None:
    """Make the tables of answers, inside a transaction of the caller's."""
    _run(connection, ANSWERS)
    for table in _STAYS:
        _only_added(connection, table, "answers")


def make_journal(connection: sqlite3.Connection) -> None:
    """Make the journal of all that the book holds, under an origin of its own, inside a transaction of the caller's."""
    _run(connection, JOURNAL)
    connection.execute("INSERT INTO origin (id, uuid, acknowledged) VALUES (1, ?, 0)", (uuid4().hex,))
    connection.execute(HELD_ALREADY)
    for trigger in WRITES_THE_JOURNAL:
        connection.execute(f"CREATE TRIGGER {trigger}")
    _only_added(connection, "journal", "entries of the journal", BUT_SAMPLES_GO)


def _only_added(connection: sqlite3.Connection, table: str, what: str, but: str = "") -> None:
    for event, when in (("UPDATE", but), ("DELETE", "")):
        connection.execute(_TRIGGER.format(table=table, event=event, what=what, when=when))


def _run(connection: sqlite3.Connection, text: str) -> None:
    for statement in text.split(";\n"):
        connection.execute(statement)


def make_tables(connection: sqlite3.Connection, version: int = VERSION) -> None:
    """Make an empty book of an empty database, in one transaction; nothing where another program was quicker.

    Args:
        connection: to it.
        version: of the tables; of an earlier one to see where those lie.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            _run(connection, TABLES)
            if version >= ANSWERS_FROM:
                make_answers(connection)
            if version >= JOURNAL_FROM:
                make_journal(connection)
            _run(connection, INDICES)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def stored(text: str) -> bytes:
    """A text from outside for ``CAST(? AS TEXT)``: names of files need not be valid Unicode."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def shown(data: bytes) -> str:
    """The text again, as ``os.fsdecode`` gives it."""
    return data.decode("utf-8", "surrogateescape")
