"""The options of ``python -m models adapt`` and ``learning-curve``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

import typer

from convert.measure.rates import rate
from edge import shelf
from edge.errors import OutputError
from edge.safe_file import plain_errors, write_text
from models.adapt import curve
from models.adapt.job import run
from models.adapt.rehearsal import Rehearsal, RehearsalPlan, Rehearse, gathered
from models.adapt.reviewed_net import ReviewedTraining
from models.adapt.tune import AdaptationSetup, TuningSettings, plan_for
from models.cli.options import (
    Annotations,
    Background,
    Debug,
    Force,
    GroupBy,
    Ignore,
    Merge,
    Positive,
    Seed,
    entered,
    given,
    say,
    teller,
    write_lines,
)
from models.cli.reviewed import Blanks, Reviewed, ReviewedOptions, Samples, annotated_fields, learn_reviewed
from models.data.fieldset import Fields
from models.data.gather import DataOptions
from models.train.classifier import CellTraining
from models.train.finder import FinderTraining
from models.train.start import StartingNet, open_start

USUAL = TuningSettings()
REVIEWED = ReviewedTraining()

Steps = Annotated[
    int,
    typer.Option(min=1, help="Fine-tuning steps of the classifier, of few fields; up to five times as many of more."),
]
AdaptSteps = Annotated[
    Optional[int],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        min=1,
        help=f"Fine-tuning steps of the classifier; default: {USUAL.cell.steps} of few fields, up to five times as many of more, "
        f"{REVIEWED.cell.steps} with --reviewed or --blank.",
    ),
]
FinderSteps = Annotated[
    int, typer.Option(min=10, help="Fine-tuning steps of the finder, of few fields; up to five times as many of more.")
]

Rehearsing = Annotated[
    Rehearse,
    typer.Option(
        "--rehearse",
        help="What is seen again so that it is not forgotten: data sets the nets learned from, where they are there, and virtual "
        "slides (auto); virtual slides alone; nothing.",
    ),
]
PullBack = Annotated[
    float,
    typer.Option(min=0, help="Pull of the classifier back to its old weights; weaker with more than five fields."),
]


def adapt(
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="PATH", help="Folder for the two nets; with --reviewed or --blank FILE.tflite."
        ),
    ],
    fields: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("--fields", metavar="DIR", help="Your annotated fields, COCO or IML form."),
    ] = None,
    reviewed: Reviewed = None,
    sample: Samples = None,
    blank: Blanks = None,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--model", metavar="NAME", help="Classifier to start from: shelf, path, or folder of train."),
    ] = None,
    finder: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--finder", metavar="NAME", help="Finder to start from: shelf or path."),
    ] = None,
    annotations: Annotations = None,
    group_by: GroupBy = None,
    merge: Merge = None,
    ignore: Ignore = None,
    background: Background = None,
    positive: Positive = None,
    steps: AdaptSteps = None,
    finder_steps: FinderSteps = USUAL.finder.steps,
    seed: Seed = 0,
    rehearse: Rehearsing = Rehearse.AUTO,
    pull_back: PullBack = USUAL.cell.anchor,
    false_positives: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="RATE", help="Negative cells that may count as positive: sets the threshold. Default: 1%."
        ),
    ] = None,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Fine-tune the finder and a classifier on your own annotated fields: a new microscope or stain, in minutes.

    Annotate with edge-run --detections and correct the file with any COCO tool: correct boxes and classes, add what is missing,
    and delete the scores. Five fields already help; they should show what your slides show, infected cells above all.

    With --reviewed BOOK a classifier learns from what people answered in a review, with --blank DIR from slides known to be
    negative, whose suspects are all false; --out is then one file. It is judged by slides left out, and refused where it is worse
    there or on what it learned before (exit code 5).
    """
    allowed = rate(false_positives)
    request = None if fields is None else given(
        cells=None, fields=[fields], annotations=annotations, group_by=group_by, merge=merge, ignore=ignore,
        background=background, positive=positive, finder=finder,
    )  # fmt: skip
    if reviewed or blank:
        asked = ReviewedOptions(
            out, model, finder, reviewed, tuple(sample or ()), tuple(blank or ()), request, rehearse, steps, seed, allowed,
            force=force,
        )  # fmt: skip
        learn_reviewed(asked, debug=debug)
        return
    if request is None:
        raise typer.BadParameter("give --fields DIR, --reviewed BOOK or --blank DIR")
    with entered(debug=debug, training=True):
        if out.is_dir() and any(out.iterdir()) and not force:
            raise OutputError(f"{out}: is not empty: --force writes into it")
        starts = open_start(finder or shelf.FINDER, "find"), open_start(model or shelf.CLASSIFIER, "classify")
        plan, source = annotated_fields(request)
        tuning, tell = _tuning(steps or USUAL.cell.steps, finder_steps, seed, pull_back, allowed), teller()
        old = _old(starts, source, rehearse, seed, tell)
        setup = AdaptationSetup(*starts, plan_for(plan, starts[1].card), tuning, tell, say, old)
        result = run(setup, source, out)
        write_lines([*result.lines, f"written: {result.finder}", f"written: {result.classifier}"])
        write_lines([f"use them: edge-run FIELDS --finder {result.finder} --model {result.classifier}"])


def _tuning(
    steps: int, finder_steps: int, seed: int, pull_back: float, false_positives: float | None = None
) -> TuningSettings:
    cell = replace(USUAL.cell, steps=steps, seed=seed, anchor=pull_back)
    return TuningSettings(cell, replace(USUAL.finder, steps=finder_steps, seed=seed), false_positives)


def _old(
    starts: tuple[StartingNet, StartingNet], new: Fields, what: Rehearse, seed: int, tell: Callable[[str, float], None]
) -> Rehearsal:
    """What the finder and the classifier rehearse; a line says it."""
    finder, classifier = starts
    old = gathered(finder.card, classifier.card, RehearsalPlan(new.fields, what, seed), tell, say)
    say(old.line())
    return old


def learning_curve(
    *,
    fields: Annotated[
        Path, typer.Option("--fields", metavar="DIR", help="Annotated fields of a microscope the nets never saw.")
    ],
    work: Annotated[Path, typer.Option("--work", metavar="DIR", help="Keeps starting nets and finished points.")],
    cells: Annotated[
        Optional[list[Path]],  # noqa: UP045 - typer reads it at run time
        typer.Option("--cells", metavar="DIR", help="Single cells the classifier to start from is trained on."),
    ] = None,
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--start", metavar="NAME", help="Classifier to start from instead; it must never have seen the fields."
        ),
    ] = None,
    start_finder: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--start-finder", metavar="NAME", help="Finder to start from; default: one trained without any real field."
        ),
    ] = None,
    counts: Annotated[str, typer.Option(metavar="A,B", help="Numbers of annotated fields.")] = "0,5,10,20,50,100,200",
    draws: Annotated[int, typer.Option(min=1, help="Choices of fields, each judged on another block.")] = 5,
    annotations: Annotations = None,
    group_by: GroupBy = None,
    merge: Merge = None,
    ignore: Ignore = None,
    background: Background = None,
    positive: Positive = None,
    start_steps: Annotated[int, typer.Option(min=1, help="Steps of the classifier to start from.")] = 3000,
    start_finder_steps: Annotated[int, typer.Option(min=10, help="Steps of the finder to start from.")] = 2600,
    steps: Steps = USUAL.cell.steps,
    finder_steps: FinderSteps = USUAL.finder.steps,
    seed: Seed = 0,
    rehearse: Rehearsing = Rehearse.AUTO,
    pull_back: PullBack = USUAL.cell.anchor,
    page: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Page in which the section on these fields is written anew; others stay."),
    ] = None,
    debug: Debug = False,
) -> None:
    """Measure how good adapted nets become with each number of annotated fields; the same command continues where it stopped."""
    if (start is None) == (not cells):
        raise typer.BadParameter("give --cells to train the classifier to start from, or --start")
    try:
        wanted = tuple(sorted({int(text) for text in counts.split(",")}))
    except ValueError as error:
        raise typer.BadParameter(f"--counts {counts!r}: numbers separated by commas") from error
    if wanted[0] < 0:
        raise typer.BadParameter("--counts: a negative number of fields")
    request = given(
        cells=None, fields=[fields], annotations=annotations, group_by=group_by, merge=merge, ignore=ignore,
        background=background, positive=positive,
    )  # fmt: skip
    with entered(debug=debug, training=True):
        import json  # noqa: PLC0415

        with plain_errors(work):
            work.mkdir(parents=True, exist_ok=True)
        tell = teller()
        plan, source = annotated_fields(request)
        if start:
            classifier = open_start(start, "classify")
        else:
            training = CellTraining(steps=start_steps, seed=seed)
            classifier = curve.starting_classifier(DataOptions(cells=tuple(cells or ())), work, training, tell, say)
        finder = (
            open_start(start_finder, "find")
            if start_finder
            else curve.starting_finder(work, FinderTraining(steps=start_finder_steps, seed=seed), say)
        )
        tuning = _tuning(steps, finder_steps, seed, pull_back)
        old = _old((finder, classifier), source, rehearse, seed, tell)
        setup = AdaptationSetup(finder, classifier, plan_for(plan, classifier.card), tuning, tell, say, old)
        points = curve.run(setup, source, curve.CurveSettings(wanted, draws, work))
        lines = curve.page(points, setup, source.name)
        write_text(work / "curve.json", json.dumps({"report_version": 1, "points": points}, indent=1) + "\n")
        write_text(work / "curve.md", curve.into_page("", lines))
        if page is not None:
            write_text(page, curve.into_page(page.read_text(encoding="utf-8") if page.is_file() else "", lines))
        write_lines(lines)
