"""The device file of one way: quantised, compared with its float file, and rescued where int8 loses too much.

A ladder of recipes (``convert.classify.ladder``) is climbed until the int8 file loses no more than is tolerable, or, where only the
dear steps are left, until it is not worse than its float file (``convert.classify.passing``). All is chosen on cells that do not
judge the result.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify.blame import TensorBlame, blamed
from convert.classify.finetune import fine_tuned
from convert.classify.ladder import FEW, INT8, LadderStep, ladder
from convert.classify.loss import losses
from convert.classify.passing import NO_GATE, accuracy, worse
from convert.classify.ways import Way
from convert.errors import UnsupportedError
from convert.measure.cells import CellSet, draws, some
from convert.measure.operating import Operating
from convert.measure.scoring import device_scores
from convert.net.batch import CONVERTED_AT, Feed, check_batches, feed
from convert.net.int8 import LayerError, QuantisationRecipe, calibrate, layer_errors, quantise, to_float
from convert.net.values import ValueRange
from edge.crops import to_colour
from edge.macs import macs
from edge.modelfile import Card
from edge.types import FloatArray

_ONE_BY_ONE = 5  # cells on which a batch is compared with its cells one by one
_BETTER = 0.9  # a step of the ladder counts only where it loses so much less than the best before it
_CHOOSING_SHARE = 1 / 3  # of the calibration cells chooses
_CHOOSING_CELLS = 600  # fewer calibration cells are not divided
_CHOOSING_SLIDES = 6  # nor fewer slides
_LAYER_CELLS = 3  # on which the error of each layer is measured: every one runs the net twice, in slow kernels
_CONVERTING_S = 4.0  # seconds that TensorFlow's converter usually takes for a net
_CALIBRATED_MACS_PER_S = 3e9  # of the kernels that calibration runs in, for the time that a stage usually takes
_LAYERS_AS = 150  # calibration cells that the error of each layer takes as long as
_CORRECTED_CELLS = 300  # on which biases are corrected, at most
_CORRECTING_S = 30.0  # seconds that may take about
_BLAME_CELLS = 10  # on which the tensor to blame is looked for


@dataclass(frozen=True, slots=True)
class QuantizePlan:
    """What all candidates share: cells, limits and the rule for the threshold.

    Attributes:
        calibration: cells from which the ranges are taken.
        choose: cells on which recipe, way and threshold are chosen; never those that judge.
        values: value range of the graph's input.
        card: labels and colour; output kind and threshold are set per candidate.
        limit: most that accuracy may drop, in points, below the net as trained; 100: no gate, and nothing is rescued.
        operating: how the threshold is chosen.
        apart: the cells that choose do not calibrate.
        cells: calibration cells of the first recipe.
        more_cells: calibration cells of the recipe that takes more.
        seed: random seed of the choice of calibration cells.
        scores: of the float net as trained on ``choose`` as its author cut it, float32 [n, labels]; None: no classes are known.
    """

    calibration: CellSet
    choose: CellSet
    values: ValueRange
    card: Card
    limit: float
    operating: Operating
    apart: bool = False
    cells: int = 500
    more_cells: int = 2000
    seed: int = 0
    scores: FloatArray | None = None

    def at(self, calibration: CellSet, choose: CellSet) -> QuantizePlan:
        """The same plan on the same cells cut at another size."""
        crop = replace(self.card.crop, size=choose.images.shape[1])
        return replace(self, calibration=calibration, choose=choose, card=replace(self.card, crop=crop))


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A device file and what it is worth.

    Attributes:
        way: the way to the device.
        recipe: ``int8`` or what rescued it.
        flatbuffer: the file.
        float_file: the same net in float.
        card: card for scoring, with the right output kind and threshold.
        accuracy: int8, 0..1, on the cells that choose; None where the cells' classes are unknown. Where the net learnt from these
            cells it is that of nets which did not, with what int8 changes added.
        lost: by quantising, on the same cells, in units of what is tolerable (``convert.classify.loss``).
        calibrated_on: calibration cells used.
        value_range: name of the value range of its input.
        layers: per-layer error, in the order of data.
        tried: what was tried, and its largest loss.
        scores: likewise, float32 [n, labels].
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


def divide(cells: CellSet, seed: int) -> tuple[CellSet, CellSet]:
    """(calibration, choose): whole slides where they are known. Where cells or slides are few both are all of them."""
    if len(cells) < _CHOOSING_CELLS or len(np.unique(cells.groups)) < _CHOOSING_SLIDES:
        return cells, cells
    for chosen in draws(cells.groups, f"choose/{seed}", _CHOOSING_SHARE, f"choose/{seed}/0"):
        if all(len(np.unique(cells.truth[part])) == len(cells.labels) for part in (chosen, ~chosen)):
            return cells.take(~chosen), cells.take(chosen)
    return cells, cells


def make(way: Way, plan: QuantizePlan, progress: Progress) -> Candidate:
    """Make the device file of one way; climbs the ladder where int8 loses too much. The best is returned, pass or not.

    Args:
        way: the way.
        plan: on cells of the way's size (``QuantizePlan.at``).
        progress: told of every step.

    Raises:
        UnsupportedError: no recipe gives a file that the device's runtime takes.
    """
    work = _CandidateMaker(way, plan, progress)
    best, failure = work.first(), work.failure
    progress(f"{way.name}: error of each layer", -work.seconds(_LAYERS_AS))
    layers = work.layers()
    tried = [] if best is None else [(best.recipe, best.worst)]
    if best is None or (best.worst > 1 and work.worth_rescuing):
        corrected = work.corrected_on(len(layers))
        for step in ladder(
            *(layers, work.blame(), len(plan.calibration), plan.cells, plan.more_cells),
            learnt=way.learnt,
            corrected=corrected,
        ):
            if best is not None and (best.worst <= 1 or (step.last and not work.worse(best))):
                break
            try:
                other = work.attempt(step)
            except UnsupportedError as error:
                progress(f"{way.name}: {step.name} does not work: {error}", -1)
                continue
            tried.append((step.name, other.worst))
            if best is None or other.worst < _BETTER * best.worst:
                best = other
    if best is None:
        raise failure or UnsupportedError(f"{way.name}: no device file can be made")
    return replace(best, layers=layers, tried=tuple(tried))


class _CandidateMaker:
    """What the tries of one way share: its float file and that file's scores.

    Attributes:
        macs: of the float file, multiply-accumulates per cell.
        plain: the int8 file of the first step, whether the runtime takes it or not; None: it is not made yet.
        failure: why the first step failed.
        held_out: scores float32 [n, labels] of the cells that choose by nets that did not learn from them; None: the way did not
            learn from them.
    """

    def __init__(self, way: Way, plan: QuantizePlan, progress: Progress) -> None:
        output = "logit" if way.logits else "probability"
        card = replace(plan.card, output=output, colour=way.colour or plan.card.colour)
        self.way, self.card, self.plan, self.progress = way, card, plan, progress
        self.values = way.values or plan.values
        self.plain: bytes | None = None
        self.ranges: dict[int, bytes] = {}  # calibrated nets by the number of cells
        self.failure: UnsupportedError | None = None
        self.held_out = None if way.held_out is None or plan.apart else way.held_out(plan.choose)
        progress(f"{way.name}: float file", -_CONVERTING_S)
        self.static = way.make(CONVERTED_AT, False)
        self.float_file = to_float(way.make(CONVERTED_AT, True))
        self.few = to_colour(plan.choose.images[:_ONE_BY_ONE], card.colour)
        check_batches(self.float_file, self.few, way.name)
        self.macs = macs(self.float_file)
        tell = partial(progress, f"{way.name}: float file, checking")
        self.float_scores = device_scores(self.float_file, card, plan.choose.images, tell)
        self.float_threshold = plan.operating.threshold(self.float_scores, plan.choose, card)

    @property
    def worth_rescuing(self) -> bool:
        """Whether there is a gate, and the float file of this way may still pass it, by the cells that choose."""
        plan = self.plan
        if plan.scores is None or plan.limit >= NO_GATE:
            return plan.limit < NO_GATE
        mine = self.choosing(self.float_scores)
        return not worse(plan.scores, mine, plan.choose, self.card, plan.limit)

    def worse(self, made: Candidate) -> bool:
        """Whether an int8 file is worse than the float file; False where no classes are known."""
        plan = self.plan
        if made.scores is None:
            return False
        return worse(self.choosing(self.float_scores), made.scores, plan.choose, self.card, plan.limit)

    def choosing(self, scores: FloatArray) -> FloatArray:
        """The scores that choose: out-of-fold ones, with what int8 changes, where the net learnt from these cells."""
        if self.held_out is None:
            return scores
        return np.asarray(np.clip(self.held_out + scores - self.float_scores, 0, 1), np.float32)

    def first(self) -> Candidate | None:
        """Plain int8; None where the runtime does not take it."""
        try:
            return self.attempt(LadderStep(INT8, QuantisationRecipe(), self.plan.cells))
        except UnsupportedError as error:
            if self.plain is None:  # there is no such file: no recipe helps
                raise
            self.failure = error
            self.progress(f"{self.way.name}: {error}", -1)
            return None

    def attempt(self, step: LadderStep) -> Candidate:
        plan = self.plan
        chosen = some(plan.calibration, step.cells, plan.seed)
        self.progress(f"{self.way.name}: {step.name}, calibrating", -self.seconds(len(chosen)))
        with self.net(step, chosen) as net:
            fed = feed(to_colour(chosen.images, self.card.colour), self.values)
            calibrated = self.calibrated(step.cells, fed) if not (step.recipe.plain or step.tuned) else None
            flatbuffer = quantise(net, fed, step.recipe, name=self.way.name, calibrated=calibrated)
        self.plain = self.plain or flatbuffer
        check_batches(flatbuffer, self.few, self.way.name)
        tell = partial(self.progress, f"{self.way.name}: {step.name}, checking")
        scores = device_scores(flatbuffer, self.card, plan.choose.images, tell)
        choosing = self.choosing(scores)
        card = replace(self.card, threshold=plan.operating.threshold(choosing, plan.choose, self.card))
        limit = None if plan.scores is None else plan.limit
        floats, int8 = (self.float_scores, self.float_threshold), (scores, card.threshold)
        return Candidate(
            way=self.way.name,
            recipe=step.name,
            flatbuffer=flatbuffer,
            float_file=self.float_file,
            card=card,
            accuracy=None if limit is None else accuracy(choosing, plan.choose, card),
            lost=losses(floats, int8, plan.choose, card, limit),
            calibrated_on=len(chosen),
            value_range=self.values.name,
            scores=None if limit is None else choosing,
        )

    def calibrated(self, cells: int, fed: Feed) -> bytes:
        """The calibrated net, which the steps that keep layers in float share."""
        if cells not in self.ranges:
            self.ranges[cells] = calibrate(self.static, fed)
        return self.ranges[cells]

    def net(self, step: LadderStep, chosen: CellSet) -> AbstractContextManager[Any]:
        if step.tuned:
            fed = self.values.values(to_colour(chosen.images, self.card.colour))
            return fine_tuned(self.way.make(None, False), fed, self.macs, self.plan.seed, self.progress)
        return nullcontext(self.static)

    def seconds(self, cells: int) -> float:
        """What it usually takes to convert the net and to calibrate it on so many cells."""
        return _CONVERTING_S + cells * self.macs / _CALIBRATED_MACS_PER_S

    def corrected_on(self, layers: int) -> int:
        """On how many cells the biases of so many layers are corrected: each layer runs the net on all of them."""
        affordable = _CORRECTING_S * _CALIBRATED_MACS_PER_S / max(self.macs * layers, 1.0)
        return int(min(_CORRECTED_CELLS, affordable, len(self.plan.calibration)))

    def layers(self) -> tuple[LayerError, ...]:
        few = some(self.plan.calibration, _LAYER_CELLS, self.plan.seed + 1)
        ranges = some(self.plan.calibration, min(FEW, self.plan.cells), self.plan.seed)
        fed = [feed(to_colour(cells.images, self.card.colour), self.values) for cells in (few, ranges)]
        return tuple(layer_errors(self.static, *fed))

    def blame(self) -> list[TensorBlame]:
        """The tensors that plain int8 spoils, the worst first."""
        if self.plain is None:
            return []
        self.progress(f"{self.way.name}: the tensor to blame", -self.seconds(_BLAME_CELLS))
        cells = to_colour(some(self.plan.calibration, _BLAME_CELLS, self.plan.seed + 1).images, self.card.colour)
        return blamed(self.plain, to_float(self.static), cells, self.values.values(cells))
