"""``quantize``, the parent's side: checks the paths, lets the child work, passes the gate, writes the device file and the report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from convert.child import run_in_child
from convert.classify.job import Task
from convert.errors import CellsError, GateError, OutputError
from convert.finding.task import FinderTask
from convert.measure.listing import list_cells
from convert.measure.names import match
from convert.measure.scoring import plain_card
from convert.scratch import scratch
from edge.modelfile import Card, write_model
from edge.safe_file import write_bytes, write_text

REPORT_VERSION = 1
SECONDS = 7200.0
MEMORY_MB = 16384
_FIGURES = ("accuracy", "accuracy_interval", "auc", "sensitivity_at_1_percent_fp", "sensitivity_at_0.1_percent_fp")


def quantize(
    task: Task, report_path: Path | None, *, force: bool, progress: Callable[[str, float], None], verbose: bool
) -> dict[str, Any]:
    """Make the device file at ``task.out``.

    Returns:
        the report, ``passed`` true or false; where it is false there is no device file.

    Raises:
        EdgeError: anything that kept it from being made or judged.
    """
    out = Path(task.out)
    read = [Path(name) for name in (task.model, task.cells, task.trust_code) if name]
    check_apart((out, report_path), read)
    for path in (out, *([report_path] if report_path else [])):
        check_writable(path, force=force)
    if task.cells is None:
        if unknown := sorted(set(task.positive) - set(task.labels)):
            raise CellsError(f"--positive {', '.join(unknown)}: not among --labels")
    else:
        labels = list_cells(Path(task.cells), None, task.group_by).settled(task.labels)
        task = replace(task, positive=match(task.positive, labels, "--positive"))
    return carry_out("convert.classify.job:quantize", task, report_path, card_of, progress=progress, verbose=verbose)


def carry_out(
    function: str,
    task: Task | FinderTask,
    report_path: Path | None,
    card_for: Callable[[dict[str, Any], str], Card],
    *,
    progress: Callable[[str, float], None],
    verbose: bool,
) -> dict[str, Any]:
    """Let the child work, write the device file with its card where the report says that it passed, and the report."""
    out = Path(task.out)
    with scratch() as folder:
        inner = replace(task, out=str(Path(folder, out.name)))
        report = run_in_child(
            function,
            asdict(inner),
            seconds=SECONDS,
            memory_mb=MEMORY_MB,
            progress=progress,
            verbose=verbose,
        )
        report = {"report_version": REPORT_VERSION, **report}
        if report["passed"]:
            whole = Path(folder, "whole.tflite")
            card = write_model(whole, Path(inner.out).read_bytes(), card_for(report, out.stem))
            write_bytes(out, whole.read_bytes())
            report["device_sha256"] = card.sha256
    if report_path is not None:
        write_json(report_path, report)
    return report


def gate(report: dict[str, Any]) -> None:
    """Raise GateError where the report did not pass."""
    if not report["passed"]:
        raise GateError(
            f"the device file ({report['way']}) loses {report['drop_points']:.2f} points of accuracy, "
            f"{report['max_drop_points']:g} are allowed: no file was written "
            "(more calibration cells help; --max-accuracy-drop allows more)"
        )


def card_of(report: dict[str, Any], name: str) -> Card:
    """The card for the file that a report tells of. Times stay out of it: the same inputs give the same bytes."""
    judged = report["figures"]
    accuracy: dict[str, Any] = {kind: {k: v for k, v in judged[kind].items() if k in _FIGURES} for kind in judged}
    return plain_card(
        name,
        tuple(report["labels"]),
        report["colour"],
        logits=report["output"] == "logit",
        positive=tuple(report["positive"]),
        threshold=report["threshold"],
        threshold_origin=report["threshold_origin"],
        source_sha256=report["model"]["sha256"],
        accuracy={**accuracy, "agreement": report["agreement"], "cells": report["cells"]},
        training={
            "converted_from": report["model"]["name"],
            "way_to_32x32": report["way"],
            "recipe": report["recipe"],
            "value_range": report["value_range"],
            "macs_per_cell": report["device_macs"],
            "parameters": report["model"]["parameters"],
            "calibrated_on": report.get("calibrated_on", "the user's own cells"),
            **({"cells": report["cells_were"]} if "cells_were" in report else {}),
        },
        tools=report["tools"],
        reference={name: (low, high) for name, (low, high) in report.get("reference", {}).items()},
        licence="that of the model it was converted from",
    )


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write a report; raises OutputError."""
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def check_apart(outputs: Sequence[Path | None], inputs: Sequence[Path | None]) -> None:
    """No output is an input, a file in a folder that is read, or another output; ``--force`` is no leave for that."""
    taken = [path.resolve() for path in inputs if path]
    for path in (path for path in outputs if path):
        here = path.resolve()
        if here in taken or (here.exists() and any(other in here.parents for other in taken)):
            raise OutputError(f"{path}: is read or written by this command already: give another name")
        taken.append(here)


def check_writable(path: Path, *, force: bool) -> None:
    """Before minutes of work, not after them."""
    if path.is_dir():
        raise OutputError(f"{path}: is a folder: give a file name")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists already: --force overwrites it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {path.parent} is not writable")
