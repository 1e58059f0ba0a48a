"""``quantize --task finder``, the parent's side: checks what was given, has the work carried out, and makes the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convert.child import Progress
from convert.conversion import card_parts, carry_out, check_paths
from convert.finding.job import FinderTask
from convert.measure.annotations import find_annotations
from convert.reading.source import refuse_tflite
from edge.modelfile import Card, FinderSpec

_FIGURES = ("fields", "cells", "f1", "f1_interval", "infected", "infected_kept", "infected_kept_interval", "count_bias")


def quantize(
    task: FinderTask, report_path: Path | None, *, force: bool, progress: Progress, verbose: bool
) -> dict[str, Any]:
    """Make the finder's device file at ``task.out``; returns and raises what ``convert.conversion.carry_out`` does."""
    refuse_tflite(task.model)
    given = Path(task.annotations) if task.annotations else None
    truth = find_annotations(Path(task.fields), given) if task.fields is not None else None
    inputs = (task.model, task.trust_code, task.annotations, task.like, truth)
    check_paths((Path(task.out), report_path), inputs, force=force)
    return carry_out("convert.finding.job:quantize", task, report_path, card_of, progress=progress, verbose=verbose)


def card_of(report: dict[str, Any], name: str) -> Card:
    """The card of the file that a report describes."""
    raw, model, judged = report["finder"], report["model"], report["figures"]
    spec = FinderSpec(**{**raw, "kinds": tuple(raw["kinds"]), "thresholds": tuple(raw["thresholds"])})
    parts = card_parts(
        report,
        _FIGURES,
        macs_at_input=[model["macs"], *model["input"]],
        calibrated_on="the user's own fields" if judged else "virtual slides, not real fields; accuracy unknown",
    )
    if judged:
        parts["accuracy"] |= {"agreement": report["agreement"], "fields": report["fields"]}
    return Card(name, "find", spec.kinds, finder=spec, **parts)
