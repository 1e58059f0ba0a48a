"""``python -m benchmarks.peers``: check that the peers do the same job, write the page. ``edge-bench peers`` measures them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from edge import shelf
from edge.door import door
from edge.program import enter, make_app

PROGRAM = "python -m benchmarks.peers"
EXIT_DIFFERENT = 3
"""Exit code where a peer's classes differ from ours."""

app = make_app(
    PROGRAM,
    "The same cells and fields through what a user would otherwise write or take.",
    "Example: python -m benchmarks.peers check --fields fields/    Exit codes: 0 done, 2 the command line is wrong, "
    "3 a peer's classes differ.",
)
Fields = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of images; without it virtual fields.")]
Model = Annotated[str, typer.Option(metavar="NAME|PATH", help="The classifier.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


@app.command()
def check(*, model: Model = shelf.CLASSIFIER, fields: Fields = None, debug: Debug = False) -> None:
    """Do they do the same job? Exit code 3 where a peer's classes differ from ours in more than 1 % of the cells."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    same = True
    with door(debug=debug, program=PROGRAM):
        from benchmarks.peers.check import check as verdicts  # noqa: PLC0415 - heavy

        for one in verdicts(model, str(fields.resolve()) if fields else ""):
            same &= one.same is not False
            mark = {True: "same", False: "DIFFERENT", None: "-"}[one.same]
            typer.echo(f"{one.name}: {one.figure} ({mark})")
    raise typer.Exit(0 if same else EXIT_DIFFERENT)


@app.command()
def table(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result file.")], *, debug: Debug = False
) -> None:
    """The result as the tables of docs/peers.md."""
    with door(debug=debug, program=PROGRAM):
        from benchmarks.peers.page import tables  # noqa: PLC0415 - heavy
        from benchmarks.record.files import read  # noqa: PLC0415

        typer.echo("\n".join(tables(read(result))))


if __name__ == "__main__":
    enter(app, PROGRAM)
