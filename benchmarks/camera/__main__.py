"""``python -m benchmarks.camera``: what a camera costs and survives."""

from __future__ import annotations

import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.camera import day, page
from benchmarks.command import Debug, single_command
from edge.door import door, say
from edge.program import enter

PROGRAM = "python -m benchmarks.camera"


class What(StrEnum):
    """What can be measured."""

    DAY = "day"


def camera(
    only: Annotated[What | None, typer.Option(help="Measure only this.")] = None,
    hours: Annotated[float, typer.Option(min=0.2, metavar="H", help="Simulated hours of the day.")] = 24.0,
    seed: Annotated[int, typer.Option(min=0, help="Of slide and faults.")] = 0,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/camera-figures.md.")] = False,
    debug: Debug = False,
) -> None:
    """Measure what a camera costs and survives. The day takes about half an hour."""
    with door(debug=debug, program=PROGRAM):
        if only in (None, What.DAY):
            text = _day(hours, seed)
            typer.echo(text)
            if write:
                page.write_section("day", "A day with a fault every ten minutes", text)


def _day(hours: float, seed: int) -> str:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.sqlite"
        record = day.run_day(hours, seed, book, lambda done: say(f"{done:.0f} h of {hours:g}", PROGRAM))
        return page.day_text(record, day.figures(record, book), time.monotonic() - began)


app = single_command(camera, "Example: python -m benchmarks.camera --only day --hours 2")

if __name__ == "__main__":
    enter(app, PROGRAM)
