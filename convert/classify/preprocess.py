"""Which value range, colour and class order a net was trained on: given, or found by trying them on cells of known class.

A net fed with the wrong ones is at chance or not far above it. What the user gave is never changed: where something else
fits far better, the work ends with a message that says what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.cells import CellSet, some
from convert.measure.scoring import as_scores, outputs
from convert.net.rewrite import net_input
from convert.net.values import RANGES, ValueRange
from edge.types import FloatArray

# Balanced accuracies, 0..1
_BETTER = 0.04  # a combination is better than the usual one by at least this much
_CHANCE = 0.12  # a net is at chance below 1 / classes + this
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
    """

    values: ValueRange
    colour: str
    logits: bool
    swapped: bool = False
    notes: tuple[str, ...] = ()
    tried: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Trial:
    values: ValueRange
    colour: str
    swapped: bool
    accuracy: float

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
    base = trials[0]
    most = max(one.accuracy for one in trials)
    best = next(one for one in trials if one.accuracy >= most - _BETTER / 2)  # the more usual come first
    allowed = [t for t in trials if _keeps(t, first, options)]
    top = max(one.accuracy for one in allowed)
    chosen = next(one for one in allowed if one.accuracy >= top - _BETTER / 2)  # the more usual come first
    chance = 1 / len(cells.labels) + _CHANCE
    if chosen.accuracy < max(chance, base.accuracy + _BETTER):
        chosen = base  # what is at chance is no better than the usual
    # Of a dozen combinations one may look better by luck, on an untrained net too: only a good one is worth refusing for
    fits = 1 / len(cells.labels) + _GOOD * (1 - 1 / len(cells.labels))
    if chosen.accuracy < chance and best.accuracy > fits:
        raise CellsError(_advice(chosen, best, cells.labels))
    notes = _notes(chosen, base, best, chance, cells.labels)
    if logits and not options.logits:
        notes.append("the net's outputs are logits, not probabilities (they leave 0..1): read as such")
    kept = {f"{t.words}{' (classes swapped)' * t.swapped}": t.accuracy for t in trials}
    return Preprocessing(chosen.values, chosen.colour, logits, chosen.swapped, tuple(notes), tuple(kept.items()))


def _candidates(model: Any, first: Preprocessing, *, alone: bool) -> list[tuple[ValueRange, str]]:
    found = [(first.values, first.colour)]
    if alone:
        return found
    if _takes_bytes(model):  # it says so itself
        colours = (first.colour,) if first.colour == "grey" else ("rgb", "bgr", "hsv")
        return list(dict.fromkeys(found + [(RANGES["0..255"], colour) for colour in colours]))
    if net_input(model).channels == 1:
        found += [(RANGES[name], "grey") for name in _TRIED]
    else:
        found += [(RANGES[name], colour) for name in _TRIED for colour in ("rgb", "bgr", "hsv")]
        found += [(RANGES["caffe"], "bgr"), (RANGES["imagenet"], "rgb")]
    return list(dict.fromkeys(found))


def _judged(
    raw: FloatArray, cells: CellSet, values: ValueRange, colour: str, *, logits: bool, width: int
) -> list[_Trial]:
    guess = as_scores(raw, logits=logits).argmax(axis=1)
    swaps = (False, True) if width <= 2 else (False,)
    return [_Trial(values, colour, swap, _balanced(1 - guess if swap else guess, cells)) for swap in swaps]


def _balanced(guess: np.ndarray, cells: CellSet) -> float:
    return float(np.mean([(guess[cells.truth == i] == i).mean() for i in range(len(cells.labels))]))


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


def _notes(chosen: _Trial, base: _Trial, best: _Trial, chance: float, labels: tuple[str, ...]) -> list[str]:
    notes = []
    if (chosen.values, chosen.colour) != (base.values, base.colour):
        better = f"{chosen.accuracy:.1%} on some of the cells, {base.accuracy:.1%} with {base.words}"
        notes.append(f"found by trying: {chosen.words} ({better})")
    if chosen.swapped:
        order = ", ".join(reversed(labels))
        notes.append(f"found by trying: the net's class order is {order}, not that of the folders' names")
    if chosen.accuracy < chance <= best.accuracy:
        swap = f" --labels {','.join(reversed(labels))}" * best.swapped
        notes.append(
            f"the float net is at chance on these cells ({chosen.accuracy:.1%} with {chosen.words}), but not with "
            f"{best.words}{swap} ({best.accuracy:.1%}): the figures below say nothing of its worth unless that is mended"
        )
    elif chosen.accuracy < chance:
        notes.append(
            f"the float net is at chance on these cells ({chosen.accuracy:.1%}), whatever value range, colour and class order: "
            "it was trained on other cells, or not at all. The figures below say nothing of its worth"
        )
    elif best.accuracy > chosen.accuracy + _BETTER:
        better = f"{best.accuracy:.1%} against {chosen.accuracy:.1%}"
        notes.append(f"{best.words} would fit better: {better} on some of the cells")
    return notes


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
