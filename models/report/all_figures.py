"""Every figure this project claims, measured: ``python -m models figures``. The first ones are of microscopes never seen.

IML fields are split into blocks of 35 consecutive images, which are divided into 4 folds; each field is judged by fold files
(``models/folds``) that never saw its block, with thresholds chosen on other folds. Chula fields are in no training set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from convert.measure.bootstrap import QUICK_RESAMPLES, rows_interval
from convert.measure.matching import FinderSummary, Match, match_boxes, match_points, summarise
from edge.classifier import Classifier
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from models.data.fields import ImlField, load_chula, load_iml
from models.data.folds import CLASSIFIER, CLASSIFIERS, FINDER
from models.judge.microscopes import NetPlaces, judge_microscopes
from models.judge.scores import FieldCells, NetScores, NihCells, score_all
from models.judge.targets import FOUND_TARGETS, NEGATIVE_TARGET, WORST_SLIDE_TARGET
from models.judge.unseen import FieldFinds, UnseenFold, finds_of, unseen_folds
from models.report.cost import cost_rows
from models.report.figure import NO_TARGET, Figure, at_least, line
from models.report.measure import found, negatives, nih_figures
from models.report.microscopes import net_costs, target_rows
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


def measure_all(
    places: NetPlaces,
    left_out: Sequence[tuple[str, ...]],
    say: Callable[[str], None] | None,
    *,
    quick: bool = False,
) -> list[Figure]:
    """Measure everything; ``say`` gets each figure as it is ready.

    Args:
        places: of the nets.
        left_out: microscopes that the nets leave out in turn, each as its sets.
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

    add(target_rows(judge_microscopes(places, left_out, lambda *_: None)))
    add(net_costs(places.shelf))
    folds = unseen_folds(places.folds)
    add(_iml_rows(folds))
    add([chula_row(ClassicalFinder(), "classical, Chula")])
    nih, iml, nets = score_all(CLASSIFIERS, folds, lambda *_: None)
    for net in nets:
        add(classifier_rows(nih, iml, net))
    shipped = LearnedFinder(read_model(places.shelf / FINDER / f"{FINDER}.tflite"))
    classifier = Classifier(read_model(places.shelf / CLASSIFIER / f"{CLASSIFIER}.tflite"))
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
    """What the fold files of a classifier reach on what they never saw, against the annotations as they are."""
    rows = []
    for rate in FOUND_TARGETS:
        value = f"{found(iml, net, rate).share.value:.3f} (n = {iml.total}, of them {iml.lost} lost by the finder)"
        where = f"{net.name}: IML end to end, unseen blocks, as annotated, threshold of other folds"
        rows.append(Figure(f"infected cells found at {rate:.1%} false positives", where, NO_TARGET, value, None))
    n = f"n = {len(nih.infected)} cells, {len(np.unique(nih.slides))} slides"
    for what, figure in nih_figures(nih, net, nih.infected).items():
        text = f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f} by slide; {n})"
        rows.append(Figure(what, f"{net.name}: NIH cells, unseen slides, int8", NO_TARGET, text, None))
    return [*rows, _negative_row(nih, net, aimed=net.name == CLASSIFIER)]


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
