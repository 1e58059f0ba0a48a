"""``python -m benchmarks.cameras``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.cameras.kinds import KINDS
from benchmarks.cameras.page import write_page
from benchmarks.cameras.run import run_all
from benchmarks.command import Debug, single_command
from edge.door import door
from edge.program import enter

PROGRAM = "python -m benchmarks.cameras"


def cameras(
    only: Annotated[list[str] | None, typer.Argument(metavar="KIND", help="Kinds; all of them unless given.")] = None,
    *,
    workers: Annotated[int, typer.Option(min=1, help="Kinds at a time.")] = 2,
    output: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="Page to write the table to.")] = None,
    debug: Debug = False,
) -> None:
    """Run bad cameras against the real camera process: told within 10 s, no wrong frame handed out, goes on where it comes back."""
    with door(debug=debug, program=PROGRAM):
        outcomes = []
        for one in run_all(only or list(KINDS), workers):
            outcomes.append(one)
            told = f"{one.told_s:.1f} s" if one.told_s is not None else "-"
            back = f"back after {one.back_s:.1f} s" if one.back_s is not None else ""
            mark = "right" if one.right else "WRONG"
            typer.echo(
                f"{mark}  {one.kind:24} told {told:8} frames {one.frames:4} wrong {one.wrong:3}  {back:18} {one.words}"
            )
        if output is not None:
            write_page(output, outcomes)
    failed = sum(not one.right for one in outcomes)
    typer.echo(f"{len(outcomes) - failed} of {len(outcomes)} right")
    if failed:
        raise typer.Exit(1)


app = single_command(
    cameras, "Example: python -m benchmarks.cameras -o docs/cameras-bad.md    Exit code 1: one went wrong."
)

if __name__ == "__main__":
    enter(app, PROGRAM)
