"""``python -m benchmarks.checks DATA``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.checks.tables import LARGE, tables
from benchmarks.command import Debug, single_command
from edge.door import door
from edge.program import enter

PROGRAM = "python -m benchmarks.checks"


class TableName(StrEnum):
    """The tables there are."""

    PLAIN = "plain"
    MASKS = "masks"
    DAMAGE = "damage"
    COST = "cost"


def checks(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of the sets of real fields.")],
    *,
    every: Annotated[int, typer.Option(min=1, help="Mask and damage every so many fields of a set.")] = 20,
    enlarged: Annotated[
        bool, typer.Option("--enlarged", help=f"Mask fields enlarged to {LARGE[0]}x{LARGE[1]} too.")
    ] = False,
    only: Annotated[TableName | None, typer.Option(help="Print this table alone.")] = None,
    debug: Debug = False,
) -> None:
    """Print what the checks of a field catch on real fields, and what they cost."""
    with door(debug=debug, program=PROGRAM):
        wanted = tuple(TableName) if only is None else (only,)
        for rows in tables(data, every, wanted, enlarged=enlarged):
            typer.echo("\n".join(rows))


app = single_command(
    checks, "Example: python -m benchmarks.checks ../shared/data --only plain    Exit code 4: no such data."
)

if __name__ == "__main__":
    enter(app, PROGRAM)
