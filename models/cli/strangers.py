"""``python -m models strangers``: its options. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cli.options import EXIT_CODES, Debug, entered, names, say, write_lines
from models.data.fields import need_images
from models.places import DOCS
from models.studies.kept import check_request, default_work
from models.studies.strangers.nets import NETS
from models.studies.strangers.run import StrangersSettings, run


def strangers(
    *,
    work: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(metavar="DIR", help="Keeps nets and cells between runs, outside the repository; default: cache."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = DOCS / "strangers.md",
    only: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B", help="Nets to work on; the others are taken as they were kept."),
    ] = None,
    convert_again: Annotated[bool, typer.Option("--convert-again", help="Convert what is finished once more.")] = False,
    limits: Annotated[
        bool,
        typer.Option("--limits", help="Measure what two limits of the converter rest on (docs/strangers.md), no more."),
    ] = False,
    debug: Debug = False,
) -> None:
    """Make nets of the kinds that strangers bring, convert them with default options, judge them, and write the table.

    About an hour on two cores; what is finished is kept in the repository, and the same command goes on from there. Needs the
    real images (EDGE_DATA) and TensorFlow (extra convert); without them, exit codes 9 and 11.
    """
    place, wanted = work or default_work("strangers"), names(only)
    try:
        check_request(place, wanted, [net.name for net in NETS])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with entered(debug=debug, training=True):
        need_images()
        finished = run(StrangersSettings(place, out, wanted, again=convert_again, limits=limits), say)
        write_lines([f"{out}: {finished} of {len(NETS)} nets finished; nets and cells are kept in {place}"])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=f"Example: python -m models strangers --only two_convolutions_50\n\n{EXIT_CODES}")(strangers)
