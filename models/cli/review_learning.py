"""``python -m models review-learning``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cli.options import EXIT_CODES, Debug, entered, names, say, teller, write_lines
from models.data.fields import need_images
from models.places import DOCS
from models.studies.kept import check_request, default_work
from models.studies.review_learning.run import ReviewLearningSettings, run
from models.studies.review_learning.scopes import SCOPES


def review_learning(
    *,
    work: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="DIR", help="Keeps cells, nets and points, outside the repository; default: cache."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = DOCS / "review-learning.md",
    only: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B", help="Microscopes to work on; the others are taken as they were kept."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Measure what 5 blank slides and 100 answers of a person bring on microscopes that the nets never saw.

    About an hour on two cores; what is finished is kept, and the same command goes on from there. Needs the real images (EDGE_DATA)
    and TensorFlow (extra convert); without them, exit codes 9 and 11.
    """
    place, wanted = work or default_work("review-learning"), names(only)
    try:
        check_request(place, wanted, [scope.name for scope in SCOPES])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with entered(debug=debug, training=True):
        need_images()
        points = run(ReviewLearningSettings(place, out, wanted), teller(), say)
        write_lines([f"{out}: {points} points; cells, nets and points are kept in {place}"])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models review-learning --only nih_cells\n\n{EXIT_CODES}")(review_learning)
