"""``python -m models adapt --reviewed BOOK --blank DIR -o mine.tflite``: a classifier learns, is judged, and is written or refused.

The finder stays as it is: answers say what a find is, and nothing of where cells are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet
from convert.measure.reading import Progress
from edge.analysis import Analyser
from edge.boxes import MATCHED, iou
from edge.classifier import Classifier
from edge.decision import reaches
from edge.door import quiet_native_stderr
from edge.errors import ModelError
from edge.sources.identity import FileDigest
from models.adapt.blank_slides import DeviceNets, read_blanks
from models.adapt.finder import opened
from models.adapt.rehearsal import RehearsalPlan, old_cells, origins
from models.adapt.reviewed_book import AnsweredFile, read_reviewed
from models.adapt.reviewed_card import (
    OLD_NAMES,
    ChosenThreshold,
    Gathered,
    ReviewedRequest,
    folders_of,
    how_chosen,
    old_lines,
    write_as_it_was,
    write_learned,
)
from models.adapt.reviewed_check import BlankFigures, blank_figures, blank_threshold, left_out
from models.adapt.reviewed_net import CONFIRMED, GuardedNet, Lessons, ReviewedLearner
from models.adapt.tune import Say, plan_for
from models.data.classes import ClassScheme


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
    confirmed = gathered.lessons.confirmed(card)
    if confirmed < CONFIRMED and not request.force:
        return threshold_alone(request, gathered, confirmed)
    new = FieldSet(tuple(_at(folder) for folder in folders_of(request, gathered)), (), grouped=False)
    old = old_cells(card, RehearsalPlan(new, request.rehearse, request.training.cell.seed), tell, say)
    rehearsed = origins(old.rehearsed)
    say(f"rehearsed beside what is new, so that it is not forgotten: {', '.join(rehearsed) or 'nothing'}")
    learner = ReviewedLearner(request.classifier, old, request.training)
    say("fine-tuning the classifier on all of it")
    made = learner.guarded(learner.fine_tuned(gathered.lessons, request.training.cell.seed), gathered.lessons)
    seen = left_out(learner, gathered.lessons, made.mix, say)
    figures = None if seen is None else blank_figures(seen, card, request.false_positives)
    worse = list(objections(made, figures, request.training.allowed, judged=seen is not None))
    lines = [*old_lines(made), *(figures.lines() if figures else ())]
    if worse and not request.force:
        for line in lines:
            say(line)
        raise ModelError(f"{request.out}: not written: {'; '.join(worse)} (--force writes it all the same)")
    written = write_learned(request, gathered, made, figures, rehearsed)
    forced = [f"! {reason}: written because of --force" for reason in worse]
    told = f"threshold {written.threshold:.4g}: {written.threshold_origin}"
    return [*lines, *forced, told, f"written: {request.out}"]


def threshold_alone(request: ReviewedRequest, gathered: Gathered, confirmed: int) -> list[str]:
    """With hardly an infected cell to learn from: the net as it was, with the threshold that the blanks give it; lines for the user.

    Raises CellsError where there are no blanks, or too few cells in them.
    """
    why = (
        f"{confirmed} cells are confirmed to be infected: with fewer than {CONFIRMED} of them the weights stay as they are, for a "
        "net that is shown negative cells of a microscope alone takes what is infected there for negative, too"
    )
    blanks = gathered.blanks
    if blanks is None:
        raise CellsError(f"{why}; blanks (--blank) would give it a threshold. --force learns all the same")
    chosen = blank_threshold(blanks.suspicion, request.false_positives)
    if chosen is None:
        raise CellsError(f"{why}; and {len(blanks.cells)} cells of blanks are too few to choose a threshold on")
    value, rate = chosen
    slides = f"{len(blanks.cells):,} cells of {len(request.blanks)} blank slides"
    origin = f"at most {rate:.2%} of {slides}, none of which it learned from ({how_chosen(request.false_positives)})"
    card = request.classifier.card
    written = write_as_it_was(request, gathered, ChosenThreshold(value, origin))
    called = int(reaches(blanks.suspicion, written.threshold).sum())
    return [
        f"! {why} (--force learns all the same)",
        f"on {slides}: {blanks.suspects} called positive at the threshold {card.threshold:.4g}, {called} at the new one",
        f"threshold {written.threshold:.4g}: {written.threshold_origin}",
        f"written: {request.out}",
    ]


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
        loss = f"{OLD_NAMES[worst]} {made.before[worst]:.4f} before, {made.after[worst]:.4f} after"
        found.append(
            f"worse on what it learned before, with every mix of old and new weights: {loss}, {allowed:.3f} allowed"
        )
    if figures is not None and figures.worse:
        areas = f"AUC {figures.auc_before:.4f} before, {figures.auc_after:.4f} after"
        found.append(f"worse on the blanks left out, against {figures.of}: {areas}")
    if not judged:
        found.append("all there is to learn from is one slide, so that none is left out to judge by: give another")
    return found


def _at(folder: Path) -> AnnotatedField:
    return AnnotatedField(folder / "any", np.zeros((0, 4), np.int32), ())
