"""``python -m models report``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from convert.errors import CellsError
from models.cli.options import EXIT_CODES, Debug, entered, teller, write_lines
from models.data.fields import need_images
from models.data.folds import CLASSIFIERS
from models.judge.scores import score_all
from models.judge.unseen import unseen_folds
from models.places import FOLDS, MODELS, SHELF
from models.report.blind import FILE, keep, kept, take, write_sheet
from models.report.page import PLOTS, assemble, write
from models.report.plots import need_matplotlib
from models.report.sheets import check_outside, write_sheets


def report(
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where REPORT.md and report/*.svg go.")
    ] = MODELS,
    sheets: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="DIR",
            help="Write the worst mistakes as contact sheets instead of the page; outside the repository.",
        ),
    ] = None,
    blind: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            metavar="DIR",
            help="Write the worst false positives shuffled among other cells, to be read blind; outside the repository.",
        ),
    ] = None,
    reading: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Keep a blind reading for the page: CSV, cell and verdict."),
    ] = None,
    reader: Annotated[str, typer.Option(metavar="WORDS", help="Who read.")] = "an untrained eye",
    debug: Debug = False,
) -> None:
    """Score NIH and IML with the fold files, each cell once by a net that never saw it, and write the page on the shipped nets.

    A minute or two. Needs the real images (EDGE_DATA) and, for the plots, matplotlib (extra bench); without it, exit code 11.
    """
    with entered(debug=debug):
        need_images()
        readings = MODELS / PLOTS / FILE
        if sheets is None and blind is None and reading is None:
            need_matplotlib()
        for folder in (sheets, blind):
            if folder is not None:
                check_outside(folder)
        if reading is not None and not reading.is_file():
            raise CellsError(f"{reading}: no such file")
        tell = teller()
        nih, iml, nets = score_all(CLASSIFIERS, unseen_folds(FOLDS), tell)
        if sheets is not None:
            write_lines([str(path) for path in write_sheets(sheets, nih, iml, nets[0])])
        if blind is not None:
            write_lines([str(write_sheet(blind, iml, nets[0]))])
        if reading is not None:
            keep(take(reading, reader, iml, nets[0]), readings)
            write_lines([f"{readings}: kept"])
        if sheets is not None or blind is not None or reading is not None:
            return
        tell("drawing intervals", -1)
        written = write(out, assemble(nih, iml, nets, SHELF, kept(readings, iml, nets[0])))
        write_lines([str(path) for path in written])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models report --sheets ../sheets\n\n{EXIT_CODES}")(report)
