"""Which microscope's journal each sample of a book is from, and how far the book knows that journal: what decides in a merge.

A microscope's own book knows all of its own journal; a collected book knows it up to the entry that comes next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from edge.book.file import number
from edge.book.schema import JOURNAL_FROM, stored
from edge.journal import CollectedScope

_MAPPED = "SELECT uuid, origin FROM collected JOIN sample ON sample.id = sample_id JOIN microscope ON microscope.id = microscope_id"
_OWN_SCOPE = (
    "SELECT scope FROM sample JOIN run ON run.id = run_id WHERE sample.id NOT IN (SELECT sample_id FROM collected) "
    "ORDER BY sample.id DESC LIMIT 1"
)
"""Name of the microscope of the newest sample that was counted into the book itself."""
_TAKEN_OVER = """
INSERT INTO microscope (origin, name, next, newest, heard, online)
VALUES (:origin, CAST(:name AS TEXT), :next, :newest, :heard, :online)
ON CONFLICT (origin) DO UPDATE SET next = max(next, excluded.next), newest = max(newest, excluded.newest),
    name = iif(excluded.heard > heard, excluded.name, name), online = iif(excluded.heard > heard, excluded.online, online),
    heard = max(heard, excluded.heard)
"""


class JournalPlace(NamedTuple):
    """The journal a sample is from, and the number of its entry that a book does not know yet."""

    origin: str
    next: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Of one book.

    Attributes:
        own: origin of the book itself; None: it is of a version without a journal.
        scopes: journals by origin; the book's own among them, where samples were counted into it.
        collected: origin by the uuid of a sample that was not counted into this book.
    """

    own: str | None
    scopes: Mapping[str, CollectedScope]
    collected: Mapping[str, str]

    @staticmethod
    def of(connection: sqlite3.Connection) -> Provenance:
        """Read it; raises sqlite3.Error."""
        if number(connection, "user_version") < JOURNAL_FROM:
            return Provenance(None, {}, {})
        row = connection.execute("SELECT uuid, (SELECT coalesce(max(number), 0) FROM journal) FROM origin").fetchone()
        own, newest = str(row[0]), int(row[1])
        scopes = {}
        scope = connection.execute(_OWN_SCOPE).fetchone()
        if scope is not None:
            scopes[own] = CollectedScope(scope[0], own, newest + 1, "", online=False, newest=newest)
        query = "SELECT name, origin, next, heard, online, newest FROM microscope ORDER BY id"
        for one in (CollectedScope(*told) for told in connection.execute(query)):
            scopes[one.origin] = one
        return Provenance(own, scopes, {str(row[0]): str(row[1]) for row in connection.execute(_MAPPED)})

    def place(self, uuid: str) -> JournalPlace | None:
        """Of a sample of this book; None: not known."""
        origin = self.collected.get(uuid, self.own or "")
        return None if origin not in self.scopes else JournalPlace(origin, self.scopes[origin].next)


def note_microscopes(connection: sqlite3.Connection, theirs: Provenance, own: str | None, *, whole: bool) -> None:
    """Note in a book the journals that another one knows, inside a transaction of the caller's.

    Args:
        connection: to the book that takes.
        theirs: of the other one.
        own: origin of the one that takes.
        whole: all of their samples are here now as they are there: then nothing of it needs to come again.
    """
    for one in theirs.scopes.values():
        if one.origin == own:
            continue
        told = {"origin": one.origin, "name": stored(one.name), "next": one.next if whole else 1, "newest": one.newest}
        connection.execute(_TAKEN_OVER, {**told, "heard": one.heard, "online": int(one.online)})


def note_origins(
    connection: sqlite3.Connection, theirs: Provenance, own: str | None, copies: Mapping[str, int]
) -> None:
    """Note from which journals samples are that were copied, inside a transaction of the caller's.

    Args:
        connection: to the book that takes; the microscopes are noted in it.
        theirs: of the other book.
        own: origin of the one that takes.
        copies: id here by the uuid there.
    """
    new = (
        "INSERT INTO collected (sample_id, microscope_id) SELECT ?, id FROM microscope WHERE origin = ? "
        "ON CONFLICT (sample_id) DO NOTHING"
    )
    for uuid, copy in copies.items():
        place = theirs.place(uuid)
        if place is not None and place.origin != own:
            connection.execute(new, (copy, place.origin))
