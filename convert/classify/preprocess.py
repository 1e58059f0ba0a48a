"""Which value range, colour and class order a net was trained on: given, or found by trying them on cells of known class.

A net fed with the wrong ones is at chance or not far above it. What the user gave is never changed: where something else
fits far better, the work ends with a message that says what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.classify.trials import InputTrial, most_usual, nearest, surer, try_all
from convert.errors import CellsError
from convert.measure.cells import CellSet, some
from convert.measure.chance import ERROR_RATE
from convert.net.rewrite import net_input
from convert.net.values import RANGES, ValueRange

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


def find(model: Any, cells: CellSet, options: InputOptions, *, affordable: int, seed: int = 0) -> Preprocessing:
    """Try on some cells of known class what was not given.

    Args:
        model: as trained.
        cells: at the net's own size.
        options: what was given; it is tried first and kept unless something else fits far better, which is refused.
        affordable: cells that may be tried with each combination; where too few, only the usual one is tried.
        seed: random seed of the choice of cells.

    Raises:
        CellsError: accuracy is at chance with what was given, and far better with something else; says with what.
    """
    alone = affordable < _LEAST_CELLS
    cells = some(cells, max(affordable, _LEAST_CELLS), seed)
    first = default(model, options)
    found = try_all(
        model,
        cells,
        _candidates(model, first, alone=alone),
        lambda one: _keeps(one, first, options),
        logits=options.logits,
    )
    trials, looks, logits = found.left, len(found.accuracy), found.logits
    base, classes = trials[0], len(cells.labels)
    allowed = [t for t in trials if _keeps(t, first, options)]
    best, chosen = most_usual(trials, looks), most_usual(allowed, looks)
    if not _sound(chosen, base, looks, classes):
        chosen = base  # what may be luck is no better than the usual
    at_chance = not _sound(chosen, base, looks, classes)
    # Of a dozen combinations one may look better by luck, on an untrained net too: only a good one is worth refusing for
    if at_chance and best.accuracy > 1 / classes + _GOOD * (1 - 1 / classes):
        raise CellsError(_advice(chosen, best, cells.labels))
    elsewhere = at_chance and _sound(best, base, looks, classes)
    notes = _changes(chosen, base, cells.labels) + ([] if at_chance else _not_told_apart(chosen, allowed, len(cells)))
    if at_chance:
        notes.append(_of_chance(chosen, best, looks, cells.labels, elsewhere=elsewhere))
    elif best.accuracy > chosen.accuracy + _BETTER:
        by = f"{best.accuracy:.1%} against {chosen.accuracy:.1%}"
        notes.append(f"{best.words} would fit better: {by} on some of the cells")
    if logits and not options.logits:
        notes.append("the net's outputs are logits, not probabilities (they leave 0..1): read as such")
    return Preprocessing(
        chosen.values, chosen.colour, logits, chosen.swapped, tuple(notes), tuple(found.accuracy.items()), at_chance
    )


def _not_told_apart(chosen: InputTrial, allowed: list[InputTrial], cells: int) -> list[str]:
    """What is said where another combination fits about as well, and so may be what training did."""
    rivals = [one for one in allowed if one is not chosen and not surer(chosen, one, 1)]
    if not rivals:
        return []
    other = nearest(rivals)
    words = (
        f"{cells} cells do not tell {chosen.words} ({chosen.accuracy:.1%}) from {other.words} ({other.accuracy:.1%}): "
        "the more usual is taken; give the other if training read images so"
    )
    return [words]


def _sound(trial: InputTrial, base: InputTrial, looks: int, classes: int) -> bool:
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


def _keeps(trial: InputTrial, first: Preprocessing, options: InputOptions) -> bool:
    """Whether a combination agrees with all that was given."""
    return (
        (options.value_range is None or trial.values == first.values)
        and (options.colour is None or trial.colour == first.colour)
        and (not options.labels or not trial.swapped)
    )


def _advice(chosen: InputTrial, best: InputTrial, labels: tuple[str, ...]) -> str:
    swap = f" --labels {','.join(reversed(labels))}" if best.swapped else ""
    return (
        f"the float net is at chance on these cells ({chosen.accuracy:.1%} with {chosen.words}); "
        f"{best.accuracy:.1%} with {best.words}{swap}: give these"
    )


def _changes(chosen: InputTrial, base: InputTrial, labels: tuple[str, ...]) -> list[str]:
    """What was found by trying and is not the usual."""
    notes = []
    if (chosen.values, chosen.colour) != (base.values, base.colour):
        better = f"{chosen.accuracy:.1%} on some of the cells, {base.accuracy:.1%} with {base.words}"
        notes.append(f"found by trying: {chosen.words} ({better})")
    if chosen.swapped:
        order = ", ".join(reversed(labels))
        notes.append(f"found by trying: the net's class order is {order}, not that of the folders' names")
    return notes


def _of_chance(chosen: InputTrial, best: InputTrial, looks: int, labels: tuple[str, ...], *, elsewhere: bool) -> str:
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
