"""``python -m benchmarks.damage FOLDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import Debug, single_command
from benchmarks.damage.files import pictures, speed, table
from edge.door import door
from edge.program import enter

PROGRAM = "python -m benchmarks.damage"
SPEED_FIELDS = 40
"""Pictures on which strict decoding is timed."""


def damage(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Undamaged pictures (JPEG, PNG).")],
    each: Annotated[int, typer.Argument(min=1, metavar="N", help="Damaged files per format and kind of damage.")] = 100,
    seed: Annotated[int, typer.Argument(min=0, metavar="SEED", help="Random seed of the damage.")] = 1,
    *,
    debug: Debug = False,
) -> None:
    """Count how much damage to picture files goes unnoticed, beside OpenCV alone; and what strict decoding costs."""
    with door(debug=debug, program=PROGRAM):
        fields = pictures(folder)
        for line in table(fields[:: max(1, len(fields) // each)], each, seed):
            typer.echo(line)
        typer.echo(speed(fields[:SPEED_FIELDS]))


app = single_command(damage, "Example: python -m benchmarks.damage fields/ 100")

if __name__ == "__main__":
    enter(app, PROGRAM)
