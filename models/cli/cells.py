"""``python -m models train``, ``evaluate`` and ``compare``: their options. Heavy imports wait until a command runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from convert.cli.options import rate
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
    Seed,
    Table,
    entered,
    given,
    say,
    teller,
    write_json,
    write_lines,
)

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
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the net; its name is the net's.")],
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
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 3000,
    batch: Annotated[int, typer.Option(min=2, help="Cells per step.")] = 256,
    seed: Seed = 0,
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
        Optional[float],  # noqa: UP045 - typer reads it at run time
        typer.Option(min=0.5, max=3.0, help="Side of the crop over the box's longer side; default: the shelf's."),
    ] = None,
    checkpoint: Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="Between checkpoints.")] = 30.0,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Train a classifier; the same command goes on where an interrupted run stopped."""
    asked = given(
        cells=cells, fields=fields, table=table, annotations=annotations, group_by=group_by, random_split=random_split,
        finder=finder, classes=classes, merge=merge, ignore=ignore, background=background, positive=positive,
    )  # fmt: skip
    allowed = rate(false_positives)
    with entered(debug=debug, training=True):
        from models.data.gather import gather  # noqa: PLC0415
        from models.train.classifier import CellTraining  # noqa: PLC0415 - heavy
        from models.train.make import Wish, check_out, make  # noqa: PLC0415

        settings = CellTraining(steps=steps, batch=batch, seed=seed)
        share = 0.0 if everything else held_out
        wish = Wish(out, settings, share, validation, allowed, margin, checkpoint, force)
        check_out(out, force=force)
        card = make(gather(asked), wish, teller(), say)
        write_lines([f"{out / card.name}.tflite written, threshold {card.threshold:.4g}: {card.threshold_origin}"])


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
    from models.data.gather import gather  # noqa: PLC0415
    from models.judge.evaluate import evaluated, open_nets  # noqa: PLC0415 - heavy
    from models.judge.finder import evaluated_finders, finder_lines, is_finder  # noqa: PLC0415
    from models.judge.words import evaluated_lines  # noqa: PLC0415

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
    from models.data.gather import gather  # noqa: PLC0415
    from models.judge.evaluate import compared, open_nets  # noqa: PLC0415 - heavy
    from models.judge.words import compared_lines  # noqa: PLC0415

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
        (train, "train --cells nih_cells -o nets/mine"),
        (evaluate, "evaluate malaria-thin-32 --fields my_fields --ignore difficult"),
        (compare, "compare malaria-thin-32 nets/mine --cells nih_cells"),
        (adapt, "adapt --fields my_fields -o nets/my-scope"),
        (learning_curve, "learning-curve --fields iml_fields --cells nih_cells --ignore difficult --work curve"),
    ):
        app.command(epilog=f"Example: python -m models {example}\n\n{EXIT_CODES}")(command)
