"""The tables of version 3: what others are to learn of this book (``edge.journal``), and from which others it learnt."""

from __future__ import annotations

from typing import Final

JOURNAL: Final = """
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    sample_id INTEGER REFERENCES sample (id) ON DELETE SET NULL,
    field INTEGER CHECK (field >= 0)
) STRICT;

CREATE TABLE origin (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL,
    acknowledged INTEGER NOT NULL CHECK (acknowledged >= 0)
) STRICT;

CREATE TABLE microscope (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    next INTEGER NOT NULL CHECK (next >= 1),
    newest INTEGER NOT NULL CHECK (newest >= 0),
    heard TEXT NOT NULL,
    online INTEGER NOT NULL CHECK (online IN (0, 1))
) STRICT;

CREATE TABLE collected (
    sample_id INTEGER PRIMARY KEY REFERENCES sample (id) ON DELETE CASCADE,
    microscope_id INTEGER NOT NULL REFERENCES microscope (id)
) STRICT;
"""

JOURNAL_TABLES: Final = ("journal", "origin", "microscope", "collected")
"""Their names."""

_OF_SAMPLE = "BEGIN INSERT INTO journal (sample_id, field) VALUES (NEW.id, NULL); END"
_OF_FIELD = "BEGIN INSERT INTO journal (sample_id, field) VALUES (NEW.sample_id, NEW.number); END"
_STATE_CHANGED = "NEW.state != OLD.state OR NEW.event IS NOT OLD.event OR NEW.lost != OLD.lost"

WRITES_THE_JOURNAL: Final = (
    f"journal_begins AFTER INSERT ON sample {_OF_SAMPLE}",
    f"journal_field AFTER INSERT ON field {_OF_FIELD}",
    f"journal_again AFTER UPDATE OF checksum ON field WHEN NEW.checksum != OLD.checksum {_OF_FIELD}",
    f"journal_state AFTER UPDATE OF state, event, lost ON sample WHEN {_STATE_CHANGED} {_OF_SAMPLE}",
)
"""Triggers. Whoever writes a field or a state writes the journal in the same transaction: a run, a merge, a recovery."""

HELD_ALREADY: Final = """
INSERT INTO journal (sample_id, field) SELECT sample_id, field FROM (
    SELECT id AS sample_id, -1 AS place, NULL AS field FROM sample
    UNION ALL SELECT sample_id, number, number FROM field
    UNION ALL SELECT id, 1 << 62, NULL FROM sample WHERE state != 'counting'
) ORDER BY sample_id, place
"""
"""The journal of what a book of an earlier version holds."""

BUT_SAMPLES_GO: Final = "WHEN NEW.sample_id IS NOT NULL OR NEW.number != OLD.number OR NEW.field IS NOT OLD.field"
"""The one change of an entry: a sample that is deleted leaves its entries, which then stand for nothing."""
