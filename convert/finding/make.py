"""``quantize --task finder``, the parent's side: checks the paths, lets the child work, passes the gate, makes the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from convert.classify.make import carry_out, check_apart, check_writable
from convert.errors import GateError
from convert.finding.task import FinderTask
from convert.measure.annotations import find_annotations
from edge.modelfile import Card, FinderSpec

_FIGURES = ("fields", "cells", "f1", "f1_interval", "infected", "infected_kept", "infected_kept_interval", "count_bias")


def quantize(
    task: FinderTask, report_path: Path | None, *, force: bool, progress: Callable[[str, float], None], verbose: bool
) -> dict[str, Any]:
    """Make the finder's device file at ``task.out``; see ``convert.classify.make.quantize``."""
    out = Path(task.out)
    read = [Path(name) for name in (task.model, task.trust_code, task.annotations, task.like) if name]
    if task.fields is not None:
        given = Path(task.annotations) if task.annotations else None
        read.append(find_annotations(Path(task.fields), given))
    check_apart((out, report_path), read)
    for path in (out, *([report_path] if report_path else [])):
        check_writable(path, force=force)
    return carry_out("convert.finding.job:quantize", task, report_path, card_of, progress=progress, verbose=verbose)


def gate(report: dict[str, Any]) -> None:
    """Raise GateError where the report did not pass."""
    if not report["passed"]:
        raise GateError(
            f"the device file loses {report['drop_points']:.2f} points of F1, {report['max_drop_points']:g} are allowed: "
            "no file was written (more fields to calibrate on help; --max-f1-drop allows more)"
        )


def card_of(report: dict[str, Any], name: str) -> Card:
    """The card for the file that a report tells of. Times stay out of it: the same inputs give the same bytes."""
    raw = report["finder"]
    spec = FinderSpec(**{**raw, "kinds": tuple(raw["kinds"]), "thresholds": tuple(raw["thresholds"])})
    judged = report["figures"]
    accuracy: dict[str, Any] = {kind: {k: v for k, v in judged[kind].items() if k in _FIGURES} for kind in judged}
    if judged:
        accuracy |= {"agreement": report["agreement"], "fields": report["fields"]}
    return Card(
        name,
        "find",
        spec.kinds,
        finder=spec,
        threshold_origin=report["threshold_origin"],
        source_sha256=report["model"]["sha256"],
        accuracy=accuracy,
        training={
            "converted_from": report["model"]["name"],
            "recipe": report["recipe"],
            "value_range": report["value_range"],
            "macs_at_input": [report["model"]["macs"], *report["model"]["input"]],
            "parameters": report["model"]["parameters"],
            "calibrated_on": "the user's own fields" if judged else "virtual slides, not real fields; accuracy unknown",
        },
        tools=report["tools"],
        licence="that of the model it was converted from",
    )
