"""What is asked of learning from a review, what there is to learn, and the card and file of the net that comes of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from convert.net.int8 import tool_versions
from edge.modelfile import Card, write_model
from edge.safe_file import plain_errors
from models.adapt.blank_slides import BlankSlides
from models.adapt.rehearsal import Rehearse
from models.adapt.reviewed_book import ReviewedCells
from models.adapt.reviewed_check import BlankFigures
from models.adapt.reviewed_net import GuardedNet, Lessons, ReviewedTraining
from models.data import sets
from models.data.classes import ClassScheme
from models.data.fieldset import Fields
from models.train.device import save_keras
from models.train.start import StartingNet


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedRequest:
    """What is asked for.

    Attributes:
        finder: finds the cells of blanks.
        classifier: that shall learn.
        out: the device file to write; its Keras file is written beside it, to go on from.
        book: with answers; None: none are given.
        samples: of the book, by name; empty: all.
        blanks: folders of slides known to be negative, a slide each.
        fields: annotated fields that are learned from as well, and their classes.
        rehearse: what is seen again.
        training: settings.
        false_positives: share of blank cells that may count as positive, 0..1; None: the lowest that so many cells can show.
        force: write a net that would be refused.
    """

    finder: StartingNet
    classifier: StartingNet
    out: Path
    book: Path | None = None
    samples: tuple[str, ...] = ()
    blanks: tuple[Path, ...] = ()
    fields: tuple[Fields, ClassScheme] | None = None
    rehearse: Rehearse = Rehearse.AUTO
    training: ReviewedTraining = field(default_factory=ReviewedTraining)
    false_positives: float | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What there is to learn, and where it came from."""

    lessons: Lessons
    reviewed: ReviewedCells | None
    blanks: BlankSlides | None
    contradicted: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ChosenThreshold:
    """A threshold, and how it was chosen, in words."""

    value: float
    origin: str


OLD_NAMES = {"auc": "AUC", "sensitivity_at_1_percent_fp": "found at 1 % false positives"}


def old_lines(made: GuardedNet) -> list[str]:
    """What the net forgot of what it learned before, in words."""
    if not made.before:
        return ["what the net forgot of what it learned before is not known: no data set that it learned from is here"]
    pairs = (f"{name} {made.before[key]:.4f} before, {made.after[key]:.4f} after" for key, name in OLD_NAMES.items())
    return [
        f"on what it learned before, none of it rehearsed: {'; '.join(pairs)}",
        f"new weights: {made.mix:.0%} in the mix",
    ]


def folders_of(request: ReviewedRequest, gathered: Gathered) -> list[Path]:
    """Where what is new stands: sets that stand there are not rehearsed."""
    answered = gathered.reviewed.folders if gathered.reviewed else ()
    fields = [one.path.parent for one in request.fields[0].fields.fields] if request.fields else []
    return sorted({*request.blanks, *answered, *fields})


def write_learned(
    request: ReviewedRequest, gathered: Gathered, made: GuardedNet, figures: BlankFigures | None, rehearsed: list[str]
) -> Card:
    """The net that learned: its device file, and its Keras file beside it, to go on from. Returns the card; raises OutputError."""
    told = {
        "mix": made.mix,
        "rehearsed": rehearsed,
        "settings": asdict(request.training.cell),
        "forgotten": old_lines(made)[0],
        "checked": "by slides left out" if figures else "not on blanks left out",
    }
    threshold = threshold_of(request.classifier.card, figures, request.false_positives)
    digest = save_keras(made.model, request.out.with_suffix(".keras"))
    card = _card(request, gathered, threshold, told)
    accuracy = {"blanks left out": asdict(figures)} if figures else {}
    card = replace(card, accuracy=accuracy, tools=tool_versions(), source_sha256=digest)
    return write_model(request.out, made.flatbuffer, card)


def write_as_it_was(request: ReviewedRequest, gathered: Gathered, threshold: ChosenThreshold) -> Card:
    """The net as it was with another threshold, likewise."""
    keras = request.out.with_suffix(".keras")
    with plain_errors(keras):
        shutil.copyfile(request.classifier.keras, keras)
    told = {"mix": 0.0, "checked": "weights as they were: only the threshold is chosen on the blanks"}
    card = _card(request, gathered, threshold, told)
    return write_model(request.out, request.classifier.file.flatbuffer, card)


def _card(request: ReviewedRequest, gathered: Gathered, threshold: ChosenThreshold, told: Mapping[str, Any]) -> Card:
    card = request.classifier.card
    training = {
        "adapted_from": card.name,
        "adapted_from_sha256": card.sha256,
        "data": [*card.training.get("data", ()), *_sets(request, gathered), "answers and blanks of the user"],
        **_learned(gathered, request),
        **told,
    }
    return replace(
        card,
        name=request.out.stem[:_LONGEST_NAME],
        threshold=threshold.value,
        threshold_origin=threshold.origin,
        training=training,
        calibration=None,
    )


_LONGEST_NAME = 100  # of a model, in characters


def _learned(gathered: Gathered, request: ReviewedRequest) -> Mapping[str, Any]:
    """What the card says of the lessons: numbers, and no name of a sample or a reader, for nets are handed on."""
    reviewed, blanks = gathered.reviewed, gathered.blanks
    return {
        "reviewed_samples": len(reviewed.samples) if reviewed else 0,
        "answers": {str(what): count for what, count in reviewed.answered.items()} if reviewed else {},
        "learned_as_either": (reviewed.disputed if reviewed else 0) + gathered.contradicted,
        "blanks": len(request.blanks),
        "blank_cells": len(blanks.cells) if blanks else 0,
        "blank_suspects": blanks.suspects if blanks else 0,
    }


def _sets(request: ReviewedRequest, gathered: Gathered) -> list[str]:
    """Names of known sets that what is new is part of, so that no figure on them is taken for one on what was never seen."""
    folders = [folder.resolve() for folder in folders_of(request, gathered)]
    return sorted(
        one.name for one in sets.every().values() if any(f.is_relative_to(one.folder.resolve()) for f in folders)
    )


def threshold_of(card: Card, figures: BlankFigures | None, asked: float | None) -> ChosenThreshold:
    """The threshold that blanks left out give; the card's where there are too few cells."""
    kept = f"kept from {card.name}: {card.threshold_origin}"
    if figures is None:
        return ChosenThreshold(card.threshold, kept)
    if figures.rate is None:
        return ChosenThreshold(card.threshold, f"{kept} ({figures.cells} cells of blanks are too few to choose one)")
    slides = f"{figures.cells:,} cells of {figures.slides} blank slides"
    said = f"at most {figures.rate:.2%} of {slides}, each scored by a net that had not seen it ({how_chosen(asked)})"
    return ChosenThreshold(figures.threshold, said)


def how_chosen(asked: float | None) -> str:
    """Why the rate of false positives is what it is, in words."""
    return "as asked" if asked is not None else "the lowest that so many can show, at least 0.1 %"
