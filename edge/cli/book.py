"""``edge book``: looking after the book itself. The work is in ``edge.cli.book_job``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.book_options import BookOption, DebugOption, JsonOption
from edge.door import door
from edge.program import make_app
from edge.usage import PlainCommand

_PROGRAM = "edge book"


def check(
    *,
    book: BookOption = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Put a book that is not sound aside, and what is sound of it into a new one."),
    ] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Read all of the book and say whether it is sound; exit code 10 if not.

    \b
    Examples:
      edge book check
      edge book check --repair
      edge book check --book /media/usb/book.sqlite
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program=_PROGRAM):
        from edge.cli.book_job import checked  # noqa: PLC0415 - brings NumPy

        code = checked(book, repair=repair, json=json)
    sys.exit(code)


def compact(*, book: BookOption = None, debug: DebugOption = False) -> None:
    """Make the book as small as what is in it.

    \b
    Example:
      edge book compact
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program=_PROGRAM):
        from edge.cli.book_job import compacted  # noqa: PLC0415 - brings NumPy

        compacted(book)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to copy it to.", show_default=False)],
    *,
    book: BookOption = None,
    debug: DebugOption = False,
) -> None:
    """Copy the book to a file, also while it is written.

    \b
    Example:
      edge book backup /media/usb/book-2026-11-29.sqlite

    The pictures that --keep kept are in a folder beside the book: copy that too.
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program=_PROGRAM):
        from edge.cli.book_job import copied  # noqa: PLC0415 - brings NumPy

        copied(book, file)


def merge(
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Book to take in; it stays.", show_default=False)],
    *,
    book: BookOption = None,
    debug: DebugOption = False,
) -> None:
    """Take the samples of another book into this one; what is here already is not taken in twice.

    \b
    Example:
      edge book merge /media/usb/book.sqlite
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program=_PROGRAM):
        from edge.cli.book_job import merged  # noqa: PLC0415 - brings NumPy

        merged(book, other)


def book_app() -> typer.Typer:
    """Return the commands of ``edge book``."""
    app = make_app(
        _PROGRAM, "Look after the book that samples are counted into.", "Example: edge book check", completion=False
    )
    app.command(cls=PlainCommand, short_help="Say whether it is sound.")(check)
    app.command(cls=PlainCommand, short_help="Make it as small as what is in it.")(compact)
    app.command(cls=PlainCommand, short_help="Copy it to a file.")(backup)
    app.command(cls=PlainCommand, short_help="Take another book in.")(merge)
    return app
