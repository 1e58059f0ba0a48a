"""Which value range, colour and class order a net was trained on: given, or found by trying them on cells of known class.

A net fed with the wrong ones is at chance or not far above it. What the user gave is never changed: where something else
fits far better, the work ends with a message that says what.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.cells import CellSet, some
from convert.measure.chance import ERROR_RATE, balanced_accuracy, probability_of_chance
from convert.measure.scoring import as_scores, outputs
from convert.net.rewrite import net_input
from convert.net.values import RANGES, ValueRange
from edge.types import FloatArray

MOST_TRIED = 13
"""Combinations of value range and colour that are tried at most."""

UNUSUAL = 0.2
"""What is not the usual must reach 1 / classes and so much more in balanced accuracy, for an untrained net answers by brightness,
which tells some cells right: ``python -m models strangers --limits`` measures how many (docs/strangers.md)."""

# Balanced accuracies, 0..1
_BETTER = 0.04  # a combination is better than the usual one by at least this much
_CHANCE = 0.12  # a net is at chance below 1 / classes + this, however many cells say so
_GOOD = 0.6  # a net fits from this share of the way between chance and 1
_LEAST_CELLS = 40  # with fewer, nothing can be told: then the usual combination is tried alone
_TRIED = ("0..1", "-1..1", "0..255")
_OWN_SCALING = ("Rescaling", "Normalization")
_OF_BYTES = 0.05  # a Rescaling by less than this is meant for bytes


@dataclass(frozen=True, slots=True)
class InputOptions:
    """What the user says about the net's input and outputs; None: nothing."""

    value_range: str | None = None
    colour: str | None = None
    logits: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What goes into the net and how its outputs are read.

    Attributes:
        values: the value range.
        colour: as in the card.
        logits: outputs are logits, not probabilities.
        swapped: the two classes are in the other order than the folders' names.
        notes: warnings for the report.
        tried: balanced accuracy of each combination that was tried.
        at_chance: nothing that was tried and may be chosen is better than chance.
    """

    values: ValueRange
    colour: str
    logits: bool
    swapped: bool = False
    notes: tuple[str, ...] = ()
    tried: tuple[tuple[str, float], ...] = ()
    at_chance: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
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
        return f"--value-range {self.values.name} --colour {self.colour}"


def default(model: Any, options: InputOptions) -> Preprocessing:
    """What was given, else the usual; nothing is tried."""
    values = RANGES[options.value_range or ("0..255" if _own_scaling(model) else "0..1")]
    colour = options.colour or values.colour or ("grey" if net_input(model).channels == 1 else "rgb")
    check_colour(model, values, colour)
    return Preprocessing(values, colour, options.logits)


def check_colour(model: Any, values: ValueRange, colour: str) -> None:
    """Raise CellsError for a colour that does not go with the net's channels."""
    channels = net_input(model).channels
    if (colour == "grey") != (channels == 1):
        raise CellsError(f"the net has {channels} input channel{'s' * (channels > 1)}: --colour {colour} does not fit")
    if values.mean and channels == 1:
        raise CellsError(f"--value-range {values.name} is for nets of three channels, this one has 1")


def find(
    model: Any, cells: CellSet, options: InputOptions, *, width: int, affordable: int, seed: int = 0
) -> Preprocessing:
    """Try on some cells of known class what was not given.

    Args:
        model: as trained.
        cells: at the net's own size.
        options: what was given; it is tried first and kept unless something else fits far better, which is refused.
        width: outputs of the net.
        affordable: cells that may be tried with each combination; where too few, only the usual one is tried.
        seed: random seed of the choice of cells.

    Raises:
        CellsError: accuracy is at chance with what was given, and far better with something else; says with what.
    """
    alone = affordable < _LEAST_CELLS
    cells = some(cells, max(affordable, _LEAST_CELLS), seed)
    first = default(model, options)
    trials, logits = [], options.logits
    for values, colour in _candidates(model, first, alone=alone):
        raw = outputs(model, cells.images, values, colour)
        logits = logits or bool(raw.min() < -0.01 or raw.max() > 1.01)
        trials.extend(_judged(raw, cells, values, colour, logits=logits, width=width))
    base, classes = trials[0], len(cells.labels)
    allowed = [t for t in trials if _keeps(t, first, options)]
    best, chosen = _most_usual(trials), _most_usual(allowed)
    if not _sound(chosen, base, len(trials), classes):
        chosen = base  # what may be luck is no better than the usual
    at_chance = not _sound(chosen, base, len(trials), classes)
    # Of a dozen combinations one may look better by luck, on an untrained net too: only a good one is worth refusing for
    if at_chance and best.accuracy > 1 / classes + _GOOD * (1 - 1 / classes):
        raise CellsError(_advice(chosen, best, cells.labels))
    elsewhere = at_chance and _sound(best, base, len(trials), classes)
    notes = _changes(chosen, base, cells.labels) + ([] if at_chance else _not_told_apart(chosen, allowed, len(cells)))
    if at_chance:
        notes.append(_of_chance(chosen, best, len(trials), cells.labels, elsewhere=elsewhere))
    elif best.accuracy > chosen.accuracy + _BETTER:
        by = f"{best.accuracy:.1%} against {chosen.accuracy:.1%}"
        notes.append(f"{best.words} would fit better: {by} on some of the cells")
    if logits and not options.logits:
        notes.append("the net's outputs are logits, not probabilities (they leave 0..1): read as such")
    kept = {f"{t.words}{' (classes swapped)' * t.swapped}": t.accuracy for t in trials}
    return Preprocessing(
        chosen.values, chosen.colour, logits, chosen.swapped, tuple(notes), tuple(kept.items()), at_chance
    )


def _most_usual(trials: list[_Trial]) -> _Trial:
    """The first, and so the most usual, that is not told apart from the one whose scores are nearest to the classes."""
    nearest = _nearest(trials)
    return next(one for one in trials if not _surer(nearest, one, len(trials)))


def _nearest(trials: list[_Trial]) -> _Trial:
    return min(trials, key=lambda one: float(one.misses.mean()))


def _surer(one: _Trial, other: _Trial, looks: int) -> bool:
    """Whether the scores of the first are nearer to the classes, cell by cell, than chance would have it.

    A paired, one-sided test of the mean difference; the error rate is divided among all that were tried (Bonferroni), since the
    nearest of a dozen is looked for.
    """
    gain = other.misses - one.misses
    error = float(gain.std()) / sqrt(len(gain))
    return bool(gain.mean() > 0 and 0.5 * erfc(float(gain.mean()) / max(error, 1e-9) / sqrt(2)) * looks < ERROR_RATE)


def _not_told_apart(chosen: _Trial, allowed: list[_Trial], cells: int) -> list[str]:
    """What is said where another combination fits about as well, and so may be what training did."""
    rivals = [one for one in allowed if one is not chosen and not _surer(chosen, one, 1)]
    if not rivals:
        return []
    other = _nearest(rivals)
    words = (
        f"{cells} cells do not tell {chosen.words} ({chosen.accuracy:.1%}) from {other.words} ({other.accuracy:.1%}): "
        "the more usual is taken; give the other if training read images so"
    )
    return [words]


def _sound(trial: _Trial, base: _Trial, looks: int, classes: int) -> bool:
    """Whether a combination is better than chance; what is not the usual one was looked for, in so many looks (Bonferroni)."""
    usual = trial is base
    least = 1 / classes + (_CHANCE if usual else min(UNUSUAL, (1 - 1 / classes) / 2))
    return trial.accuracy >= least and trial.by_chance * (1 if usual else looks) < ERROR_RATE


def _candidates(model: Any, first: Preprocessing, *, alone: bool) -> list[tuple[ValueRange, str]]:
    found = [(first.values, first.colour)]
    if alone:
        return found
    if _takes_bytes(model):  # it says so itself
        colours = (first.colour,) if first.colour == "grey" else ("rgb", "bgr", "hsv")
        return list(dict.fromkeys(found + [(RANGES["0..255"], colour) for colour in colours]))
    if net_input(model).channels == 1:
        found += [(RANGES[name], "grey") for name in (*_TRIED, "per-image")]
    else:
        found += [(RANGES[name], colour) for name in _TRIED for colour in ("rgb", "bgr", "hsv")]
        found += [(RANGES["caffe"], "bgr"), (RANGES["imagenet"], "rgb")]
        found += [(RANGES["per-image"], colour) for colour in ("rgb", "bgr")]
    return list(dict.fromkeys(found))


def _judged(
    raw: FloatArray, cells: CellSet, values: ValueRange, colour: str, *, logits: bool, width: int
) -> list[_Trial]:
    as_given = as_scores(raw, logits=logits)
    trials = []
    for swapped in (False, True) if width <= 2 else (False,):
        scores = as_given[:, ::-1] if swapped else as_given
        answer = scores.argmax(axis=1)
        misses = np.square(1 - scores[np.arange(len(cells)), cells.truth])
        accuracy, by_chance = balanced_accuracy(answer, cells), probability_of_chance(answer, cells)
        trials.append(_Trial(values, colour, swapped, accuracy, by_chance, misses))
    return trials


def _keeps(trial: _Trial, first: Preprocessing, options: InputOptions) -> bool:
    """Whether a combination agrees with all that was given."""
    return (
        (options.value_range is None or trial.values == first.values)
        and (options.colour is None or trial.colour == first.colour)
        and (not options.labels or not trial.swapped)
    )


def _advice(chosen: _Trial, best: _Trial, labels: tuple[str, ...]) -> str:
    swap = f" --labels {','.join(reversed(labels))}" if best.swapped else ""
    return (
        f"the float net is at chance on these cells ({chosen.accuracy:.1%} with {chosen.words}); "
        f"{best.accuracy:.1%} with {best.words}{swap}: give these"
    )


def _changes(chosen: _Trial, base: _Trial, labels: tuple[str, ...]) -> list[str]:
    """What was found by trying and is not the usual."""
    notes = []
    if (chosen.values, chosen.colour) != (base.values, base.colour):
        better = f"{chosen.accuracy:.1%} on some of the cells, {base.accuracy:.1%} with {base.words}"
        notes.append(f"found by trying: {chosen.words} ({better})")
    if chosen.swapped:
        order = ", ".join(reversed(labels))
        notes.append(f"found by trying: the net's class order is {order}, not that of the folders' names")
    return notes


def _of_chance(chosen: _Trial, best: _Trial, looks: int, labels: tuple[str, ...], *, elsewhere: bool) -> str:
    """What is said of a net that is at chance; ``elsewhere``: not with something that the user ruled out."""
    if elsewhere:
        swap = f" --labels {','.join(reversed(labels))}" * best.swapped
        return (
            f"the float net is at chance on these cells ({chosen.accuracy:.1%} with {chosen.words}), but not with "
            f"{best.words}{swap} ({best.accuracy:.1%}): the figures below say nothing of its worth unless that is mended"
        )
    return (
        f"the float net is at chance on these cells ({chosen.accuracy:.1%}), whatever value range, colour and class order "
        f"(the best of {looks}: {best.accuracy:.1%}, which luck may give): it was trained on other cells, or not at all. The figures "
        "below say nothing of its worth"
    )


def _takes_bytes(model: Any) -> bool:
    scaling = _own_scaling(model)
    scale = getattr(scaling, "scale", None)  # a Normalization has none
    return scale is not None and float(np.max(np.abs(scale))) < _OF_BYTES


def _own_scaling(model: Any) -> Any | None:
    """The scaling layer near the net's beginning, if there is one: then the net takes bytes, most likely."""
    layers = model.layers
    for _ in range(8):
        if not layers:
            return None
        head = layers[0]
        if hasattr(head, "layers"):
            layers = [*head.layers, *layers[1:]]
        elif type(head).__name__ in _OWN_SCALING:
            return head
        elif getattr(head, "weights", ()):
            return None
        else:
            layers = layers[1:]
    return None
