"""A damaged book: renamed aside with a time stamp, and what can be read put into a new one, all of it said.

Row by row, by id: a page that is lost takes the rows on it and no others. A field is recovered when it equals its checksum with all
of its cells, else it is lost as a whole: a field with fewer cells would be a wrong number. A sample that lost fields is interrupted,
so that ``--resume`` can count them again where their files are still there.

The old file keeps its place until the new one is whole: after a power cut on the way the next start begins again.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from edge.book.copying import Copier
from edge.book.file import make_file, write_errors
from edge.book.first_page import BESIDE, readable, remove
from edge.book.provenance import Provenance, note_microscopes, note_origins
from edge.book.reviews import COLUMNS
from edge.book.schema_pages import PAGE
from edge.book.store import Store
from edge.book.tally import agrees
from edge.lines import plain
from edge.safe_file import plain_errors, sync_file, sync_folder

_TOLD = 10  # samples named one by one
_NO_END = "UPDATE sample SET state = 'interrupted', flag = NULL, event = NULL WHERE id = ?"
_SHORT = (
    "id",
    "uuid",
    "run_id",
    "name",
    "count",
    "began",
    "touched",
    "seconds",
    "fields",
    "lost",
)  # what is at a row's beginning


@dataclass(slots=True)
class _Recovered:
    """What was recovered: ``lost``: fields per sample's name; ``samples_lost``, ``answers_lost``: could not be read themselves."""

    samples: int = 0
    fields: int = 0
    samples_lost: int = 0
    answers: int = 0
    answers_lost: int = 0
    lost: Counter[str] = field(default_factory=Counter)


def recover(path: Path, reason: str, say: Callable[[str], None], still_damaged: Callable[[], bool]) -> None:
    """Put a new book with what can be read in the place of a damaged one.

    Args:
        path: of the book.
        reason: what is wrong with it, in words.
        say: takes one line for a person.
        still_damaged: asked when nobody else is at it any more: another program may have been quicker.

    Raises:
        OutputError: there is no room, or the folder cannot be written; the damaged book is where it was.
    """
    part = path.with_name(f".{path.name}.recovering")
    with _alone(path):
        if not still_damaged():
            return
        remove(part)
        with closing(make_file(part, lambda _: None)) as target, write_errors(part), readable(path) as source:
            target.execute("PRAGMA synchronous = OFF")  # it is nothing yet
            found = _Recovering(source, Store(target, part), path.stat().st_size // PAGE).all()
            target.execute("PRAGMA journal_mode = DELETE")
        whole = _whole(path)
        with plain_errors(path):
            sync_file(part)
            part.replace(whole)
        aside = swap(path)
    _tell(path, aside, reason, found, say)


def swap(path: Path) -> Path | None:
    """Put a recovered book that is whole in its place, the damaged one aside. Returns where that is, None: there was none."""
    aside = None
    with plain_errors(path):
        if path.exists():
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            aside = path.with_name(f"{path.name}.damaged-{stamp}")
            number = 1
            while aside.exists():
                number += 1
                aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
            for beside in (path.with_name(path.name + ending) for ending in BESIDE):
                if not beside.exists():
                    continue
                if beside.stat().st_size and not beside.name.endswith(
                    "-shm"
                ):  # which is made anew whenever it is needed
                    beside.rename(aside.with_name(aside.name + beside.name.removeprefix(path.name)))
                else:
                    beside.unlink()
            path.rename(aside)
        _whole(path).rename(path)
    sync_folder(path.parent)
    return aside


def is_half_swapped(path: Path) -> bool:
    """Whether a power cut came between the two names: the damaged book is aside and the new one has not its name yet."""
    return not path.exists() and _whole(path).exists()


def _whole(path: Path) -> Path:
    return path.with_name(f".{path.name}.recovered")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = path.with_name(f".{path.name}.recovery")
    with plain_errors(lock), lock.open("w") as stream:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()


class _Recovering:
    def __init__(self, source: sqlite3.Connection, store: Store, pages: int) -> None:
        self._source = source
        self._pages = pages
        self._store = store
        self._copier = Copier(source, store)
        self._found = _Recovered()
        self._samples: dict[int, tuple[int, sqlite3.Row]] = {}
        self._nameless: dict[int, int] = {}

    def all(self) -> _Recovered:
        with self._store.writing():
            for number in self._ids("sample"):
                self._sample(number)
        copied: Counter[int] = Counter()
        for number in self._ids("field"):
            sample = self._field(number)
            if sample is not None:
                copied[sample] += 1
        self._found.fields = copied.total()
        with self._store.writing():
            for copy, row in self._samples.values():
                self._end(copy, row, copied[copy])
            for copy in self._nameless.values():
                query = "SELECT touched, (SELECT max(seconds) FROM field WHERE sample_id = sample.id) FROM sample WHERE id = ?"
                self._copier.sums(copy, *self._store.rows(query, copy)[0])
            with suppress(ValueError):
                self._copier.notes(None, None)
            for table in COLUMNS:
                self._answers(table)
            self._microscopes()
        return self._found

    def _microscopes(self) -> None:
        """The microscopes it collected from: each is asked for all of its journal again, so that what was lost comes back.

        The book's own journal is made anew, under another origin: whoever collected it may know more of it than was read back.
        """
        copies = {row["uuid"]: copy for copy, row in self._samples.values()}
        with suppress(sqlite3.Error, TypeError):  # its pages, or its only row, are lost
            theirs = Provenance.of(self._source)
            with_samples = replace(theirs, own=None, scopes={o: s for o, s in theirs.scopes.items() if o != theirs.own})
            note_microscopes(self._store.connection, with_samples, None, whole=False)
            note_origins(self._store.connection, with_samples, None, copies)

    def _answers(self, table: str) -> None:
        """What people answered, row by row: each as it was written, or lost and said."""
        if not self._has(table):
            return
        for number in self._ids(table):
            try:
                copied = self._copier.one_answer(table, number, self._copy_of)
            except (ValueError, TypeError):
                copied = False
            if copied is not None:
                self._found.answers += int(copied)
                self._found.answers_lost += int(not copied)

    def _has(self, table: str) -> bool:
        """Whether the table begins where it should: one of version 1 has none, and a first page that is lost does not say so."""
        try:
            row = self._source.execute(f"SELECT uuid FROM {table} ORDER BY id LIMIT 1").fetchone()
        except sqlite3.OperationalError:  # no such table
            return False
        except sqlite3.DatabaseError:
            return True
        return row is None or (isinstance(row[0], str) and len(row[0]) == len(str(UUID(int=0))))

    def _copy_of(self, sample: int) -> int | None:
        if sample in self._samples:
            return self._samples[sample][0]
        return self._nameless.get(sample)

    def _ids(self, table: str) -> range:
        """Ids that a table may have: up to the highest, or where that cannot be read, more than its pages can hold."""
        try:
            most = self._source.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0
        except sqlite3.Error:
            most = 8 * self._pages
        return range(1, most + 1)

    def _sample(self, number: int) -> None:
        try:
            row = self._read_sample(number)
            if row is None:
                return
            self._samples[number] = self._copier.sample(row, row["uuid"], row["count"]), row
            self._found.samples += 1
        except (sqlite3.DatabaseError, ValueError):
            self._found.samples_lost += 1

    def _read_sample(self, number: int) -> sqlite3.Row | None:
        """A sample's row; without what was said at its end where that, the longest part of it, is on a lost page."""
        try:
            row = self._source.execute("SELECT * FROM sample WHERE id = ?", (number,)).fetchone()
        except sqlite3.DatabaseError:
            query = f"SELECT {', '.join(_SHORT)}, NULL AS flag, NULL AS event, 'interrupted' AS state FROM sample WHERE id = ?"
            row = self._source.execute(query, (number,)).fetchone()
        found: sqlite3.Row | None = row
        return found

    def _field(self, number: int) -> int | None:
        """Copy one field; returns its sample in the new book."""
        with suppress(ValueError, TypeError):
            found = self._copier.read(number)
            if found is None:
                return None
            with self._store.writing():
                sample = self._sample_of(found[0])
                copy = self._copier.write(*found, sample)
            with suppress(ValueError), self._store.writing():
                self._copier.pictures(number, copy)
            return sample
        return None

    def _sample_of(self, row: sqlite3.Row) -> int:
        """The new sample of a field; where its own was lost, one that says so."""
        lost = row["sample_id"]
        if lost not in self._samples and lost not in self._nameless:
            run, name = self._copier.run(row["run_id"]), f"recovered {lost}"
            new = (
                "INSERT INTO sample (uuid, run_id, name, count, state, began, touched) "
                "SELECT ?, ?, ?, coalesce(max(count), 0) + 1, 'interrupted', ?, ? FROM sample WHERE name = ?"
            )
            told = (str(uuid4()), run, name, row["at"], row["at"], name)
            self._nameless[lost] = self._store.connection.execute(new, told).lastrowid or 0
            self._store.note(self._nameless[lost], "damaged", "its name was lost with a page of a damaged book")
        return self._nameless[lost] if lost in self._nameless else self._samples[lost][0]

    def _end(self, copy: int, row: sqlite3.Row, fields: int) -> None:
        self._copier.sums(copy, row["touched"], row["seconds"])
        with suppress(ValueError):
            self._copier.notes(row["id"], copy)
        lost = max(0, row["fields"] - fields)
        if not lost and not agrees(self._store, copy):
            self._store.connection.execute(_NO_END, (copy,))
            self._store.note(copy, "damaged", "what was said at its end was not what its fields add up to")
        if lost:
            self._found.lost[row["name"]] += lost
            self._store.connection.execute(_NO_END, (copy,))
            self._store.connection.execute("UPDATE sample SET lost = lost + ? WHERE id = ?", (lost, copy))
            self._store.note(
                copy, "damaged", f"{lost} of {row['fields']} fields could not be read back from a damaged book"
            )


def _tell(path: Path, aside: Path | None, reason: str, found: _Recovered, say: Callable[[str], None]) -> None:
    into = f"{found.samples:,} samples with {found.fields:,} fields were recovered into a new book"
    if not found.samples and not found.fields:
        into = "nothing in it could be read: a new book begins"
    say(f"{path} was damaged ({reason}): it is {aside} now; {into}")
    if found.answers:
        say(f"{path}: {found.answers:,} answers of readers were recovered")
    if found.answers_lost:
        say(f"{path}: {found.answers_lost:,} answers of readers could not be read back")
    if found.samples_lost:
        say(f"{path}: {found.samples_lost:,} samples could not be read back")
    for name, lost in found.lost.most_common(_TOLD):
        say(
            f"{path}: {plain(name)}: {lost:,} fields could not be read back; --resume counts those whose files are still there"
        )
    if len(found.lost) > _TOLD:
        say(
            f"{path}: and fields of {len(found.lost) - _TOLD:,} more samples (edge samples: those that are interrupted)"
        )
