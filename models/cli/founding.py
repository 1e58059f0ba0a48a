"""``python -m models founding``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cli.options import EXIT_CODES, Debug, entered, names, say, write_lines
from models.data.fields import need_images
from models.places import DOCS
from models.studies.founding.data import Protocol
from models.studies.founding.rows import ROWS
from models.studies.founding.run import FoundingSettings, run
from models.studies.kept import check_request, default_work


def founding(
    *,
    work: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            metavar="DIR", help="Keeps nets and figures between runs, outside the repository; default: cache."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = DOCS / "founding.md",
    only: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B", help="Rows to work on; the others are taken as they were kept."),
    ] = None,
    protocol: Annotated[
        Optional[Protocol],  # noqa: UP045
        typer.Option(help="Random split (notebook) or split by slide (slides); default: both."),
    ] = None,
    epochs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="At most so many epochs of each net, which the table says; default: its author's."),
    ] = None,
    convert_again: Annotated[
        bool,
        typer.Option(
            "--convert-again", help="Convert once more what is finished (and train it where its net is not here)."
        ),
    ] = False,
    no_training: Annotated[bool, typer.Option("--no-training", help="Take the nets as they are kept.")] = False,
    debug: Debug = False,
) -> None:
    """Train the founding nets as their authors did, convert and judge them, and write the table.

    Many hours on two cores; after Ctrl-C the same command continues from there. Figures of finished rows are kept in the
    repository, so that another machine goes on with the others. Needs the real images (EDGE_DATA) and
    TensorFlow (extra convert); without them, exit codes 9 and 11.
    """
    place, wanted = work or default_work("founding"), names(only)
    try:
        check_request(place, wanted, [row.name for row in ROWS])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    protocols = (protocol,) if protocol else tuple(Protocol)
    settings = FoundingSettings(place, out, wanted, protocols, epochs, again=convert_again, training=not no_training)
    with entered(debug=debug, training=True):
        need_images()
        complete = run(settings, say)
        rows = len(ROWS) * len(Protocol)
        write_lines([f"{out}: {complete} of {rows} trained to the end; nets and figures are kept in {place}"])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(
        epilog=f"Example: python -m models founding --only notebook_1 --protocol slides --epochs 3\n\n{EXIT_CODES}"
    )(founding)
