"""``edge report`` and ``edge export``: the files that ``edge-run`` writes, made again from the book."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from edge.cli.book_options import (
    BookOption,
    CountOption,
    DebugOption,
    FileOption,
    FolderOption,
    SampleArgument,
)
from edge.door import door


class ExportKind(StrEnum):
    """What a sample is written as."""

    CSV = "csv"
    COCO = "coco"
    JSONL = "jsonl"


def report(
    sample: SampleArgument,
    *,
    output: FolderOption,
    count: CountOption = None,
    book: BookOption = None,
    debug: DebugOption = False,
) -> None:
    """Write the page of a sample in the book, as edge-run --report does.

    \b
    Example:
      edge report S-0042 -o out/
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge report"):
        from edge.cli.views import write_report  # noqa: PLC0415 - brings NumPy and OpenCV

        write_report(book, sample, count, output)


def export(
    sample: SampleArgument,
    *,
    output: FileOption,
    to: Annotated[ExportKind, typer.Option("--to", help="Format of the file, as edge-run writes it.")],
    count: CountOption = None,
    book: BookOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a sample in the book as CSV, COCO or JSON Lines.

    \b
    Examples:
      edge export S-0042 --to csv -o S-0042.csv
      edge export S-0042 --to coco -o S-0042.json
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge export"):
        from edge.cli.views import write_export  # noqa: PLC0415 - brings NumPy and OpenCV

        write_export(book, sample, count, str(to), output)
