"""The commands that make the shelf: train, choose thresholds, write cards. Heavy imports wait until they run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Optional

import typer

from models.cli.options import EXIT_CODES, Debug, entered
from models.places import FOLDS, REPOSITORY, SHELF

Fold = Annotated[
    Optional[int],  # noqa: UP045  (typer reads it at run time)
    typer.Option(
        min=0,
        max=3,
        help="Hold this fold out (0 to 3) and write it under models/folds; without it, train the shipped one.",
    ),
]
Steps = Annotated[
    int, typer.Option(min=1, help="Optimiser steps; the default is what the shipped files were made with.")
]
Seed = Annotated[int, typer.Option(help="Everything random follows from it.")]


def path_of(name: str, fold: int | None) -> Path:
    """Where a model file stands: on the shelf, or among the folds."""
    path = SHELF / name / f"{name}.tflite" if fold is None else FOLDS / f"{name}-fold{fold}.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def train_finder(*, fold: Fold = None, steps: Steps = 2600, seed: Seed = 0, debug: Debug = False) -> None:
    """Train the finder (about ten minutes on two cores)."""
    with entered(debug=debug, training=True):
        from models.data.fields import need_images  # noqa: PLC0415
        from models.train.finder import FinderTraining  # noqa: PLC0415
        from models.train.finder_make import NAME, held_out_blocks, make_finder  # noqa: PLC0415

        need_images()
        settings = FinderTraining(steps=steps, seed=seed)
        card = make_finder(path_of(NAME, fold), held_out_blocks(fold), settings, typer.echo)
        _written(path_of(NAME, fold), card.sha256, "choose-thresholds")


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
    debug: Debug = False,
) -> None:
    """Train the cell classifier (five minutes a net, and two to read images)."""
    with entered(debug=debug, training=True):
        from dataclasses import replace  # noqa: PLC0415

        from models.data.fields import need_images  # noqa: PLC0415
        from models.judge.unseen import fold_paths  # noqa: PLC0415
        from models.train.classifier import CellTraining  # noqa: PLC0415
        from models.train.finder_make import NAME as FINDER  # noqa: PLC0415
        from models.train.finder_make import held_out_blocks  # noqa: PLC0415
        from models.train.shelf_classifier import (  # noqa: PLC0415
            NAMES,
            PLATELETS,
            SPEC,
            WITHOUT_FIELDS,
            make_classifier,
            slides_held_out,
        )
        from models.train.sources import gather, load_finders  # noqa: PLC0415

        need_images()
        settings, name = CellTraining(steps=steps, seed=seed, platelets=PLATELETS), NAMES[int(lite)]
        finders = [] if no_fields else load_finders(fold_paths(FOLDS, FINDER))
        sources = gather(SPEC, finders, seed, typer.echo)
        if no_fields:
            for called, share in WITHOUT_FIELDS.items():
                out, own = FOLDS / f"{called}.tflite", replace(settings, platelets=share)
                card = make_classifier(out, sources, [], set(), settings=own, say=typer.echo, called=called)
                _written(out, card.sha256, "figures")
            return
        numbers: list[int | None] = [*(fold or ()), *([None] if shipped or not fold else [])]
        for number in numbers:
            out, slides, blocks = path_of(name, number), slides_held_out(number), held_out_blocks(number)
            card = make_classifier(out, sources, blocks, slides, settings=settings, say=typer.echo, name=name)
            _written(out, card.sha256, "choose-thresholds")


def _written(path: Path, digest: str, then: str) -> None:
    typer.echo(f"{path} written, SHA-256 {digest[:12]}; now: python -m models {then}")


def choose_thresholds(*, debug: Debug = False) -> None:
    """Choose operating thresholds, for each fold on the other folds' images, for the shipped files on all of theirs."""
    with entered(debug=debug):
        from models.data.fields import need_images  # noqa: PLC0415
        from models.judge.thresholds import choose_all  # noqa: PLC0415

        need_images()
        choose_all(FOLDS, SHELF, typer.echo)


def held_out(*, debug: Debug = False) -> None:
    """Write into the shipped classifiers' cards what their likes reach on unseen images; then: cards.

    Infected cells found on whole fields (edge calibrate reads it), and how often int8 decides as float does.
    """
    with entered(debug=debug, training=True):
        from models.data.fields import need_images  # noqa: PLC0415
        from models.judge.card_table import write  # noqa: PLC0415

        need_images()
        write(FOLDS, SHELF, typer.echo)


def cards(*, debug: Debug = False) -> None:
    """Write CARD.md of every shipped model from the card inside its file."""
    with entered(debug=debug):
        from models.cards import write_cards  # noqa: PLC0415

        for path in write_cards(SHELF):
            typer.echo(path.relative_to(REPOSITORY))


def spurious(out: Annotated[Path, typer.Argument(help="PNG to write.")], *, debug: Debug = False) -> None:
    """Show a random sample of the learned finder's false positives."""
    with entered(debug=debug):
        from models.data.fields import need_images  # noqa: PLC0415
        from models.report.spurious import sheet  # noqa: PLC0415

        need_images()
        typer.echo(f"{sheet(FOLDS, out)} finds without an annotated cell; 96 of them in {out}")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    examples: dict[Callable[..., None], str] = {
        train_finder: "train-finder --fold 0",
        train_classifier: "train-classifier --fold 0 --fold 1 --shipped",
        choose_thresholds: "choose-thresholds",
        held_out: "held-out && python -m models cards",
        cards: "cards",
        spurious: "spurious spurious.png",
    }
    for command, example in examples.items():
        app.command(epilog=f"Example: python -m models {example}\n\n{EXIT_CODES}")(command)
