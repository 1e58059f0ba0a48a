"""``edge samples`` and ``edge show``: what is in the book, as a list and one by one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import typer

from edge.cli.book_options import BookOption, CountOption, DebugOption, JsonOption, SampleArgument
from edge.door import door


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
        from edge.cli.book_reading import print_samples  # noqa: PLC0415 - brings NumPy

        print_samples(book, since, json=json)


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
        from edge.cli.views import print_sample  # noqa: PLC0415 - brings NumPy and OpenCV

        print_sample(book, sample, count, json=json)


def _check_date(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        wrong = True
    else:
        wrong = not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)
    if wrong:
        raise typer.BadParameter(f"--since {text!r}: give a day as 2026-11-01")
