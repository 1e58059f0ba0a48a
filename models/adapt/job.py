"""``python -m models adapt``: check annotations, cross-validate, fine-tune on all fields, write two device files."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from convert.net.int8 import tool_versions
from edge.modelfile import Card, ModelFile, write_model
from edge.safe_file import plain_errors, write_text
from models.adapt import check as checking
from models.adapt import finder as finding
from models.adapt.forgetting import forgetting_line, old_figures, value
from models.adapt.rehearsal import origins
from models.adapt.tune import AdaptationSetup, figures, tuned_classifier, tuned_finder
from models.cards import card_text
from models.data.cells import LabelledCells
from models.data.fieldset import Fields
from models.train.device import save_keras
from models.train.start import StartingNet

_SHOWN = {
    "finder_f1": "finder, F1",
    "finder_keeps_positive": "finder, positive cells kept",
    "auc": "classifier, AUC",
    "found_at_1_percent_fp": "end to end at 1 % false positives",
    "found_at_0.1_percent_fp": "end to end at 0.1 % false positives",
}
"""Figures that are shown before and after: key to name."""

_FORGOTTEN = "forgotten"
"""Key of a card's training under which that line stands."""

_LONGEST_NAME = 100  # of a model, in characters


@dataclass(frozen=True, slots=True, eq=False)
class AdaptationResult:
    """What was written: paths of the two device files, and lines for the user."""

    finder: Path
    classifier: Path
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FinderOutcome:
    """The finder that is written.

    Attributes:
        file: its device file.
        model: its Keras model; None: the finder stays as it was.
        checked: its cross-validation, where there was one.
        fold_files: the finder that goes with each fold.
    """

    file: ModelFile
    model: Any
    checked: checking.FinderCheck | None
    fold_files: list[ModelFile]


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierOutcome:
    """The classifier that is written.

    Attributes:
        flatbuffer: its int8 graph; None: the classifier stays as it was, and so are ``model`` and ``cells``.
        model: its Keras model.
        cells: it was fine-tuned on.
        checked: its cross-validation, where there was one.
    """

    flatbuffer: bytes | None = None
    model: Any = None
    cells: LabelledCells | None = None
    checked: checking.ClassifierCheck | None = None


def run(setup: AdaptationSetup, fields: Fields, out: Path) -> AdaptationResult:
    """Adapt and write; raises CellsError, ModelError, OutputError.

    Args:
        setup: nets to start from and settings.
        fields: annotated; in the end all of them are learned from.
        out: folder, which becomes a shelf of two models.
    """
    finding.check_form(setup.finder)
    fields, complete = checked_annotations(fields, setup)
    folds = checking.folds_of(fields, setup.plan)
    if not folds:
        setup.say("! all fields are of one group: nothing can be checked inside them (--group-by tells groups apart)")
    finder = adapt_finder(setup, fields, folds, complete=complete)
    cells = adapt_classifier(setup, fields, folds, finder)
    found: dict[str, Any] = {}
    if cells.checked is not None:
        parts = (("before", cells.checked.before), ("after", cells.checked.after))
        found = {name: figures(part, setup.classifier.card, setup.plan) for name, part in parts if part is not None}
    finder_card, finder_line = _finder_card(setup, fields, finder, found)
    cell_card, cell_line = _classifier_card(setup, fields, cells, found)
    flatbuffer = cells.flatbuffer or setup.classifier.file.flatbuffer
    forgotten = forgetting(setup, finder.file, flatbuffer)
    finder_card, cell_card = (
        replace(card, training={**card.training, _FORGOTTEN: forgotten}) if model is not None else card
        for card, model in ((finder_card, finder.model), (cell_card, cells.model))
    )
    return AdaptationResult(
        _write(out, finder_card, finder.file.flatbuffer, finder.model, setup.finder),
        _write(out, cell_card, flatbuffer, cells.model, setup.classifier),
        (*figure_lines(found), *(line for line in (forgotten, finder_line, cell_line) if line)),
    )


def checked_annotations(fields: Fields, setup: AdaptationSetup) -> tuple[Fields, bool]:
    """The fields with boxes as wide as the finder's, and whether annotations are complete, so that the finder may learn."""
    seen, say = finding.check_annotations(fields, setup.tell), setup.say
    low, high = finding.SAME_BOX
    if not low < seen.width < high:
        say(f"! annotated boxes are {seen.width:.2f} times as wide as the finder's: they are brought to its width")
        fields = finding.resized(fields, 1 / seen.width)
    if not seen.complete:
        say(
            f"! {seen.annotated} cells are annotated where the finder sees {seen.found}: annotations look incomplete, so the finder "
            "stays as it is (it would learn to overlook cells), and what is not annotated is taken for background"
        )
    return fields, seen.complete


def adapt_finder(
    setup: AdaptationSetup, fields: Fields, folds: list[checking.Fold], *, complete: bool
) -> FinderOutcome:
    """Fine-tune the finder, unless annotations are incomplete or it gets worse on fields it has not seen."""
    checked = checking.check_finder(setup, folds) if folds and complete else None
    if not complete or (checked is not None and not checked.better):
        if checked is not None:
            setup.say("! the finder stays as it was: fine-tuning did not help on fields it had not seen")
        file = setup.finder.file
        return FinderOutcome(file, None, checked, [file] * len(folds))
    setup.say(f"fine-tuning the finder on all {len(fields.fields)} fields")
    model, file = tuned_finder(setup, fields)
    return FinderOutcome(file, model, checked, checked.files if checked else [])


def adapt_classifier(
    setup: AdaptationSetup, fields: Fields, folds: list[checking.Fold], finder: FinderOutcome
) -> ClassifierOutcome:
    """Fine-tune the classifier, unless it gets worse on fields it has not seen, or this cannot be known."""
    checked = checking.check_classifier(setup, finder.fold_files, folds) if folds else None
    if checked is not None and not checked.better(setup.classifier.card, setup.plan):
        why = (
            "fine-tuning did not help on fields it had not seen"
            if checked.after is not None
            else "positive cells are annotated in one group of fields or in none, so nothing can be checked"
        )
        setup.say(f"! the classifier stays as it was: {why}")
        return ClassifierOutcome(checked=checked)
    setup.say(f"fine-tuning the classifier on all {len(fields.fields)} fields")
    tuned = tuned_classifier(setup, finder.file, fields)
    if tuned.flatbuffer is None:
        setup.say("! no positive cell is annotated: the classifier stays as it was")
        return ClassifierOutcome(checked=checked)
    return ClassifierOutcome(tuned.flatbuffer, tuned.model, tuned.cells, checked)


def forgetting(setup: AdaptationSetup, file: ModelFile, flatbuffer: bytes) -> str:
    """What the written finder and classifier lost of what they learned before, in one line."""
    card = setup.classifier.card
    setup.tell("judging on what was learned before", -1)
    before = old_figures(setup.old, setup.finder.file, setup.classifier.file.flatbuffer, card)
    return forgetting_line(setup.old, before, old_figures(setup.old, file, flatbuffer, card))


def figure_lines(found: dict[str, Any]) -> list[str]:
    """Figures on held-out fields before and after fine-tuning, a line each; none where there is no after."""
    if "after" not in found:
        return []
    before, after = found["before"], found["after"]
    count, positive = after["judged_fields"], after["positive_cells"]
    lines = [f"on {count} fields, each judged by nets that had not seen its group ({positive} positive cells):"]
    for key, name in _SHOWN.items():
        if before.get(key) is not None and after.get(key) is not None:
            old, new = value(before[key]), value(after[key])
            lines.append(f"  {name:38} {old:.4f} before, {new:.4f} after")
    return lines


def _training(
    start: StartingNet, fields: Fields, settings: Any, found: dict[str, Any], rehearsed: list[str]
) -> dict[str, Any]:
    return {
        "adapted_from": start.card.name,
        "adapted_from_sha256": start.card.sha256,
        "fields": len(fields.fields),
        "data": [fields.name],
        "rehearsed": rehearsed,
        "settings": asdict(settings),
        "checked": "by cross-validation inside the given fields" if found else "not: the fields are of one group",
    }


def _finder_card(
    setup: AdaptationSetup, fields: Fields, outcome: FinderOutcome, found: dict[str, Any]
) -> tuple[Card, str]:
    """The card, and a line about its thresholds."""
    card = setup.finder.card
    if outcome.model is None:
        return card, "finder: as it was"
    card, line = checking.finder_threshold(outcome.checked, card, len(fields.fields))
    rehearsed = origins(setup.old.fields.rehearsed)
    training = _training(setup.finder, fields, setup.tuning.finder, found, rehearsed)
    return replace(card, training=training, accuracy=found, tools=tool_versions(), calibration=None), line


def _classifier_card(
    setup: AdaptationSetup, fields: Fields, outcome: ClassifierOutcome, found: dict[str, Any]
) -> tuple[Card, str]:
    """The card, and a line about its threshold."""
    card, rate, checked = setup.classifier.card, setup.tuning.false_positives, outcome.checked
    if outcome.cells is None:
        card, line = checking.cell_threshold(checked.before if checked else None, card, rate)
        line = f"classifier: its weights as they were; {line.removeprefix('classifier: ')}"
        return replace(card, calibration=None), line
    card, line = checking.cell_threshold(checked.after if checked else None, card, rate)
    counts = dict(zip(card.labels, outcome.cells.counts().tolist(), strict=True))
    rehearsed = origins(setup.old.cells.rehearsed)
    training = {**_training(setup.classifier, fields, setup.tuning.cell, found, rehearsed), "cells": counts}
    return replace(card, training=training, accuracy=found, tools=tool_versions(), calibration=None), line


def _write(out: Path, card: Card, flatbuffer: bytes, model: Any, start: StartingNet) -> Path:
    """``OUT/NAME/NAME.tflite`` with its Keras file and ``CARD.md``, so that OUT is a shelf."""
    name = f"{start.card.name}-{out.resolve().name}"[:_LONGEST_NAME]
    folder = out / name
    with plain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if model is None:
            shutil.copyfile(start.keras, folder / f"{name}.keras")
    if model is not None:
        card = replace(card, source_sha256=save_keras(model, folder / f"{name}.keras"))
    path = folder / f"{name}.tflite"
    card = write_model(path, flatbuffer, replace(card, name=name))
    write_text(folder / "CARD.md", card_text(card, path.stat().st_size))
    return path
