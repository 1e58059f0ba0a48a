"""``edge report`` and ``edge export``: the files that ``edge-run`` writes, made again from the book."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.book_options import (
    BookOption,
    CountOption,
    DebugOption,
    FolderOption,
    SampleArgument,
)
from edge.door import door


class ExportKind(StrEnum):
    """What a sample is written as."""

    CSV = "csv"
    COCO = "coco"
    JSONL = "jsonl"
    CVAT = "cvat"
    ECOTAXA = "ecotaxa"
    FIJI = "fiji"
    LABEL_STUDIO = "label-studio"
    OME = "ome"
    QUPATH = "qupath"


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
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="File to write; for fiji, label-studio, ome, qupath a new folder."
        ),
    ],
    to: Annotated[
        ExportKind, typer.Option("--to", help="Format: csv, coco, jsonl as edge-run writes them, or a program.")
    ],
    um_per_px: Annotated[
        float | None,
        typer.Option(
            "--um-per-px",
            min=0.001,
            max=1000,
            metavar="X",
            help="Scale in µm per pixel.  [default: the microscope's profile's]",
        ),
    ] = None,
    count: CountOption = None,
    book: BookOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a sample in the book as CSV, COCO or JSON Lines, or as the files of another program (docs/exchange.md).

    \b
    Examples:
      edge export S-0042 --to csv -o S-0042.csv
      edge export S-0042 --to coco -o S-0042.json
      edge export S-0042 --to cvat -o S-0042.zip
      edge export S-0042 --to fiji -o S-0042-fiji
    """  # noqa: D301 - \b keeps the lines as they are
    with door(debug=debug, program="edge export"):
        from edge.cli.views import write_export  # noqa: PLC0415 - brings NumPy and OpenCV

        write_export(book, sample, count, str(to), output, um_per_px=um_per_px)
