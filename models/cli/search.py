"""``python -m models search``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cli.options import EXIT_CODES, Debug, Seed, entered, names, say, write_lines
from models.data.fields import need_images
from models.places import DOCS
from models.report.plots import need_matplotlib
from models.studies.kept import check_request, default_work
from models.studies.search.candidates import CANDIDATES
from models.studies.search.run import SearchSettings, run

_PAGE = DOCS / "search.md"


def search(
    *,
    work: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="DIR", help="Keeps nets and figures between runs, outside the repository; default: cache."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The page to write; its plot goes beside it.")
    ] = _PAGE,
    only: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B", help="Train only these nets; the others are taken as they were kept."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps of each net.")] = 1000,
    seed: Seed = 0,
    no_training: Annotated[bool, typer.Option("--no-training", help="Leave out nets that are not kept.")] = False,
    again: Annotated[
        bool, typer.Option("--measure-again", help="Measure times and instructions anew; on a quiet machine.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Train candidate nets the same way, judge their int8 files, measure what they cost, and write the table.

    Half an hour to an hour on two cores; after Ctrl-C the same command continues from there. Needs the real images
    (EDGE_DATA), TensorFlow (extra convert) and, for the plot, matplotlib (extra bench); without them, exit code 11.
    """
    place, wanted = work or default_work("search"), names(only)
    try:
        check_request(place, wanted, [one.name for one in CANDIDATES])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    settings = SearchSettings(place, out, wanted, steps, seed, training=not no_training, again=again)
    with entered(debug=debug, training=not no_training):
        need_images()
        need_matplotlib()
        write_lines([str(path) for path in run(settings, say)])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog=f"Example: python -m models search --only malaria-thin-32,resnet8 --steps 200 --work /tmp/search\n\n{EXIT_CODES}"
    )(search)
