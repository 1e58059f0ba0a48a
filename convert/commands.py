"""``convert quantize``, ``evaluate`` and ``compare``: their options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.door import door

PROGRAM = "edge-convert"


class Range(StrEnum):
    """Value ranges, as ``convert.values`` explains them."""

    UNIT = "0..1"
    SIGNED = "-1..1"
    BYTES = "0..255"
    CAFFE = "caffe"
    IMAGENET = "imagenet"


class Colour(StrEnum):
    """What the net was trained on."""

    RGB = "rgb"
    BGR = "bgr"
    HSV = "hsv"
    GREY = "grey"


class Way(StrEnum):
    """Ways to 32 x 32, as ``convert.ways`` explains them."""

    AUTO = "auto"
    NATIVE = "native"
    REBUILD = "rebuild"
    UPSCALE = "upscale"
    DISTILL = "distill"


Cells = Annotated[Path, typer.Option("--cells", metavar="DIR", help="Cells of known class: DIR/<class>/*.png.")]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by", metavar="REGEX", help="Finds the slide in a file's name, as 'C[0-9]+P'; slides are never split."
    ),
]
KerasModel = Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras or .h5 file, or a SavedModel folder.")]
ValueRangeOption = Annotated[
    Range | None, typer.Option("--value-range", help="What training made of bytes; default: found by trying.")
]
ColourOption = Annotated[Colour | None, typer.Option("--colour", help="What training saw; default: found by trying.")]
Logits = Annotated[bool, typer.Option("--logits", help="The outputs are logits, not probabilities.")]
ReportPath = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report as JSON.")]
TrustCode = Annotated[
    Path | None,
    typer.Option("--trust-code", metavar="FILE", help="Python file with this model's own classes; it is run."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show TensorFlow's own log.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


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
    group_by: GroupBy = None,
    report: ReportPath = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and of the choice of calibration cells.")] = 0,
    trust_code: TrustCode = None,
    force: Force = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Make an int8 device file of a trained classifier, and say what was lost."""
    with door(debug=debug, program=PROGRAM):
        from convert import make, show  # noqa: PLC0415 - heavy
        from convert.job import Task  # noqa: PLC0415

        target = out or model.with_suffix(".tflite")
        task = Task(
            model=str(model),
            cells=str(cells) if cells else None,
            out=str(target),
            trust_code=str(trust_code) if trust_code else None,
            labels=_names(labels),
            positive=_names(positive),
            value_range=value_range.value if value_range else None,
            colour=colour.value if colour else None,
            logits=logits,
            keep_head=keep_head,
            way=way.value,
            max_drop=max_accuracy_drop,
            group_by=group_by,
            seed=seed,
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
        from convert import make, show  # noqa: PLC0415 - heavy
        from convert.evaluate import evaluate as judge  # noqa: PLC0415

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
        from convert import make, show  # noqa: PLC0415 - heavy
        from convert.child import run_in_child  # noqa: PLC0415

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
                "convert.compare:compare",
                payload,
                seconds=make.SECONDS,
                memory_mb=make.MEMORY_MB,
                progress=progress,
                verbose=verbose,
            )
        if report:
            make.write_json(report, {"report_version": make.REPORT_VERSION, **found})
        show.show_compared(found, str(sheet) if sheet else None)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(
        epilog="Example: edge-convert quantize notebook.keras --cells cells --group-by 'C[0-9]+P' -o notebook.tflite"
    )(quantize)
    app.command(epilog="Example: edge-convert evaluate notebook.tflite --cells cells --group-by 'C[0-9]+P'")(evaluate)
    app.command(epilog="Example: edge-convert compare notebook.keras notebook.tflite --cells cells --sheet differ.png")(
        compare
    )
