"""Combinations of value range and colour, tried on cells of known class; which of two fits better, by more than luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np

from convert.measure.cells import CellSet
from convert.measure.chance import ERROR_RATE, balanced_accuracy, probability_of_chance
from convert.measure.scoring import as_scores, outputs
from convert.net.values import ValueRange
from edge.types import FloatArray

MOST_TRIED = 13
"""Combinations of value range and colour that are tried at most."""

_FIRST_CELLS = 80  # on which all combinations are tried; what is surely worse there is tried on no others
_USUALLY_LEFT = 3  # combinations


@dataclass(frozen=True, slots=True, eq=False)
class InputTrial:
    """One combination.

    Attributes:
        accuracy: balanced, 0..1.
        by_chance: the probability that guessing is as good.
        misses: squared distance from 1 of each cell's score for its own class (Brier), float [n].
    """

    values: ValueRange
    colour: str
    swapped: bool
    accuracy: float
    by_chance: float
    misses: FloatArray

    @property
    def words(self) -> str:
        """The options that stand for it."""
        return f"--value-range {self.values.name} --colour {self.colour}"

    def __str__(self) -> str:
        return f"{self.words}{' (classes swapped)' * self.swapped}"


@dataclass(frozen=True, slots=True)
class InputTrials:
    """What was tried.

    Attributes:
        left: those that are not surely worse, on all cells; the most usual one first.
        accuracy: balanced accuracy 0..1 of each combination in words, of those that are not left too.
        logits: the net's outputs are logits.
    """

    left: tuple[InputTrial, ...]
    accuracy: dict[str, float]
    logits: bool


def images_fed(cells: int) -> int:
    """How many images trying all combinations on so many cells usually takes."""
    return MOST_TRIED * min(cells, _FIRST_CELLS) + _USUALLY_LEFT * max(0, cells - _FIRST_CELLS)


def cells_for(images: float) -> int:
    """On how many cells all combinations can be tried with so many images."""
    first = images_fed(_FIRST_CELLS)
    return int(images / MOST_TRIED if images < first else _FIRST_CELLS + (images - first) / _USUALLY_LEFT)


def try_all(
    model: Any,
    cells: CellSet,
    candidates: Sequence[tuple[ValueRange, str]],
    keeps: Callable[[InputTrial], bool],
    *,
    logits: bool,
) -> InputTrials:
    """Try value ranges and colours, the most usual first.

    All are tried on some of the cells. Those that are surely worse there than the best, and than the best that ``keeps`` what was
    given, are not tried on the others: that would take most of the time.

    Args:
        model: as trained.
        cells: at the net's own size.
        candidates: value ranges and colours.
        keeps: whether a trial agrees with what the user gave.
        logits: the outputs are known to be logits.
    """
    few, rest = cells, cells.take(np.arange(0))
    if len(cells) >= 2 * _FIRST_CELLS:
        few, rest = cells.take(np.arange(_FIRST_CELLS)), cells.take(np.arange(_FIRST_CELLS, len(cells)))
    raws = [outputs(model, few.images, *one) for one in candidates]
    logits = logits or any(bool(raw.min() < -0.01 or raw.max() > 1.01) for raw in raws)
    pairs = list(zip(candidates, raws, strict=True))
    found = [trial for one, raw in pairs for trial in _judged(raw, few, *one, logits=logits)]
    accuracy = {str(one): one.accuracy for one in found}
    if not len(rest):
        return InputTrials(tuple(found), accuracy, logits)
    best, given, looks = nearest(found), nearest([one for one in found if keeps(one)]), len(found)
    alive = {
        (one.values.name, one.colour)
        for one in found
        if one is found[0] or not surer(best, one, looks) or (keeps(one) and not surer(given, one, looks))
    }
    left: list[InputTrial] = []
    for one, raw in pairs:
        if (one[0].name, one[1]) in alive:
            whole = np.concatenate([raw, outputs(model, rest.images, *one)])
            left += _judged(whole, cells, *one, logits=logits)
    return InputTrials(tuple(left), accuracy | {str(one): one.accuracy for one in left}, logits)


def most_usual(trials: Sequence[InputTrial], looks: int) -> InputTrial:
    """The first, and so the most usual, that is not told apart from the one whose scores are nearest to the classes.

    ``looks``: how many were tried in all.
    """
    best = nearest(trials)
    return next(one for one in trials if not surer(best, one, looks))


def nearest(trials: Sequence[InputTrial]) -> InputTrial:
    """The one whose scores are nearest to the classes."""
    return min(trials, key=lambda one: float(one.misses.mean()))


def surer(one: InputTrial, other: InputTrial, looks: int) -> bool:
    """Whether the scores of the first are nearer to the classes, cell by cell, than chance would have it.

    A paired, one-sided test of the mean difference; the error rate is divided among all that were tried (Bonferroni), since the
    nearest of a dozen is looked for.
    """
    gain = other.misses - one.misses
    error = float(gain.std()) / sqrt(len(gain))
    return bool(gain.mean() > 0 and 0.5 * erfc(float(gain.mean()) / max(error, 1e-9) / sqrt(2)) * looks < ERROR_RATE)


def _judged(raw: FloatArray, cells: CellSet, values: ValueRange, colour: str, *, logits: bool) -> list[InputTrial]:
    as_given = as_scores(raw, logits=logits)
    trials = []
    for swapped in (False, True) if as_given.shape[1] == 2 else (False,):
        scores = as_given[:, ::-1] if swapped else as_given
        answer = scores.argmax(axis=1)
        misses = np.square(1 - scores[np.arange(len(cells)), cells.truth])
        accuracy, by_chance = balanced_accuracy(answer, cells), probability_of_chance(answer, cells)
        trials.append(InputTrial(values, colour, swapped, accuracy, by_chance, misses))
    return trials
