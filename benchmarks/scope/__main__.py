"""``python -m benchmarks.scope``: measure flat field and dust on real fields, and write the tables of docs/scope.md."""

from __future__ import annotations

import cv2
import typer

from benchmarks.arm.table import write_page
from benchmarks.command import Debug, single_command
from benchmarks.places import REPOSITORY, real_images
from benchmarks.scope.measure import SETS, measured
from benchmarks.scope.page import PLACE, tables
from edge.door import door, say
from edge.errors import NoInputError
from edge.program import enter

PROGRAM = "python -m benchmarks.scope"
PAGE = REPOSITORY / "docs" / "scope.md"


def scope(*, debug: Debug = False) -> None:
    """Measure on real images and write the tables of docs/scope.md: some minutes."""
    with door(debug=debug, program=PROGRAM):
        if not all((real_images() / name).is_dir() for name in SETS):
            raise NoInputError(f"no real fields in {real_images()} (EDGE_DATA names their folder)")
        cv2.setNumThreads(1)
        write_page(PLACE, tables(measured(lambda step: say(step, PROGRAM))), PAGE)
        typer.echo(f"written: {PAGE}")


app = single_command(scope, "Exit code 4: the real fields are not there.")

if __name__ == "__main__":
    enter(app, PROGRAM)
