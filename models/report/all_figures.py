"""Every figure this project claims, measured: ``python -m models figures``.

IML fields are split in blocks of 35 consecutive images dealt into 4 folds; each is reported by fold files
(``models/folds``) that never saw its block, with thresholds chosen on other folds. Chula fields are in no training set.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from convert.measure.matching import BORDER, Match, Summary, match_boxes, match_points, pairs, summarise
from convert.measure.single import BOX_MARGIN
from edge.boxes import inside, iou
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card, read_model
from edge.sources.virtual import SlideSpec, render_field
from models.data import folds
from models.data.fields import ImlField, load_chula, load_iml
from models.data.folds import by_fold, fold_paths
from models.judge import cell_figures
from models.judge.finder_thresholds import at_false_positives
from models.report.cost import cost_rows
from models.report.figure import Figure, line

NO_TARGET = "none yet"
VIRTUAL_SEEDS = (1, 2, 3)
VIRTUAL_FIELDS = 30
CLASSICAL_IML = "classical, IML (its constants were set with some of these in view)"
SPARSE = 1.25
_RESAMPLES = 1000


def measure_all(folder: Path, shelf: Path, say: Callable[[str], None] | None, *, quick: bool = False) -> list[Figure]:
    """Measure everything; ``say`` hears each figure as it is ready."""
    cv2.setNumThreads(1)
    rows: list[Figure] = []

    def add(new: list[Figure]) -> None:
        rows.extend(new)
        for row in new:
            if say is not None:
                say(line(row))

    fields = load_iml()
    by_path: dict[Path, Match] = {}
    for path, held_out in zip(fold_paths(folder, folds.FINDER), by_fold(fields), strict=True):
        matches = match_fields(LearnedFinder(read_model(path)), held_out)
        by_path.update({entry.path: match for entry, match in zip(held_out, matches, strict=True)})
    learned = [by_path[entry.path] for entry in fields]
    classical = match_fields(ClassicalFinder(), fields)
    full = [i for i, pair in enumerate(zip(learned, classical, strict=True)) if not sparse(*pair)]
    for matches, name, target in ((learned, "learned, IML, unseen blocks", 0.96), (classical, CLASSICAL_IML, 0.90)):
        add(finder_rows(matches, name, target))
        add(
            finder_rows(
                [matches[i] for i in full], f"{name}, without {len(fields) - len(full)} sparsely annotated fields", None
            )
        )
    shipped = LearnedFinder(read_model(shelf / folds.FINDER / f"{folds.FINDER}.tflite"))
    for finder, where in (
        (shipped, "learned, Chula"),
        (ClassicalFinder(), "classical, Chula (likewise)"),
    ):
        add([chula_row(finder, where)])
    for name in folds.CLASSIFIERS:
        add(cell_figures.measure(name, folder, shelf, shipped))
    classifier = Classifier(read_model(shelf / folds.CLASSIFIER / f"{folds.CLASSIFIER}.tflite"))
    for seed in VIRTUAL_SEEDS:
        add(virtual_rows(shipped, classifier, seed))
    if not quick:
        add(cost_rows())
    return rows


def match_fields(finder: Finder, fields: list[ImlField]) -> list[Match]:
    """A finder's score on every field."""
    out = []
    for entry in fields:
        rgb = entry.read()
        cells = finder.find(rgb)
        out.append(match_boxes(cells.boxes[cells.kind == 0], entry.boxes, entry.infected, rgb.shape[:2]))
    return out


def sparse(one: Match, other: Match) -> bool:
    """Whether both finders see at least a quarter more cells in a field than are annotated."""
    return min(one.counted, other.counted) >= SPARSE * one.true


def interval(matches: list[Match], pick: Callable[[Summary], float]) -> tuple[float, float]:
    """95 % percentile bootstrap over fields."""
    rng = np.random.default_rng(0)
    n = len(matches)
    values = [pick(summarise([matches[i] for i in rng.integers(0, n, n)])) for _ in range(_RESAMPLES)]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)


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
            Figure("finder F1 at IoU 0.5", where, NO_TARGET, f1_text, met=None),
            Figure("count bias", where, NO_TARGET, bias_text, met=None),
        ]
    kept = interval(matches, lambda x: x.infected_kept)
    error = interval(matches, lambda x: x.count_error)
    kept_text = f"{s.infected_kept:.3f} ({kept[0]:.3f} to {kept[1]:.3f}; n = {s.infected})"
    error_text = f"{s.count_error:.1%} ({error[0]:.1%} to {error[1]:.1%})"
    return [
        Figure("finder F1 at IoU 0.5", where, f">= {target}", f1_text, s.f1 >= target),
        Figure("infected cells the finder keeps", where, ">= 0.97", kept_text, s.infected_kept >= 0.97),
        Figure("count bias", where, "within 2 %", bias_text, abs(s.count_bias) <= 0.02),
        Figure("median count error per field", where, "<= 3 %", error_text, s.count_error <= 0.03),
    ]


def chula_row(finder: Finder, where: str) -> Figure:
    """Centre-match F1 on the scope that is in no training set."""
    matches = []
    for entry in load_chula():
        rgb = entry.read()
        cells = finder.find(rgb)
        matches.append(match_points(cells.boxes[cells.kind == 0], entry.points, rgb.shape[:2]))
    s = summarise(matches)
    low, high = interval(matches, lambda x: x.f1)
    return Figure(
        "centre-match F1, another scope than IML",
        where,
        ">= 0.92",
        f"{s.f1:.3f} ({low:.3f} to {high:.3f}; P {s.precision:.3f}, R {s.recall:.3f}; {s.fields} fields, {s.cells} cells)",
        s.f1 >= 0.92,
    )


def virtual_rows(finder: LearnedFinder, classifier: Classifier, seed: int) -> list[Figure]:
    """Count and parasites on a virtual slide that no training saw; cells the border cuts are left out on both sides."""
    spec = SlideSpec(seed=seed, bad_fields=0.0, parasitaemia=0.05)
    positive = classifier.card.positive_mask
    matches, scores, infected, lost = [], [], [], 0
    for index in range(VIRTUAL_FIELDS):
        rgb, truth = render_field(spec, index)
        cells = finder.find(rgb)
        boxes = cells.boxes[cells.kind == 0]
        red = np.array([t not in ("white cell", "platelet", "speck") for t in truth.types], bool)
        sick = red & np.array([t != "red blood cell" for t in truth.types], bool)
        true = grown(truth.boxes[red])
        matches.append(match_boxes(boxes, true, sick[red], rgb.shape[:2]))
        use, label, missed = parasites(boxes, true, sick[red], rgb.shape[:2])
        score = classifier.scores(crop_cells(rgb, boxes, classifier.card.crop))[:, positive].sum(axis=1)
        scores.append(score[use])
        infected.append(label[use])
        lost += missed
    found = _parasites(np.concatenate(scores), np.concatenate(infected), lost, seed, classifier.card)
    return [_counted(summarise(matches), seed), *found]


def _counted(s: Summary, seed: int) -> Figure:
    value = f"{s.count_bias:+.2%} (F1 {s.f1:.3f}, n = {s.cells})"
    return Figure("red cells counted against truth", _virtual(seed), "within 3 %", value, abs(s.count_bias) <= 0.03)


def _virtual(seed: int) -> str:
    return f"virtual slide, seed {seed}"


def _parasites(scores: np.ndarray, infected: np.ndarray, lost: int, seed: int, card: Card) -> list[Figure]:
    """At the threshold that lets 1 % of these uninfected finds through, and at the card's; lost ones are missed."""
    total = int(infected.sum()) + lost
    rows = []
    for what, limit, wanted in (
        ("parasites found, at <= 1 % false positives", at_false_positives(scores, infected, 0.01), 0.9),
        ("parasites found, at the card's threshold", card.threshold, None),
    ):
        found, rate = int((scores[infected] >= limit).sum()) / total, float((scores[~infected] >= limit).mean())
        value = f"{found:.3f} at {rate:.2%} (n = {total})"
        target, met = (NO_TARGET, None) if wanted is None else (f">= {wanted:.2f}", found >= wanted and rate <= 0.01)
        rows.append(Figure(what, _virtual(seed), target, value, met))
    return rows


def grown(boxes: np.ndarray) -> np.ndarray:
    """Tight boxes with the margin that annotators and finders leave: int [n, 4] to int32 [n, 4]."""
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    sides = boxes[:, 2:] * BOX_MARGIN
    return np.rint(np.hstack([centres - sides / 2, sides])).astype(np.int32)


def parasites(
    boxes: np.ndarray, truth: np.ndarray, sick: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Which finds count (spurious ones do), which of them are infected (bool [n] each), and how many infected cells were lost."""
    scored = inside(truth, shape, BORDER)
    use, label, hit = inside(boxes, shape, BORDER), np.zeros(len(boxes), bool), np.zeros(len(truth), bool)
    for i, j in pairs(iou(boxes, truth), 0.5):
        use[i], label[i], hit[j] = scored[j], sick[j], True
    return use, label, int((sick & scored & ~hit).sum())
