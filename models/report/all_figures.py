"""Every figure this project claims, measured: ``python -m models figures``.

IML fields are split into blocks of 35 consecutive images, which are divided into 4 folds; each field is judged by fold files
(``models/folds``) that never saw its block, with thresholds chosen on other folds. Chula fields are in no training set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, rows_interval
from convert.measure.matching import BORDER, FinderSummary, Match, match_boxes, match_points, summarise
from edge.boxes import inside
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from models.data.fields import UNSURE, ImlField, PointedField, load_chula, load_iml
from models.data.folds import CLASSIFIER, CLASSIFIERS, FINDER, WITHOUT_FIELDS
from models.judge.figures import BY_KEY, measure, share, two_classes
from models.judge.scores import FieldCells, NetScores, NihCells, score_all, suspicion
from models.judge.targets import FOUND_TARGETS, NEGATIVE_TARGET, NIH_TARGETS, UNSEEN_TARGETS, WORST_SLIDE_TARGET
from models.judge.unseen import FieldFinds, UnseenFold, finds_of, unseen_folds
from models.report.cost import cost_rows
from models.report.figure import NO_TARGET, Figure, at_least, line
from models.report.measure import found, negatives, nih_figures
from models.report.virtual_slides import VIRTUAL_SEEDS, virtual_rows

CLASSICAL_IML = "classical, IML (its constants were set with some of these in view)"
SPARSE = 1.25
"""A field is sparsely annotated if both finders count at least this many times its annotated cells."""

_LEARNED_F1, _CLASSICAL_F1, _CHULA_F1 = 0.96, 0.90, 0.92  # targets
_KEPT, _BIAS, _ERROR = (
    0.97,
    0.02,
    0.03,
)  # targets of a finder: infected cells kept, count bias, median count error per field


def measure_all(folder: Path, shelf: Path, say: Callable[[str], None] | None, *, quick: bool = False) -> list[Figure]:
    """Measure everything; ``say`` gets each figure as it is ready.

    Args:
        folder: of the fold files.
        shelf: of the shipped files.
        say: gets a line per figure; None: nothing is said.
        quick: accuracy only, no time and memory.
    """
    cv2.setNumThreads(1)
    rows: list[Figure] = []

    def add(new: list[Figure]) -> None:
        rows.extend(new)
        for row in new:
            if say is not None:
                say(line(row))

    folds = unseen_folds(folder)
    add(_iml_rows(folds))
    shipped = LearnedFinder(read_model(shelf / FINDER / f"{FINDER}.tflite"))
    add([chula_row(shipped, "learned, Chula"), chula_row(ClassicalFinder(), "classical, Chula (likewise)")])
    nih, iml, nets = score_all(CLASSIFIERS, folds, lambda *_: None)
    chula = list(finds_of(shipped, load_chula()))
    for net in nets:
        classifier = Classifier(read_model(shelf / net.name / f"{net.name}.tflite"))
        add([*classifier_rows(nih, iml, net), unseen_scope_row(chula, classifier)])
        if net.name == CLASSIFIER:
            add(never_seen(folder))
    classifier = Classifier(read_model(shelf / CLASSIFIER / f"{CLASSIFIER}.tflite"))
    for seed in VIRTUAL_SEEDS:
        add(virtual_rows(shipped, classifier, seed))
    if not quick:
        add(cost_rows())
    return rows


def _iml_rows(folds: Sequence[UnseenFold]) -> list[Figure]:
    """Both finders on the IML fields, with and without the sparsely annotated ones."""
    fields = load_iml()
    by_path = {one.field.path: _match(one) for fold in folds for one in fold.finds()}
    learned = [by_path[entry.path] for entry in fields]
    classical = [_match(one) for one in finds_of(ClassicalFinder(), fields)]
    full = [i for i, pair in enumerate(zip(learned, classical, strict=True)) if not sparse(*pair)]
    rows: list[Figure] = []
    for matches, name, target in (
        (learned, "learned, IML, unseen blocks", _LEARNED_F1),
        (classical, CLASSICAL_IML, _CLASSICAL_F1),
    ):
        without = f"{name}, without {len(fields) - len(full)} sparsely annotated fields"
        rows += [*finder_rows(matches, name, target), *finder_rows([matches[i] for i in full], without, None)]
    return rows


def _match(one: FieldFinds[ImlField]) -> Match:
    return match_boxes(one.boxes, one.field.boxes, one.field.infected, one.shape)


def sparse(one: Match, other: Match) -> bool:
    """Whether both finders see at least a quarter more cells in a field than are annotated."""
    return min(one.counted, other.counted) >= SPARSE * one.true


def interval(matches: Sequence[Match], pick: Callable[[FinderSummary], float]) -> tuple[float, float]:
    """95 % interval over fields of one pooled figure."""
    return rows_interval(lambda rows: pick(summarise([matches[i] for i in rows])), len(matches), QUICK_RESAMPLES)


def finder_rows(matches: list[Match], where: str, target: float | None) -> list[Figure]:
    """F1, infected cells kept, count bias and count error of one finder; without a target, F1 and bias only."""
    s = summarise(matches)
    n = f"n = {s.fields} fields, {s.cells} cells"
    f1 = interval(matches, lambda x: x.f1)
    bias = interval(matches, lambda x: x.count_bias)
    f1_text = f"{s.f1:.4f} ({f1[0]:.3f} to {f1[1]:.3f}; precision {s.precision:.3f}, recall {s.recall:.3f}; {n})"
    bias_text = f"{s.count_bias:+.1%} ({bias[0]:+.1%} to {bias[1]:+.1%})"
    if target is None:
        return [
            Figure("finder F1 at IoU 0.5", where, f"{NO_TARGET} yet", f1_text, met=None),
            Figure("count bias", where, f"{NO_TARGET} yet", bias_text, met=None),
        ]
    kept = interval(matches, lambda x: x.infected_kept)
    error = interval(matches, lambda x: x.count_error)
    kept_text = f"{s.infected_kept:.3f} ({kept[0]:.3f} to {kept[1]:.3f}; n = {s.infected})"
    error_text = f"{s.count_error:.1%} ({error[0]:.1%} to {error[1]:.1%})"
    return [
        at_least("finder F1 at IoU 0.5", where, target, f1_text, s.f1),
        at_least("infected cells the finder keeps", where, _KEPT, kept_text, s.infected_kept),
        Figure("count bias", where, "within 2 %", bias_text, abs(s.count_bias) <= _BIAS),
        Figure("median count error per field", where, "<= 3 %", error_text, s.count_error <= _ERROR),
    ]


def chula_row(finder: Finder, where: str) -> Figure:
    """Centre-match F1 on the scope that is in no training set."""
    matches = [match_points(one.boxes, one.field.points, one.shape) for one in finds_of(finder, load_chula())]
    s = summarise(matches)
    low, high = interval(matches, lambda x: x.f1)
    text = f"{s.f1:.3f} ({low:.3f} to {high:.3f}; P {s.precision:.3f}, R {s.recall:.3f}; {s.fields} fields, {s.cells} cells)"
    return at_least("centre-match F1, another scope than IML", where, _CHULA_F1, text, s.f1)


def classifier_rows(nih: NihCells, iml: FieldCells, net: NetScores) -> list[Figure]:
    """What the fold files of a classifier reach on what they never saw; targets are those of the accurate one."""
    aimed, rows = net.name == CLASSIFIER, []
    for rate, wanted in FOUND_TARGETS.items():
        share_found = found(iml, net, rate).share.value
        value = f"{share_found:.3f} (n = {iml.total}, of them {iml.lost} lost by the finder)"
        where = f"{net.name}: IML end to end, unseen blocks, threshold of other folds"
        what = f"infected cells found at {rate:.1%} false positives"
        rows.append(at_least(what, where, wanted if aimed else None, value, share_found))
    n = f"n = {len(nih.infected)} cells, {len(np.unique(nih.slides))} slides"
    for what, figure in nih_figures(nih, net, nih.infected).items():
        target = NIH_TARGETS[what][1] if aimed else None
        text = f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f} by slide; {n})"
        rows.append(at_least(what, f"{net.name}: NIH cells, unseen slides, int8", target, text, figure.value))
    return [*rows, _negative_row(nih, net, aimed=aimed)]


def _negative_row(nih: NihCells, net: NetScores, *, aimed: bool) -> Figure:
    """Slides without an infected cell: what is called positive there at the threshold that was chosen on other images."""
    groups = negatives(nih, net)
    cells, flagged = sum(one.cells for one in groups), sum(one.flagged for one in groups)
    worst, rate = max(one.flagged / one.cells for one in groups), flagged / cells
    text = f"{rate:.2%}, worst slide {worst:.2%}, {sum(not one.flagged for one in groups)} with none"
    return Figure(
        "cells called positive on slides known to be negative",
        f"{net.name}: NIH cells, unseen slides, the card's threshold",
        f"<= {NEGATIVE_TARGET:.1%}, worst {WORST_SLIDE_TARGET:.0%}" if aimed else NO_TARGET,
        f"{text} (n = {cells} cells, {len(groups)} slides)",
        (rate <= NEGATIVE_TARGET and worst <= WORST_SLIDE_TARGET) if aimed else None,
    )


def unseen_scope_row(chula: Sequence[FieldFinds[PointedField]], classifier: Classifier) -> Figure:
    """Cells called positive on the microscope that is in no training set and shows no parasite; interval by fields."""
    card = classifier.card
    called = [
        card.positive_mask[classifier.classes(classifier.scores(crop_cells(one.rgb, one.boxes, card.crop)))]
        for one in chula
    ]
    every = np.concatenate(called)
    figure = share(every, np.repeat(np.arange(len(called)), [len(one) for one in called]))
    interval_text = f"{figure.low:.2%} to {figure.high:.2%}"
    return Figure(
        "cells called positive on a scope never seen, no parasites there",
        f"{card.name}: Chula, the card's threshold",
        NO_TARGET,
        f"{figure.value:.2%} ({interval_text}; {int(every.sum())} of {figure.n} cells, {len(called)} fields)",
        None,
    )


def never_seen(folder: Path) -> list[Figure]:
    """Annotated cells of IML fields, scored by nets of NIH cells alone; intervals by fields. The target is the first net's."""
    rows: list[Figure] = []
    for number, name in enumerate(WITHOUT_FIELDS):
        rows += _unseen(name, folder, aimed=not number)
    return rows


def _unseen(name: str, folder: Path, *, aimed: bool) -> list[Figure]:
    classifier = Classifier(read_model(folder / f"{name}.tflite"))
    scores, truth, places = [], [], []
    for entry in load_iml():
        rgb = entry.read()
        score = suspicion(classifier.scores(crop_cells(rgb, entry.boxes, classifier.card.crop)), classifier.card)
        use = inside(entry.boxes, (rgb.shape[0], rgb.shape[1]), BORDER) & np.array([t != UNSURE for t in entry.types])
        scores.append(score[use])
        truth.append(entry.infected[use])
        places += [entry.path.name] * int(use.sum())
    scored = two_classes(classifier.card, np.concatenate(truth), np.concatenate(scores), np.array(places))
    rows = []
    for what, (key, wanted) in UNSEEN_TARGETS.items():
        figure = measure(BY_KEY[key], scored)
        n = f"n = {len(scored.positive)} cells, {int(scored.positive.sum())} infected"
        text = f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f} by field; {n})"
        where = f"{name}, made of NIH cells alone: annotated cells of IML"
        rows.append(at_least(what, where, wanted if aimed else None, text, figure.value))
    return rows
