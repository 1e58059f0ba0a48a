"""``python -m models``: the data sets, the trainer, the judges and what is written about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.program import enter, make_app
from models.cli.cells import register
from models.cli.data import register as register_data
from models.cli.founding import register as register_founding
from models.cli.microscopes import register as register_microscopes
from models.cli.options import EXIT_CODES, Debug, entered
from models.cli.report import register as register_report
from models.cli.review_learning import register as register_review_learning
from models.cli.search import register as register_search
from models.cli.shelf import register as register_shelf
from models.cli.strangers import register as register_strangers
from models.cli.studies import register as register_studies
from models.data.fields import need_images
from models.data.folds import CLASSIFIER
from models.judge.microscopes import NetPlaces
from models.places import DOCS, FOLDS, SHELF
from models.report.all_figures import measure_all
from models.report.figure import show
from models.studies.appearance.job import make as make_appearance
from models.studies.coverage.page import make
from models.train.recipe import load

PROGRAM = "python -m models"

app = make_app(
    PROGRAM,
    "The shelf: training and honest evaluation. What is on it: edge models. Example: python -m models figures",
    EXIT_CODES,
    completion=False,
)


@app.command()
def figures(
    markdown: Annotated[bool, typer.Option(help="Print the table as Markdown.")] = False,
    quick: Annotated[bool, typer.Option(help="Accuracy only, no timing or memory.")] = False,
    debug: Debug = False,
) -> None:
    """Measure everything the README claims, on microscopes and blocks never seen and on virtual slides, and print it.

    Example: python -m models figures --quick
    """
    with entered(debug=debug):
        need_images()
        say = None if markdown else typer.echo
        left_out = load(CLASSIFIER).split.leave_out
        typer.echo(show(measure_all(NetPlaces(FOLDS, SHELF), left_out, say, quick=quick), markdown=markdown))


@app.command()
def appearance(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = DOCS / "appearance.md",
    write: Annotated[bool, typer.Option("--write", help="Write the ranges into the shelf's cards.")] = False,
    debug: Debug = False,
) -> None:
    """Measure what the shelf's models were made for, and whether foreign samples are told from it (three minutes).

    Example: python -m models appearance --write
    """
    with entered(debug=debug):
        need_images()
        chosen = make_appearance(SHELF, out, typer.echo, write=write)
        typer.echo(", ".join(f"{name} {low} to {high}" for name, (low, high) in chosen.ranges.items()))


@app.command()
def verdict_coverage(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where page and picture go.")] = DOCS,
    rounds: Annotated[int, typer.Option(min=1, help="Calibrations per world (about half an hour for 100).")] = 100,
    runs: Annotated[int, typer.Option(min=1, help="Samples per case that look after every field.")] = 100,
) -> None:
    """Simulate calibrations and samples and see whether intervals and limits keep their promises; exit code 1 where not.

    Example: python -m models verdict-coverage --rounds 20 --runs 20 --out /tmp
    """
    if not make(out, rounds, runs, typer.echo):
        raise typer.Exit(1)


register(app)
register_data(app)
register_shelf(app)
register_report(app)
register_microscopes(app)
register_search(app)
register_founding(app)
register_strangers(app)
register_review_learning(app)
register_studies(app)

if __name__ == "__main__":
    enter(app, PROGRAM)
