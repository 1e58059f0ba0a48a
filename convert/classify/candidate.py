"""The device file of one way to 32 x 32: quantised, compared with its float file, and rescued where int8 loses too much.

A ladder of recipes is climbed until the int8 file is as good as the float one: more calibration cells, fewer (narrower ranges),
the small dense layers at the end in float, the worst layers in float, the first ones; and, only where the gate would not be
passed, quantisation-aware fine-tuning. All is chosen on cells that do not judge the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify.finetune import fine_tuned
from convert.classify.loss import losses
from convert.classify.ways import Way
from convert.errors import UnsupportedError
from convert.measure.cells import CellSet, draws, some
from convert.measure.operating import HALF, Operating
from convert.measure.scoring import decide, device_scores
from convert.net.batch import CONVERTED_AT, check_batches, feed
from convert.net.int8 import LayerError, QuantisationRecipe, layer_errors, quantise, to_float, worst_with_next
from convert.net.values import ValueRange
from edge.crops import to_colour
from edge.macs import macs
from edge.modelfile import Card
from edge.types import FloatArray

_FEW = 100  # calibration cells: narrower ranges, finer steps
_ONE_BY_ONE = 5  # cells on which a batch is compared with its cells one by one
_NO_GATE = 100.0  # points of accuracy
_BETTER = 0.9  # a step of the ladder counts only where it loses so much less than the best before it
_CHOOSING_SHARE = 1 / 3  # of the calibration cells chooses
_CHOOSING_CELLS = 600  # fewer calibration cells are not divided
_CHOOSING_SLIDES = 6  # nor fewer slides
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
INT8 = "int8"
"""The recipe of the first step: all layers int8."""


@dataclass(frozen=True, slots=True)
class QuantizePlan:
    """What all candidates share: cells, limits and the rule for the threshold.

    Attributes:
        calibration: cells from which the ranges are taken.
        choose: cells on which recipe, way and threshold are chosen; never those that judge.
        values: value range of the graph's input.
        card: labels and colour; output kind and threshold are set per candidate.
        limit: most that accuracy may drop, in points, below ``reference``; 100: no gate, and nothing is rescued.
        reference: accuracy 0..1 of the float net as trained on ``choose``, cut as on the device; None: no classes are known.
        operating: how the threshold is chosen.
        apart: the cells that choose do not calibrate.
        cells: calibration cells of the first recipe.
        more_cells: calibration cells of the recipe that takes more.
        seed: random seed of the choice of calibration cells.
        scores: of the float net as trained on ``choose`` as its author cut it, float32 [n, labels]; None: likewise.
    """

    calibration: CellSet
    choose: CellSet
    values: ValueRange
    card: Card
    limit: float
    reference: float | None
    operating: Operating
    apart: bool = False
    cells: int = 500
    more_cells: int = 2000
    seed: int = 0
    scores: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A device file and what it is worth.

    Attributes:
        way: the way to 32 x 32.
        recipe: ``int8`` or what rescued it.
        flatbuffer: the file.
        float_file: the same net in float.
        card: card for scoring, with the right output kind and threshold.
        accuracy: int8, 0..1, on the cells that choose; None where the cells' classes are unknown.
        lost: by quantising, on the same cells, in units of what is tolerable (``convert.classify.loss``).
        calibrated_on: calibration cells used.
        value_range: name of the value range of its input.
        layers: per-layer error, in the order of data.
        tried: what was tried, and its largest loss.
        scores: of int8 on the cells that choose, float32 [n, labels]; None where their classes are unknown.
    """

    way: str
    recipe: str
    flatbuffer: bytes
    float_file: bytes
    card: Card
    accuracy: float | None
    lost: dict[str, float]
    calibrated_on: int
    value_range: str
    layers: tuple[LayerError, ...] = ()
    tried: tuple[tuple[str, float], ...] = ()
    scores: FloatArray | None = None

    @property
    def worst(self) -> float:
        """The largest loss, 1 being as much as is tolerable."""
        return max(self.lost.values())


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One step of the ladder.

    Attributes:
        name: as the report says it.
        recipe: what stays float.
        cells: calibration cells.
        tuned: after fine-tuning.
        last: only where the gate would not be passed.
    """

    name: str
    recipe: QuantisationRecipe
    cells: int
    tuned: bool = False
    last: bool = False


def divide(cells: CellSet, seed: int) -> tuple[CellSet, CellSet]:
    """(calibration, choose): whole slides where they are known. Where cells or slides are few both are all of them."""
    if len(cells) < _CHOOSING_CELLS or len(np.unique(cells.groups)) < _CHOOSING_SLIDES:
        return cells, cells
    for chosen in draws(cells.groups, f"choose/{seed}", _CHOOSING_SHARE, f"choose/{seed}/0"):
        if all(len(np.unique(cells.truth[part])) == len(cells.labels) for part in (chosen, ~chosen)):
            return cells.take(~chosen), cells.take(chosen)
    return cells, cells


def passes(candidate: Candidate, plan: QuantizePlan) -> bool:
    """Whether the gate would be passed, by the cells that choose."""
    if plan.reference is None or candidate.accuracy is None:
        return True
    return within(plan.reference, candidate.accuracy, plan.limit, len(plan.choose))


def within(reference: float, share: float, limit: float, cells: int) -> bool:
    """Whether this accuracy is as near to the reference as the gate asks, on so many cells."""
    return (reference - share) * 100 <= allowed(limit, cells)


def allowed(limit: float, cells: int) -> float:
    """Points of accuracy that may be lost on so many cells: the gate's limit, but always one cell, unless it is 0."""
    return (max(limit, 100 / cells) if limit > 0 else 0.0) + 1e-9


def make(way: Way, plan: QuantizePlan, progress: Progress) -> Candidate:
    """Make the device file of one way; climbs the ladder where int8 loses too much. The best is returned, pass or not."""
    work = _CandidateMaker(way, plan, progress)
    best = work.attempt(LadderStep(INT8, QuantisationRecipe(), plan.cells))
    progress(f"{way.name}: error of each layer", -1)
    layers = work.layers()
    tried = [(best.recipe, best.worst)]
    for step in _ladder(layers, plan) if work.worth_rescuing else ():
        if best.worst <= 1 or (step.last and passes(best, plan)):
            break
        try:
            other = work.attempt(step)
        except UnsupportedError as error:
            progress(f"{way.name}: {step.name} does not work: {error}", -1)
            continue
        tried.append((step.name, other.worst))
        if other.worst < _BETTER * best.worst:
            best = other
    return replace(best, layers=layers, tried=tuple(tried))


class _CandidateMaker:
    """What the tries of one way share: its float file and that file's scores."""

    def __init__(self, way: Way, plan: QuantizePlan, progress: Progress) -> None:
        output = "logit" if way.logits else "probability"
        card = replace(plan.card, output=output, colour=way.colour or plan.card.colour)
        self.way, self.card, self.plan, self.progress = way, card, plan, progress
        self.values = way.values or plan.values
        progress(f"{way.name}: float file", -1)
        self.static = way.make(CONVERTED_AT, False)
        self.float_file = to_float(way.make(CONVERTED_AT, True))
        self.few = to_colour(plan.choose.images[:_ONE_BY_ONE], card.colour)
        check_batches(self.float_file, self.few, way.name)
        self.float_scores = device_scores(self.float_file, card, plan.choose.images)
        self.float_threshold = plan.operating.threshold(self.float_scores, plan.choose, card)

    @property
    def worth_rescuing(self) -> bool:
        """Whether there is a gate, and the float file of this way would pass it."""
        if self.plan.limit >= _NO_GATE or self.plan.reference is None:
            return self.plan.limit < _NO_GATE
        share = accuracy(self.float_scores, self.plan.choose, self.card)
        return within(self.plan.reference, share, self.plan.limit, len(self.plan.choose))

    def attempt(self, step: LadderStep) -> Candidate:
        plan = self.plan
        chosen = some(plan.calibration, step.cells, plan.seed)
        self.progress(f"{self.way.name}: {step.name}, calibrating", -1)
        with self.net(step, chosen) as net:
            fed = feed(to_colour(chosen.images, self.card.colour), self.values)
            flatbuffer = quantise(net, fed, step.recipe, images=self.few, name=self.way.name)
        self.progress(f"{self.way.name}: {step.name}, checking", -1)
        scores = device_scores(flatbuffer, self.card, plan.choose.images)
        card = replace(self.card, threshold=plan.operating.threshold(scores, plan.choose, self.card))
        limit = None if plan.reference is None else plan.limit
        floats, int8 = (self.float_scores, self.float_threshold), (scores, card.threshold)
        return Candidate(
            way=self.way.name,
            recipe=step.name,
            flatbuffer=flatbuffer,
            float_file=self.float_file,
            card=card,
            accuracy=None if limit is None else accuracy(scores, plan.choose, card),
            lost=losses(floats, int8, plan.choose, card, limit),
            calibrated_on=len(chosen),
            value_range=self.values.name,
            scores=None if limit is None else scores,
        )

    def net(self, step: LadderStep, chosen: CellSet) -> AbstractContextManager[Any]:
        if step.tuned:
            fed = self.values.values(to_colour(chosen.images, self.card.colour))
            return fine_tuned(self.way.make(None, False), fed, macs(self.float_file), self.plan.seed, self.progress)
        return nullcontext(self.static)

    def layers(self) -> tuple[LayerError, ...]:
        few = some(self.plan.calibration, int(np.clip(self.plan.more_cells // 100, 1, 10)), self.plan.seed + 1)
        ranges = some(self.plan.calibration, min(_FEW, self.plan.cells), self.plan.seed)
        fed = [feed(to_colour(cells.images, self.card.colour), self.values) for cells in (few, ranges)]
        return tuple(layer_errors(self.static, *fed))


def accuracy(scores: FloatArray, cells: CellSet, card: Card) -> float:
    """Share of cells counted as what they are, 0..1, from one half: an operating threshold moves with chance, this does not."""
    return float((decide(scores, card.labels, card.positive, HALF) == cells.truth).mean())


def _ladder(layers: tuple[LayerError, ...], plan: QuantizePlan) -> Iterator[LadderStep]:
    if len(plan.calibration) > plan.cells:
        yield LadderStep("int8 with more calibration cells", QuantisationRecipe(), plan.more_cells)
    if min(plan.cells, len(plan.calibration)) > _FEW:
        yield LadderStep(
            "int8 with fewer calibration cells", QuantisationRecipe(), _FEW
        )  # narrower ranges, finer steps
    dense = [i for i, layer in enumerate(layers) if layer.op == "FULLY_CONNECTED"]
    tail = layers[dense[0] + 1 :] if dense else ()  # the first dense layer has nearly all the weights
    if tail:
        kept = tuple(layer.tensor for layer in tail)
        yield LadderStep(
            "int8, the small dense layers at the end in float", QuantisationRecipe(float_layers=kept), plan.cells
        )
    if worst := worst_with_next(layers):
        yield LadderStep(
            f"int8, the {len(worst)} worst layers in float", QuantisationRecipe(float_layers=worst), plan.cells
        )
    if first := _first(layers):
        yield LadderStep("int8, the first layers in float", QuantisationRecipe(float_layers=first), plan.cells)
    yield LadderStep(
        "int8 after quantisation-aware fine-tuning", QuantisationRecipe(), plan.more_cells, tuned=True, last=True
    )


def _first(layers: tuple[LayerError, ...]) -> tuple[str, ...]:
    """All up to the second convolution's input: a small signal on a large constant has few steps there."""
    convolutions = [i for i, layer in enumerate(layers) if layer.op in _CONVOLUTIONS]
    return tuple(layer.tensor for layer in layers[: convolutions[1]]) if len(convolutions) > 1 else ()
