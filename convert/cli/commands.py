"""The commands ``inspect``, ``quantize``, ``evaluate`` and ``compare`` with their options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from convert.child import run_in_child
from convert.classify import make
from convert.classify.evaluate import evaluate as judge
from convert.classify.job import Task
from convert.cli import progress as live_progress
from convert.cli import show, show_finder, show_inspection
from convert.cli.options import (
    CELLS,
    AuthorOption,
    Cells,
    ColourOption,
    Debug,
    Force,
    ForceChance,
    GroupBy,
    InputWay,
    KerasModel,
    Kind,
    Logits,
    ReportPath,
    TrustCode,
    ValueRangeOption,
    Verbose,
    check_task,
    names,
    option,
)
from convert.conversion import REPORT_VERSION, check_paths, gate, in_child, write_json
from convert.finding import make as finding
from convert.finding.job import FinderTask
from convert.measure.rates import rate
from convert.reading.inspection import inspect as look
from convert.reading.source import open_source
from edge.door import door

PROGRAM = "edge-convert"
_ON_PAPER = "The net was trained on cells with their surroundings: put cells that are cut out on black on paper."
_LOST = "no file was written; the same command starts from the beginning"


def inspect(
    model: KerasModel,
    *,
    json: Annotated[bool, option("--json", "JSON on stdout instead of the tables.")] = False,
    load: Annotated[bool, option("--load", "Also load it, in a child process with limits: does it load?")] = False,
    trust_code: TrustCode = None,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Say what is in a model: input, head, layers, parameters, MACs, risks. No code of it runs."""
    with door(debug=debug, program=PROGRAM):
        found = look(open_source(model), trust_code)
        loaded = None
        if load:
            payload = {"path": str(model), "trust_code": _text(trust_code)}
            loaded = run_in_child("convert.reading.load:describe", payload, verbose=verbose)
        if json:
            show_inspection.write_json(found, loaded)
        else:
            show_inspection.show(found, loaded)


def quantize(
    model: KerasModel,
    *,
    cells: Annotated[Path | None, option("--cells", f"{CELLS}; without: nothing is checked.", "DIR")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Device file; default: MODEL with .tflite.")
    ] = None,
    labels: Annotated[
        str | None, option("--labels", "Classes in the order of the net's outputs; default: folders by name.", "A,B")
    ] = None,
    positive: Annotated[
        str | None,
        option("--positive", "The classes that make a sample suspicious; default: guessed from the names.", "A"),
    ] = None,
    value_range: ValueRangeOption = None,
    colour: ColourOption = None,
    author: AuthorOption = None,
    logits: Logits = False,
    keep_head: Annotated[
        bool, option("--keep-head", "Keep sigmoid or softmax in the file; else the device does it, in float.")
    ] = False,
    way: Annotated[
        InputWay, option("--input", "The way to 32x32; auto: the cheapest that is as good as the net.")
    ] = InputWay.AUTO,
    max_accuracy_drop: Annotated[
        float,
        option(
            "--max-accuracy-drop",
            "The gate refuses a loss that is surely over so many points; 100: no gate.",
            min=0.0,
            max=100.0,
        ),
    ] = 0.5,
    false_positives: Annotated[
        str | None,
        option(
            "--false-positives",
            "Negative cells that may count as positive, as 1% or 0.001: sets the threshold; 0: one half. Default: 1%.",
            "RATE",
        ),
    ] = None,
    group_by: GroupBy = None,
    report: ReportPath = None,
    seed: Annotated[
        int, option("--seed", "Random seed of the split and of the choice of calibration cells.", min=0)
    ] = 0,
    trust_code: TrustCode = None,
    force: ForceChance = False,
    verbose: Verbose = False,
    debug: Debug = False,
    kind: Annotated[Kind, option("--task", "finder: a net that marks cells on whole fields.")] = Kind.CLASSIFIER,
    fields: Annotated[
        Path | None, option("--fields", "Finder: annotated fields; without: nothing is checked.", "DIR")
    ] = None,
    annotations: Annotated[
        Path | None, option("--annotations", "Finder: COCO or IML JSON; default: the one in --fields.", "FILE")
    ] = None,
    like: Annotated[
        str | None, option("--like", "Finder: the finder whose kinds, thresholds and scale it has.", "NAME|PATH")
    ] = None,
    cell_px: Annotated[
        float | None, option("--cell-px", "Finder: width of a cell at the net's input.", "PX", min=4, max=256)
    ] = None,
    on_paper: Annotated[bool, option("--on-paper", _ON_PAPER)] = False,
    max_f1_drop: Annotated[
        float, option("--max-f1-drop", "Finder: the gate, in points of F1; 100: no gate.", min=0.0, max=100.0)
    ] = 0.5,
) -> None:
    """Make an int8 device file of a trained classifier or finder, and say what was lost."""
    check_task(
        kind,
        {
            "--cells": cells,
            "--colour": colour,
            "--author": author,
            "--keep-head": keep_head or None,
            "--on-paper": on_paper or None,
            "--input": None if way == InputWay.AUTO else way,
            "--false-positives": false_positives,
        },
        {"--fields": fields, "--annotations": annotations, "--like": like, "--cell-px": cell_px},
    )
    if author and on_paper:
        raise typer.BadParameter("--author and --on-paper exclude each other: no training code puts cells on paper")
    allowed = rate(false_positives)
    target = out or model.parent / f"{model.stem or 'model'}.tflite"
    common: dict[str, Any] = {
        "model": str(model),
        "out": str(target),
        "trust_code": _text(trust_code),
        "labels": names(labels),
        "positive": names(positive),
        "value_range": _text(value_range),
        "logits": logits,
        "group_by": group_by,
        "seed": seed,
    }
    with door(debug=debug, program=PROGRAM, lost=_LOST):
        with live_progress.live() as progress:
            how: dict[str, Any] = {"force": force, "progress": progress, "verbose": verbose}
            if kind == Kind.FINDER:
                finder = FinderTask(
                    fields=_text(fields),
                    annotations=_text(annotations),
                    like=like,
                    cell_px=cell_px,
                    max_drop=max_f1_drop,
                    **common,
                )
                found = finding.quantize(finder, report, **how)
            else:
                task = Task(
                    cells=_text(cells),
                    colour=_text(colour),
                    author=_text(author),
                    keep_head=keep_head,
                    on_paper=on_paper,
                    way=way.value,
                    max_drop=max_accuracy_drop,
                    false_positives=allowed,
                    **common,
                )
                found = make.quantize(task, report, **how)
        (show_finder.show_finder if kind == Kind.FINDER else show.show_quantized)(found, str(target))
        gate(found)


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
        check_paths((report,), (model, cells), force=force)
        with live_progress.live() as progress:
            found = judge(model, cells, group_by, progress)
        if report:
            write_json(report, {"report_version": REPORT_VERSION, **found})
        show.show_evaluated(found)


def compare(
    model: KerasModel,
    device: Annotated[Path, typer.Argument(metavar="FILE", help="The device file (.tflite with a card) made of it.")],
    *,
    cells: Cells,
    sheet: Annotated[
        Path | None, option("--sheet", "Write a contact sheet of the cells they disagree on.", "PNG")
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
        check_paths((report, sheet), (model, device, cells, trust_code), force=force)
        payload = {
            "model": str(model),
            "device": str(device),
            "cells": str(cells),
            "group_by": group_by,
            "value_range": _text(value_range),
            "colour": _text(colour),
            "logits": logits,
            "trust_code": _text(trust_code),
            "sheet": str(sheet.absolute()) if sheet else None,
        }
        with live_progress.live() as progress:
            found = in_child("convert.classify.compare:compare", payload, progress=progress, verbose=verbose)
        if report:
            write_json(report, found)
        show.show_compared(found, _text(sheet))


def _text(value: Path | StrEnum | None) -> str | None:
    """A path or a choice as plain text; None stays None."""
    return str(value) if value is not None else None


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    cells = "--cells cells --group-by 'C[0-9]+P'"
    for command, words, example in (
        (inspect, "Say what is in a model; no code of it runs.", "notebook.keras --load"),
        (quantize, "Make an int8 device file of a trained net.", f"notebook.keras {cells} -o notebook.tflite"),
        (evaluate, "Judge a device file on cells of known class.", f"notebook.tflite {cells}"),
        (
            compare,
            "Hold a trained net against its device file.",
            "notebook.keras notebook.tflite --cells cells --sheet x.png",
        ),
    ):
        app.command(short_help=words, epilog=f"Example: {PROGRAM} {command.__name__} {example}")(command)
