"""Whether answers about cells are better than chance: balanced accuracy against 1 / classes, slide by slide where slides are known.

The test is t = (accuracy - 1 / classes) / error, one-sided. The error is the larger of what guessing would have (binomial) and what
the differences between slides show (residuals added up per slide): cells of one slide are alike, and count for less than
as many of different slides. Whoever has tried several things divides the error rate by their number (Bonferroni).
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from convert.measure.cells import CellSet
from edge.verdict.tails import beta_cdf

ERROR_RATE = 0.01
"""Probability of calling an answer better than chance that is not."""

_FEW_SLIDES = 6  # with fewer, their differences say too little, and cells are taken as they are


def balanced_accuracy(guess: np.ndarray, cells: CellSet) -> float:
    """Mean over the classes of the share of their cells that is right, 0..1; ``guess``: int [n]."""
    return float(np.mean([(guess[cells.truth == i] == i).mean() for i in range(len(cells.labels))]))


def probability_of_chance(guess: np.ndarray, cells: CellSet) -> float:
    """The probability that guessing is as good or better, 0..1; ``guess``: class of each cell, int [n]."""
    classes = len(cells.labels)
    counts = np.bincount(cells.truth, minlength=classes)
    right = guess == cells.truth
    recall = np.array([right[cells.truth == i].mean() for i in range(classes)])
    chance = 1 / classes
    guessing = sqrt(float((chance * (1 - chance) / counts).sum())) / classes
    above = float(recall.mean()) - chance
    slides, member = np.unique(cells.groups, return_inverse=True)
    if not cells.grouped or len(slides) < _FEW_SLIDES:
        return 0.5 * erfc(above / guessing / sqrt(2))
    residuals = (right - recall[cells.truth]) / counts[cells.truth] / classes
    freedom = len(slides) - 1
    between = sqrt(float((np.bincount(member, residuals) ** 2).sum()) * len(slides) / freedom)
    t = above / max(guessing, between)
    tail = float(beta_cdf(freedom / 2, 0.5, freedom / (freedom + t * t))) / 2
    return tail if t > 0 else 1 - tail
