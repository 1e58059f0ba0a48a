"""``python -m benchmarks.book``: what the book costs."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.book.fields import field_maker
from benchmarks.book.journal import journal_cost, journal_table
from benchmarks.book.measure import BookSize, FieldCost, field_cost, full_book
from benchmarks.book.page import tables, with_figures
from benchmarks.command import Debug, single_command
from benchmarks.measure.device import describe
from benchmarks.places import REPOSITORY
from edge.book.records import CropKeeper
from edge.book.writer import GROUP_S
from edge.door import door, say
from edge.modelfile import Card
from edge.program import enter
from edge.report.keeper import GalleryKeeper
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.book"
PAGE = REPOSITORY / "docs" / "book.md"
JOURNAL_PAGE = REPOSITORY / "docs" / "journal.md"
MOST = 24
"""Different fields that are analysed."""


def book(
    fields: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures of fields; default: virtual ones.")
    ] = None,
    disk: Annotated[Path, typer.Option(metavar="DIR", help="Folder on the disk that is meant.")] = Path(),
    cells: Annotated[int, typer.Option(min=1000, metavar="N", help="Cells of a full book.")] = 1_000_000,
    per_sample: Annotated[int, typer.Option(min=100, metavar="N", help="Cells of a sample in it.")] = 5000,
    timed: Annotated[int, typer.Option(min=10, metavar="N", help="Fields that are timed.")] = 200,
    *,
    journal: Annotated[bool, typer.Option("--journal", help="Measure the journal alone.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the figures into docs/book.md, or docs/journal.md.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Measure what the book costs: processor time a field, bytes a cell, seconds until samples are shown. Some minutes."""
    with door(debug=debug, program=PROGRAM), tempfile.TemporaryDirectory(dir=disk) as folder:
        maker = field_maker(fields, MOST)
        if journal:
            _show(journal_table(_machine(), journal_cost(maker, Path(folder), timed)), JOURNAL_PAGE, write=write)
            return
        costs: dict[str, FieldCost] = {}
        for name, (keeper, group_s) in _WAYS.items():
            say(name, PROGRAM)
            costs[name] = field_cost(maker, Path(folder) / f"{len(costs)}.sqlite", timed, keeper, group_s)
        books: dict[str, BookSize] = {}
        kinds = {
            f"samples of {per_sample:,} cells": (per_sample, GalleryKeeper),
            "one sample, no pictures": (cells, None),
        }
        for name, (each, keeper) in kinds.items():
            say(f"{cells:,} cells, {name}", PROGRAM)
            books[name] = full_book(maker, Path(folder) / f"full-{len(books)}.sqlite", cells, each, keeper)
        _show(tables(_machine(), costs, books), PAGE, write=write)


def _show(figures: str, page: Path, *, write: bool) -> None:
    typer.echo(figures)
    if write:
        write_text(page, with_figures(page.read_text(), figures))


_WAYS: dict[str, tuple[Callable[[Card], CropKeeper] | None, float]] = {
    "as edge-run writes": (GalleryKeeper, GROUP_S),
    "without pictures": (None, GROUP_S),
    "without pictures, each on the medium before the next": (None, 0.0),
}


def _machine() -> str:
    told = describe()
    return f"{told.get('cpu') or platform.machine()}, {told.get('cores')} cores"


app = single_command(book, "Example: python -m benchmarks.book --fields fields/ --disk /media/card")

if __name__ == "__main__":
    enter(app, PROGRAM)
