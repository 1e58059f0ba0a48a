"""``convert quantize``, ``evaluate`` and ``compare``: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from convert.cli.options import (
    Cells,
    ColourOption,
    Debug,
    Force,
    GroupBy,
    KerasModel,
    Kind,
    Logits,
    ReportPath,
    TrustCode,
    ValueRangeOption,
    Verbose,
    Way,
    check_task,
    names,
    rate,
)
from edge.door import door

PROGRAM = "edge-convert"
_LOST = "no file was written; the same command begins anew"


def quantize(
    model: KerasModel,
    *,
    cells: Annotated[
        Path | None,
        typer.Option(
            "--cells", metavar="DIR", help="Cells of known class: DIR/<class>/*.png; without: nothing is checked."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Device file; default: MODEL with .tflite.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Classes in the order of the net's outputs; default: folders by name."),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(metavar="A", help="The classes that make a sample suspicious; default: told by the names."),
    ] = None,
    value_range: ValueRangeOption = None,
    colour: ColourOption = None,
    logits: Logits = False,
    keep_head: Annotated[
        bool,
        typer.Option("--keep-head", help="Keep sigmoid or softmax in the file; else the device does it, in float."),
    ] = False,
    way: Annotated[
        Way, typer.Option("--input", help="The way to 32x32; auto: the cheapest that passes the gate.")
    ] = Way.AUTO,
    max_accuracy_drop: Annotated[
        float,
        typer.Option("--max-accuracy-drop", min=0.0, max=100.0, help="The gate, in points of accuracy; 100: no gate."),
    ] = 0.5,
    false_positives: Annotated[
        str | None,
        typer.Option(
            "--false-positives",
            metavar="RATE",
            help="Negative cells that may count as positive, as 1% or 0.001: sets the threshold; 0: one half. Default: 1%.",
        ),
    ] = None,
    group_by: GroupBy = None,
    report: ReportPath = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and of the choice of calibration cells.")] = 0,
    trust_code: TrustCode = None,
    force: Force = False,
    verbose: Verbose = False,
    debug: Debug = False,
    kind: Annotated[
        Kind, typer.Option("--task", help="finder: a net that marks cells on whole fields.")
    ] = Kind.CLASSIFIER,
    fields: Annotated[
        Path | None,
        typer.Option("--fields", metavar="DIR", help="Finder: annotated fields; without: nothing is checked."),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", metavar="FILE", help="Finder: COCO or IML JSON; default: the one in --fields."),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like", metavar="NAME|PATH", help="Finder: the finder whose kinds, thresholds and scale it has."
        ),
    ] = None,
    cell_px: Annotated[
        float | None,
        typer.Option("--cell-px", metavar="PX", min=4, max=256, help="Finder: width of a cell at the net's input."),
    ] = None,
    on_paper: Annotated[
        bool,
        typer.Option(
            "--on-paper",
            help="The net was trained on cells with their surroundings: put cells that are cut out on black on paper.",
        ),
    ] = False,
    max_f1_drop: Annotated[
        float,
        typer.Option("--max-f1-drop", min=0.0, max=100.0, help="Finder: the gate, in points of F1; 100: no gate."),
    ] = 0.5,
) -> None:
    """Make an int8 device file of a trained classifier or finder, and say what was lost."""
    check_task(
        kind,
        {
            "--cells": cells,
            "--colour": colour,
            "--keep-head": keep_head or None,
            "--on-paper": on_paper or None,
            "--input": None if way == Way.AUTO else way,
            "--false-positives": false_positives,
        },
        {"--fields": fields, "--annotations": annotations, "--like": like, "--cell-px": cell_px},
    )
    allowed = rate(false_positives)
    target = out or model.parent / f"{model.stem or 'model'}.tflite"
    common: dict[str, Any] = {
        "model": str(model),
        "out": str(target),
        "trust_code": str(trust_code) if trust_code else None,
        "labels": names(labels),
        "positive": names(positive),
        "value_range": value_range.value if value_range else None,
        "logits": logits,
        "group_by": group_by,
        "seed": seed,
    }
    if kind == Kind.FINDER:
        with door(debug=debug, program=PROGRAM, lost=_LOST):
            from convert.cli import show  # noqa: PLC0415
            from convert.cli.show_finder import show_finder  # noqa: PLC0415
            from convert.finding import make as finding  # noqa: PLC0415
            from convert.finding.task import FinderTask  # noqa: PLC0415

            truth = str(annotations) if annotations else None
            folder = str(fields) if fields else None
            asked = FinderTask(
                fields=folder, annotations=truth, like=like, cell_px=cell_px, max_drop=max_f1_drop, **common
            )
            with show.live() as progress:
                found = finding.quantize(asked, report, force=force, progress=progress, verbose=verbose)
            show_finder(found, str(target))
            finding.gate(found)
        return
    with door(debug=debug, program=PROGRAM, lost=_LOST):
        from convert.classify import make  # noqa: PLC0415
        from convert.classify.job import Task  # noqa: PLC0415
        from convert.cli import show  # noqa: PLC0415

        task = Task(
            cells=str(cells) if cells else None,
            colour=colour.value if colour else None,
            keep_head=keep_head,
            on_paper=on_paper,
            way=way.value,
            max_drop=max_accuracy_drop,
            false_positives=allowed,
            **common,
        )
        with show.live() as progress:
            found = make.quantize(task, report, force=force, progress=progress, verbose=verbose)
        show.show_quantized(found, str(target))
        make.gate(found)


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="FILE", help="A device file (.tflite with a card).")],
    *,
    cells: Cells,
    group_by: GroupBy = None,
    report: ReportPath = None,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Judge a device file on cells of known class, in the device's own runtime."""
    with door(debug=debug, program=PROGRAM):
        from convert.classify import make  # noqa: PLC0415
        from convert.classify.evaluate import evaluate as judge  # noqa: PLC0415
        from convert.cli import show  # noqa: PLC0415

        make.check_apart((report,), (model, cells))
        if report:
            make.check_writable(report, force=force)
        with show.live() as progress:
            found = judge(model, cells, group_by, progress)
        if report:
            make.write_json(report, {"report_version": make.REPORT_VERSION, **found})
        show.show_evaluated(found)


def compare(
    model: KerasModel,
    device: Annotated[Path, typer.Argument(metavar="FILE", help="The device file (.tflite with a card) made of it.")],
    *,
    cells: Cells,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="PNG", help="Write a contact sheet of the cells they disagree on.")
    ] = None,
    value_range: ValueRangeOption = None,
    colour: ColourOption = None,
    logits: Logits = False,
    group_by: GroupBy = None,
    report: ReportPath = None,
    trust_code: TrustCode = None,
    force: Force = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Hold a trained net against a device file: agreement, error of each layer, the cells they disagree on."""
    with door(debug=debug, program=PROGRAM):
        from convert.child import run_in_child  # noqa: PLC0415
        from convert.classify import make  # noqa: PLC0415
        from convert.cli import show  # noqa: PLC0415

        make.check_apart((report, sheet), (model, device, cells, trust_code))
        for path in (report, sheet):
            if path:
                make.check_writable(path, force=force)
        payload = {
            "model": str(model),
            "device": str(device),
            "cells": str(cells),
            "group_by": group_by,
            "value_range": value_range.value if value_range else None,
            "colour": colour.value if colour else None,
            "logits": logits,
            "trust_code": str(trust_code) if trust_code else None,
            "sheet": str(sheet.absolute()) if sheet else None,
        }
        with show.live() as progress:
            found = run_in_child(
                "convert.classify.compare:compare",
                payload,
                seconds=make.SECONDS,
                memory_mb=make.MEMORY_MB,
                progress=progress,
                verbose=verbose,
            )
        if report:
            make.write_json(report, {"report_version": make.REPORT_VERSION, **found})
        show.show_compared(found, str(sheet) if sheet else None)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(
        short_help="Make an int8 device file of a trained net.",
        epilog="Example: edge-convert quantize notebook.keras --cells cells --group-by 'C[0-9]+P' -o notebook.tflite",
    )(quantize)
    app.command(
        short_help="Judge a device file on cells of known class.",
        epilog="Example: edge-convert evaluate notebook.tflite --cells cells --group-by 'C[0-9]+P'",
    )(evaluate)
    app.command(
        short_help="Hold a trained net against its device file.",
        epilog="Example: edge-convert compare notebook.keras notebook.tflite --cells cells --sheet differ.png",
    )(compare)
