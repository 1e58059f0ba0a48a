"""``python -m models adapt --reviewed BOOK --blank DIR -o mine.tflite``: a classifier learns, is judged, and is written or refused.

The finder stays as it is: answers say what a find is, and nothing of where cells are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet
from convert.measure.reading import Progress
from convert.net.int8 import tool_versions
from edge.analysis import Analyser
from edge.boxes import MATCHED, iou
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.errors import ModelError
from edge.modelfile import Card, write_model
from edge.sources.identity import FileDigest
from models.adapt.blank_slides import BlankSlides, DeviceNets, read_blanks
from models.adapt.finder import opened
from models.adapt.rehearsal import RehearsalPlan, Rehearse, old_cells, origins
from models.adapt.reviewed_book import AnsweredFile, ReviewedCells, read_reviewed
from models.adapt.reviewed_check import BlankFigures, blank_figures, left_out
from models.adapt.reviewed_net import GuardedNet, Lessons, ReviewedLearner, ReviewedTraining
from models.adapt.tune import Say, plan_for
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


def run_reviewed(request: ReviewedRequest, tell: Progress, say: Say) -> list[str]:
    """Learn, judge and write; returns lines for the user.

    Raises:
        BookError, CellsError: nothing can be learned from what was given.
        ModelError: the net is worse than it was, or this cannot be known, and ``force`` was not given.
        OutputError: the net cannot be written.
    """
    card = request.classifier.card
    if not card.positive or len(card.positive) == len(card.labels):
        raise CellsError(
            f"{card.name}: tells no positive from negative cells: there is nothing that answers could teach it"
        )
    gathered = gather(request, tell, say)
    new = FieldSet(tuple(_at(folder) for folder in _folders(request, gathered)), (), grouped=False)
    old = old_cells(card, RehearsalPlan(new, request.rehearse, request.training.cell.seed), tell, say)
    rehearsed = origins(old.rehearsed)
    say(f"rehearsed beside what is new, so that it is not forgotten: {', '.join(rehearsed) or 'nothing'}")
    learner = ReviewedLearner(request.classifier, old, request.training)
    say("fine-tuning the classifier on all of it")
    made = learner.guarded(learner.fine_tuned(gathered.lessons, request.training.cell.seed), gathered.lessons)
    seen = left_out(learner, gathered.lessons, made.mix, say)
    figures = None if seen is None else blank_figures(seen, card, request.false_positives)
    worse = list(objections(made, figures, request.training.allowed, judged=seen is not None))
    lines = [*_old_lines(made), *(figures.lines() if figures else ())]
    if worse and not request.force:
        for line in lines:
            say(line)
        raise ModelError(f"{request.out}: not written: {'; '.join(worse)} (--force writes it all the same)")
    written = write(request, gathered, made, figures, rehearsed)
    forced = [f"! {reason}: written because of --force" for reason in worse]
    told = f"threshold {written.threshold:.4g}: {written.threshold_origin}"
    return [*lines, *forced, told, f"written: {request.out}"]


def gather(request: ReviewedRequest, tell: Progress, say: Say) -> Gathered:
    """Read answers, blanks and annotated fields; raises BookError, CellsError."""
    card, seed = request.classifier.card, request.training.cell.seed
    reviewed = None
    if request.book is not None:
        reviewed = read_reviewed(request.book, card, tell, seed, request.samples)
        counts = ", ".join(f"{count} {what}" for what, count in reviewed.answered.items())
        say(f"answers on {sum(reviewed.answered.values())} cells of {len(reviewed.samples)} samples: {counts}")
    blanks = read_blanks(request.blanks, _device(request), tell, seed) if request.blanks else None
    if blanks is not None:
        found = f"{blanks.suspects} suspects and {blanks.near} near misses among {len(blanks.cells):,} cells"
        say(f"{len(request.blanks)} blank slides: {found}, all of them negative")
    fields, contradicted = None, 0
    if request.fields is not None:
        source, plan = request.fields
        plain = replace(card.crop, normalise="none")
        fields, notes = source.read(plan_for(plan, card), plain, tell, learn=True)
        contradicted = contradictions(source.fields, plan_for(plan, card), reviewed.files if reviewed else ())
        for note in notes:
            say(f"! {note}")
    for note in (*(reviewed.notes if reviewed else ()), *(blanks.notes if blanks else ())):
        say(f"! {note}")
    if contradicted:
        say(f"! {contradicted} answers contradict an annotation: these cells are learned once as either")
    lessons = Lessons(
        None if reviewed is None else reviewed.cells,
        None if blanks is None else blanks.cells,
        np.zeros(0, np.float32) if blanks is None else blanks.suspicion,
        fields,
    )
    return Gathered(lessons, reviewed, blanks, contradicted)


def _device(request: ReviewedRequest) -> DeviceNets:
    with quiet_native_stderr():
        classifier = Classifier(request.classifier.file)
    return DeviceNets(Analyser(opened(request.finder.file), classifier), request.classifier.card)


def contradictions(fields: FieldSet, plan: ClassScheme, answered: Sequence[AnsweredFile]) -> int:
    """Answers that call an annotated cell something else; images are the same by their content, cells by their boxes."""
    by_content = {one.sha256: one for one in answered}
    count = 0
    for one in fields.fields if by_content else ():
        if not one.path.is_file() or (said := by_content.get(FileDigest(one.path).get()[1])) is None:
            continue
        index = plan.indices(one.types)
        overlap = iou(said.boxes, one.boxes)
        for row, label in enumerate(said.classes.tolist()):
            place = int(overlap[row].argmax()) if overlap.shape[1] else -1
            count += place >= 0 and overlap[row, place] >= MATCHED and index[place] not in (-1, label)
    return count


def objections(made: GuardedNet, figures: BlankFigures | None, allowed: float, *, judged: bool) -> list[str]:
    """Why a net is refused; empty: it is not."""
    found = []
    if not made.stands:
        worst = max(made.before, key=lambda key: made.before[key] - made.after[key])
        loss = f"{_NAMES[worst]} {made.before[worst]:.4f} before, {made.after[worst]:.4f} after"
        found.append(
            f"worse on what it learned before, with every mix of old and new weights: {loss}, {allowed:.3f} allowed"
        )
    if figures is not None and figures.worse:
        areas = f"AUC {figures.auc_before:.4f} before, {figures.auc_after:.4f} after"
        found.append(f"worse on the blanks left out, against {figures.of}: {areas}")
    if not judged:
        found.append("all there is to learn from is one slide, so that none is left out to judge by: give another")
    return found


_NAMES = {"auc": "AUC", "sensitivity_at_1_percent_fp": "found at 1 % false positives"}


def _old_lines(made: GuardedNet) -> list[str]:
    if not made.before:
        return ["what the net forgot of what it learned before is not known: no data set that it learned from is here"]
    pairs = (f"{name} {made.before[key]:.4f} before, {made.after[key]:.4f} after" for key, name in _NAMES.items())
    return [
        f"on what it learned before, none of it rehearsed: {'; '.join(pairs)}",
        f"new weights: {made.mix:.0%} in the mix",
    ]


def _at(folder: Path) -> AnnotatedField:
    return AnnotatedField(folder / "any", np.zeros((0, 4), np.int32), ())


def _folders(request: ReviewedRequest, gathered: Gathered) -> list[Path]:
    """Where what is new stands: sets that stand there are not rehearsed."""
    answered = gathered.reviewed.folders if gathered.reviewed else ()
    fields = [one.path.parent for one in request.fields[0].fields.fields] if request.fields else []
    return sorted({*request.blanks, *answered, *fields})


def write(
    request: ReviewedRequest, gathered: Gathered, made: GuardedNet, figures: BlankFigures | None, rehearsed: list[str]
) -> Card:
    """The device file, and its Keras file beside it, to go on from; returns the card. Raises OutputError."""
    card, out = request.classifier.card, request.out
    threshold, origin = _threshold(card, figures, request.false_positives)
    training = {
        "adapted_from": card.name,
        "adapted_from_sha256": card.sha256,
        "data": [*card.training.get("data", ()), *_sets(request, gathered), "answers and blanks of the user"],
        **_learned(gathered, request),
        "mix": made.mix,
        "rehearsed": rehearsed,
        "settings": asdict(request.training.cell),
        "forgotten": _old_lines(made)[0],
        "checked": "by slides left out" if figures else "not on blanks left out",
    }
    keras = out.with_suffix(".keras")
    accuracy = {"blanks left out": asdict(figures)} if figures else {}
    card = replace(
        card,
        name=out.stem[:100],
        threshold=threshold,
        threshold_origin=origin,
        training=training,
        accuracy=accuracy,
        tools=tool_versions(),
        calibration=None,
        source_sha256=save_keras(made.model, keras),
    )
    return write_model(out, made.flatbuffer, card)


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
    folders = [folder.resolve() for folder in _folders(request, gathered)]
    return sorted(
        one.name for one in sets.every().values() if any(f.is_relative_to(one.folder.resolve()) for f in folders)
    )


def _threshold(card: Card, figures: BlankFigures | None, asked: float | None) -> tuple[float, str]:
    """The threshold, and how it was chosen."""
    kept = f"kept from {card.name}: {card.threshold_origin}"
    if figures is None:
        return card.threshold, kept
    if figures.rate is None:
        return card.threshold, f"{kept} ({figures.cells} cells of blanks are too few to choose one)"
    how = "as asked" if asked is not None else "the lowest that so many can show, at least 0.1 %"
    slides = f"{figures.cells:,} cells of {figures.slides} blank slides"
    return (
        figures.threshold,
        f"at most {figures.rate:.2%} of {slides}, each scored by a net that had not seen it ({how})",
    )
