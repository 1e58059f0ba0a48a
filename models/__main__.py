"""``python -m models``: train, choose thresholds, measure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cells.commands import register
from models.reporting.commands import register as register_report
from models.search.commands import register as register_search

app = typer.Typer(
    help="The shelf: training and honest evaluation. Example: python -m models figures",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
)
HERE = Path(__file__).resolve().parent
SHELF = HERE / "shelf"
FOLDS = HERE / "folds"

Fold = Annotated[
    Optional[int],  # noqa: UP045  (typer reads it at run time)
    typer.Option(
        min=0,
        max=3,
        help="Hold this fold out (0 to 3) and write it under models/folds; without it, train the shipped one.",
    ),
]
Steps = Annotated[int, typer.Option(help="Optimiser steps; the default is what the shipped files were made with.")]
Seed = Annotated[int, typer.Option(help="Everything random follows from it.")]


def path_of(name: str, fold: int | None) -> Path:
    """Where a model file stands: on the shelf, or among the folds."""
    path = SHELF / name / f"{name}.tflite" if fold is None else FOLDS / f"{name}-fold{fold}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@app.command()
def train_finder(fold: Fold = None, steps: Steps = 2600, seed: Seed = 0) -> None:
    """Train the finder (about ten minutes on two cores). Example: python -m models train-finder --fold 0."""
    from models.finder.make import NAME, held_out_blocks, make_finder  # noqa: PLC0415
    from models.finder.train import FinderTraining  # noqa: PLC0415

    settings = FinderTraining(steps=steps, seed=seed)
    card = make_finder(path_of(NAME, fold), held_out_blocks(fold), settings, typer.echo)
    typer.echo(f"{path_of(NAME, fold)} written, SHA-256 {card.sha256[:12]}; now: python -m models choose-thresholds")


@app.command()
def train_classifier(
    *,
    fold: Annotated[
        Optional[list[int]],  # noqa: UP045  (typer reads it at run time)
        typer.Option(
            min=0, max=4, help="Hold this fold out (0 to 4); may be repeated. Without it the shipped one is trained."
        ),
    ] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="After the folds the shipped one too.")] = False,
    lite: Annotated[bool, typer.Option("--lite", help="The small one.")] = False,
    no_fields: Annotated[
        bool, typer.Option("--no-fields", help="NIH cells only, for the figures of a scope never seen.")
    ] = False,
    steps: Steps = 6000,
    seed: Seed = 0,
) -> None:
    """Train the cell classifier (five minutes a net, and two to read images). Example: python -m models train-classifier --fold 0."""
    from dataclasses import replace  # noqa: PLC0415

    from models.cell_make import NAMES, PLATELETS, SPEC, WITHOUT_FIELDS, make_classifier, slides_held_out  # noqa: PLC0415
    from models.cell_sources import gather, load_finders  # noqa: PLC0415
    from models.cell_train import CellTraining  # noqa: PLC0415
    from models.choose import fold_paths  # noqa: PLC0415
    from models.finder.make import NAME as FINDER  # noqa: PLC0415
    from models.finder.make import held_out_blocks  # noqa: PLC0415

    settings, name = CellTraining(steps=steps, seed=seed, platelets=PLATELETS), NAMES[int(lite)]
    finders = [] if no_fields else load_finders(fold_paths(FOLDS, FINDER))
    sources = gather(SPEC, finders, seed, typer.echo)
    if no_fields:
        for called, share in WITHOUT_FIELDS.items():
            out, own = FOLDS / f"{called}.tflite", replace(settings, platelets=share)
            make_classifier(out, sources, [], set(), settings=own, say=typer.echo, called=called)
            typer.echo(f"{out} written; now: python -m models figures")
        return
    numbers: list[int | None] = [*(fold or ()), *([None] if shipped or not fold else [])]
    for number in numbers:
        out, slides, blocks = path_of(name, number), slides_held_out(number), held_out_blocks(number)
        card = make_classifier(out, sources, blocks, slides, settings=settings, say=typer.echo, name=name)
        typer.echo(f"{out} written, SHA-256 {card.sha256[:12]}; now: python -m models choose-thresholds")


@app.command()
def choose_thresholds() -> None:
    """Choose operating thresholds on held-out blocks: for each fold on the other folds', for the shipped files on all."""
    from models.choose import choose_all  # noqa: PLC0415

    choose_all(FOLDS, SHELF, typer.echo)


@app.command()
def spurious(out: Annotated[Path, typer.Argument(help="PNG to write.")]) -> None:
    """Show a random sample of what the learned finder is charged with. Example: python -m models spurious spurious.png."""
    from models.finder.spurious import sheet  # noqa: PLC0415

    typer.echo(f"{sheet(FOLDS, out)} finds without an annotated cell; 96 of them in {out}")


@app.command()
def cards() -> None:
    """Write CARD.md of every shipped model from the card inside its file."""
    from models.cardtext import write_cards  # noqa: PLC0415

    for path in write_cards(SHELF):
        typer.echo(path.relative_to(HERE.parent))


@app.command()
def figures(
    markdown: Annotated[bool, typer.Option(help="Print the table as Markdown.")] = False,
    quick: Annotated[bool, typer.Option(help="Accuracy only, no timing or memory.")] = False,
) -> None:
    """Measure everything the README claims, on the real images and on virtual slides, and print it."""
    from models.figure import show  # noqa: PLC0415
    from models.figures import measure_all  # noqa: PLC0415

    typer.echo(show(measure_all(FOLDS, SHELF, typer.echo if not markdown else None, quick=quick), markdown=markdown))


@app.command()
def held_out() -> None:
    """Write into the shipped classifier's card what it finds on whole unseen fields (edge calibrate reads it); then: cards."""
    from models.heldout import write  # noqa: PLC0415

    write(FOLDS, SHELF, typer.echo)


@app.command()
def verdict_coverage(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where page and picture go.")] = HERE.parent / "docs",
    rounds: Annotated[int, typer.Option(min=1, help="Calibrations per world (about half an hour for 100).")] = 100,
    runs: Annotated[int, typer.Option(min=1, help="Samples per case that look after every field.")] = 100,
) -> None:
    """Simulate calibrations and samples and see whether intervals and limits keep their promises; exit code 1 where not.

    Example: python -m models verdict-coverage --rounds 20 --runs 20 --out /tmp
    """
    from models.coverage.page import make  # noqa: PLC0415

    if not make(out, rounds, runs, typer.echo):
        raise typer.Exit(1)


@app.command()
def founding(
    work: Annotated[
        Optional[Path],  # noqa: UP045  (typer reads it at run time)
        typer.Option(
            metavar="DIR", help="Keeps nets and figures between runs, outside the repository; default: cache."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = HERE.parent
    / "docs"
    / "founding.md",
    only: Annotated[str, typer.Option(metavar="A,B", help="Rows to work on; the others as they were kept.")] = "",
    convert_again: Annotated[bool, typer.Option("--convert-again", help="Convert what is kept once more.")] = False,
    no_training: Annotated[bool, typer.Option("--no-training", help="Leave out nets that are not kept.")] = False,
) -> None:
    """Train, convert and judge the founding nets (an hour on two cores; a second run goes on where the first stopped).

    Example: python -m models founding --only notebook_1,notebook_6 --convert-again
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from models.founding.run import default_work, run  # noqa: PLC0415

    names = tuple(name.strip() for name in only.split(",") if name.strip())
    place = work or default_work()
    try:
        rows = run(place, out, typer.echo, only=names, again=convert_again, training=not no_training)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(f"{out}: {rows} rows; nets and figures are kept in {place}")


register(app)
register_report(app)
register_search(app)

if __name__ == "__main__":
    app()
