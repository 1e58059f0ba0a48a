"""The commands that make the shelf: train, choose thresholds, write cards. Heavy imports wait until they run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from models.cards import write_cards
from models.cli.options import EXIT_CODES, Debug, entered
from models.data.fields import need_images
from models.judge.card_table import write
from models.judge.thresholds import choose_all
from models.places import FOLDS, REPOSITORY, SHELF
from models.report.spurious import sheet


def train_finder() -> None:
    """This is now ``train finder-thin``. Example: python -m models train finder-thin --fold 0."""
    raise typer.BadParameter("this is now: python -m models train finder-thin [--fold N | --all-folds] [--shipped]")


def train_classifier() -> None:
    """This is now ``train malaria-thin-32``. Example: python -m models train malaria-thin-32 --all-folds."""
    raise typer.BadParameter(
        "this is now: python -m models train malaria-thin-32 [--fold N | --all-folds] [--shipped]; "
        "there is no --lite any more, and --no-fields is now --without iml_fields,nih_cells"
    )


def choose_thresholds(*, debug: Debug = False) -> None:
    """Choose operating thresholds, for each fold on the other folds' images, for the shipped files on all of theirs."""
    with entered(debug=debug):
        need_images()
        choose_all(FOLDS, SHELF, typer.echo)


def held_out(*, debug: Debug = False) -> None:
    """Write into the shipped classifiers' cards what their likes reach on unseen images; then: cards.

    Infected cells found on whole fields (edge calibrate reads it), and how often int8 decides as float does.
    """
    with entered(debug=debug, training=True):
        need_images()
        write(FOLDS, SHELF, typer.echo)


def cards(*, debug: Debug = False) -> None:
    """Write CARD.md of every shipped model from the card inside its file."""
    with entered(debug=debug):
        for path in write_cards(SHELF):
            typer.echo(path.relative_to(REPOSITORY))


def spurious(out: Annotated[Path, typer.Argument(help="PNG to write.")], *, debug: Debug = False) -> None:
    """Show a random sample of the finder's false positives."""
    with entered(debug=debug):
        need_images()
        typer.echo(f"{sheet(FOLDS, out)} finds without an annotated cell; 96 of them in {out}")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    examples: dict[Callable[..., None], str] = {
        choose_thresholds: "choose-thresholds",
        held_out: "held-out && python -m models cards",
        cards: "cards",
        spurious: "spurious spurious.png",
    }
    for command, example in examples.items():
        app.command(epilog=f"Example: python -m models {example}\n\n{EXIT_CODES}")(command)
    for old in (train_finder, train_classifier):
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        app.command(hidden=True, context_settings=anything)(old)
