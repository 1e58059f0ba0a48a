"""``edge samples`` and ``edge show``: what is in the book, as a list and one by one."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.book_options import BookOption, CountOption, DebugOption, JsonOption, SampleArgument
from edge.door import door

if TYPE_CHECKING:
    from edge.book.records import SampleRow

_HEAD = ("sample", "microscope", "fields", "cells", "flag", "when (UTC)", "")
_NUMBERS = (2, 3)  # columns that are set to the right


def samples(
    *,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Samples counted on this day (UTC) or later: 2026-11-01.")
    ] = None,
    book: BookOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the samples in the book, newest first.

    \b
    Examples:
      edge samples
      edge samples --since 2026-11-01
      edge samples --json
    """  # noqa: D301 - \b keeps the lines as they are
    if since is not None:
        _check_date(since)
    with door(debug=debug, program="edge samples"):
        from edge.cli.book_file import open_existing  # noqa: PLC0415 - brings NumPy and OpenCV
        from edge.lines import print_json, print_lines  # noqa: PLC0415

        with open_existing(book, "edge samples") as opened:
            rows = opened.samples(since)
        if json:
            print_json({"samples": [asdict(row) for row in rows]})
        else:
            print_lines(_table([_HEAD, *map(_cells, rows)]) if rows else ["The book holds no such sample."])


def show(
    sample: SampleArgument,
    *,
    count: CountOption = None,
    book: BookOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show a sample as edge-run showed it, and what happened to it.

    \b
    Examples:
      edge show S-0042
      edge show S-0042 --json
      edge show S-0042 --count 1                   (of several counts, the first)
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge show"):
        from edge.cli.book_file import open_existing  # noqa: PLC0415 - brings NumPy and OpenCV
        from edge.cli.views import print_sample  # noqa: PLC0415

        with open_existing(book, "edge show") as opened:
            print_sample(opened, opened.sample(sample, count), json=json)


def _check_date(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        wrong = True
    else:
        wrong = not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    if wrong:
        raise typer.BadParameter(f"--since {text!r}: give a day as 2026-11-01")


def _cells(row: SampleRow) -> tuple[str, ...]:
    name = row.name if row.count == 1 else f"{row.name} (count {row.count})"
    when = row.began[:16].replace("T", " ")
    return (name, row.scope, f"{row.fields:,}", f"{row.cells:,}", row.flag or "-", when, row.state)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    from edge.lines import plain  # noqa: PLC0415

    shown = [tuple(map(plain, row)) for row in rows]
    filled = [i for i in range(len(_HEAD)) if any(row[i] for row in shown[1:])]
    widths = [max(len(row[i]) for row in shown) for i in range(len(_HEAD))]
    return [
        "  ".join(row[i].rjust(widths[i]) if i in _NUMBERS else row[i].ljust(widths[i]) for i in filled).rstrip()
        for row in shown
    ]
