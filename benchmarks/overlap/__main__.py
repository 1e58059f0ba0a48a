"""``python -m benchmarks.overlap``: measure, and write docs/overlap.md."""

from __future__ import annotations

import cv2
import typer

from benchmarks.command import Debug, single_command
from benchmarks.overlap.fields import SETS
from benchmarks.overlap.measure import measure
from benchmarks.overlap.page import page
from benchmarks.places import REPOSITORY, real_images
from edge.door import door, say
from edge.errors import NoInputError
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.overlap"
PAGE = REPOSITORY / "docs" / "overlap.md"


def overlap(*, debug: Debug = False) -> None:
    """Measure overlapping fields on real images and write docs/overlap.md: about ten minutes."""
    with door(debug=debug, program=PROGRAM):
        if not all((real_images() / name).is_dir() for name in SETS):
            raise NoInputError(f"no real fields in {real_images()} (EDGE_DATA names their folder)")
        cv2.setNumThreads(1)
        write_text(PAGE, page(measure(lambda step: say(step, PROGRAM))))
        typer.echo(f"written: {PAGE}")


app = single_command(overlap, "Exit code 4: the real fields are not there.")

if __name__ == "__main__":
    enter(app, PROGRAM)
