"""Looking after a book: is it sound, make it smaller, copy it while it is written. ``edge book check | compact | backup``."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.book.book import Book
from edge.book.collected import holds_a_journal
from edge.book.file import check_header, check_owner, connect_to_read, copy_whole, is_new, why, write_errors
from edge.book.recovery import recover
from edge.book.tally import agrees
from edge.errors import BookError, OutputError
from edge.lines import plain

_MOST = 100  # problems listed
_ORIGIN = re.compile("[0-9a-f]{32}")
_NOT_TOLD = {
    "samples": "SELECT id FROM sample EXCEPT SELECT sample_id FROM journal WHERE field IS NULL",
    "fields": "SELECT sample_id, number FROM field EXCEPT SELECT sample_id, field FROM journal",
}
"""What should be in the journal and is not."""

_ROOM = 1.1  # of the book's size is needed to write it anew


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what is wrong with it, a sentence each, at most 100; ``answers``: of readers."""

    samples: int
    fields: int
    cells: int
    problems: tuple[str, ...]
    answers: int = 0


def check(book: Book) -> CheckReport:
    """Read all of it: SQLite's own check, every field against its checksum, every sample against what its fields add up to."""
    counts = {"samples": 0, "fields": 0, "cells": 0, "answers": 0}
    problems = []
    for problem in _problems(book, counts):
        problems.append(plain(problem))
        if len(problems) == _MOST:
            break
    return CheckReport(**counts, problems=tuple(problems))


def _problems(book: Book, counts: dict[str, int]) -> Iterator[str]:
    try:
        for (found,) in book.store.rows(f"PRAGMA integrity_check({_MOST})"):
            if found != "ok":
                yield str(found).removeprefix("*** in database main ***\n")
        for row in book.store.rows("PRAGMA foreign_key_check"):
            yield f"a row of {row['table']} belongs to one of {row['parent']} that is not there"
        for id_, name, count in book.store.rows("SELECT id, name, count FROM sample ORDER BY id"):
            counts["samples"] += 1
            yield from _sample(book, id_, f"{name} (count {count})", counts)
        yield from _journal(book)
    except BookError as error:
        yield _short(book, error)


def _sample(book: Book, sample: int, name: str, counts: dict[str, int]) -> Iterator[str]:
    try:
        for field, _ in book.rows_and_outcomes(sample):
            counts["fields"] += 1
            counts["cells"] += len(field.cells)
        tally = book.tally(sample)
        row = next(one for one in book.samples() if one.id == sample)
        rejected, unreadable = sum(tally.rejected.values()), len(tally.unreadable)
        sums = (tally.kept, rejected, unreadable, tally.cells, tally.counts)
        if sums != (row.kept, row.rejected, row.unreadable, row.cells, row.counts):
            yield f"{name}: its fields do not add up to its sums"
        elif not agrees(book.store, sample):
            yield f"{name}: what was said at its end is not what its fields add up to"
        yield from _answers(book, sample, name, counts)
    except BookError as error:
        yield f"{name}: {_short(book, error)}"


def _answers(book: Book, sample: int, name: str, counts: dict[str, int]) -> Iterator[str]:
    """What people answered: every row as it was written, every cell one that there is."""
    decisions = book.decisions(sample)
    counts["answers"] += len(decisions) + len(book.additions(sample))
    book.bundles(sample)
    query = "SELECT number, found FROM field WHERE sample_id = ?"
    found = {row["number"]: row["found"] for row in book.store.rows(query, sample)}
    strays = [one for one in decisions if one.cell.n >= found.get(one.cell.field, 0)]
    lost = book.store.rows("SELECT lost FROM sample WHERE id = ?", sample)[0][0]
    if strays and not lost:  # where damage took fields, answers about their cells wait for them
        yield f"{name}: {len(strays):,} answers are about cells that are not there, the first about {strays[0].cell}"


def _journal(book: Book) -> Iterator[str]:
    """What others are to learn: numbered without gaps, and all that the book holds is in it."""
    if not holds_a_journal(book.store):
        return
    first, last, entries = book.store.rows("SELECT min(number), max(number), count(*) FROM journal")[0]
    if entries and (first != 1 or last != entries):
        yield f"the journal has {entries:,} entries, and its numbers are {first:,} to {last:,}"
    for what, query in _NOT_TOLD.items():
        missing = len(book.store.rows(query))
        if missing:
            yield f"the journal lacks {missing:,} {what}"
    origins = book.store.rows("SELECT uuid FROM origin")
    if len(origins) != 1 or not _ORIGIN.fullmatch(origins[0][0]):
        yield "the book has not one origin"


def _short(book: Book, error: BookError) -> str:
    return str(error).removeprefix(f"{book.store.path}: ").removesuffix(": edge book check")


def repair(path: Path, say: Callable[[str], None]) -> None:
    """Put what is sound of a book into a new one, the old one aside; raises OutputError."""
    recover(path, "edge book check found problems", say, lambda: True)


def compact(book: Book) -> tuple[int, int]:
    """Give back the room of what was deleted; returns bytes before and after.

    Raises:
        OutputError: there is not enough room to write it anew, or another program is at it.
    """
    path = book.store.path
    if path is None:
        return 0, 0
    with write_errors(path):
        book.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    needed, free = round(before * _ROOM), shutil.disk_usage(path.parent).free
    if free < needed:
        raise OutputError(f"{path}: to write it anew {needed:,} bytes are needed, {free:,} are free: make room first")
    with write_errors(path), _beside(path.parent):
        book.store.connection.execute("VACUUM")
        book.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let SQLite put its temporary files here: /tmp may be in memory, and too small."""
    before = os.environ.get("SQLITE_TMPDIR")
    os.environ["SQLITE_TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SQLITE_TMPDIR"]
        else:
            os.environ["SQLITE_TMPDIR"] = before


def backup(book: Book, path: Path) -> int:
    """Copy the book, also while it is written, to a file that appears whole or not at all; returns its bytes.

    An earlier copy of that name is replaced, any other file is left as it is.

    Raises:
        BookError: there is another file of that name.
        OutputError: it cannot be written.
    """
    if not is_new(path):
        if book.store.path is not None and path.samefile(book.store.path):
            raise BookError(f"{path}: is the book itself")
        check_header(path)
        try:
            connection = connect_to_read(path)
        except sqlite3.Error as error:
            raise BookError(f"{path}: is not replaced, it cannot be read: {why(error)}") from error
        try:
            check_owner(connection, path)
        finally:
            connection.close()
    copy_whole(book.store.connection, path)
    return path.stat().st_size
