"""Count and parasites on virtual slides that no training saw: what is drawn is known exactly."""

from __future__ import annotations

import numpy as np

from convert.measure.matching import FinderSummary, assign, summarise
from convert.measure.single import BOX_MARGIN
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card
from edge.virtual_slide import SlideSpec, render_field
from models.judge.finder_thresholds import at_false_positives
from models.judge.scores import suspicion
from models.report.figure import NO_TARGET, Figure

VIRTUAL_SEEDS = (1, 2, 3)
"""Random seeds of the slides; training draws slides of other seeds (``models.data.virtual``)."""

VIRTUAL_FIELDS = 30
"""Fields of each slide that are drawn."""

_BIAS, _FOUND, _RATE = 0.03, 0.9, 0.01  # targets: count bias, parasites found, and at which share of false positives


def virtual_rows(finder: LearnedFinder, classifier: Classifier, seed: int) -> list[Figure]:
    """The rows of one slide; cells that the border cuts are left out on both sides, spurious finds count as uninfected."""
    spec = SlideSpec(seed=seed, bad_fields=0.0, parasitaemia=0.05)
    matches, scores, infected, lost = [], [], [], 0
    for index in range(VIRTUAL_FIELDS):
        rgb, truth = render_field(spec, index)
        cells = finder.find(rgb)
        boxes = cells.boxes[cells.kind == 0]
        red = np.array([t not in ("white cell", "platelet", "speck") for t in truth.types], bool)
        sick = np.array([t != "red blood cell" for t in truth.types], bool)[red]
        match = assign(boxes, grown(truth.boxes[red]), (rgb.shape[0], rgb.shape[1]))
        matches.append(match.match(sick))
        score = suspicion(classifier.scores(crop_cells(rgb, boxes, classifier.card.crop)), classifier.card)
        scores.append(score[match.counts])
        infected.append(match.of_finds(sick, otherwise=False)[match.counts])
        lost += matches[-1].infected_lost
    found = _parasites(np.concatenate(scores), np.concatenate(infected), lost, seed, classifier.card)
    return [_counted(summarise(matches), seed), *found]


def _counted(s: FinderSummary, seed: int) -> Figure:
    value = f"{s.count_bias:+.2%} (F1 {s.f1:.3f}, n = {s.cells})"
    return Figure("red cells counted against truth", _virtual(seed), "within 3 %", value, abs(s.count_bias) <= _BIAS)


def _virtual(seed: int) -> str:
    return f"virtual slide, seed {seed}"


def _parasites(scores: np.ndarray, infected: np.ndarray, lost: int, seed: int, card: Card) -> list[Figure]:
    """At the threshold that lets 1 % of these uninfected finds through, and at the card's; lost ones are missed."""
    total = int(infected.sum()) + lost
    rows = []
    for what, limit, wanted in (
        ("parasites found, at <= 1 % false positives", at_false_positives(scores, infected, _RATE), _FOUND),
        ("parasites found, at the card's threshold", card.threshold, None),
    ):
        found, rate = int((scores[infected] >= limit).sum()) / total, float((scores[~infected] >= limit).mean())
        value = f"{found:.3f} at {rate:.2%} (n = {total})"
        target, met = f"{NO_TARGET} yet", None
        if wanted is not None:
            target, met = f">= {wanted:.2f}", found >= wanted and rate <= _RATE
        rows.append(Figure(what, _virtual(seed), target, value, met))
    return rows


def grown(boxes: np.ndarray) -> np.ndarray:
    """Tight boxes with the margin that annotators and finders leave: int [n, 4] to int32 [n, 4]."""
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    sides = boxes[:, 2:] * BOX_MARGIN
    return np.rint(np.hstack([centres - sides / 2, sides])).astype(np.int32)
