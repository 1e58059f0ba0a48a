"""``quantize`` for classifiers, the parent's side: checks what was given, has the work carried out, and makes the card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.child import Progress
from convert.classify.job import Task
from convert.conversion import card_parts, carry_out, check_paths
from convert.errors import CellsError
from convert.measure.listing import list_cells
from convert.measure.names import match
from convert.measure.scoring import plain_card
from convert.net.rewrite import SIZE
from convert.reading.source import refuse_tflite
from edge.modelfile import Card, CropSpec

_FIGURES = ("accuracy", "accuracy_interval", "auc", "sensitivity_at_1_percent_fp", "sensitivity_at_0.1_percent_fp")


def quantize(task: Task, report_path: Path | None, *, force: bool, progress: Progress, verbose: bool) -> dict[str, Any]:
    """Make the device file at ``task.out``; returns and raises what ``convert.conversion.carry_out`` does.

    ``force``: existing files are overwritten, and a net at chance is converted.
    """
    refuse_tflite(task.model)
    task = replace(task, accept_chance=force or task.accept_chance)
    check_paths((Path(task.out), report_path), (task.model, task.cells, task.trust_code), force=force)
    if task.cells is None:
        if unknown := sorted(set(task.positive) - set(task.labels)):
            raise CellsError(f"--positive {', '.join(unknown)}: not among --labels")
    else:
        labels = list_cells(Path(task.cells), None, task.group_by).settled(task.labels)
        task = replace(task, positive=match(task.positive, labels, "--positive"))
    return carry_out("convert.classify.job:quantize", task, report_path, card_of, progress=progress, verbose=verbose)


def card_of(report: dict[str, Any], name: str) -> Card:
    """The card of the file that a report describes."""
    parts = card_parts(
        report,
        _FIGURES,
        way_to_32x32=report["way"],
        macs_per_cell=report["device_macs"],
        calibrated_on=report.get("calibrated_on", "the user's own cells"),
        **({"cells": report["cells_were"]} if "cells_were" in report else {}),
    )
    parts["accuracy"] |= {"agreement": report["agreement"], "cells": report["cells"]}
    return plain_card(
        name,
        tuple(report["labels"]),
        report["colour"],
        logits=report["output"] == "logit",
        positive=tuple(report["positive"]),
        crop=CropSpec(size=report.get("crop_size", SIZE), shape=report.get("crop_shape", "square")),
        threshold=report["threshold"],
        reference={name: (low, high) for name, (low, high) in report.get("reference", {}).items()},
        **parts,
    )
