"""Train a cell classifier of any number of classes: the batches and the step; ``models.train.loop`` runs it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convert.measure.typicals import CellTypicals, middle, stacked
from edge.crops import compared, crop_channels
from edge.modelfile import CropSpec
from edge.types import UInt8Array
from edge.typical import TypicalCells, typical_cell
from models.data.augment import Augmentation, augment
from models.data.cells import LabelledCells
from models.data.crops import moved
from models.data.streams import RandomStream
from models.train.loop import Keeping, Log, ahead, optimiser, run, seeded
from models.train.net import WIDTHS, build

_BACKGROUND = 0.4
"""Share of the background in a batch where there are more than two classes; the others share the rest."""

_ALONE = 0.02
"""Share of the cells that are learned from as if their field held no other."""


@dataclass(frozen=True, slots=True)
class CellTraining:
    """Settings of one run.

    Attributes:
        steps: of the optimiser.
        batch: cells per step.
        rate: highest learning rate.
        seed: everything random follows from it.
        infected: share of the other class in a batch where there are two, one of them background.
        smoothing: of the labels.
        decay: weight decay.
        augmentation: how crops are changed before the net learns from them.
        anchor: pull back to the weights that training started from, per unit of learning rate.
    """

    steps: int = 3000
    batch: int = 256
    rate: float = 4e-3
    seed: int = 0
    infected: float = 0.35
    smoothing: float = 0.02
    decay: float = 2e-4
    anchor: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def plain(cls, values: Mapping[str, Any]) -> CellTraining:
        """The settings from a card, where they stand as plain values; raises TypeError where they are of another version."""
        return cls(**{**values, "augmentation": Augmentation(**values["augmentation"])})


@dataclass(frozen=True, slots=True)
class BatchClasses:
    """How many classes, and which of them is the ordinary one (None: none is)."""

    count: int = 2
    background: int | None = 0

    def shares(self, infected: float) -> np.ndarray:
        """Share of each class in a batch, float [count]."""
        if self.background is None:
            return np.full(self.count, 1 / self.count)
        own = 1 - infected if self.count == 2 else _BACKGROUND
        shares = np.full(self.count, (1 - own) / (self.count - 1))
        shares[self.background] = own
        return shares


def net_input(crops: UInt8Array, spec: CropSpec, typical: CellTypicals | None = None) -> np.ndarray:
    """Plain crops uint8 [n, s, s, 3] to what the net sees in training, float32 [n, s, s, 3 or 6]; None: all are of one field."""
    seen = compared(crops, spec) if typical is None else compared(crops, spec, typical.typical, typical.of)
    return (seen.astype(np.float32) - 128) / 64


def batches(
    sources: Sequence[LabelledCells],
    mix: Sequence[float],
    spec: CropSpec,
    settings: CellTraining,
    *,
    classes: BatchClasses | None = None,
    first: int = 0,
) -> Iterator[tuple[Any, Any]]:
    """Endless batches of net inputs and classes int32 [n]; batch ``i`` depends on the seed and on ``i`` alone.

    Args:
        sources: plain cells with slack.
        mix: share of each source in a batch.
        spec: of the net's crops.
        settings: of the run.
        classes: of the cells; None: two, the first of them background.
        first: number of the first batch.
    """
    classes = classes or BatchClasses()
    wanted = classes.shares(settings.infected)
    pools = [[np.flatnonzero(s.taught == number) for number in range(classes.count)] for s in sources]
    present = [np.array([len(rows) > 0 for rows in pool]) * wanted for pool in pools]
    shares = [weights / weights.sum() for weights in present]
    share = np.array(mix) / np.sum(mix)
    number = first
    while True:
        rng = np.random.default_rng([settings.seed, RandomStream.CELL_BATCHES, number])
        crops, labels, typicals = [], [], []
        for source, pool, each, count in zip(
            sources, pools, shares, rng.multinomial(settings.batch, share), strict=True
        ):
            for rows, many in zip(pool, rng.multinomial(count, each), strict=True):
                if many:
                    chosen = rng.choice(rows, many)
                    crops.append(moved(source.crops[chosen], spec.size, rng))
                    labels.append(source.taught[chosen])
                    typicals.append(_typicals(source, chosen, spec, rng))
        seen, beside = augment(np.concatenate(crops), stacked(typicals), rng, settings.augmentation)
        each = CellTypicals(beside, np.arange(len(seen), dtype=np.int32))
        yield net_input(seen, spec, each), np.concatenate(labels).astype(np.int32)
        number += 1


def _typicals(source: LabelledCells, rows: np.ndarray, spec: CropSpec, rng: np.random.Generator) -> TypicalCells:
    """What each of these cells is compared with; some are alone in their field, and so compared with themselves."""
    own = middle(source.crops[rows], spec.size)
    if source.typical is None:
        return stacked([typical_cell(one[None]) for one in own])
    known = source.typical.each(rows, rng)
    cells = known.cells.copy()
    alone = rng.random(len(rows)) < _ALONE
    cells[alone] = own[alone]
    return TypicalCells(known.papers, cells)


def train(
    sources: Sequence[LabelledCells],
    mix: Sequence[float],
    spec: CropSpec,
    settings: CellTraining,
    log: Log,
    *,
    classes: BatchClasses | None = None,
    start: Any = None,
    keep: Keeping | None = None,
    widths: Sequence[int] = WIDTHS,
) -> Any:
    """A trained Keras model with one logit for two classes, else one per class.

    Args:
        sources: plain cells with slack.
        mix: share of each source in a batch.
        spec: of the net's crops.
        settings: of the run.
        log: gets lines of progress.
        classes: of the cells; None: two, the first of them background.
        start: a trained Keras model to go on from; None: a new one.
        keep: where checkpoints go; None: nowhere.
        widths: of a new net, see ``models.train.net``.
    """
    import tensorflow as tf  # noqa: PLC0415

    known = classes or BatchClasses()
    seeded(settings.seed)
    model = build(1 if known.count == 2 else known.count, widths, crop_channels(spec)) if start is None else start
    rule = optimiser(settings.rate, settings.steps, settings.decay)
    criterion = loss_of(known.count, settings.smoothing)
    weights = model.trainable_variables
    rule.build(weights)
    origin = [tf.constant(weight) for weight in weights] if settings.anchor else []

    def one_step(crops: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = model(crops, training=True)
            loss = criterion(labels, tf.reshape(outputs, [-1, outputs.shape[-1]]))
        grads = tape.gradient(loss, weights)
        rule.apply_gradients(zip(grads, weights, strict=True))
        pull = settings.anchor * rule.learning_rate
        for weight, old in zip(weights, origin, strict=False):
            weight.assign_sub(pull * (weight - old))
        return loss

    def source(first: int) -> Generator[tuple[Any, Any]]:
        return ahead(batches(sources, mix, spec, settings, classes=known, first=first))

    run(tf.function(one_step), [*model.variables, *rule.variables], source, settings.steps, log, keep=keep)
    return model


def loss_of(count: int, smoothing: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy of classes int32 [n] and logits float32 [n, outputs], labels smoothed."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    if count == 2:
        binary = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
        return lambda labels, logits: binary(tf.cast(labels, tf.float32)[:, None], logits)
    several = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    return lambda labels, logits: several(tf.one_hot(labels, count), logits)


def logits(model: Any, crops: UInt8Array, spec: CropSpec, typical: CellTypicals | None = None) -> np.ndarray:
    """Float logits of plain crops, float32 [n], of several outputs [n, k]; ``typical`` as in ``net_input``."""
    fed = net_input(crops, spec, typical)
    out = np.asarray(model.predict(fed, batch_size=1024, verbose=0)).reshape(len(crops), -1)
    return out[:, 0] if out.shape[1] == 1 else out
