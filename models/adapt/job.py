"""``python -m models adapt``, the whole of it: look, check, fine-tune on all fields, write two device files with their cards."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from convert.net.int8 import tool_versions
from edge.errors import OutputError
from edge.modelfile import Card, ModelFile, write_model
from edge.safe_file import write_text
from models.adapt import check as checking
from models.adapt import finder as finding
from models.adapt.tune import Bench, figures, tuned_classifier, tuned_finder
from models.data.cells import LabelledCells
from models.data.fieldset import Fields
from models.judge.words import card_text
from models.train.device import save_keras
from models.train.start import StartingNet


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """What was written: paths of the two device files, and lines for the user."""

    finder: Path
    classifier: Path
    lines: tuple[str, ...]


def run(bench: Bench, fields: Fields, out: Path) -> Adapted:
    """Adapt and write; raises CellsError, ModelError, OutputError.

    Args:
        bench: nets to start from and settings.
        fields: annotated, all of them are learned from in the end.
        out: folder, which becomes a shelf of two models.
    """
    finding.check_form(bench.finder)
    fields, find = _looked(fields, bench)
    work = _Work(bench, fields, checking.folds_of(fields, bench.plan))
    if not work.folds:
        bench.say("! all fields are of one group: nothing can be checked inside them (--group-by tells groups apart)")
    finder = work.find() if find else work.finder_as_it_was(None)
    cells = work.tell_apart(finder)
    found: dict[str, Any] = {}
    if cells.checked is not None:
        parts = (("before", cells.checked.before), ("after", cells.checked.after))
        found = {name: figures(part, bench.classifier.card, bench.plan) for name, part in parts if part is not None}
    cards = _finder_card(work, finder, found), _cell_card(work, cells, found)
    flatbuffer = cells.flatbuffer or bench.classifier.file.flatbuffer
    paths = [
        _write(out, cards[0][0], finder.file.flatbuffer, finder.model, bench.finder),
        _write(out, cards[1][0], flatbuffer, cells.model, bench.classifier),
    ]
    lines = (*_figures(found), *(said for _, said in cards if said))
    return Adapted(paths[0], paths[1], lines)


@dataclass(frozen=True, slots=True, eq=False)
class _FinderMade:
    """The finder that is written (its Keras model: None where it is as it was), and those of the folds."""

    model: Any
    file: ModelFile
    checked: checking.FinderCheck | None
    files: list[ModelFile]


@dataclass(frozen=True, slots=True, eq=False)
class _CellsMade:
    """The classifier that is written (None: as it was), and what it learned from."""

    model: Any
    flatbuffer: bytes | None
    checked: checking.CellCheck | None
    cells: LabelledCells | None


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    bench: Bench
    fields: Fields
    folds: list[checking.Fold]

    def finder_as_it_was(self, checked: checking.FinderCheck | None) -> _FinderMade:
        file = self.bench.finder.file
        return _FinderMade(None, file, checked, [file] * len(self.folds))

    def find(self) -> _FinderMade:
        """Fine-tune the finder, unless it is no better for it on fields it had not seen."""
        checked = checking.check_finder(self.bench, self.folds) if self.folds else None
        if checked is not None and not checked.better:
            self.bench.say("! the finder stays as it was: it is no better for fine-tuning on fields it had not seen")
            return self.finder_as_it_was(checked)
        self.bench.say(f"fine-tuning the finder on all {len(self.fields.fields)} fields")
        model, file = tuned_finder(self.bench, self.fields)
        return _FinderMade(model, file, checked, checked.files if checked else [])

    def tell_apart(self, found: _FinderMade) -> _CellsMade:
        """Fine-tune the classifier, unless it is no better for it on fields it had not seen."""
        bench = self.bench
        checked = checking.check_cells(bench, found.files, self.folds) if self.folds else None
        if checked is not None and not checked.better(bench.classifier.card, bench.plan):
            why = (
                "it is no better for fine-tuning on fields it had not seen"
                if checked.after is not None
                else "positive cells are annotated in one group of fields or in none, so nothing can be checked"
            )
            bench.say(f"! the classifier stays as it was: {why}")
            return _CellsMade(None, None, checked, None)
        bench.say(f"fine-tuning the classifier on all {len(self.fields.fields)} fields")
        made = tuned_classifier(bench, found.file, self.fields)
        if made.model is None:
            bench.say("! no positive cell is annotated: the classifier stays as it was")
        return _CellsMade(made.model, made.flatbuffer, checked, made.cells)


def _looked(fields: Fields, bench: Bench) -> tuple[Fields, bool]:
    """The fields with boxes as wide as the finder's, and whether the finder may learn from them."""
    seen, say = finding.look(fields, bench.tell), bench.say
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


def _figures(found: dict[str, Any]) -> list[str]:
    if "after" not in found:
        return []
    before, after = found["before"], found["after"]
    count, positive = after["judged_fields"], after["positive_cells"]
    lines = [f"on {count} fields, each judged by nets that had not seen its group ({positive} positive cells):"]
    names = {
        "finder_f1": "finder, F1",
        "finder_keeps_positive": "finder, positive cells kept",
        "auc": "classifier, AUC",
        "found_at_1_percent_fp": "end to end at 1 % false positives",
        "found_at_0.1_percent_fp": "end to end at 0.1 % false positives",
    }
    for key, name in names.items():
        if before.get(key) is not None and after.get(key) is not None:
            old, new = (one[key]["value"] if isinstance(one[key], dict) else one[key] for one in (before, after))
            lines.append(f"  {name:38} {old:.4f} before, {new:.4f} after")
    return lines


def _from(start: StartingNet, work: _Work, settings: Any, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "adapted_from": start.card.name,
        "adapted_from_sha256": start.card.sha256,
        "fields": len(work.fields.fields),
        "data": [work.fields.name],
        "settings": asdict(settings),
        "checked": "by cross-validation inside the given fields" if found else "not: the fields are of one group",
    }


def _finder_card(work: _Work, made: _FinderMade, found: dict[str, Any]) -> tuple[Card, str]:
    """The card, and what is to be said of its thresholds."""
    card = work.bench.finder.card
    if made.model is None:
        return card, "finder: as it was"
    card, said = checking.finder_threshold(made.checked, card, len(work.fields.fields))
    training = _from(work.bench.finder, work, work.bench.tuning.finder, found)
    return replace(card, training=training, accuracy=found, tools=tool_versions(), calibration=None), said


def _cell_card(work: _Work, made: _CellsMade, found: dict[str, Any]) -> tuple[Card, str]:
    """The card, and what is to be said of its threshold."""
    card, rate = work.bench.classifier.card, work.bench.tuning.false_positives
    if made.model is None or made.cells is None:
        card, said = checking.cell_threshold(made.checked.before if made.checked else None, card, rate)
        return replace(
            card, calibration=None
        ), f"classifier: its weights as they were; {said.removeprefix('classifier: ')}"
    card, said = checking.cell_threshold(made.checked.after if made.checked else None, card, rate)
    counts = dict(zip(card.labels, made.cells.counts().tolist(), strict=True))
    training = {**_from(work.bench.classifier, work, work.bench.tuning.cell, found), "cells": counts}
    return replace(card, training=training, accuracy=found, tools=tool_versions(), calibration=None), said


def _name(start: StartingNet, out: Path) -> str:
    return f"{start.card.name}-{out.resolve().name}"[:100]


def _write(out: Path, card: Card, flatbuffer: bytes, model: Any, start: StartingNet) -> Path:
    """``OUT/NAME/NAME.tflite`` with its Keras file and card in words, so that OUT is a shelf."""
    name = _name(start, out)
    folder = out / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if model is None:
            shutil.copyfile(start.keras, folder / f"{name}.keras")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    if model is not None:
        card = replace(card, source_sha256=save_keras(model, folder / f"{name}.keras"))
    path = folder / f"{name}.tflite"
    card = write_model(path, flatbuffer, replace(card, name=name))
    write_text(folder / "CARD.md", card_text(card, path.stat().st_size, "adapt"))
    return path
