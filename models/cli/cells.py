"""``python -m models train``, ``evaluate`` and ``compare``: their options. Heavy imports wait until a command runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from convert.measure.rates import rate
from models.cli.adapt import adapt, learning_curve
from models.cli.options import (
    EXIT_CODES,
    Annotations,
    Background,
    CellFolders,
    ClassNames,
    Debug,
    FieldFolders,
    FinderName,
    Force,
    GroupBy,
    Ignore,
    JsonFlag,
    Merge,
    Positive,
    RandomSplit,
    Table,
    entered,
    given,
    say,
    teller,
    write_json,
    write_lines,
)
from models.cli.recipes import NetChoice, chosen_nets, load_recipe, train_recipe
from models.data.gather import gather
from models.judge.evaluate import compared, evaluated, open_nets
from models.judge.finder import evaluated_finders, finder_lines, is_finder
from models.judge.words import compared_lines, evaluated_lines
from models.train.classifier import CellTraining
from models.train.own import recipe_of
from models.train.records import NetRecipe, SplitRecipe, ThresholdRecipe

Models = Annotated[
    list[str], typer.Argument(metavar="MODEL", help="Names on the shelf, .tflite files, or folders of train.")
]
NoSplit = Annotated[bool, typer.Option("--random-split", hidden=True, help="Nothing is split here.")]
Unseen = Annotated[bool, typer.Option("--unseen", help="Only groups that the nets held out, as their cards say.")]
FalsePositives = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(metavar="RATE", help="Negative cells that may count as positive: sets the threshold. Default: 1%."),
]


def train(
    recipe: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar="[RECIPE]", help="Recipe: a name in models/recipes, or a TOML file. Or give --cells, --fields."
        ),
    ] = None,
    *,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder for the net; its name is that of a net of your own images."
        ),
    ] = None,
    fold: Annotated[
        Optional[list[int]],  # noqa: UP045
        typer.Option(min=0, help="Fold of a recipe: the net that never sees its groups; may be repeated."),
    ] = None,
    all_folds: Annotated[bool, typer.Option("--all-folds", help="Make the nets of all folds of a recipe.")] = False,
    without: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="SET[,SET]", help="The net that learns from none of these sets, a microscope the recipe leaves out."
        ),
    ] = None,
    all_left_out: Annotated[
        bool, typer.Option("--all-left-out", help="A net without each microscope that the recipe leaves out.")
    ] = False,
    shipped: Annotated[bool, typer.Option("--shipped", help="Besides these, the net that ships.")] = False,
    cells: CellFolders = None,
    fields: FieldFolders = None,
    table: Table = None,
    annotations: Annotations = None,
    group_by: GroupBy = None,
    random_split: RandomSplit = False,
    finder: FinderName = None,
    classes: ClassNames = None,
    merge: Merge = None,
    ignore: Ignore = None,
    background: Background = None,
    positive: Positive = None,
    steps: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Optimiser steps; default: the recipe's, else 3000."),
    ] = None,
    batch: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=2, help="Cells per step; default: the recipe's, else 256."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, help="Everything random follows from it; default: the recipe's, else 0."),
    ] = None,
    held_out: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of the groups that the figures are of.")
    ] = 0.2,
    validation: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of the other groups that the threshold is chosen on.")
    ] = 0.15,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Hold nothing out: no figures (the threshold's groups still stay out of training)."),
    ] = False,
    false_positives: FalsePositives = None,
    margin: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0.5, max=3.0, help="Side of the crop over the box's longer side; default: the shelf's."),
    ] = None,
    checkpoint: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Between checkpoints.")] = 30.0,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Train a net by a recipe, or a classifier on your own images; the same command goes on where an interrupted run stopped.

    The shelf's recipes write models/shelf and models/folds. Your own images become a recipe, too: recipe.toml beside the net.
    """
    if recipe is not None:
        if cells or fields:
            raise typer.BadParameter("a recipe says itself what is learned from: leave out --cells and --fields")
        with entered(debug=debug, training=True):
            found = load_recipe(recipe, steps=steps, batch=batch, seed=seed)
            train_recipe(
                found,
                chosen_nets(found, fold, without, all_folds=all_folds, all_left_out=all_left_out, shipped=shipped),
                out,
                seconds=checkpoint,
                force=force,
            )
        return
    if fold or all_folds or without or all_left_out or shipped:
        raise typer.BadParameter("--fold, --all-folds, --without, --all-left-out and --shipped go with a recipe")
    if out is None:
        raise typer.BadParameter("--out DIR is missing")
    asked = given(
        cells=cells, fields=fields, table=table, annotations=annotations, group_by=group_by, random_split=random_split,
        finder=finder, classes=classes, merge=merge, ignore=ignore, background=background, positive=positive,
    )  # fmt: skip
    allowed = rate(false_positives)
    with entered(debug=debug, training=True):
        own = recipe_of(
            asked,
            out.resolve().name,
            CellTraining(steps=steps or 3000, batch=batch or 256, seed=seed or 0),
            split=SplitRecipe(held_out=0.0 if everything else held_out, validation=validation),
            threshold=ThresholdRecipe() if allowed is None else ThresholdRecipe(false_positives=allowed),
            net=NetRecipe() if margin is None else NetRecipe(margin=margin),
        )
        train_recipe(own, [NetChoice()], out, seconds=checkpoint, force=force, keep_recipe=True)


def _judging(
    name: str, text: str, job: Callable[[list[str], Any, bool, bool], None], least: int
) -> Callable[..., None]:
    """A command that judges device files: ``evaluate`` and ``compare`` take the same options.

    Args:
        name: of the command.
        text: its help.
        job: gets the models, what was given, ``unseen`` and ``json``.
        least: models there must be.
    """

    def command(
        models: Models,
        *,
        cells: CellFolders = None,
        fields: FieldFolders = None,
        table: Table = None,
        annotations: Annotations = None,
        group_by: GroupBy = None,
        random_split: NoSplit = False,
        finder: FinderName = None,
        classes: ClassNames = None,
        merge: Merge = None,
        ignore: Ignore = None,
        background: Background = None,
        positive: Positive = None,
        unseen: Unseen = False,
        json: JsonFlag = False,
        debug: Debug = False,
    ) -> None:
        if len(models) < least:
            raise typer.BadParameter(f"{least} models or more are compared")
        asked = given(
            cells=cells, fields=fields, table=table, annotations=annotations, group_by=group_by,
            random_split=random_split, finder=finder, classes=classes, merge=merge, ignore=ignore,
            background=background, positive=positive,
        )  # fmt: skip
        with entered(debug=debug):
            job(models, asked, unseen, json)

    command.__name__, command.__doc__ = name, text
    return command


def _evaluate(models: list[str], asked: Any, unseen: bool, json: bool) -> None:

    if finders := [name for name in models if is_finder(name)]:
        if len(finders) < len(models):
            raise typer.BadParameter("finders and classifiers are evaluated one after the other")
        found = evaluated_finders(finders, asked, teller())
        if json:
            write_json({"report_version": 1, "finders": found})
        else:
            write_lines([line for one in found for line in finder_lines(one)])
        return
    found = evaluated(open_nets(models), gather(asked, least=1, split=False), teller(), say, unseen=unseen)
    if json:
        write_json({"report_version": 1, "models": found})
    else:
        write_lines([line for one in found for line in evaluated_lines(one)])


def _compare(models: list[str], asked: Any, unseen: bool, json: bool) -> None:

    found = compared(open_nets(models), gather(asked, least=1, split=False), teller(), say, unseen=unseen)
    if json:
        write_json({"report_version": 1, **found})
    else:
        write_lines(compared_lines(found))


evaluate = _judging(
    "evaluate",
    "Judge classifiers or finders on cells or annotated fields, in the device's runtime, with intervals over slides or blocks.",
    _evaluate,
    1,
)
compare = _judging(
    "compare",
    "Hold device files against the first of them on the same cells: paired differences with intervals, cost, size.",
    _compare,
    2,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command, example in (
        (train, "train --cells nih_cells -o nets/mine; python -m models train malaria-thin-32 --fold 0"),
        (evaluate, "evaluate malaria-thin-32 --fields my_fields --ignore difficult"),
        (compare, "compare malaria-thin-32 nets/mine --cells nih_cells"),
        (adapt, "adapt --fields my_fields -o nets/my-scope"),
        (learning_curve, "learning-curve --fields iml_fields --cells nih_cells --ignore difficult --work curve"),
    ):
        app.command(epilog=f"Example: python -m models {example}\n\n{EXIT_CODES}")(command)
