"""``python -m models``: train, choose thresholds, measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    help="The shelf: training and honest evaluation. Example: python -m models figures", no_args_is_help=True
)
HERE = Path(__file__).resolve().parent
SHELF = HERE / "shelf"
FOLDS = HERE / "folds"

Fold = Annotated[
    Optional[int],  # noqa: UP045  (typer reads it at run time)
    typer.Option(
        help="Hold this fold out (0 to 3) and write it under models/folds; without it, train the shipped one."
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
    from models.finder_make import NAME, held_out_blocks, make_finder  # noqa: PLC0415
    from models.finder_train import FinderTraining  # noqa: PLC0415

    settings = FinderTraining(steps=steps, seed=seed)
    card = make_finder(path_of(NAME, fold), held_out_blocks(fold), settings, typer.echo)
    typer.echo(f"{path_of(NAME, fold)} written, SHA-256 {card.sha256[:12]}; now: python -m models choose-thresholds")


@app.command()
def train_classifier(fold: Fold = None, steps: Steps = 3000, seed: Seed = 0) -> None:
    """Train the cell classifier (about five minutes). Example: python -m models train-classifier --fold 0."""
    from models.cell_make import NAME, make_classifier, slides_held_out  # noqa: PLC0415
    from models.cell_train import CellTraining  # noqa: PLC0415
    from models.finder_make import held_out_blocks  # noqa: PLC0415

    settings = CellTraining(steps=steps, seed=seed)
    card = make_classifier(path_of(NAME, fold), held_out_blocks(fold), slides_held_out(fold), settings, typer.echo)
    typer.echo(f"{path_of(NAME, fold)} written, SHA-256 {card.sha256[:12]}; now: python -m models choose-thresholds")


@app.command()
def choose_thresholds() -> None:
    """Choose operating thresholds on held-out blocks: for each fold on the other folds', for the shipped files on all."""
    from models.choose import choose_all  # noqa: PLC0415

    choose_all(FOLDS, SHELF, typer.echo)


@app.command()
def spurious(out: Annotated[Path, typer.Argument(help="PNG to write.")]) -> None:
    """Show a random sample of what the learned finder is charged with. Example: python -m models spurious /tmp/s.png."""
    from models.spurious import sheet  # noqa: PLC0415

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


if __name__ == "__main__":
    app()
