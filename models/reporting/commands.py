"""``python -m models report``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cells.options import EXIT_CODES, Debug, entered, teller, write_lines

_HERE = Path(__file__).resolve().parents[1]


def report(
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where REPORT.md and report/*.svg go.")
    ] = _HERE,
    sheets: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="DIR",
            help="Write the worst mistakes as contact sheets instead of the page; outside the repository.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Score NIH and IML with the fold files, each cell once by a net that never saw it, and write the page on the shipped nets.

    A minute or two. Needs the real images (EDGE_DATA) and, for the plots, matplotlib (extra bench); without it, exit code 11.
    """
    with entered(debug=debug):
        from models.cell_make import NAMES  # noqa: PLC0415 - these are heavy
        from models.reporting.page import assemble, write  # noqa: PLC0415
        from models.reporting.plots import need_matplotlib  # noqa: PLC0415
        from models.reporting.scores import need_images, score_all  # noqa: PLC0415
        from models.reporting.sheets import check_outside, write_sheets  # noqa: PLC0415

        need_images()
        if sheets is None:
            need_matplotlib()
        else:
            check_outside(sheets)
        tell = teller()
        nih, iml, nets = score_all(NAMES, _HERE / "folds", tell)
        if sheets is not None:
            write_lines([str(path) for path in write_sheets(sheets, nih, iml, nets[0])])
            return
        tell("drawing intervals", -1)
        written = write(out, assemble(nih, iml, nets, _HERE / "shelf"))
        write_lines([str(path) for path in written])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models report --sheets ../sheets\n\n{EXIT_CODES}")(report)
