"""``python -m models adapt`` and ``learning-curve``: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from convert.cli.options import rate
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


def adapt(
    *,
    fields: Annotated[Path, typer.Option("--fields", metavar="DIR", help="Your annotated fields, COCO or IML form.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the two nets; a shelf afterwards.")
    ],
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
    steps: Annotated[
        int, typer.Option(min=1, help="Steps of the classifier, of few fields; up to five times as many of more.")
    ] = 300,
    finder_steps: Annotated[int, typer.Option(min=10, help="Steps of the finder, likewise.")] = 200,
    seed: Seed = 0,
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

    Annotate with edge-run --detections and correct the file with any COCO tool: mend boxes and classes, add what is missing,
    and delete the scores. Five fields already help; they should show what your slides show, infected cells above all.
    """
    asked = given(
        cells=None, fields=[fields], annotations=annotations, group_by=group_by, merge=merge, ignore=ignore,
        background=background, positive=positive, finder=finder,
    )  # fmt: skip
    allowed = rate(false_positives)
    with entered(debug=debug, training=True):
        from dataclasses import replace  # noqa: PLC0415

        from edge import shelf  # noqa: PLC0415 - heavy
        from edge.errors import OutputError  # noqa: PLC0415
        from models.adapt.job import run  # noqa: PLC0415
        from models.adapt.tune import Bench, Tuning, plan_for  # noqa: PLC0415
        from models.data.fieldset import Fields  # noqa: PLC0415
        from models.data.gather import gather  # noqa: PLC0415
        from models.train.start import open_start  # noqa: PLC0415

        if out.is_dir() and any(out.iterdir()) and not force:
            raise OutputError(f"{out}: is not empty: --force writes into it")
        starts = open_start(finder or shelf.FINDER, "find"), open_start(model or shelf.CLASSIFIER, "classify")
        data = gather(asked, least=1)
        (source,) = data.sources
        if not isinstance(source, Fields):
            raise TypeError("fields were opened as cells")
        for note in source.notes:
            say(f"! {note}")
        usual = Tuning()
        tuning = Tuning(
            replace(usual.cell, steps=steps, seed=seed), replace(usual.finder, steps=finder_steps, seed=seed), allowed
        )
        bench = Bench(*starts, plan_for(data.plan, starts[1].card), tuning, teller(), say)
        made = run(bench, source, out)
        write_lines([*made.lines, f"written: {made.finder}", f"written: {made.classifier}"])
        write_lines([f"use them: edge-run FIELDS --finder {made.finder} --model {made.classifier}"])


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
    steps: Annotated[int, typer.Option(min=1, help="Steps of the classifier's fine-tuning.")] = 300,
    finder_steps: Annotated[int, typer.Option(min=10, help="Steps of the finder's.")] = 200,
    seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Measure what each number of annotated fields of an unseen microscope buys; the same command goes on where it stopped."""
    if (start is None) == (not cells):
        raise typer.BadParameter("give --cells to train the classifier to start from, or --start")
    try:
        wanted = tuple(sorted({int(text) for text in counts.split(",")}))
    except ValueError as error:
        raise typer.BadParameter(f"--counts {counts!r}: numbers separated by commas") from error
    if wanted[0] < 0:
        raise typer.BadParameter("--counts: a negative number of fields")
    asked = given(
        cells=None, fields=[fields], annotations=annotations, group_by=group_by, merge=merge, ignore=ignore,
        background=background, positive=positive,
    )  # fmt: skip
    with entered(debug=debug, training=True):
        import json  # noqa: PLC0415
        from dataclasses import replace  # noqa: PLC0415

        from edge.errors import OutputError  # noqa: PLC0415
        from edge.safe_file import write_text  # noqa: PLC0415
        from models.adapt import curve  # noqa: PLC0415
        from models.adapt.tune import Bench, Tuning, plan_for  # noqa: PLC0415
        from models.data.fieldset import Fields  # noqa: PLC0415
        from models.data.gather import DataOptions, gather  # noqa: PLC0415
        from models.train.classifier import CellTraining  # noqa: PLC0415 - heavy
        from models.train.finder import FinderTraining  # noqa: PLC0415
        from models.train.start import open_start  # noqa: PLC0415

        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{work}: cannot be written: {error.strerror}") from error
        tell = teller()
        data = gather(asked, least=1)
        (source,) = data.sources
        if not isinstance(source, Fields):
            raise TypeError("fields were opened as cells")
        trained = CellTraining(steps=start_steps, seed=seed)
        classifier = (
            open_start(start, "classify")
            if start
            else curve.starting_classifier(DataOptions(cells=tuple(cells or ())), work, trained, tell, say)
        )
        finder = (
            open_start(start_finder, "find")
            if start_finder
            else curve.starting_finder(work, FinderTraining(steps=start_finder_steps, seed=seed), say)
        )
        usual = Tuning()
        tuning = Tuning(
            replace(usual.cell, steps=steps, seed=seed), replace(usual.finder, steps=finder_steps, seed=seed)
        )
        bench = Bench(finder, classifier, plan_for(data.plan, classifier.card), tuning, tell, say)
        points = curve.run(bench, source, curve.CurveSettings(wanted, draws, work))
        lines = curve.page(points, bench, source.name)
        write_text(work / "curve.json", json.dumps({"report_version": 1, "points": points}, indent=1) + "\n")
        write_text(work / "curve.md", "\n".join(lines) + "\n")
        write_lines(lines)
