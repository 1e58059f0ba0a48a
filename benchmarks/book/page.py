"""The figures as lines of Markdown: for the screen, and for the end of docs/book.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.book.measure import BookSize, FieldCost
from benchmarks.errors import OutputError

HEADING: Final = "## Measured\n"
"""What stands after it in docs/book.md is written by this command."""

_BOOKS: Final = "| book | samples | fields | cells | MB | of them pictures | bytes a cell | list, s | one sample, s | both cold, s |"
_NOTE: Final = (
    "Bytes a cell: without pictures. List and one sample: what `edge samples` and `edge show` read. "
    "Cold: the system holds nothing of the file in memory."
)

TARGET_SHARE: Final = 0.05
"""Of a field's analysis that the book may cost."""

TARGET_BYTES: Final = 120e6
"""Of a book of a million cells."""

TARGET_S: Final = 0.3
"""Seconds until a list of samples or a sample is shown."""


def tables(machine: str, costs: Mapping[str, FieldCost], books: Mapping[str, BookSize]) -> str:
    """The figures.

    Args:
        machine: what they were measured on, in a few words.
        costs: per way of writing.
        books: per kind of book.
    """
    lines = [
        f"By `python -m benchmarks.book` on {machine}, one worker. In turns: a field is read and analysed, then written.",
        "",
        "| per field | things found | read and analysed, processor ms | book, processor ms | share | waited, ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in costs.items():
        spent = f"{one.analysis_ms:.1f} | {one.book_ms:.2f} | {one.share:.1%} | {one.wall_ms:.1f}"
        lines.append(f"| {name} | {one.cells:.0f} | {spent} |")
    lines += ["", _BOOKS, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, book in books.items():
        amount = (
            f"{book.samples:,} | {book.fields:,} | {book.cells:,} | {book.size / 1e6:.0f} | {book.pictures / 1e6:.0f}"
        )
        each = f"{(book.size - book.pictures) / book.cells:.0f}"
        seconds = f"{book.samples_s:.3f} | {book.show_s:.3f} | {book.cold_samples_s:.3f}, {book.cold_show_s:.3f}"
        lines.append(f"| {name} | {amount} | {each} | {seconds} |")
    goals = f"{TARGET_SHARE:.0%} of a field's analysis; {TARGET_BYTES / 1e6:.0f} MB for a million cells; {TARGET_S} s for each"
    missed = [f"{name} ({one.share:.1%})" for name, one in costs.items() if one.share > TARGET_SHARE]
    missed += [
        f"{name} ({book.size / 1e6:.0f} MB)"
        for name, book in books.items()
        if book.size > TARGET_BYTES * book.cells / 1e6
    ]
    missed += [f"{name} (seconds)" for name, book in books.items() if max(book.samples_s, book.show_s) > TARGET_S]
    lines += ["", f"Targets: {goals}. Missed: {', '.join(missed) or 'none'}. {_NOTE}"]
    return "\n".join(lines) + "\n"


def with_figures(page: str, figures: str) -> str:
    """The page with these figures at its end; raises OutputError where it has no place for them."""
    text, heading, _ = page.partition(HEADING)
    if not heading:
        raise OutputError(f"the page has no heading {HEADING.strip()!r}")
    return f"{text}{heading}\n{figures}"
