"""``python -m models microscopes``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from edge.safe_file import write_text
from models.cli.options import EXIT_CODES, Debug, JsonFlag, entered, names, say, teller, write_json, write_lines
from models.data.fields import need_images
from models.data.folds import CLASSIFIER
from models.judge.microscopes import NetPlaces, judge_microscopes
from models.places import FOLDS, SHELF
from models.report.microscope_sheets import write_sheets
from models.report.microscopes import net_costs, page, plain
from models.report.sheets import check_outside
from models.train.recipe import load


def microscopes(
    *,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--out", "-o", metavar="FILE", help="Write the page there instead of printing it."),
    ] = None,
    only: Annotated[str, typer.Option(metavar="SET[,SET]", help="Rows of these data sets; default: all.")] = "",
    sheets: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            metavar="DIR", help="Besides, write what is still wrong as contact sheets; outside the repository."
        ),
    ] = None,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Judge every microscope by nets that never learned from it, whole fields end to end, and print the page: the worst first.

    Two minutes. Nets without a microscope are made by train finder-thin --all-left-out, and likewise malaria-thin-32.
    """
    with entered(debug=debug):
        need_images()
        if sheets is not None:
            check_outside(sheets)
        left_out = load(CLASSIFIER).split.leave_out
        rows = judge_microscopes(NetPlaces(FOLDS, SHELF), left_out, teller(), names(only))
        if sheets is not None:
            for path in write_sheets(sheets, rows):
                say(str(path))
        costs = net_costs(SHELF)
        if json:
            write_json(plain(rows, costs))
        if out is not None:
            write_text(out, "\n".join([*page(rows, costs), ""]))
        elif not json:
            write_lines(page(rows, costs))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models microscopes --only bbbc_fields\n\n{EXIT_CODES}")(microscopes)
