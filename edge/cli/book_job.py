"""The work of ``edge book``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from edge.book import care
from edge.book.merge import merge as take_in
from edge.book.opening import open_book
from edge.cli.book_reading import open_existing
from edge.cli.book_settings import default_book
from edge.door import say
from edge.errors import BookError
from edge.lines import print_json, print_lines

_PROGRAM = "edge book"


def checked(book: Path | None, *, repair: bool, json: bool) -> int:
    """Print what is wrong with a book, and mend it where asked to; returns the exit code: of what was found."""
    with open_existing(book, _PROGRAM) as opened:
        found = care.check(opened)
    if json:
        print_json({"sound": not found.problems, **asdict(found)})
    else:
        looked = f"{found.samples:,} samples, {found.fields:,} fields, {found.cells:,} cells"
        looked += f", {found.answers:,} answers of readers" if found.answers else ""
        print_lines([f"{looked}: {'not sound' if found.problems else 'sound'}", *found.problems])
    if found.problems and repair:
        care.repair(book or default_book(), lambda line: say(line, _PROGRAM))
    return BookError.exit_code if found.problems else 0


def compacted(book: Path | None) -> None:
    """Make a book smaller and say by how much."""
    with open_existing(book, _PROGRAM, write=True) as opened:
        before, after = care.compact(opened)
    say(f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now", _PROGRAM)


def copied(book: Path | None, file: Path) -> None:
    """Copy a book and say how large the copy is."""
    with open_existing(book, _PROGRAM) as opened:
        size = care.backup(opened, file)
    say(f"{file}: {size / 1e6:,.1f} MB", _PROGRAM)


def merged(book: Path | None, other: Path) -> None:
    """Take another book in and say what came of it."""
    with open_book(book or default_book(), lambda line: say(line, _PROGRAM)) as opened:
        came = take_in(opened, other)
    samples = f"{came.new:,} samples new, {came.longer:,} gone on with, {came.same:,} here already"
    answers = f", {came.answers:,} answers of readers" if came.answers else ""
    say(f"{samples}; {came.fields:,} fields{answers}", _PROGRAM)
    if came.skipped:
        say(f"being counted, so left out: {', '.join(came.skipped)}", _PROGRAM)
