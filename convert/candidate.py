"""One way made into a device file and judged: quantised, scored in the device's runtime, and rescued where int8 loses too much.

The ladder, tried in this order until the int8 file is as good as the float one: more calibration cells, fewer
(narrower ranges), the small dense layers at the end in float, the worst layers in float, 16-bit activations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from convert.cells import CellSet, some
from convert.errors import UnsupportedError
from convert.int8 import LayerError, Recipe, layer_errors, quantise, to_float
from convert.metrics import auc
from convert.scoring import decide, device_scores
from convert.values import ValueRange
from convert.ways import Way
from edge.crops import to_colour
from edge.modelfile import Card
from edge.types import FloatArray

Progress = Callable[[str, float], None]
_WORST = 4
_FEW = 100
_NO_GATE = 100.0
_AUC_DROP = 0.002
_AGREEMENT = 0.995


@dataclass(frozen=True, slots=True)
class Plan:
    """What all candidates share.

    Attributes:
        calibration: cells the ranges are taken from; never those of the check.
        check: cells the result is judged on.
        values: value range of the graph's input.
        card: labels, colour and threshold; its output kind is set per candidate.
        limit: most that accuracy may drop, in points, below ``reference``; 100: no gate, and nothing is rescued.
        reference: accuracy 0..1 of the float net as trained, on the check; None: nothing is known of the cells.
        cells: calibration cells of the first try.
        more_cells: and of the second.
        seed: of the choice of calibration cells.
    """

    calibration: CellSet
    check: CellSet
    values: ValueRange
    card: Card
    limit: float
    reference: float | None
    cells: int = 500
    more_cells: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A device file and what it is worth.

    Attributes:
        way: how it comes to 32 x 32.
        recipe: ``int8`` or what rescued it.
        flatbuffer: the file; float_file: the same net in float.
        float_scores: float32 [n, labels] of the float file on the check, int8_scores: of the device file.
        card: card for scoring, with the right output kind.
        accuracy: int8, 0..1, None where the cells' classes are unknown.
        calibrated_on: calibration cells used.
        value_range: name of the value range of its input.
        layers: per-layer error, in the order of data.
        tried: what was tried, and its loss (1: as much as is tolerable).
    """

    way: str
    recipe: str
    flatbuffer: bytes
    float_file: bytes
    float_scores: FloatArray
    int8_scores: FloatArray
    card: Card
    accuracy: float | None
    calibrated_on: int
    value_range: str
    layers: tuple[LayerError, ...] = ()
    tried: tuple[tuple[str, float], ...] = ()


def passes(candidate: Candidate, plan: Plan) -> bool:
    """The gate: the device file loses no more than allowed."""
    if plan.reference is None or candidate.accuracy is None:
        return True
    return (plan.reference - candidate.accuracy) * 100 <= plan.limit + 1e-9


def make(way: Way, plan: Plan, progress: Progress) -> Candidate:
    """Make the device file of one way; climbs the ladder where the gate is not passed. The best is returned, pass or not."""
    card = replace(plan.card, output="logit" if way.logits else "probability", colour=way.colour or plan.card.colour)
    plan = replace(plan, card=card, values=way.values or plan.values)
    progress(f"{way.name}: float file", -1)
    static = way.make(1, False)
    float_file = to_float(way.make(1, True))
    float_scores = device_scores(float_file, card, plan.check.images)

    def attempt(recipe: str, how: Recipe, count: int) -> Candidate:
        progress(f"{way.name}: {recipe}, calibrating", -1)
        from_bytes = how.wide
        chosen = some(plan.calibration, count, plan.seed)
        feed = samples(chosen, plan, from_bytes=from_bytes)
        flatbuffer = quantise(way.make(1, True) if from_bytes else static, feed, how)
        progress(f"{way.name}: {recipe}, checking", -1)
        scores = device_scores(flatbuffer, card, plan.check.images)
        return Candidate(
            way.name,
            recipe,
            flatbuffer,
            float_file,
            float_scores,
            scores,
            card,
            _accuracy(scores, plan),
            len(chosen),
            plan.values.name,
        )

    best = attempt("int8", Recipe(), plan.cells)
    progress(f"{way.name}: error of each layer", -1)
    layers = tuple(
        layer_errors(
            static,
            samples(
                some(plan.calibration, int(np.clip(plan.more_cells // 100, 1, 10)), plan.seed + 1),
                plan,
                from_bytes=False,
            ),
        )
    )
    tried = [(best.recipe, _loss(best, plan))]
    for recipe, how, count in _ladder(layers, plan) if plan.limit < _NO_GATE else ():
        if _loss(best, plan) <= 1 or (
            how.wide and passes(best, plan)
        ):  # twenty times slower: only where nothing else serves
            break
        try:
            other = attempt(recipe, how, count)
        except UnsupportedError as error:
            progress(f"{way.name}: {recipe} does not work: {error}", -1)
            continue
        tried.append((recipe, _loss(other, plan)))
        if _loss(other, plan) < _loss(best, plan):
            best = other
    return replace(best, layers=layers, tried=tuple(tried))


def _loss(candidate: Candidate, plan: Plan) -> float:
    """What quantising lost against the float file, 1 being as much as is tolerable; what was lost before is not counted.

    The largest of: drop in accuracy over the gate's limit, drop in AUC over 0.002, disagreement over 0.5 %.
    """
    card, cells = candidate.card, plan.check
    mine, theirs = (
        decide(scores, card.labels, card.positive, card.threshold)
        for scores in (candidate.int8_scores, candidate.float_scores)
    )
    losses = [float((mine != theirs).mean()) / (1 - _AGREEMENT)]
    if plan.reference is not None:
        drop = float((theirs == cells.truth).mean() - (mine == cells.truth).mean()) * 100
        losses.append(drop / max(plan.limit, 0.01))
        suspect = np.array([label in card.positive for label in card.labels])
        infected = suspect[cells.truth]
        if 0 < infected.sum() < len(infected):
            areas = [auc(infected, s[:, suspect].sum(axis=1)) for s in (candidate.float_scores, candidate.int8_scores)]
            losses.append((areas[0] - areas[1]) / _AUC_DROP)
    return max(losses)


def samples(cells: CellSet, plan: Plan, *, from_bytes: bool) -> Callable[[], Iterator[list[np.ndarray]]]:
    """Calibration images for the converter: float32 [1, s, s, c] one by one, the first touched so that all bytes are seen."""
    batch = to_colour(cells.images, plan.card.colour)
    fed = batch.astype(np.float32) if from_bytes else plan.values.values(batch)
    low, high = (0.0, 255.0) if from_bytes else plan.values.limits
    fed[0, 0, 0], fed[0, -1, -1] = low, high

    def feed() -> Iterator[list[np.ndarray]]:
        for image in fed:
            yield [image[None]]

    return feed


def _ladder(layers: tuple[LayerError, ...], plan: Plan) -> Iterator[tuple[str, Recipe, int]]:
    if len(plan.calibration) > plan.cells:
        yield "int8 with more calibration cells", Recipe(), plan.more_cells
        yield "int8 with fewer calibration cells", Recipe(), _FEW  # narrower ranges, finer steps
    dense = [i for i, layer in enumerate(layers) if layer.op == "FULLY_CONNECTED"]
    tail = layers[dense[0] + 2 :] if dense else ()  # the first dense layer has nearly all the weights
    if tail:
        names = tuple(layer.tensor for layer in tail)
        yield "int8, the small dense layers at the end in float", Recipe(float_layers=names), plan.cells
    worst = tuple(layer.tensor for layer in sorted(layers, key=lambda one: -one.ratio)[:_WORST])
    if worst:
        yield f"int8, the {len(worst)} worst layers in float", Recipe(float_layers=worst), plan.cells
    yield "8-bit weights, 16-bit activations", Recipe(wide=True), plan.cells


def _accuracy(scores: FloatArray, plan: Plan) -> float | None:
    if plan.reference is None:
        return None
    guess = decide(scores, plan.card.labels, plan.card.positive, plan.card.threshold)
    return float((guess == plan.check.truth).mean())
