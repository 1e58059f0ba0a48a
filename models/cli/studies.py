"""``python -m models review-coverage``, ``paired-coverage`` and ``triage``: their options. Heavy imports wait until they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.safe_file import write_text
from models.cli.options import EXIT_CODES, Debug, entered, say, teller
from models.data.fields import need_images
from models.data.folds import CLASSIFIER
from models.judge.microscopes import NetPlaces, judge_microscopes
from models.places import DOCS, FOLDS, SHELF
from models.studies import paired
from models.studies.kept import default_work
from models.studies.review.page import make_review_page
from models.studies.triage.page import NAME, page
from models.train.recipe import load

_WORK = default_work("review-coverage")


def review_coverage(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the page goes.")] = DOCS,
    samples: Annotated[int, typer.Option(min=1, help="Of each case (200: a quarter of an hour on a free core).")] = 200,
    work: Annotated[
        Path, typer.Option(metavar="DIR", help="What is done is kept there; a second call goes on from it.")
    ] = _WORK,
    debug: Debug = False,
) -> None:
    """Simulate reviewed samples and see whether interval and flag keep their promises; exit code 1 where not."""
    with entered(debug=debug):
        met = make_review_page(out, samples, work, say)
    if not met:
        raise typer.Exit(1)


def paired_coverage(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the page goes.")] = DOCS,
    samples: Annotated[int, typer.Option(min=1, help="Of each case (400: some minutes).")] = 400,
    debug: Debug = False,
) -> None:
    """Simulate two counts of the same fields and see whether the interval of their difference holds; exit code 1 where not."""
    with entered(debug=debug):
        found = dict(paired.simulated(samples))
        write_text(out / paired.NAME, paired.page(found, samples))
        say(str(out / paired.NAME))
    if not all(paired.enough(rates) for rates in found.values()):
        raise typer.Exit(1)


def triage(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the page goes.")] = DOCS,
    debug: Debug = False,
) -> None:
    """Infected cells kept against others discarded, on every microscope by nets that never saw it (two minutes).

    Needs the real images (EDGE_DATA).
    """
    with entered(debug=debug):
        need_images()
        rows = judge_microscopes(NetPlaces(FOLDS, SHELF), load(CLASSIFIER).split.leave_out, teller())
        write_text(out / NAME, "\n".join([*page(rows), ""]))
        say(str(out / NAME))


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    epilog = f"Example: python -m models review-coverage --samples 100 --out /tmp\n\n{EXIT_CODES}"
    app.command(epilog=epilog)(review_coverage)
    app.command(epilog=f"Example: python -m models paired-coverage --out /tmp\n\n{EXIT_CODES}")(paired_coverage)
    app.command(epilog=f"Example: python -m models triage --out /tmp\n\n{EXIT_CODES}")(triage)
