"""``python -m models microscopes``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from edge.safe_file import write_text
from models.cli.options import EXIT_CODES, Debug, JsonFlag, entered, names, teller, write_json, write_lines
from models.data.fields import need_images
from models.data.folds import CLASSIFIER
from models.judge.microscopes import NetPlaces, judge_microscopes
from models.places import FOLDS, SHELF
from models.report.microscopes import net_costs, page, plain
from models.train.recipe import load


def microscopes(
    *,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--out", "-o", metavar="FILE", help="Write the page there instead of printing it."),
    ] = None,
    only: Annotated[str, typer.Option(metavar="SET[,SET]", help="Rows of these data sets; default: all.")] = "",
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Judge every microscope by nets that never learned from it, whole fields end to end, and print the page: the worst first.

    Two minutes. Nets without a microscope: python -m models train finder-thin --all-left-out, likewise malaria-thin-32.
    """
    with entered(debug=debug):
        need_images()
        left_out = load(CLASSIFIER).split.leave_out
        rows = judge_microscopes(NetPlaces(FOLDS, SHELF), left_out, teller(), names(only))
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
