"""Which value range, colour and class order a net was trained on: given, or found by trying them on labelled cells.

A net fed with the wrong ones is at chance or not far above it, so cells of known class tell. What the user gave is never
changed: where something else fits far better, that is said and the work ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.cells import CellSet
from convert.measure.scoring import as_scores, outputs
from convert.net.rewrite import net_input
from convert.net.values import RANGES, ValueRange
from edge.types import FloatArray

_BETTER = 0.04
_CHANCE = 0.12
_GOOD = 0.6
_TRIED = ("0..1", "-1..1", "0..255")
_OWN_SCALING = ("Rescaling", "Normalization")
_OF_BYTES = 0.05  # a Rescaling by less than that is meant for bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user said of the net, None where nothing was said."""

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
        swapped: the two classes are the other way round than the folders' names.
        notes: what was found out, in words.
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


def default(model: Any, asked: Asked) -> Preprocessing:
    """Without cells to try on: what was given, else the usual."""
    values = RANGES[asked.value_range or ("0..255" if _own_scaling(model) else "0..1")]
    colour = asked.colour or values.colour or ("grey" if net_input(model).channels == 1 else "rgb")
    check_colour(model, values, colour)
    return Preprocessing(values, colour, asked.logits)


def check_colour(model: Any, values: ValueRange, colour: str) -> None:
    """Raise CellsError for a colour that does not go with the net's channels."""
    channels = net_input(model).channels
    if (colour == "grey") != (channels == 1):
        raise CellsError(
            f"the net's input has {channels} channel{'s' * (channels > 1)}: --colour {colour} does not fit"
        )
    if values.mean and channels == 1:
        raise CellsError(f"--value-range {values.name} is for nets of three channels, this one has 1")


def find(model: Any, cells: CellSet, asked: Asked, *, width: int, alone: bool) -> Preprocessing:
    """Try what was not given on some cells of known class, as trained (their size is the net's own).

    Args:
        model: as trained.
        cells: a few hundred.
        asked: what was given; it is tried first and kept unless something else fits far better, which is refused.
        width: outputs of the net.
        alone: the net is too large to try more than the one.

    Raises:
        CellsError: accuracy is at chance with what was given, and far better with something else; says with what.
    """
    first = default(model, asked)
    trials, logits = [], asked.logits
    for values, colour in _candidates(model, first, alone=alone):
        raw = outputs(model, cells.images, values, colour)
        logits = logits or bool(raw.min() < -0.01 or raw.max() > 1.01)
        trials.extend(_judged(raw, cells, values, colour, logits=logits, width=width))
    base = trials[0]
    most = max(one.accuracy for one in trials)
    best = next(one for one in trials if one.accuracy >= most - _BETTER / 2)  # the more usual come first
    allowed = [t for t in trials if _keeps(t, first, asked)]
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
    if logits and not asked.logits:
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


def _keeps(trial: _Trial, first: Preprocessing, asked: Asked) -> bool:
    return (
        (asked.value_range is None or trial.values == first.values)
        and (asked.colour is None or trial.colour == first.colour)
        and (not asked.labels or not trial.swapped)
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
        notes.append(
            f"found by trying: {chosen.words} ({chosen.accuracy:.1%} on some of the cells, {base.accuracy:.1%} with {base.words})"
        )
    if chosen.swapped:
        notes.append(
            f"found by trying: the net's class order is {', '.join(reversed(labels))}, not that of the folders' names"
        )
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
        notes.append(
            f"{best.words} would fit better: {best.accuracy:.1%} against {chosen.accuracy:.1%} on some of the cells"
        )
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


def with_order(labels: tuple[str, ...], *, swapped: bool) -> tuple[str, ...]:
    """Labels in the order of the net's outputs."""
    return tuple(reversed(labels)) if swapped else labels
