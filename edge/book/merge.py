"""One book taken into another. A sample is the same one where its id (``uuid``) is: taking a book in twice changes nothing.

| here | there | what happens |
|---|---|---|
| not there | any | copied, under the next free count of its name |
| the same fields | the same, or fewer | nothing; its end is taken over where it is not here |
| some fields | the same and more | the others are copied |
| some fields | others under the same numbers | both stay: theirs becomes another count of the same name |

Where both books know the sample from the same microscope's journal (``edge.book.provenance``), the one that knows more of the journal
is right about how the sample ended and about fields that were decided anew. A field is the same without its names too: a book may
have collected it without.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from edge.book.book import Book
from edge.book.copying import Copier
from edge.book.file import check_header, check_owner, connect_to_read, is_new, why
from edge.book.holding import is_alive
from edge.book.provenance import Provenance, note_microscopes, note_origins
from edge.book.store import Store
from edge.book.unnamed import event_called
from edge.errors import BookError

_PICTURES = ("crop", "view")  # the others are files beside the other book


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of taking a book in: samples that were new, that were gone on with, that were here already; fields copied.

    ``skipped``: names of samples that a run is counting here or there: take the book in again when it has ended. ``answers``: of
    readers that were not here yet.
    """

    new: int
    longer: int
    same: int
    fields: int
    skipped: tuple[str, ...]
    answers: int = 0


def merge(book: Book, other: Path) -> Merged:
    """Take another book in; each sample in one transaction.

    Args:
        book: the one that takes.
        other: file of the one that is read. It is not changed.

    Raises:
        BookError: it is no book, of a newer version or damaged, or the same file; samples before the damage are in.
        OutputError: the book that takes cannot be written.
    """
    if is_new(other):
        raise BookError(f"{other}: there is no book")
    store = book.store
    if store.path is not None and other.samefile(store.path):
        raise BookError(f"{other}: is the same book")
    check_header(other)
    try:
        with closing(connect_to_read(other)) as source:
            if not check_owner(source, other):
                raise BookError(f"{other}: there is no book")
            return _Merging(source, other, store).all()
    except sqlite3.Error as error:
        raise BookError(f"{other}: cannot be read: {why(error)}") from error
    except ValueError as error:
        raise BookError(f"{other}: {error}: edge book check --book {other}") from error


class _Merging:
    def __init__(self, source: sqlite3.Connection, other: Path, store: Store) -> None:
        self._source = source
        self._other = other
        self._store = store
        self._copier = Copier(source, store)
        self._ours, self._theirs = Provenance.of(store.connection), Provenance.of(source)
        self._counts = {"new": 0, "longer": 0, "same": 0}
        self._fields = 0
        self._answers = 0
        self._copies: dict[str, int] = {}

    def all(self) -> Merged:
        skipped = []
        for row in self._source.execute("SELECT * FROM sample ORDER BY id").fetchall():
            if self._held(self._source, self._other, row["uuid"]):
                skipped.append(row["name"])
                continue
            with self._store.writing():
                done = self._sample(row, row["uuid"])
            if done is None:
                skipped.append(row["name"])
            else:
                self._counts[done] += 1
        with self._store.writing() as connection:
            self._copier.notes(None, None)
            note_microscopes(connection, self._theirs, self._ours.own, whole=not skipped)
            note_origins(connection, self._theirs, self._ours.own, self._copies)
        return Merged(**self._counts, fields=self._fields, skipped=tuple(skipped), answers=self._answers)

    @staticmethod
    def _held(connection: sqlite3.Connection, path: Path | None, uuid: str) -> bool:
        query = "SELECT run.uuid FROM sample JOIN run ON run.id = held_by WHERE sample.uuid = ? AND state = 'counting'"
        found = connection.execute(query, (uuid,)).fetchone()
        return found is not None and path is not None and is_alive(path, found[0])

    def _sample(self, row: sqlite3.Row, uuid: str) -> str | None:
        here = self._store.row("SELECT * FROM sample WHERE uuid = ?", uuid)
        if here is None:
            sample = self._copier.sample(row, uuid, counting=row["uuid"] in self._theirs.collected)
            self._copies[row["uuid"]] = sample
            self._copy(row, sample, list(self._numbers(self._source, row["id"]).values()))
            self._answers += self._copier.answers(row["id"], sample)
            return "new"
        if here["state"] == "counting" and (here["held_by"] is not None or uuid not in self._ours.collected):
            return None
        ours = self._numbers(self._store.connection, here["id"])
        theirs = self._numbers(self._source, row["id"])
        further = self._knows_further(uuid)
        other, anew = self._differing(ours, theirs, decided=further is not None)
        more = {n: field for n, field in theirs.items() if n not in ours}
        if other or (more and ours.keys() - theirs.keys()):
            first = min([*other, *more])
            apart = uuid5(UUID(uuid), f"{first} {theirs[first][1]}")
            return self._sample(row, str(apart))
        self._answers += self._copier.answers(row["id"], here["id"])
        ended = here["event"] is not None or row["event"] is None or len(theirs) < len(ours)
        if not more and not further and (ended or (further is False and row["state"] != "complete")):
            return "same"
        for n in anew if further else ():
            self._store.connection.execute("DELETE FROM field WHERE id = ?", (ours[n][0],))
            more[n] = theirs[n]
        self._copy(row, here["id"], [more[n] for n in sorted(more)])
        ends = "UPDATE sample SET state = ?, flag = ?, event = ?, lost = ? WHERE id = ?"
        under_way = row["state"] == "counting" and row["uuid"] not in self._theirs.collected
        state = "interrupted" if under_way else row["state"]
        event = None if row["event"] is None else event_called(row["event"], here["name"])
        self._store.connection.execute(ends, (state, row["flag"], event, row["lost"], here["id"]))
        return "longer" if more else "same"

    def _knows_further(self, uuid: str) -> bool | None:
        """Whether they know more of the journal that both know the sample from; None: it is not from one journal."""
        ours, theirs = self._ours.place(uuid), self._theirs.place(uuid)
        if ours is None or theirs is None or ours.origin != theirs.origin:
            return None
        return theirs.next > ours.next

    def _differing(
        self, ours: dict[int, tuple[int, int]], theirs: dict[int, tuple[int, int]], *, decided: bool
    ) -> tuple[list[int], list[int]]:
        """Fields that both have and that differ by more than names: other ones, and where ``decided`` those decided anew."""
        other, anew = list[int](), list[int]()
        for n, (field, checksum) in theirs.items():
            if n not in ours or ours[n][1] == checksum:
                continue
            there, here = self._copier.read(field), Copier(self._store.connection, self._store).read(ours[n][0])
            if there is None or here is None or there[1].counted == here[1].counted:
                continue
            (anew if decided and there[1].analysed == here[1].analysed else other).append(n)
        return other, anew

    def _copy(self, row: sqlite3.Row, sample: int, fields: list[tuple[int, int]]) -> None:
        copies = {}
        for field, _ in fields:
            found = self._copier.read(field)
            if found is not None:
                copies[field] = self._copier.write(*found, sample)
        self._fields += len(copies)
        theirs = self._numbers(self._source, row["id"])
        if any(self._has_pictures(table, row["id"]) for table in _PICTURES):
            # which pictures stay was decided over all fields there, so theirs replace ours
            for table in _PICTURES:
                gone = f"DELETE FROM {table} WHERE field_id IN (SELECT id FROM field WHERE sample_id = ?)"
                self._store.connection.execute(gone, (sample,))
            here = {number: field for number, (field, _) in self._numbers(self._store.connection, sample).items()}
            for number, (field, _) in theirs.items():
                self._copier.pictures(field, here[number], _PICTURES)
        self._copier.notes(row["id"], sample)
        self._copier.sums(sample, row["touched"], row["seconds"])

    def _has_pictures(self, table: str, sample: int) -> bool:
        query = f"SELECT 1 FROM {table} WHERE field_id IN (SELECT id FROM field WHERE sample_id = ?) LIMIT 1"
        return self._source.execute(query, (sample,)).fetchone() is not None

    @staticmethod
    def _numbers(connection: sqlite3.Connection, sample: int) -> dict[int, tuple[int, int]]:
        """Id and checksum of each field of a sample, by its place in the run."""
        query = "SELECT number, id, checksum FROM field WHERE sample_id = ? ORDER BY number"
        return {number: (field, checksum) for number, field, checksum in connection.execute(query, (sample,))}
