"""``python -m benchmarks.profile FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.arm.table import write_page
from benchmarks.command import Debug, single_command
from benchmarks.places import REPOSITORY
from benchmarks.profile.figures import measure
from edge.door import door
from edge.program import enter

PROGRAM = "python -m benchmarks.profile"
PAGE = REPOSITORY / "docs" / "profile.md"


def profile(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of images (JPEG).")],
    *,
    against: Annotated[
        Path | None, typer.Option(metavar="CHECKOUT", help="Root of another checkout: the tables' before.")
    ] = None,
    fields: Annotated[int, typer.Option(min=1, help="Images to take, spread over the folder.")] = 24,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is analysed for the times.")] = 8,
    instructions: Annotated[
        bool,
        typer.Option(
            "--instructions", help="Count instructions too, here (valgrind) and on emulated ARM: two minutes."
        ),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Write the tables in docs/profile.md.")] = False,
    debug: Debug = False,
) -> None:
    """Print where the runner's time goes: per stage, and as a whole."""
    with door(debug=debug, program=PROGRAM):
        text = "\n".join(measure(folder, against, fields, rounds, instructions=instructions)) + "\n"
        typer.echo(text)
        if keep:
            write_page("tables", text, PAGE)


app = single_command(
    profile,
    "Example: python -m benchmarks.profile fields/ --against ../old    Exit codes: 0 done, 4 no images or valgrind.",
)

if __name__ == "__main__":
    enter(app, PROGRAM)
